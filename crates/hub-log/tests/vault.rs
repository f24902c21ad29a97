//! Names and numbers: encrypted, erasable, never in the clear on disk.

use hub_core::id::MemberKey;
use hub_core::person::DocumentKind;
use hub_log::vault::{
    Person, RECORD_HEAD_BYTES, VAULT_FILE, VAULT_HEADER_BYTES, Vault, VaultError,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

const KEY: [u8; 32] = [7; 32];

fn member(number: u32) -> MemberKey {
    let mut key = [0x11; 16];
    key[..4].copy_from_slice(&number.to_be_bytes());
    MemberKey(key)
}

fn person(number: u32) -> Person {
    Person {
        name: Zeroizing::new(format!("测试者{number}")),
        document: DocumentKind::ResidentId,
        number: Zeroizing::new(format!("99010119900101{number:04}")),
        phone: number.is_multiple_of(2).then(|| Zeroizing::new(format!("1990000{number:04}"))),
    }
}

fn people(numbers: std::ops::Range<u32>) -> Vec<(MemberKey, Person)> {
    numbers.map(|number| (member(number), person(number))).collect()
}

fn open(directory: &Path) -> Vault {
    Vault::open(directory, &KEY).expect("open").0
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn persons_are_read_back_and_stored_once() {
    let directory = tempfile::tempdir().expect("directory");
    let vault = open(directory.path());
    assert_eq!(vault.put_many(&people(0..50)), Ok(50));
    assert_eq!(vault.put_many(&people(0..60)), Ok(10), "the same content is left alone");
    drop(vault);
    let vault = open(directory.path());
    assert_eq!(vault.len(), 60);
    for (member, person) in people(0..60) {
        assert_eq!(vault.get(&member), Ok(Some(person)));
    }
    assert_eq!(vault.get(&member(99)), Ok(None));
}

#[test]
fn nothing_of_a_person_is_on_disk_or_in_debug_output() {
    let directory = tempfile::tempdir().expect("directory");
    let vault = open(directory.path());
    vault.put_many(&people(0..10)).expect("put");
    let path = directory.path().join(VAULT_FILE);
    let bytes = fs::read(&path).expect("read");
    for number in 0..10 {
        let person = person(number);
        assert!(!contains(&bytes, &person.name) && !contains(&bytes, &person.number));
        assert!(!format!("{person:?}").contains(person.name.as_str()));
    }
    assert!(!contains(&bytes, "测试") && !contains(&bytes, "990101"));
    assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    assert!(!format!("{vault:?}").contains("[7"));
}

#[test]
fn erasing_destroys_the_key_for_good() {
    let directory = tempfile::tempdir().expect("directory");
    let vault = open(directory.path());
    vault.put_many(&people(0..5)).expect("put");
    let path = directory.path().join(VAULT_FILE);
    let before = fs::read(&path).expect("read");
    assert_eq!(vault.erase(&member(3)), Ok(true));
    assert_eq!(vault.erase(&member(3)), Ok(false));
    assert_eq!((vault.get(&member(3)), vault.is_erased(&member(3))), (Ok(None), true));
    let after = fs::read(&path).expect("read");
    let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    assert!(changed.len() > 60, "the wrapped key is overwritten in place: {}", changed.len());
    assert!(after[changed[0]..changed[0] + 72].iter().all(|byte| *byte == 0));
    drop(vault);
    let vault = open(directory.path());
    assert_eq!((vault.get(&member(3)), vault.is_erased(&member(3))), (Ok(None), true));
    assert_eq!(vault.get(&member(4)), Ok(Some(person(4))));
    // the tombstone lost: the person stays unreadable all the same
    drop(vault);
    fs::write(&path, &after[..before.len()]).expect("write");
    assert_eq!(open(directory.path()).get(&member(3)), Ok(None));
}

#[test]
fn a_changed_person_leaves_no_key_of_the_old_record() {
    let directory = tempfile::tempdir().expect("directory");
    let vault = open(directory.path());
    vault.put_many(&people(0..2)).expect("put");
    let old = fs::read(directory.path().join(VAULT_FILE)).expect("read");
    let changed = Person { name: Zeroizing::new("改名者".to_owned()), ..person(0) };
    assert_eq!(vault.put_many(&[(member(0), changed.clone())]), Ok(1));
    assert_eq!(vault.get(&member(0)), Ok(Some(changed)));
    let new = fs::read(directory.path().join(VAULT_FILE)).expect("read");
    let wrapped = VAULT_HEADER_BYTES + 29..VAULT_HEADER_BYTES + 29 + 76;
    assert!(old[wrapped.clone()].iter().any(|byte| *byte != 0));
    assert!(new[wrapped].iter().all(|byte| *byte == 0));
    assert_eq!(vault.get(&member(1)), Ok(Some(person(1))));
}

#[test]
fn another_key_and_other_files_are_refused() {
    let directory = tempfile::tempdir().expect("directory");
    open(directory.path()).put_many(&people(0..2)).expect("put");
    let error = Vault::open(directory.path(), &[8; 32]).expect_err("another key");
    assert!(matches!(error, VaultError::Key { .. }), "{error}");
    fs::write(directory.path().join(VAULT_FILE), b"no vault at all").expect("write");
    let error = Vault::open(directory.path(), &KEY).expect_err("a foreign file");
    assert!(matches!(error, VaultError::Foreign { .. }), "{error}");
}

#[test]
fn damage_hits_one_person_and_torn_ends_are_kept_aside() {
    let directory = tempfile::tempdir().expect("directory");
    open(directory.path()).put_many(&people(0..4)).expect("put");
    let path = directory.path().join(VAULT_FILE);
    let whole = fs::read(&path).expect("read");
    let record = (whole.len() - VAULT_HEADER_BYTES) / 4;
    let second = VAULT_HEADER_BYTES + record;
    for at in (second..second + record).step_by(3) {
        let mut hit = whole.clone();
        hit[at] ^= 0x20;
        fs::write(&path, &hit).expect("write");
        let vault = open(directory.path());
        assert_ne!(vault.get(&member(1)), Ok(Some(person(2))));
        for number in [0, 2, 3] {
            assert_eq!(vault.get(&member(number)), Ok(Some(person(number))), "byte {at}");
        }
    }
    for length in (second..second + record).step_by(7) {
        fs::write(&path, &whole[..length]).expect("write");
        let (vault, recovery) = Vault::open(directory.path(), &KEY).expect("open");
        assert_eq!((vault.len(), recovery.cut.is_some()), (1, length > second));
        vault.put_many(&people(1..3)).expect("it goes on");
        drop(vault);
        assert_eq!(open(directory.path()).len(), 3);
    }
    assert!(record > RECORD_HEAD_BYTES);
}

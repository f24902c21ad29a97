//! Backup and restore, and the head file.

use crate::blocks::{Chain, filled, hashes, mixed, seen, small};
use hub_core::id::MemberKey;
use hub_core::person::DocumentKind;
use hub_log::backup::{BackupError, RESTORED_FILE, backup, restore};
use hub_log::vault::{Person, Vault};
use hub_log::{Heads, HeadsError, Journal, Origin, read_heads, verify, write_heads};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

fn person() -> Person {
    Person {
        name: Zeroizing::new("测试者".to_owned()),
        document: DocumentKind::Passport,
        number: Zeroizing::new("E99000001".to_owned()),
        phone: None,
    }
}

/// A data directory with everything a backup takes.
fn node(directory: &Path) -> Vec<hub_log::Entry> {
    let entries = mixed(40, 250);
    filled(directory, 16 * 1024, &entries);
    fs::create_dir(directory.join("keys")).expect("create");
    fs::write(directory.join("keys/epoch-1"), "secret").expect("write");
    let owner_only = fs::Permissions::from_mode(0o600);
    fs::set_permissions(directory.join("keys/epoch-1"), owner_only).expect("mode");
    fs::write(directory.join("hub.toml"), "unit = \"x\"\n").expect("write");
    let (vault, _) = Vault::open(&directory.join("vault"), &[3; 32]).expect("open");
    vault.put_many(&[(MemberKey([5; 16]), person())]).expect("put");
    entries
}

#[test]
fn a_restored_directory_has_everything_and_another_name() {
    let places = tempfile::tempdir().expect("directory");
    let (data, file) = (places.path().join("data"), places.path().join("copy.hub"));
    fs::create_dir(&data).expect("create");
    let entries = node(&data);
    let (journal, _) = Journal::open(&data, small(16 * 1024)).expect("held while it is copied");
    let before = seen(&journal);
    let report = backup(&data, &file).expect("backup");
    assert_eq!(report.journal, journal.id());
    assert_eq!(fs::metadata(&file).expect("metadata").permissions().mode() & 0o777, 0o600);
    assert!(matches!(backup(&data, &file), Err(BackupError::Exists { .. })));
    // what is appended later is not in it
    journal.append(&Chain::new(50).entries(9, 500, Origin::Own)).expect("append");
    let target = places.path().join("restored");
    let restored = restore(&file, &target).expect("restore");
    assert_eq!((restored.was, restored.blocks), (journal.id(), entries.len() as u64));
    assert!(target.join(RESTORED_FILE).exists());
    assert_eq!(verify(&target, &mut |_| {}).expect("readable").damage, vec![]);
    let (again, recovery) = Journal::open(&target, small(16 * 1024)).expect("open");
    assert_eq!((recovery.damage, recovery.cut), (vec![], vec![]));
    assert_eq!(seen(&again), before);
    assert_eq!(again.id(), restored.journal);
    assert_ne!(again.id(), journal.id());
    again.append(&Chain::new(51).entries(9, 500, Origin::Own)).expect("it goes on");
    let (vault, _) = Vault::open(&target.join("vault"), &[3; 32]).expect("open");
    assert_eq!(vault.get(&MemberKey([5; 16])), Ok(Some(person())));
    let key = target.join("keys/epoch-1");
    assert_eq!(fs::read_to_string(&key).expect("read"), "secret");
    assert_eq!(fs::metadata(&key).expect("metadata").permissions().mode() & 0o777, 0o600);
    assert!(matches!(restore(&file, &target), Err(BackupError::NotEmpty { .. })));
}

#[test]
fn a_tampered_backup_is_refused_and_nothing_is_written() {
    let places = tempfile::tempdir().expect("directory");
    let (data, file) = (places.path().join("data"), places.path().join("copy.hub"));
    fs::create_dir(&data).expect("create");
    node(&data);
    backup(&data, &file).expect("backup");
    let whole = fs::read(&file).expect("read");
    let target = places.path().join("restored");
    let ends = (whole.len() - 4_000..whole.len()).step_by(29);
    for at in (0..whole.len()).step_by(1_013).chain(ends).chain(whole.len() - 48..whole.len()) {
        let mut hit = whole.clone();
        hit[at] ^= 4;
        fs::write(&file, &hit).expect("write");
        let error = restore(&file, &target).expect_err("tampered");
        assert!(matches!(error, BackupError::Damaged { .. }), "byte {at}: {error}");
        assert!(!target.exists(), "byte {at}");
    }
    for length in [0, 7, 60, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("write");
        let error = restore(&file, &target).expect_err("cut");
        assert!(matches!(error, BackupError::Damaged { .. }), "{length} bytes: {error}");
    }
}

#[test]
fn damage_stays_named_through_a_backup() {
    let places = tempfile::tempdir().expect("directory");
    let (data, file) = (places.path().join("data"), places.path().join("copy.hub"));
    fs::create_dir(&data).expect("create");
    let entries = node(&data);
    let path = data.join("journal/00000001.seg");
    let mut bytes = fs::read(&path).expect("read");
    bytes[3_000] ^= 0xff;
    fs::write(&path, bytes).expect("write");
    backup(&data, &file).expect("backup");
    let target = places.path().join("restored");
    let report = restore(&file, &target).expect("restore");
    assert_eq!((report.damage.len(), report.blocks), (1, entries.len() as u64 - 1));
    let (journal, recovery) = Journal::open(&target, small(16 * 1024)).expect("open");
    assert_eq!(recovery.damage.len(), 1);
    journal.append(&entries).expect("the missing block comes again");
    assert_eq!(seen(&journal).blocks, hashes(&entries));
}

#[test]
fn a_backup_of_nothing_is_refused() {
    let places = tempfile::tempdir().expect("directory");
    let error = backup(places.path(), &places.path().join("copy.hub")).expect_err("empty");
    assert!(matches!(error, BackupError::Empty { .. }), "{error}");
    assert!(!places.path().join("copy.hub").exists());
}

#[test]
fn the_head_file_is_read_back_or_refused() {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), 16 * 1024, &mixed(4, 100));
    let (journal, _) = Journal::open(directory.path(), small(16 * 1024)).expect("open");
    let node = Chain::new(1).id.node;
    let heads = Heads { node, journal: journal.id(), heads: journal.heads() };
    let path = directory.path().join("head");
    assert_eq!(read_heads(&path), Ok(None));
    write_heads(&path, &heads).expect("write");
    assert_eq!(read_heads(&path), Ok(Some(heads)));
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace("\"height\": 4", "\"height\": 5")).expect("write");
    assert!(matches!(read_heads(&path), Err(HeadsError::Damaged { .. })));
}

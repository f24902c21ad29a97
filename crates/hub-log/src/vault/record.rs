//! The bytes of the vault and the encryption of one person (described in `schemas/journal.md`).

use super::Person;
use crate::layout::array;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hub_core::id::MemberKey;
use hub_core::person::DocumentKind;
use zeroize::Zeroizing;

/// The first four bytes of the vault.
pub const VAULT_MAGIC: [u8; 4] = *b"HUBV";
/// The format this version writes and reads.
pub const VAULT_FORMAT: u16 = 0;
/// The length of the vault's header: magic, format, two zero bytes, nonce, tag.
pub const VAULT_HEADER_BYTES: usize = 48;
/// The first four bytes of every record.
const RECORD_MAGIC: [u8; 4] = *b"HUBP";
/// The length of a record before its ciphertext.
pub const RECORD_HEAD_BYTES: usize = 129;
/// Field, offset and size of a record's head, in order.
pub const RECORD_FIELDS: [(&str, usize, usize); 7] = [
    ("magic", 0, 4),
    ("kind", 4, 1),
    ("length", 5, 4),
    ("member", 9, 16),
    ("crc", 25, 4),
    ("wrapped_key", 29, 76),
    ("nonce", 105, 24),
];
/// Where the wrapped key stands: nonce, encrypted key, tag, four zero bytes.
pub(super) const WRAPPED: usize = 29;
pub(super) const WRAPPED_BYTES: usize = 76;
const NONCE: usize = 105;
const SEALED_KEY_BYTES: usize = 48;
/// The longest ciphertext.
const LENGTH_MAX: usize = 8 * 1024;
/// Plaintexts are padded to a multiple of this, so that lengths of names do not show.
const PAD: usize = 64;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    /// The person was erased.
    Tombstone,
}

/// A whole record's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Kind,
    pub length: usize,
    pub member: MemberKey,
    /// Whether its key was destroyed.
    pub destroyed: bool,
}

impl Head {
    pub(super) fn record_bytes(&self) -> usize {
        RECORD_HEAD_BYTES + self.length
    }
}

fn random(bytes: &mut [u8]) -> Result<(), String> {
    getrandom::fill(bytes).map_err(|error| error.to_string())
}

fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; 24],
    plain: &[u8],
    member: &[u8],
) -> Result<Vec<u8>, String> {
    XChaCha20Poly1305::new(key.into())
        .encrypt(nonce.into(), Payload { msg: plain, aad: member })
        .map_err(|_| "encryption failed".to_owned())
}

fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; 24],
    sealed: &[u8],
    member: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    XChaCha20Poly1305::new(key.into())
        .decrypt(nonce.into(), Payload { msg: sealed, aad: member })
        .ok()
        .map(Zeroizing::new)
}

/// A vault's header, which only the key it was made with opens.
pub(super) fn header(key: &[u8; 32]) -> Result<Vec<u8>, String> {
    let mut nonce = [0; 24];
    random(&mut nonce)?;
    let mut bytes = VAULT_MAGIC.to_vec();
    bytes.extend_from_slice(&VAULT_FORMAT.to_be_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&nonce);
    bytes.extend(encrypt(key, &nonce, &[], &VAULT_MAGIC)?);
    Ok(bytes)
}

/// Whether the key opens this header.
pub(super) fn opens(key: &[u8; 32], header: &[u8]) -> bool {
    header.len() == VAULT_HEADER_BYTES
        && header[..4] == VAULT_MAGIC
        && decrypt(key, &array(header, 8), &header[32..], &VAULT_MAGIC).is_some()
}

/// Encrypts a person under a fresh key of their own, which the vault's key wraps.
pub(super) fn seal(
    vault_key: &[u8; 32],
    member: &MemberKey,
    person: &Person,
) -> Result<Vec<u8>, String> {
    let mut key = Zeroizing::new([0; 32]);
    let (mut wrap_nonce, mut nonce) = ([0; 24], [0; 24]);
    random(&mut *key)?;
    random(&mut wrap_nonce)?;
    random(&mut nonce)?;
    let sealed = encrypt(&key, &nonce, &plain(person)?, &member.0)?;
    let mut wrapped = wrap_nonce.to_vec();
    wrapped.extend(encrypt(vault_key, &wrap_nonce, &key[..], &member.0)?);
    wrapped.resize(WRAPPED_BYTES, 0);
    Ok(record(1, member, &wrapped, &nonce, &sealed))
}

/// The record that says that a person was erased.
pub(super) fn tombstone(member: &MemberKey) -> Vec<u8> {
    record(2, member, &[0; WRAPPED_BYTES], &[0; 24], &[])
}

fn record(kind: u8, member: &MemberKey, wrapped: &[u8], nonce: &[u8], sealed: &[u8]) -> Vec<u8> {
    let mut bytes = RECORD_MAGIC.to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(&(sealed.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&member.0);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(wrapped);
    bytes.extend_from_slice(nonce);
    bytes.extend_from_slice(sealed);
    let crc = crc(&bytes);
    bytes[25..29].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Over everything but the checksum and the wrapped key, which an erasure overwrites in place.
fn crc(record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&record[..25]), &record[NONCE..])
}

/// The whole record at the start of `bytes`.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let fixed = bytes.get(..RECORD_HEAD_BYTES)?;
    if fixed[..4] != RECORD_MAGIC {
        return None;
    }
    let kind = match fixed[4] {
        1 => Kind::Person,
        2 => Kind::Tombstone,
        _ => return None,
    };
    let length = u32::from_be_bytes(array(fixed, 5)) as usize;
    if length > LENGTH_MAX {
        return None;
    }
    let record = bytes.get(..RECORD_HEAD_BYTES + length)?;
    if crc(record) != u32::from_be_bytes(array(fixed, 25)) {
        return None;
    }
    let destroyed = fixed[WRAPPED..WRAPPED + WRAPPED_BYTES].iter().all(|byte| *byte == 0);
    Some(Head { kind, length, member: MemberKey(array(fixed, 9)), destroyed })
}

/// Decrypts a record.
pub(super) fn open(vault_key: &[u8; 32], record: &[u8]) -> Option<Person> {
    let head = head(record)?;
    let sealed_key = &record[WRAPPED + 24..WRAPPED + 24 + SEALED_KEY_BYTES];
    let key = decrypt(vault_key, &array(record, WRAPPED), sealed_key, &head.member.0)?;
    let mut own = Zeroizing::new([0; 32]);
    if key.len() != own.len() {
        return None;
    }
    own.copy_from_slice(&key);
    let sealed = &record[RECORD_HEAD_BYTES..head.record_bytes()];
    person(&decrypt(&own, &array(record, NONCE), sealed, &head.member.0)?)
}

/// Kind, then name, number, phone: each a length of two bytes and UTF-8; then zeros.
fn plain(person: &Person) -> Result<Zeroizing<Vec<u8>>, String> {
    let phone = person.phone.as_deref().map_or("", String::as_str);
    let fields = [person.name.as_str(), person.number.as_str(), phone];
    let length = 1 + fields.iter().map(|field| 2 + field.len()).sum::<usize>();
    let padded = length.next_multiple_of(PAD);
    if padded + 16 > LENGTH_MAX {
        return Err(format!("expected at most {LENGTH_MAX} bytes of a person, found {length}"));
    }
    // reserved at once: growing would leave copies behind
    let mut plain = Zeroizing::new(Vec::with_capacity(padded));
    plain.push(person.document as u8);
    for field in fields {
        plain.extend_from_slice(&(field.len() as u16).to_be_bytes());
        plain.extend_from_slice(field.as_bytes());
    }
    plain.resize(padded, 0);
    Ok(plain)
}

fn person(plain: &[u8]) -> Option<Person> {
    let (kind, mut rest) = plain.split_first()?;
    let document = DocumentKind::ALL.into_iter().find(|known| *known as u8 == *kind)?;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let text = std::str::from_utf8(after.get(..length)?).ok()?;
        rest = &after[length..];
        Some(Zeroizing::new(text.to_owned()))
    };
    let (name, number, phone) = (field()?, field()?, field()?);
    let phone = (!phone.is_empty()).then_some(phone);
    Some(Person { name, document, number, phone })
}

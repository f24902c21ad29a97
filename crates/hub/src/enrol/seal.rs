//! Sealing the person key to a child's key: X25519 with a fresh key, XChaCha20-Poly1305.

use super::EnrolError;
use crate::keys::{KeyError, Secret, random_secret};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hub_core::hash::sha256;
use x25519_dalek::{PublicKey, StaticSecret};

const LABEL: &[u8] = b"hub sealed person key 0";

/// The public half of a sealing key.
pub(super) fn public(secret: &Secret) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(**secret)).to_bytes()
}

fn cipher(shared: &[u8; 32], fresh: &[u8; 32], to: &[u8; 32]) -> XChaCha20Poly1305 {
    let key = sha256(&[LABEL, shared, fresh, to]).0;
    XChaCha20Poly1305::new(&key.into())
}

/// The secret, readable by the holder of `to` alone. The nonce may be zero: every key is used once.
pub(super) fn seal(secret: &Secret, to: &[u8; 32]) -> Result<Vec<u8>, EnrolError> {
    let fresh = StaticSecret::from(*random_secret()?);
    let public = PublicKey::from(&fresh).to_bytes();
    let shared = fresh.diffie_hellman(&PublicKey::from(*to)).to_bytes();
    let sealed = cipher(&shared, &public, to)
        .encrypt(&XNonce::default(), secret.as_slice())
        .map_err(|_| EnrolError::Key(KeyError::Random("the person key was not sealed".into())))?;
    Ok([public.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made.
pub(super) fn open(sealed: &[u8], own: &Secret) -> Result<Secret, EnrolError> {
    let (fresh, rest) = sealed.split_first_chunk::<32>().ok_or(EnrolError::Sealed)?;
    let own_public = public(own);
    let shared = StaticSecret::from(**own).diffie_hellman(&PublicKey::from(*fresh)).to_bytes();
    let plain = cipher(&shared, fresh, &own_public)
        .decrypt(&XNonce::default(), rest)
        .map_err(|_| EnrolError::Sealed)?;
    let secret: [u8; 32] = plain.try_into().map_err(|_| EnrolError::Sealed)?;
    Ok(Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_the_key_opens_it() {
        let (child, other, person) =
            (Secret::new([1; 32]), Secret::new([2; 32]), Secret::new([3; 32]));
        let sealed = seal(&person, &public(&child)).unwrap();
        assert_eq!(*open(&sealed, &child).unwrap(), *person);
        assert!(open(&sealed, &other).is_err());
        for place in 0..sealed.len() {
            let mut wrong = sealed.clone();
            wrong[place] ^= 1;
            assert!(open(&wrong, &child).is_err(), "{place}");
        }
        assert!(open(&sealed[..31], &child).is_err());
    }
}

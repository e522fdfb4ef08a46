//! Sealing: AES-256-GCM under keys that wrap each other. The root key wraps each tenant's key. The
//! key that seals one object has two halves: the tenant's key wraps one, which the object carries,
//! and the tenant's keyring has the other, which can be destroyed.

use std::fmt;
use std::hint;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that a seal adds.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a secret.
pub(crate) const SECRET_BYTES: usize = 32;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;
/// Bytes of a wrapped secret: its nonce, the sealed secret and the tag.
pub(crate) const WRAPPED_BYTES: usize = NONCE_BYTES + SECRET_BYTES + TAG_BYTES;
/// What the key of an object is derived for, so that no other key is made of the same halves.
const DERIVED_FOR: &[u8] = b"ledgerline object 2";

/// What a key is made of. Wiped when it is dropped, and never printed.
pub(crate) struct Secret([u8; SECRET_BYTES]);

impl Secret {
    pub(crate) fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(chance: &Chance) -> Self {
        Self(chance.bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Overwrites what was secret. The black box is there so that the compiler does not leave it out
/// because nobody reads it.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    hint::black_box(bytes);
}

/// A key of 256 bits.
pub(crate) struct Key {
    sealer: LessSafeKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    pub(crate) fn new(secret: &Secret) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret.as_bytes());
        Self { sealer: LessSafeKey::new(key.expect("32 bytes are a key of AES-256")) }
    }

    /// The key that is made of two halves: HKDF (RFC 5869) of the half that an object carries, with
    /// the half that the keyring keeps for salt. Who lacks either knows nothing of the key.
    pub(crate) fn of_halves(carried: &Secret, kept: &Secret) -> Self {
        let extracted = Salt::new(HKDF_SHA256, kept.as_bytes()).extract(carried.as_bytes());
        let expanded = extracted.expand(&[DERIVED_FOR], &AES_256_GCM);
        let key = UnboundKey::from(expanded.expect("a key is shorter than what HKDF can give"));
        Self { sealer: LessSafeKey::new(key) }
    }

    /// Seals a secret by this key.
    pub(crate) fn wrap(
        &self,
        secret: &Secret,
        chance: &Chance,
        about: &[u8],
    ) -> [u8; WRAPPED_BYTES] {
        let nonce: [u8; NONCE_BYTES] = chance.bytes();
        let mut sealed = secret.as_bytes().to_vec();
        self.seal(nonce, about, &mut sealed, 0);
        let mut wrapped = [0; WRAPPED_BYTES];
        wrapped[..NONCE_BYTES].copy_from_slice(&nonce);
        wrapped[NONCE_BYTES..].copy_from_slice(&sealed);
        wrapped
    }

    /// The secret that [`Key::wrap`] sealed.
    pub(crate) fn unwrap(&self, wrapped: &[u8; WRAPPED_BYTES], about: &[u8]) -> Result<Secret> {
        let mut wrapped = *wrapped;
        let (nonce, sealed) = wrapped.split_at_mut(NONCE_BYTES);
        let nonce = (&*nonce).try_into().expect("split at the nonce's length");
        let plain = self.open(nonce, about, sealed)?;
        let secret = <[u8; SECRET_BYTES]>::try_from(&*plain).map(Secret::new);
        wipe(plain);
        secret.map_err(|_| does_not_open())
    }

    /// Seals `bytes[from..]` in place and appends the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_BYTES],
        about: &[u8],
        bytes: &mut Vec<u8>,
        from: usize,
    ) {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .sealer
            .seal_in_place_separate_tag(nonce, Aad::from(about), &mut bytes[from..])
            .expect("a piece is shorter than what AES-GCM can seal");
        bytes.extend_from_slice(tag.as_ref());
    }

    /// Opens in place what [`Key::seal`] sealed, tag included.
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; NONCE_BYTES],
        about: &[u8],
        bytes: &'a mut [u8],
    ) -> Result<&'a mut [u8]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.sealer.open_in_place(nonce, Aad::from(about), bytes).map_err(|_| does_not_open())
    }
}

/// The nonce of the piece with this number, of a key that seals one object only. The last piece
/// says so (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015).
pub(crate) fn nonce(number: u64, is_last: bool) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce[8] = u8::from(is_last);
    nonce
}

pub(crate) fn does_not_open() -> Error {
    Error::new(ErrorKind::Corrupt, "sealed bytes do not open")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_both_halves_and_tells_nothing() {
        let secret = |byte| Secret::new([byte; SECRET_BYTES]);
        let mut sealed = b"plain".to_vec();
        Key::of_halves(&secret(1), &secret(2)).seal(nonce(0, true), b"about", &mut sealed, 0);
        let opens = |key: &Key| key.open(nonce(0, true), b"about", &mut sealed.clone()).is_ok();
        assert!(opens(&Key::of_halves(&secret(1), &secret(2))));
        let others = [(1, 3), (3, 2), (2, 1)];
        assert!(others.iter().all(|(a, b)| !opens(&Key::of_halves(&secret(*a), &secret(*b)))));
        assert!(!opens(&Key::new(&secret(1))) && !opens(&Key::new(&secret(2))));
        assert_eq!(format!("{:?} {:?}", secret(1), Key::new(&secret(1))), "Secret(..) Key(..)");
        let mut bytes = [7; 40];
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 40]);
    }
}

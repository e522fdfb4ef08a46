//! Sealing: AES-256-GCM under keys that wrap each other. The root key wraps each tenant's key, a
//! tenant's key wraps the data key of each of its objects, and each data key seals one object.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that a seal adds.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a wrapped key: its nonce, the sealed key and the tag.
pub(crate) const WRAPPED_BYTES: usize = NONCE_LEN + KEY_BYTES + TAG_BYTES;
const KEY_BYTES: usize = 32;

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
    pub(crate) fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes are a key of AES-256");
        Self { sealer: LessSafeKey::new(key) }
    }

    /// Makes a key, and gives it wrapped by this one.
    pub(crate) fn make_key(&self, chance: &Chance, about: &[u8]) -> (Self, [u8; WRAPPED_BYTES]) {
        let key: [u8; KEY_BYTES] = chance.bytes();
        let nonce: [u8; NONCE_LEN] = chance.bytes();
        let mut sealed = key.to_vec();
        self.seal(nonce, about, &mut sealed, 0);
        let mut wrapped = [0; WRAPPED_BYTES];
        wrapped[..NONCE_LEN].copy_from_slice(&nonce);
        wrapped[NONCE_LEN..].copy_from_slice(&sealed);
        (Self::new(&key), wrapped)
    }

    /// The key that [`Key::make_key`] wrapped.
    pub(crate) fn open_key(&self, wrapped: &[u8; WRAPPED_BYTES], about: &[u8]) -> Result<Self> {
        let (nonce, sealed) = wrapped.split_at(NONCE_LEN);
        let mut sealed = sealed.to_vec();
        let nonce = nonce.try_into().expect("split at the nonce's length");
        let key = self.open(nonce, about, &mut sealed)?;
        let key: &[u8] = key;
        Ok(Self::new(key.try_into().map_err(|_| does_not_open())?))
    }

    /// Seals `bytes[from..]` in place and appends the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
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
        nonce: [u8; NONCE_LEN],
        about: &[u8],
        bytes: &'a mut [u8],
    ) -> Result<&'a mut [u8]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.sealer.open_in_place(nonce, Aad::from(about), bytes).map_err(|_| does_not_open())
    }
}

/// The nonce of the piece with this number, of a key that seals one object only. The last piece
/// says so (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015).
pub(crate) fn nonce(number: u64, is_last: bool) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce[8] = u8::from(is_last);
    nonce
}

pub(crate) fn does_not_open() -> Error {
    Error::new(ErrorKind::Corrupt, "sealed bytes do not open")
}

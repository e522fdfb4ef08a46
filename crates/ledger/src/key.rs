//! Ed25519 keys with names, as signed notes know them (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer as _;

use crate::error::{Error, Result};
use crate::hash;
use crate::note::SignatureLine;
use crate::text;

/// The name of a key: not empty, without spaces of any kind, `+` or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let is_wrong = |character: char| character <= ' ' || character.is_whitespace();
        if name.is_empty() || name.contains(|character| character == '+' || is_wrong(character)) {
            return Err(Error::malformed("a key's name is not empty and has neither space nor +"));
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// A log's key signs the text of a note (type 0x01).
    Log,
    /// A witness' key signs the text of a checkpoint and the time (type 0x04).
    Witness,
}

impl KeyUse {
    /// The signature type identifier byte.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A public key with its name and use. As text: `<name>+<key id>+<base64 of type and key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    name: KeyName,
    key_use: KeyUse,
    public: [u8; 32],
}

impl Vkey {
    /// A key under a name.
    #[must_use]
    pub fn new(name: KeyName, key_use: KeyUse, public: [u8; 32]) -> Self {
        Self { name, key_use, public }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key), as a number.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        let type_byte = [self.key_use.to_byte()];
        let hash = hash::of(&[self.name.0.as_bytes(), b"\n", &type_byte, &self.public]);
        u32::from_be_bytes(*hash.0.first_chunk().expect("a hash has more than four bytes"))
    }

    /// Whether a signature line says that it is by this key.
    #[must_use]
    pub fn is_named_by(&self, line: &SignatureLine) -> bool {
        self.name == line.name && self.key_id() == line.key_id
    }

    /// Checks a signature over a message, strictly: Ed25519 (RFC 8032) without multiplying by the
    /// cofactor, keys and commitments of small order and numbers that are not reduced refused.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Signature`] when it does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let wrong = || Error::signature(format!("the signature by {} does not hold", self.name));
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| wrong())?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.public).map_err(|_| wrong())?;
        key.verify_strict(message, &signature).map_err(|_| wrong())
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.key_use.to_byte()];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.key_id(), text::base64(&key))
    }
}

impl FromStr for Vkey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::malformed(format!("{text:?} is no vkey of an Ed25519 key"));
        let parts =
            text.split_once('+').and_then(|(name, rest)| Some((name, rest.split_once('+')?)));
        let (name, (_, key)) = parts.ok_or_else(wrong)?;
        let [type_byte, public @ ..] = text::parse_base64_array::<33>(key).map_err(|_| wrong())?;
        let key_use = [KeyUse::Log, KeyUse::Witness];
        let key_use = key_use.into_iter().find(|key_use| key_use.to_byte() == type_byte);
        let vkey = Self { name: KeyName::new(name)?, key_use: key_use.ok_or_else(wrong)?, public };
        // The key id between the plus signs is compared here.
        if vkey.to_string() == text { Ok(vkey) } else { Err(wrong()) }
    }
}

/// A private key. It shows nothing of itself.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key that a seed of 32 random bytes stands for.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// A private key under a name: what signs notes.
#[derive(Debug, Clone)]
pub struct Signer {
    name: KeyName,
    key: SigningKey,
}

impl Signer {
    /// A key under a name.
    #[must_use]
    pub fn new(name: KeyName, key: SigningKey) -> Self {
        Self { name, key }
    }

    /// The public key for one use.
    #[must_use]
    pub fn vkey(&self, key_use: KeyUse) -> Vkey {
        Vkey::new(self.name.clone(), key_use, self.key.public())
    }

    /// A log's signature line for the text of a note.
    #[must_use]
    pub fn sign_note(&self, text: &str) -> SignatureLine {
        let signature = self.key.sign(text.as_bytes()).to_vec();
        let key_id = self.vkey(KeyUse::Log).key_id();
        SignatureLine { name: self.name.clone(), key_id, signature }
    }

    /// A witness' signature line for the text of a checkpoint, seen at this second since 1970
    /// (C2SP tlog-cosignature, `cosignature/v1`).
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> SignatureLine {
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(&cosigned(text, time)));
        let key_id = self.vkey(KeyUse::Witness).key_id();
        SignatureLine { name: self.name.clone(), key_id, signature }
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

/// Checks a witness' signature line, as [`Signer::cosign`] makes them, and answers the second
/// since 1970 that it names.
///
/// # Errors
/// [`crate::ErrorKind::Signature`] when it does not hold, or the time is beyond 2^63 − 1.
pub fn verify_cosignature(vkey: &Vkey, text: &str, line: &SignatureLine) -> Result<u64> {
    let wrong = || Error::signature(format!("the cosignature by {} does not hold", vkey.name));
    let (time, signature) = line.signature.split_first_chunk().ok_or_else(wrong)?;
    let time = u64::from_be_bytes(*time);
    i64::try_from(time).map_err(|_| wrong())?;
    vkey.verify(&cosigned(text, time), signature)?;
    Ok(time)
}

fn cosigned(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests;

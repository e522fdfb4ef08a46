//! The change from one key of a log to the next, signed by both.

use crate::checkpoint::Origin;
use crate::error::{Error, Result};
use crate::key::{KeyUse, SigningKey, Vkey};
use crate::log_id::LogId;
use crate::text;

/// What the payload of a key rotation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signed so far.
    pub old_key: Vkey,
    /// The key that signs from here on.
    pub new_key: Vkey,
    /// The old key's signature over [`message`].
    pub old_signature: [u8; 64],
    /// The new key's signature over it.
    pub new_signature: [u8; 64],
}

impl Rotation {
    /// Signs the change with both keys.
    #[must_use]
    pub fn sign(origin: &Origin, old: &SigningKey, new: &SigningKey) -> Self {
        let vkey = |key: &SigningKey| Vkey::new(origin.key_name(), KeyUse::Log, key.public());
        let (old_key, new_key) = (vkey(old), vkey(new));
        let message = message(origin.log_id(), &old_key, &new_key);
        let (old_signature, new_signature) = (old.sign(&message), new.sign(&message));
        Self { old_key, new_key, old_signature, new_signature }
    }

    /// Checks that both keys are this log's and both signatures hold.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Signature`] when not.
    pub fn check(&self, origin: &Origin) -> Result<()> {
        let message = message(origin.log_id(), &self.old_key, &self.new_key);
        let signed = [(&self.old_key, &self.old_signature), (&self.new_key, &self.new_signature)];
        for (key, signature) in signed {
            if key.key_use() != KeyUse::Log || *key.name() != origin.key_name() {
                return Err(Error::signature("a key rotation names a key that is not the log's"));
            }
            key.verify(&message, signature).map_err(|error| error.about("the key rotation"))?;
        }
        Ok(())
    }

    /// The members of a payload, in the order that they are written: names and values as text.
    #[must_use]
    pub fn members(&self) -> [(&'static str, String); 4] {
        [
            ("old_key", self.old_key.to_string()),
            ("new_key", self.new_key.to_string()),
            ("old_signature", text::base64(&self.old_signature)),
            ("new_signature", text::base64(&self.new_signature)),
        ]
    }
}

/// What both keys sign: `ll/rotation/1`, the log, the old and the new key, each a line.
#[must_use]
pub fn message(log_id: LogId, old_key: &Vkey, new_key: &Vkey) -> Vec<u8> {
    format!("ll/rotation/1\n{log_id}\n{old_key}\n{new_key}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyName, Signer};

    #[test]
    fn both_keys_of_the_log_must_sign() {
        let origin = Origin::new("log.example", LogId([1; 16])).expect("a host");
        let (old, new) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let rotation = Rotation::sign(&origin, &old, &new);
        rotation.check(&origin).expect("signed by both");
        let refused = |rotation: &Rotation, origin: &Origin| {
            let error = rotation.check(origin).expect_err("not signed by both");
            assert_eq!(error.kind(), crate::ErrorKind::Signature);
        };
        let other = Origin::new("log.example", LogId([2; 16])).expect("a host");
        refused(&rotation, &other);
        let mut changed = rotation.clone();
        changed.old_signature[3] ^= 1;
        refused(&changed, &origin);
        let mut changed = rotation.clone();
        changed.new_signature[3] ^= 1;
        refused(&changed, &origin);
        let mut changed = rotation.clone();
        std::mem::swap(&mut changed.old_key, &mut changed.new_key);
        std::mem::swap(&mut changed.old_signature, &mut changed.new_signature);
        refused(&changed, &origin);
        // Well signed, and by a key that is not the log's: by its name, or by its use.
        for name_and_use in [("logs.other", KeyUse::Log), ("", KeyUse::Witness)] {
            let (name, key_use) = name_and_use;
            let name = if name.is_empty() { origin.key_name() } else { named(name) };
            let mut changed = rotation.clone();
            changed.new_key = Signer::new(name, new.clone()).vkey(key_use);
            let message = message(origin.log_id(), &changed.old_key, &changed.new_key);
            changed.old_signature = old.sign(&message);
            changed.new_signature = new.sign(&message);
            refused(&changed, &origin);
        }
    }

    fn named(name: &str) -> KeyName {
        KeyName::new(name).expect("a name")
    }
}

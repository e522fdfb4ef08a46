//! Checkpoints (C2SP tlog-checkpoint): a log's name, size and root, as the text of a signed note.
//!
//! ```text
//! logs.<host>/<log id>
//! <size, decimal>
//! <root, base64>
//! ```

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::key::{KeyName, Signer};
use crate::log_id::LogId;
use crate::note::SignedNote;
use crate::text;
use crate::tree::Head;

/// The name of one of our logs, `logs.<host>/<log id>`: the first line of its checkpoints and the
/// name of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    host: String,
    log_id: LogId,
}

impl Origin {
    /// The origin of a log on a host.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the host is empty, or has a space, `+` or `/`.
    pub fn new(host: &str, log_id: LogId) -> Result<Self> {
        KeyName::new(host)?;
        if host.contains('/') {
            return Err(Error::malformed("the host of a log has no slash"));
        }
        Ok(Self { host: host.to_owned(), log_id })
    }

    /// The host, without `logs.`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Which log.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The name of the log's keys: the origin itself.
    #[must_use]
    pub fn key_name(&self) -> KeyName {
        KeyName::new(self.to_string()).expect("an origin is a key's name")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "logs.{}/{}", self.host, self.log_id)
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.strip_prefix("logs.").and_then(|text| text.split_once('/'));
        let (host, log_id) =
            parts.ok_or_else(|| Error::malformed("an origin is `logs.<host>/<log id>`"))?;
        Self::new(host, log_id.parse()?)
    }
}

/// What a checkpoint says. The origin is any text: a witness sees other logs than ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// Size and root of its tree.
    pub head: Head,
}

impl Checkpoint {
    /// The text of the note.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, self.head.root.to_base64())
    }

    /// Reads the text of a note: exactly three lines.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text, one with extension lines among them:
    /// nobody could audit those.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not a checkpoint of three lines");
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or_else(wrong)?.split('\n').collect();
        let [origin, size, root] = lines[..] else { return Err(wrong()) };
        if origin.is_empty() {
            return Err(wrong());
        }
        let head = Head { size: text::parse_decimal(size)?, root: Hash::from_base64(root)? };
        Ok(Self { origin: origin.to_owned(), head })
    }

    /// Signs the checkpoint with a log's key. What may be signed, [`crate::signer`] decides.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the origin is no line of text.
    pub fn sign(&self, signer: &Signer) -> Result<SignedNote> {
        SignedNote::sign(self.to_text(), signer)
    }
}

#[cfg(test)]
mod tests;

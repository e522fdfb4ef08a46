//! Signed notes (C2SP signed-note).
//!
//! ```text
//! text, ending in a newline
//!                                                          an empty line
//! — <key name> <base64 of key id u32 big-endian | signature>       one or more lines
//! ```

use crate::error::{Error, Result};
use crate::key::{KeyName, Signer};
use crate::text;

/// The longest note.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// The most signatures of a note.
pub const SIGNATURES_MAX: usize = 64;

/// One line of a note: who says to have signed it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignatureLine {
    /// The name of the key.
    pub name: KeyName,
    /// The key's id: [`crate::key::Vkey::key_id`].
    pub key_id: u32,
    /// The signature, whose form depends on the type of the key.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// The line with its newline.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        format!("— {} {}\n", self.name, text::base64(&bytes))
    }

    /// Reads a line without its newline.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text.
    pub fn parse(line: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not the signature line of a note");
        let (name, bytes) =
            line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or_else(wrong)?;
        let name = KeyName::new(name)?;
        let bytes = text::parse_base64(bytes).map_err(|_| wrong())?;
        let (key_id, signature) = bytes.split_first_chunk().ok_or_else(wrong)?;
        let key_id = u32::from_be_bytes(*key_id);
        Ok(Self { name, key_id, signature: signature.to_vec() })
    }
}

/// A text with signature lines. That it could be read says nothing of who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    lines: Vec<SignatureLine>,
}

impl SignedNote {
    /// Signs a text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when a note cannot have this text: it must end in a
    /// newline, and have no control characters beside newlines.
    pub fn sign(text: impl Into<String>, signer: &Signer) -> Result<Self> {
        let text = text.into();
        let lines = vec![signer.sign_note(&text)];
        let note = Self { text, lines };
        Self::parse(note.to_text().as_bytes())
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for bytes that are no note, for one key signing twice, and
    /// beyond [`NOTE_BYTES_MAX`] and [`SIGNATURES_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let wrong = || Error::malformed("this is not a signed note");
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(Error::malformed("a signed note of more than 64 KiB"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| wrong())?;
        if note.contains(|character| character < ' ' && character != '\n') {
            return Err(wrong());
        }
        let split = note.rfind("\n\n").ok_or_else(wrong)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(wrong)?;
        let lines: Vec<_> = lines.split('\n').map(SignatureLine::parse).collect::<Result<_>>()?;
        let note = Self { text: text.to_owned(), lines };
        note.check_lines()?;
        Ok(note)
    }

    /// The text, with the newline at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// Adds a signature line at its place in [the order](Self::is_ordered). A line of the same key
    /// is replaced.
    pub fn add(&mut self, line: SignatureLine) {
        self.lines.retain(|other| (&other.name, other.key_id) != (&line.name, line.key_id));
        self.lines.push(line);
        let first = self.first_name().to_owned();
        self.lines.sort_by(|left, right| order(left, &first).cmp(&order(right, &first)));
    }

    /// Whether the lines are in the order that Ledgerline writes: those of the key whose name is
    /// the text's first line, then the others by name; by key id within one name. Where order
    /// means nothing, one order is demanded, so that a changed proof is not a valid one.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        let first = self.first_name();
        self.lines.is_sorted_by(|left, right| order(left, first) < order(right, first))
    }

    /// The whole note.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: String = self.lines.iter().map(SignatureLine::to_text).collect();
        format!("{}\n{lines}", self.text)
    }

    fn first_name(&self) -> &str {
        self.text.split('\n').next().unwrap_or_default()
    }

    fn check_lines(&self) -> Result<()> {
        if self.lines.len() > SIGNATURES_MAX {
            return Err(Error::malformed("a signed note with more than 64 signatures"));
        }
        let mut keys: Vec<_> = self.lines.iter().map(|line| (&line.name, line.key_id)).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::malformed("a note that one key signed twice"));
        }
        Ok(())
    }
}

fn order<'a>(line: &'a SignatureLine, first: &str) -> (bool, &'a KeyName, u32) {
    (line.name.as_str() != first, &line.name, line.key_id)
}

#[cfg(test)]
mod tests;

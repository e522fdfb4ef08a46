//! Proofs as text (C2SP tlog-proof): the place, the path and the checkpoint that it leads to.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index <decimal>
//! <hash, base64>                       from the leaf's sibling up, each a line
//!                                      an empty line
//! <checkpoint: a signed note>
//! ```

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::note::SignedNote;
use crate::text;
use crate::tree::check_inclusion;

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// The longest path: a tree has at most 2^64 leaves.
pub const PATH_MAX: usize = 64;

/// A proof. That it could be read says nothing of whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The place of the entry.
    pub index: u64,
    /// The siblings from the leaf up.
    pub path: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub note: SignedNote,
}

impl TlogProof {
    /// The proof as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let path: String = self.path.iter().map(|hash| hash.to_base64() + "\n").collect();
        format!("{HEADER}index {}\n{path}\n{}", self.index, self.note.to_text())
    }

    /// Reads a proof. Its signature lines must be [in order](SignedNote::is_ordered), and it has
    /// no `extra` line: nothing vouches for that.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not a tlog-proof");
        let rest = text.strip_prefix(HEADER).ok_or_else(wrong)?;
        let (lines, note) = rest.split_once("\n\n").ok_or_else(wrong)?;
        let mut lines = lines.split('\n');
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = text::parse_decimal(index.ok_or_else(wrong)?)?;
        let path: Vec<_> = lines.map(Hash::from_base64).collect::<Result<_>>()?;
        if path.len() > PATH_MAX {
            return Err(wrong());
        }
        let note = SignedNote::parse(note.as_bytes())?;
        Checkpoint::parse(note.text())?;
        if !note.is_ordered() {
            return Err(Error::malformed("the signature lines of a proof are not in order"));
        }
        Ok(Self { index, path, note })
    }

    /// Checks that the path leads from a leaf to the root of a checkpoint, which should be the
    /// one in [`TlogProof::note`] after its signatures were checked.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotIncluded`] when it does not.
    pub fn check(&self, leaf: Hash, checkpoint: &Checkpoint) -> Result<()> {
        check_inclusion(leaf, self.index, &checkpoint.head, &self.path)
    }
}

#[cfg(test)]
mod tests;

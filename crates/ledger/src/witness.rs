//! What a witness decides (C2SP tlog-witness, `add-checkpoint`), without doing any of it.
//!
//! ```text
//! old <size of the last checkpoint that this witness cosigned>
//! <hash, base64>                       the consistency proof, at most 63 lines
//!                                      an empty line
//! <checkpoint: a signed note>
//! ```

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::key::Vkey;
use crate::note::{NOTE_BYTES_MAX, SignatureLine, SignedNote};
use crate::text;
use crate::tree::{Head, check_consistency};

/// The most lines of a consistency proof.
pub const PROOF_MAX: usize = 63;
/// The longest request: a note and everything before it.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the proof begins at.
    pub old_size: u64,
    /// That the old tree is the beginning of the new one.
    pub proof: Vec<Hash>,
    /// The new checkpoint with its signatures.
    pub note: SignedNote,
}

impl AddCheckpoint {
    /// The request as it is sent.
    #[must_use]
    pub fn to_text(&self) -> String {
        let proof: String = self.proof.iter().map(|hash| hash.to_base64() + "\n").collect();
        format!("old {}\n{proof}\n{}", self.old_size, self.note.to_text())
    }

    /// Reads a request and the checkpoint in it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for what is none, which is answered with status 400.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Checkpoint)> {
        let wrong = || Error::malformed("this is not a request to add a checkpoint");
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(wrong());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
        let (lines, note) = text.split_once("\n\n").ok_or_else(wrong)?;
        let mut lines = lines.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = text::parse_decimal(old_size.ok_or_else(wrong)?)?;
        let proof: Vec<_> = lines.map(Hash::from_base64).collect::<Result<_>>()?;
        if proof.len() > PROOF_MAX {
            return Err(wrong());
        }
        let note = SignedNote::parse(note.as_bytes())?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok((Self { old_size, proof, note }, checkpoint))
    }
}

/// What a witness answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// 200: remember this head, durably and only if the last one is still the one that was decided
    /// on, then answer [`crate::key::Signer::cosign`] of the note's text.
    Cosign(Head),
    /// 400: the old size is beyond the new one.
    BadRequest,
    /// 403: no key that is known for the log signed it, or one did badly.
    Unsigned,
    /// 404: no key is known for the log.
    UnknownLog,
    /// 409: the last checkpoint has this size and not the one that was named, or the same size and
    /// another root.
    Conflict(u64),
    /// 422: the proof does not hold.
    BadProof,
}

impl Decision {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosign(_) => 200,
            Self::BadRequest => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict(_) => 409,
            Self::BadProof => 422,
        }
    }
}

/// Decides on a request: `keys` are those known for the checkpoint's origin, `last` is the head
/// that was cosigned last.
#[must_use]
pub fn decide(
    request: &AddCheckpoint,
    checkpoint: &Checkpoint,
    keys: &[Vkey],
    last: Option<&Head>,
) -> Decision {
    if keys.is_empty() {
        return Decision::UnknownLog;
    }
    if !is_signed(&request.note, keys) {
        return Decision::Unsigned;
    }
    let (last, next) = (last.unwrap_or(&Head::EMPTY), &checkpoint.head);
    if request.old_size > next.size {
        return Decision::BadRequest;
    }
    if request.old_size != last.size || last.size == next.size && last.root != next.root {
        return Decision::Conflict(last.size);
    }
    match check_consistency(last, next, &request.proof) {
        Ok(()) => Decision::Cosign(*next),
        Err(_) => Decision::BadProof,
    }
}

/// The body of an answer with status 200: signature lines.
#[must_use]
pub fn response(lines: &[SignatureLine]) -> String {
    lines.iter().map(SignatureLine::to_text).collect()
}

/// Reads the body of an answer with status 200.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for anything but signature lines.
pub fn parse_response(text: &str) -> Result<Vec<SignatureLine>> {
    let wrong = || Error::malformed("a witness answers with signature lines");
    let lines = text.strip_suffix('\n').ok_or_else(wrong)?;
    lines.split('\n').map(SignatureLine::parse).collect()
}

/// Whether one of the keys signed, and none of them badly.
fn is_signed(note: &SignedNote, keys: &[Vkey]) -> bool {
    let mut known = note.lines().iter().filter_map(|line| {
        let key = keys.iter().find(|key| key.is_named_by(line))?;
        Some(key.verify(note.text().as_bytes(), &line.signature).is_ok())
    });
    known.next().is_some_and(|first| first && known.all(|holds| holds))
}

#[cfg(test)]
mod tests;

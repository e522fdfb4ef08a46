//! Two checkpoints of one log: whether the later tree holds the earlier one.

use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::policy::Policy;
use ledgerline_ledger::proof::PATH_MAX;
use ledgerline_ledger::tree::check_consistency;
use ledgerline_ledger::{Error, ErrorKind, Result};

use crate::event::describe_checkpoint;
use crate::outcome::Outcome;

/// The inputs of a check of consistency, as the files' bytes.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The earlier checkpoint: a signed note.
    pub old: &'a [u8],
    /// The later checkpoint.
    pub new: &'a [u8],
    /// The consistency proof: hashes in base64, each a line; nothing when it is empty.
    pub proof: &'a [u8],
}

/// Checks that the later checkpoint's tree holds the earlier one's.
#[must_use]
pub fn consistency(pair: Pair<'_>, policy: &Policy) -> Outcome {
    check(pair, policy).into()
}

fn check(pair: Pair<'_>, policy: &Policy) -> Result<Outcome> {
    let old_note = SignedNote::parse(pair.old).map_err(|error| error.about("the old one"))?;
    let new_note = SignedNote::parse(pair.new).map_err(|error| error.about("the new one"))?;
    let proof = parse_proof(pair.proof)?;
    let old = policy.open(&old_note).map_err(|error| error.about("the old one"))?;
    let new = policy.open(&new_note).map_err(|error| error.about("the new one"))?;
    let malformed = |what: &'static str| Err(Error::new(ErrorKind::Malformed, what));
    if old.checkpoint.origin != new.checkpoint.origin {
        return malformed("the checkpoints are of two logs");
    }
    if old.checkpoint.head.size > new.checkpoint.head.size {
        return malformed("the first checkpoint is the larger one: name the smaller one first");
    }
    match check_consistency(&old.checkpoint.head, &new.checkpoint.head, &proof) {
        Ok(()) => {
            let (old, new) = (describe_checkpoint(&old), describe_checkpoint(&new));
            Ok(Outcome::sound(format!("CONSISTENT\nthe earlier tree\n{old}the later tree\n{new}")))
        }
        Err(error) => {
            let mut outcome = Outcome::from(error);
            let (old, new) = (old_note.to_text(), new_note.to_text());
            outcome.text.push_str(&format!("the evidence:\n\n{old}\n{new}"));
            Ok(outcome)
        }
    }
}

fn parse_proof(bytes: &[u8]) -> Result<Vec<Hash>> {
    let wrong = || Error::new(ErrorKind::Malformed, "a consistency proof has a hash in each line");
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let lines: Vec<&str> = text.strip_suffix('\n').ok_or_else(wrong)?.split('\n').collect();
    if lines.len() > PATH_MAX {
        return Err(wrong());
    }
    lines.into_iter().map(Hash::from_base64).collect()
}

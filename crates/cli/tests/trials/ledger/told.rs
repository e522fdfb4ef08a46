//! What a server told of a ledger: each word of it is held against the server later.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use ledgerline_ledger::hash::Hash;
use serde_json::Value;

/// How many proofs and checkpoints are kept.
const PROOFS_MAX: usize = 400;

/// An event as its receipt told it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) seq: u64,
    /// Nothing for an event that was erased before its answer.
    pub(crate) leaf: Option<Hash>,
}

/// What was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Every event that was acknowledged, by its id.
    pub(crate) stored: BTreeMap<String, Stored>,
    /// The events whose erasure was asked for and not answered.
    pub(crate) begun: BTreeSet<String>,
    /// The events whose erasure was acknowledged.
    pub(crate) erased: BTreeSet<String>,
    /// The events of which it was acknowledged that they were removed, because they were old.
    pub(crate) retired: BTreeSet<String>,
    /// Proofs of events, as they were fetched.
    pub(crate) proofs: Vec<String>,
    /// Checkpoints, as they were fetched.
    pub(crate) checkpoints: Vec<String>,
    /// How often the ledger got a new key, as far as it was answered.
    pub(crate) rotations: u64,
    pub(crate) unanswered: u64,
}

impl Told {
    /// Keeps what was answered to who recorded an event.
    pub(crate) fn store(&mut self, answer: &Value) -> Result<()> {
        let id = answer["id"].as_str().with_context(|| format!("no id in {answer}"))?;
        let seq = answer["seq"].as_u64().with_context(|| format!("no number in {answer}"))?;
        let leaf = answer["receipt"]["leaf_hash"].as_str();
        let leaf = leaf.map(Hash::from_base64).transpose()?;
        let before = self.stored.insert(id.to_owned(), Stored { seq, leaf });
        ensure!(before.is_none(), "{id} was acknowledged twice");
        Ok(())
    }

    /// Keeps the proof of an event.
    pub(crate) fn keep_proof(&mut self, proof: String) {
        keep(&mut self.proofs, proof);
    }

    /// Keeps a checkpoint.
    pub(crate) fn keep_checkpoint(&mut self, checkpoint: String) {
        keep(&mut self.checkpoints, checkpoint);
    }
}

/// Keeps what was fetched; of too many the older half goes.
fn keep(kept: &mut Vec<String>, one: String) {
    if kept.len() >= PROOFS_MAX {
        kept.drain(..PROOFS_MAX / 2);
    }
    kept.push(one);
}

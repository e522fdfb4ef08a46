//! How a journal is opened, and what was found.

use ledgerline_model::id::{DatasetId, Seq};

use crate::committed::Position;

/// Sizes of a journal.
#[derive(Debug, Clone)]
pub struct Options {
    /// A new file is begun when the current one is longer than this.
    pub file_bytes: u64,
    /// How many bytes of batches may wait to be written.
    pub queue_bytes: usize,
    /// How many bytes of the disk are left free.
    pub reserve_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, queue_bytes: 64 << 20, reserve_bytes: 64 << 20 }
    }
}

/// What was found and done when a journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many commits were handed to [`Apply`](crate::Apply) again.
    pub replayed: u64,
    /// How many bytes of a torn tail, never acknowledged, were left out.
    pub trimmed_bytes: u64,
    /// Files that were set aside, with the reason.
    pub quarantined: Vec<String>,
}

/// Where the catalog stands: what need not be replayed.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Every commit before it is in segments.
    pub applied: Position,
    /// For each dataset the number of its next event after the commits before `applied`. A dataset
    /// whose number is not certain is left out: one that differs from the journal's is an error.
    pub next_seqs: Vec<(DatasetId, Seq)>,
}

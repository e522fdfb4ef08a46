//! Runs: events that were committed together. Their ids and times of receipt follow from the run,
//! so neither is stored by row.

use ledgerline_model::id::{EventId, Seq};
use ledgerline_model::time::Timestamp;

/// Events that were committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The number of its first event.
    pub first_seq: Seq,
    /// How many events it has.
    pub count: u64,
    /// When they were received.
    pub received: Timestamp,
    /// What the ids that Ledgerline gave to them count from: 74 random bits.
    pub id_base: u128,
}

/// What an event has from its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// When it was received.
    pub received: Timestamp,
    /// The id that Ledgerline gave it; a sender's own is a field of the event and comes first.
    pub id: EventId,
}

impl Run {
    fn origin(&self, seq: Seq) -> Origin {
        let offset = seq.0 - self.first_seq.0;
        Origin {
            received: self.received,
            id: EventId::derived(self.received, self.id_base, offset),
        }
    }
}

/// What the event with this number has from the run that it is of.
pub(crate) fn origin(runs: &[Run], seq: Seq) -> Option<Origin> {
    let after = runs.partition_point(|run| run.first_seq <= seq);
    let run = runs.get(after.checked_sub(1)?)?;
    (seq.0 - run.first_seq.0 < run.count).then(|| run.origin(seq))
}

/// Sorts runs by number and joins those that continue each other, as parts of one commit do.
pub(crate) fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by_key(|run| run.first_seq);
    runs.dedup();
    runs
}

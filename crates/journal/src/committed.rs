//! What was made durable, and who is told of it.

use ledgerline_model::batch::Batch;
use ledgerline_model::id::{DatasetId, Seq};

/// A place between commits: how many commits of the tenant lie before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

impl Position {
    /// The place so many commits later.
    pub(crate) fn after(self, commits: usize) -> Self {
        Self(self.0 + commits as u64)
    }
}

/// Events that are on stable storage. Only this room makes one, so to hold it is the proof.
#[derive(Debug)]
pub struct Committed {
    pub(crate) position: Position,
    pub(crate) dataset: DatasetId,
    pub(crate) first_seq: Seq,
    pub(crate) id_base: u128,
    pub(crate) batch: Batch,
}

impl Committed {
    /// The place before this commit; the next one's is one more.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The dataset that the events are of.
    #[must_use]
    pub fn dataset(&self) -> DatasetId {
        self.dataset
    }

    /// The number of the first event; the others follow it.
    #[must_use]
    pub fn first_seq(&self) -> Seq {
        self.first_seq
    }

    /// What the ids that Ledgerline gives to the events count from.
    #[must_use]
    pub fn id_base(&self) -> u128 {
        self.id_base
    }

    /// The events.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The events, to be kept.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

/// Who is told of every commit, in their order, before anyone who waits for it.
pub trait Apply: Send + Sync + std::fmt::Debug {
    /// Takes a commit. Never waits for long: the journal's one writer calls it.
    fn apply(&self, committed: Committed);
}

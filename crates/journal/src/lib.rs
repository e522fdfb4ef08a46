//! The journal: the durable order of a tenant's events. What it has acknowledged is on stable
//! storage.
//!
//! It never knows what an event means, and never answers a query.

use std::sync::Arc;

use ledgerline_model::batch::Batch;
use ledgerline_model::id::{DatasetId, EventId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Append, Scope, Upkeep};
use ledgerline_world::{Chance, Clock, TenantBlobs};

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too much is waiting; nothing was stored; try again later.
    Busy,
    /// The disk is nearly full; nothing was stored; try again later.
    DiskFull,
    /// Another request with the same key is on its way; try again later.
    InFlight,
    /// The same idempotency key came with other contents.
    Conflict,
    /// The disk failed: whether the events are stored is not known, and the process must end.
    Unknown,
    /// Stored bytes are not what was written; the error names the file and the place.
    Corrupt,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: String,
}

/// The result of this room's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// A place between commits: how many commits of the tenant lie before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

/// Events that are on stable storage. Only this room makes one, so to hold it is the proof.
#[derive(Debug)]
pub struct Committed {
    position: Position,
    dataset: DatasetId,
    first_seq: Seq,
    id_base: u128,
    batch: Batch,
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

/// The key under which a request may be repeated without being stored twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The sender's key, 1 to `limits::IDEMPOTENCY_KEY_BYTES_MAX` bytes.
    pub key: String,
    /// SHA-256 over what the sender asked for (path and decompressed body).
    pub digest: [u8; 32],
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the first event that was stored.
    pub first_seq: Seq,
    /// How many events were stored.
    pub stored: u64,
    /// How many events were left out, because an event with their id was stored before.
    pub duplicates: u64,
    /// When the events were received.
    pub received: Timestamp,
    /// What their ids count from.
    pub id_base: u128,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

impl Receipt {
    /// The id that Ledgerline gave to the event at an index of those that were stored.
    #[must_use]
    pub fn id(&self, index: u64) -> EventId {
        EventId::derived(self.received, self.id_base, index)
    }
}

/// Sizes and times of a journal.
#[derive(Debug, Clone)]
pub struct Options {
    /// A new file is begun when the current one is longer than this.
    pub file_bytes: u64,
    /// How many bytes of batches may wait to be written.
    pub queue_bytes: usize,
    /// How many bytes of the disk are left free.
    pub reserve_bytes: u64,
}

/// What was found and done when a journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many commits were handed to [`Apply`] again.
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
    /// For each dataset the number of its next event, as far as segments know.
    pub next_seqs: Vec<(DatasetId, Seq)>,
}

/// One tenant's journal.
#[derive(Debug, Clone)]
pub struct TenantJournal {}

impl TenantJournal {
    /// Opens a tenant's journal: reads what it holds, hands what `start` does not cover to `apply`,
    /// and begins to write.
    ///
    /// # Errors
    /// `Corrupt` when what was acknowledged cannot be read.
    pub fn open(
        scope: &Scope<Upkeep>,
        blobs: TenantBlobs,
        means: (Arc<dyn Clock>, Chance),
        options: Options,
        start: Start,
        apply: Arc<dyn Apply>,
    ) -> Result<(Self, Recovered)> {
        let _ = (scope, blobs, means, options, start, apply);
        todo!()
    }

    /// Binds a dataset, once.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn appender(&self, scope: &Scope<Append>, dataset: DatasetId) -> Result<Appender> {
        let _ = (scope, dataset);
        todo!()
    }

    /// Deletes the files whose every commit lies before `applied`.
    ///
    /// # Errors
    /// The disk's.
    pub fn trim(&self, scope: &Scope<Upkeep>, applied: Position) -> Result<()> {
        let _ = (scope, applied);
        todo!()
    }

    /// The place after the last commit.
    #[must_use]
    pub fn end(&self) -> Position {
        todo!()
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        todo!()
    }

    /// Stops the writer after what waits.
    pub fn close(&self) {
        todo!()
    }
}

/// The way to append to one dataset of one tenant.
#[derive(Debug, Clone)]
pub struct Appender {}

impl Appender {
    /// Stores the events. Returns when they are on stable storage and were given to [`Apply`].
    ///
    /// # Errors
    /// See [`ErrorKind`]; only after `Unknown` may the events be stored.
    pub async fn append(&self, batch: Batch, key: Option<IdempotencyKey>) -> Result<Receipt> {
        let _ = (batch, key);
        todo!()
    }
}

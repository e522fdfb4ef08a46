//! One tenant's store.

use ledgerline_journal::{Apply, Committed, Start};
use ledgerline_model::id::DatasetId;
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Read, Scope, Upkeep};
use ledgerline_world::TenantBlobs;
use tokio::sync::watch;

use crate::error::Result;
use crate::snapshot::Snapshot;

/// One tenant's events: in memory, and in segments.
#[derive(Debug)]
pub struct TenantStore {}

/// What [`TenantStore::flush`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// How many events went into segments.
    pub events: u64,
    /// Up to where the journal may be trimmed.
    pub applied: ledgerline_journal::Position,
}

/// What [`TenantStore::compact`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// How many segments were merged.
    pub merged: u64,
    /// Into how many.
    pub written: u64,
}

/// What [`TenantStore::expire`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// How many segments were deleted.
    pub segments: u64,
    /// How many events were in them.
    pub events: u64,
}

/// What [`TenantStore::fsck`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// How many segments were read whole.
    pub segments: u64,
    /// How many events they hold.
    pub events: u64,
    /// What is wrong, a line each; empty when all is sound.
    pub problems: Vec<String>,
    /// Whether the catalog was lost and was made again from the segments.
    pub rebuilt: bool,
}

/// How much of a dataset is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// How many events.
    pub events: u64,
    /// Their size as they were sent.
    pub bytes_in: u64,
    /// Bytes on the disk; events in memory take none.
    pub bytes_stored: u64,
    /// How many segments.
    pub segments: u64,
}

impl TenantStore {
    /// Opens a tenant's store; makes it when there is none.
    ///
    /// # Errors
    /// `Corrupt` when the catalog is damaged: `fsck` makes it again.
    pub fn open(
        scope: &Scope<Upkeep>,
        blobs: TenantBlobs,
        chance: ledgerline_world::Chance,
    ) -> Result<Self> {
        let _ = (scope, blobs, chance);
        todo!()
    }
    /// What the journal need not replay.
    #[must_use]
    pub fn start(&self) -> Start {
        todo!()
    }
    /// The events of a dataset, as they are now: in segments and in memory. `range` only leaves out
    /// parts that have none of its events.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's; else the disk's.
    pub fn snapshot(
        &self,
        scope: &Scope<Read>,
        dataset: DatasetId,
        range: TimeRange,
    ) -> Result<Snapshot> {
        let _ = (scope, dataset, range);
        todo!()
    }
    /// Wakes with the number of the next event whenever the dataset has new events.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn watch(&self, scope: &Scope<Read>, dataset: DatasetId) -> Result<watch::Receiver<u64>> {
        let _ = (scope, dataset);
        todo!()
    }
    /// Bytes of memory that events take which are not in segments yet.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        todo!()
    }
    /// How much of a dataset is stored.
    ///
    /// # Errors
    /// The catalog's.
    pub fn usage(&self, dataset: DatasetId) -> Result<Usage> {
        let _ = dataset;
        todo!()
    }
    /// Moves what is in memory into segments.
    ///
    /// # Errors
    /// The disk's; the events then stay in memory, and in the journal.
    pub fn flush(&self, scope: &Scope<Upkeep>) -> Result<Flushed> {
        let _ = scope;
        todo!()
    }
    /// Merges the segments of windows that have several. `now` decides which windows are over.
    ///
    /// # Errors
    /// The disk's; then nothing is changed.
    pub fn compact(
        &self,
        scope: &Scope<Upkeep>,
        now: ledgerline_model::time::Timestamp,
    ) -> Result<Compacted> {
        let _ = (scope, now);
        todo!()
    }
    /// Deletes the segments of a dataset whose every event happened, and was received, before
    /// `before`.
    ///
    /// # Errors
    /// The disk's.
    pub fn expire(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        before: ledgerline_model::time::Timestamp,
    ) -> Result<Expired> {
        let _ = (scope, dataset, before);
        todo!()
    }
    /// Reads every segment whole and checks every checksum; makes a lost catalog again.
    ///
    /// # Errors
    /// The disk's. What is wrong with segments is no error but a finding.
    pub fn fsck(scope: &Scope<Upkeep>, blobs: &TenantBlobs) -> Result<Findings> {
        let _ = (scope, blobs);
        todo!()
    }
}

impl Apply for TenantStore {
    fn apply(&self, committed: Committed) {
        let _ = committed;
        todo!()
    }
}

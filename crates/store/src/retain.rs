//! Retention: segments whose every event is past its time are deleted.

use std::collections::HashMap;
use std::ops::Range;

use ledgerline_model::id::DatasetId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::error::Result;
use crate::numbers::Numbers;
use crate::segment::directory::SEQ;
use crate::tenant::{State, TenantStore};

/// What [`TenantStore::expire`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// How many segments were deleted.
    pub segments: u64,
    /// How many events were in them.
    pub events: u64,
}

/// What time it is, and from when on events are kept.
#[derive(Debug, Clone)]
pub struct Horizon {
    /// The time.
    pub now: Timestamp,
    /// For datasets with a retention: what happened, and was received, before goes.
    pub kept_from: HashMap<DatasetId, Timestamp>,
}

impl Horizon {
    /// No dataset has a retention.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, kept_from: HashMap::new() }
    }
}

/// Whether every event of a segment happened, and was received, before a time.
pub(crate) fn is_past(entry: &Entry, before: Timestamp) -> bool {
    entry.times.1 < before && entry.received.1 < before
}

impl TenantStore {
    /// Deletes the segments of a dataset whose every event happened, and was received, before
    /// `before`. A segment that alone says up to where the journal is in segments stays until the
    /// next flush has written another: without it, a lost catalog could not be made again.
    ///
    /// # Errors
    /// The disk's.
    pub fn expire(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        before: Timestamp,
    ) -> Result<Expired> {
        self.check_tenant(scope.tenant())?;
        let _rewriting = self.rewriting.lock();
        let gone = past(&self.state.read(), dataset, before);
        let events = gone.iter().map(|entry| entry.rows).sum();
        let expired = Expired { segments: gone.len() as u64, events };
        if expired.segments > 0 {
            let removed = gone.iter().map(|entry| entry.id).collect();
            let change = Change { removed, ..Change::default() };
            self.catalog.commit(&change)?;
            self.show(&mut self.state.write(), &change);
            self.delete(&change.removed);
        }
        Ok(expired)
    }

    /// The numbers of the events that [`TenantStore::expire`] would delete, as rising spans: for
    /// who has to tell of it before they go.
    ///
    /// # Errors
    /// `Corrupt` when a segment cannot be read; else the disk's.
    pub fn past(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        before: Timestamp,
    ) -> Result<Vec<Range<u64>>> {
        self.check_tenant(scope.tenant())?;
        let _rewriting = self.rewriting.lock();
        let gone = past(&self.state.read(), dataset, before);
        let mut numbers = Numbers::default();
        for entry in gone {
            let segment = self.shelf.open(entry.id)?;
            numbers.add(&Numbers::of(segment.reader.system(SEQ)?));
        }
        Ok(numbers.spans().collect())
    }
}

/// The segments of a dataset that are past their time, but one that alone says up to where the
/// journal is in segments.
fn past(state: &State, dataset: DatasetId, before: Timestamp) -> Vec<Entry> {
    let Some(visible) = state.datasets.get(&dataset) else { return Vec::new() };
    let all = state.datasets.values().flat_map(|visible| visible.segments.iter());
    let applied = all.map(|entry| entry.applied).max();
    // A flush beside this only raises what is the most: then one more stays.
    let is_gone = |entry: &&Entry| is_past(entry, before) && Some(entry.applied) != applied;
    visible.segments.iter().filter(is_gone).cloned().collect()
}

//! One tenant's store: what is visible, and how it changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_journal::{Apply, Committed, Position, Start};
use ledgerline_model::id::{DatasetId, Seq, TenantId};
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Read, Scope, Upkeep};
use ledgerline_world::{Chance, TenantBlobs};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::catalog::{Catalog, Contents, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::memory::Memory;
use crate::part::{Part, Source};
use crate::shelf::Shelf;
use crate::snapshot::Snapshot;
use crate::stack::Stack;
use crate::window::meets;

pub(crate) const CATALOG_FILE: &str = "catalog.db";

/// How often a snapshot is taken anew because a segment was merged away under it.
const SNAPSHOT_TRIES: usize = 5;

/// One tenant's events: in memory, and in segments.
#[derive(Debug)]
pub struct TenantStore {
    pub(crate) tenant: TenantId,
    pub(crate) catalog: Catalog,
    pub(crate) shelf: Shelf,
    pub(crate) chance: Chance,
    pub(crate) state: RwLock<State>,
    /// Held by whoever writes segments: one flush, merge or expiry at a time.
    pub(crate) writing: Mutex<()>,
}

/// What is visible.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) datasets: HashMap<DatasetId, Visible>,
    /// The place after the last commit that is visible.
    pub(crate) position: Position,
    /// Up to where everything is in segments.
    pub(crate) applied: Position,
}

/// What is visible of one dataset.
#[derive(Debug)]
pub(crate) struct Visible {
    /// Live segments, in no order.
    pub(crate) segments: Arc<Vec<Entry>>,
    /// Events that a flush is writing to segments just now.
    pub(crate) flushing: Vec<Arc<Memory>>,
    /// Events that came after those.
    pub(crate) memory: Stack,
    pub(crate) next_seq: watch::Sender<u64>,
}

impl Default for Visible {
    fn default() -> Self {
        Self {
            segments: Arc::default(),
            flushing: Vec::new(),
            memory: Stack::default(),
            next_seq: watch::Sender::new(0),
        }
    }
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
    /// Opens a tenant's store; makes it when there is none. Segment files that the catalog does not
    /// know are what was left when a flush or a merge was cut off: they are deleted, and their
    /// events are in the journal or in the segments that were to be merged.
    ///
    /// # Errors
    /// `Corrupt` when the catalog is damaged, or lost while there are segments:
    /// [`TenantStore::fsck`] makes it again.
    pub fn open(scope: &Scope<Upkeep>, blobs: TenantBlobs, chance: Chance) -> Result<Self> {
        if scope.tenant() != blobs.tenant() {
            return Err(Error::bug("a scope of another tenant"));
        }
        let file = blobs.local_file(CATALOG_FILE);
        let is_new = !blobs.has_local_file(CATALOG_FILE);
        let shelf = Shelf::new(blobs);
        shelf.remove_unfinished()?;
        let files = shelf.list()?;
        if is_new && !files.is_empty() {
            return Err(Error::corrupt("the catalog is lost, but there are segments"));
        }
        let catalog = Catalog::open(&file)?;
        let contents = catalog.read()?;
        let live = |id| contents.segments.iter().any(|entry| entry.id == id);
        for id in files.into_iter().filter(|id| !live(*id)) {
            tracing::info!(segment = %id, "removing what a cut-off flush or merge left");
            shelf.delete(id)?;
        }
        Ok(Self {
            tenant: scope.tenant(),
            catalog,
            shelf,
            chance,
            state: RwLock::new(State::of(contents)),
            writing: Mutex::new(()),
        })
    }

    /// What the journal need not replay.
    #[must_use]
    pub fn start(&self) -> Start {
        let state = self.state.read();
        let next = |(dataset, visible): (&DatasetId, &Visible)| {
            (*dataset, Seq(*visible.next_seq.borrow()))
        };
        Start { applied: state.applied, next_seqs: state.datasets.iter().map(next).collect() }
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
        self.check_tenant(scope.tenant())?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_snapshot(dataset, range) {
                Err(error) if error.kind() == ErrorKind::NotFound && tries < SNAPSHOT_TRIES => {}
                answer => return answer,
            }
        }
    }

    fn try_snapshot(&self, dataset: DatasetId, range: TimeRange) -> Result<Snapshot> {
        let scanned = Arc::new(AtomicU64::new(0));
        let part = |source| Part::new(Arc::new(source), Arc::clone(&scanned));
        let (segments, mut parts, as_of) = {
            let state = self.state.read();
            let Some(visible) = state.datasets.get(&dataset) else {
                return Ok(Snapshot::new(self.tenant, Vec::new(), Seq(0), scanned));
            };
            let in_memory = visible.flushing.iter().chain(visible.memory.parts());
            let parts: Vec<Part> = in_memory
                .filter(|memory| meets(memory.times(), range))
                .map(|memory| part(Source::Memory(Arc::clone(memory))))
                .collect();
            (Arc::clone(&visible.segments), parts, Seq(*visible.next_seq.borrow()))
        };
        for entry in segments.iter().filter(|entry| meets(entry.times, range)) {
            parts.push(part(Source::Segment(self.shelf.open(entry.id)?)));
        }
        Ok(Snapshot::new(self.tenant, parts, as_of, scanned))
    }

    /// Wakes with the number of the next event whenever the dataset has new events.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn watch(&self, scope: &Scope<Read>, dataset: DatasetId) -> Result<watch::Receiver<u64>> {
        self.check_tenant(scope.tenant())?;
        let mut state = self.state.write();
        Ok(state.datasets.entry(dataset).or_default().next_seq.subscribe())
    }

    /// Bytes of memory that events take which are not in segments yet.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let state = self.state.read();
        state.datasets.values().map(Visible::memory_bytes).sum()
    }

    /// How much of a dataset is stored.
    #[must_use]
    pub fn usage(&self, dataset: DatasetId) -> Usage {
        let state = self.state.read();
        state.datasets.get(&dataset).map(Visible::usage).unwrap_or_default()
    }

    pub(crate) fn check_tenant(&self, tenant: TenantId) -> Result<()> {
        if tenant == self.tenant { Ok(()) } else { Err(Error::bug("a scope of another tenant")) }
    }

    /// Shows the live segments of some datasets as a change of the catalog left them.
    pub(crate) fn show(&self, state: &mut State, change: &crate::catalog::Change) {
        for visible in state.datasets.values_mut() {
            if visible.segments.iter().any(|entry| change.removed.contains(&entry.id)) {
                let removed = |entry: &Entry| change.removed.contains(&entry.id);
                Arc::make_mut(&mut visible.segments).retain(|entry| !removed(entry));
            }
        }
        for entry in &change.added {
            let visible = state.datasets.entry(entry.dataset).or_default();
            Arc::make_mut(&mut visible.segments).push(entry.clone());
        }
    }
}

impl State {
    fn of(contents: Contents) -> Self {
        let mut state =
            Self { position: contents.applied, applied: contents.applied, ..Self::default() };
        for (dataset, next) in contents.next_seqs {
            let visible = state.datasets.entry(dataset).or_default();
            visible.next_seq.send_replace(next.0);
        }
        for entry in contents.segments {
            let visible = state.datasets.entry(entry.dataset).or_default();
            Arc::make_mut(&mut visible.segments).push(entry);
        }
        state
    }
}

impl Visible {
    fn memory_bytes(&self) -> usize {
        let flushing: usize = self.flushing.iter().map(|memory| memory.size_bytes()).sum();
        flushing + self.memory.size_bytes()
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage { segments: self.segments.len() as u64, ..Usage::default() };
        for memory in self.flushing.iter().chain(self.memory.parts()) {
            usage.events += u64::from(memory.rows());
            usage.bytes_in += memory.bytes_in();
        }
        for entry in self.segments.iter() {
            usage.events += entry.rows;
            usage.bytes_in += entry.bytes_in;
            usage.bytes_stored += entry.sealed_bytes;
        }
        usage
    }
}

impl Apply for TenantStore {
    /// Makes a commit visible. One that is in segments already, which happens when the catalog was
    /// made again from segments, is left out.
    fn apply(&self, committed: Committed) {
        let (position, dataset, first) =
            (committed.position(), committed.dataset(), committed.first_seq());
        let id_base = committed.id_base();
        let batch = committed.into_batch();
        let end = first.0 + batch.rows() as u64;
        let mut state = self.state.write();
        state.position = state.position.max(Position(position.0 + 1));
        let visible = state.datasets.entry(dataset).or_default();
        if batch.rows() == 0 || first.0 < *visible.next_seq.borrow() {
            return;
        }
        visible.memory.push(Memory::of_batch(batch, first, id_base));
        visible.next_seq.send_replace(end);
    }
}

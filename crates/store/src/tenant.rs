//! One tenant's store: what is visible, and how it changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_journal::{Apply, Committed, Position, Start};
use ledgerline_model::id::{DatasetId, DatasetName, SegmentId, Seq, TenantId};
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_policy::{Read, Scope, Upkeep};
use ledgerline_world::{Chance, TenantBlobs};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::catalog::{Catalog, Contents, Entry};
use crate::error::{Error, ErrorKind, Result, chain};
use crate::memory::Memory;
use crate::part::{Part, Source};
use crate::shelf::{self, Shelf};
use crate::snapshot::Snapshot;
use crate::stack::Stack;
use crate::tree::Trees;
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
    pub(crate) trees: Trees,
    pub(crate) chance: Chance,
    pub(crate) state: RwLock<State>,
    /// Held by a flush, which moves events out of memory: one at a time.
    pub(crate) writing: Mutex<()>,
    /// Held by whoever takes live segments away or puts others in their place: one at a time. A
    /// flush only adds segments, so it goes on beside. Taken before `writing`.
    pub(crate) rewriting: Mutex<()>,
    /// Live segments that could not be read when they were to be merged; not tried again.
    pub(crate) unmergeable: Mutex<HashSet<SegmentId>>,
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
    /// How many of these bytes lie in the archive.
    pub bytes_archived: u64,
}

/// The events of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The numbers of the first and the last.
    pub seqs: (Seq, Seq),
    /// How many there are.
    pub events: u64,
    /// When the newest of them happened, or was received, whichever was later.
    pub newest: Timestamp,
}

impl TenantStore {
    /// Opens a tenant's store; makes it when there is none. Deletes nothing: what a flush or a
    /// merge left that was cut off is for [`TenantStore::remove_leftovers`].
    ///
    /// # Errors
    /// `Corrupt` when the catalog is damaged, or lost while there are segments, or when a live
    /// segment is missing: [`TenantStore::fsck`] makes it again.
    pub fn open(scope: &Scope<Upkeep>, blobs: TenantBlobs, chance: Chance) -> Result<Self> {
        if scope.tenant() != blobs.tenant() {
            return Err(Error::bug("a scope of another tenant"));
        }
        let file = blobs.local_file(CATALOG_FILE);
        let is_new = !blobs.has_local_file(CATALOG_FILE);
        let trees = Trees::open(scope, &blobs, chance.clone())?;
        let shelf = Shelf::new(blobs)?;
        let files: HashSet<SegmentId> = shelf.list()?.into_iter().collect();
        if is_new && !files.is_empty() {
            return Err(Error::corrupt("the catalog is lost, but there are segments"));
        }
        let catalog = Catalog::open(&file)?;
        let contents = catalog.read()?;
        if let Some(entry) = contents.segments.iter().find(|entry| !files.contains(&entry.id)) {
            return Err(missing(entry.id));
        }
        Ok(Self {
            tenant: scope.tenant(),
            catalog,
            shelf,
            trees,
            chance,
            state: RwLock::new(State::of(contents)),
            writing: Mutex::new(()),
            rewriting: Mutex::new(()),
            unmergeable: Mutex::default(),
        })
    }

    /// The ledgers of the tenant's audit datasets.
    #[must_use]
    pub fn trees(&self) -> &Trees {
        &self.trees
    }

    /// Makes the ledger of an audit dataset, if it has none.
    ///
    /// # Errors
    /// The database's; `Corrupt` when there are events and no ledger: it was lost, and what would
    /// be promised of new events could never be proven.
    pub fn ensure_ledger(&self, dataset: DatasetId, name: &DatasetName) -> Result<()> {
        let has_events = {
            let state = self.state.read();
            let next = state.datasets.get(&dataset).map(|visible| *visible.next_seq.borrow());
            next.is_some_and(|next| next > 0)
        };
        if has_events && self.trees.log_id(dataset).is_none() {
            return Err(Error::corrupt(format!("the ledger of {name} is lost")));
        }
        self.trees.ensure(dataset, name)
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
    /// `Corrupt` when a live segment is missing or damaged; `Bug` when the scope is another
    /// tenant's; else the disk's.
    pub fn snapshot(
        &self,
        scope: &Scope<Read>,
        dataset: DatasetId,
        range: TimeRange,
    ) -> Result<Snapshot> {
        self.check_tenant(scope.tenant())?;
        self.retried_snapshot(dataset, range)
    }

    fn retried_snapshot(&self, dataset: DatasetId, range: TimeRange) -> Result<Snapshot> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_snapshot(dataset, range) {
                Err(error) if error.kind() == ErrorKind::NotFound && tries < SNAPSHOT_TRIES => {}
                answer => return answer.map_err(Error::or_missing),
            }
        }
    }

    /// As [`TenantStore::snapshot`], of all time, for Ledgerline's own work.
    ///
    /// # Errors
    /// As [`TenantStore::snapshot`].
    pub fn snapshot_for(&self, scope: &Scope<Upkeep>, dataset: DatasetId) -> Result<Snapshot> {
        self.check_tenant(scope.tenant())?;
        self.retried_snapshot(dataset, TimeRange::ALL)
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
            let segment = self.shelf.open(entry.id);
            let about = |error: Error| error.about(format!("live segment {}", entry.id));
            parts.push(part(Source::Segment(segment.map_err(about)?)));
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
        let usage = state.datasets.get(&dataset).map(|visible| visible.usage(&self.shelf));
        usage.unwrap_or_default()
    }

    /// The segments of a dataset, by the number of their first event. What is in memory is not
    /// among them.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn stretches(&self, scope: &Scope<Upkeep>, dataset: DatasetId) -> Result<Vec<Stretch>> {
        self.check_tenant(scope.tenant())?;
        let state = self.state.read();
        let segments = state.datasets.get(&dataset).map(|visible| visible.segments.iter());
        let stretch = |entry: &Entry| Stretch {
            seqs: entry.seqs,
            events: entry.rows,
            newest: entry.times.1.max(entry.received.1),
        };
        let mut stretches: Vec<Stretch> = segments.into_iter().flatten().map(stretch).collect();
        stretches.sort_by_key(|stretch| stretch.seqs);
        Ok(stretches)
    }

    /// Why the store takes nothing more, when the disk failed under a change of its catalog: the
    /// process must then end, and the next start finds out what is there.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        self.catalog.failure().map(str::to_owned)
    }

    /// How many bytes all segments take.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        let state = self.state.read();
        let segments = state.datasets.values().flat_map(|visible| visible.segments.iter());
        segments.map(|entry| entry.sealed_bytes).sum()
    }

    pub(crate) fn check_tenant(&self, tenant: TenantId) -> Result<()> {
        if tenant == self.tenant { Ok(()) } else { Err(Error::bug("a scope of another tenant")) }
    }

    /// Deletes the files of segments that the catalog lets go. That one stays harms nobody but the
    /// disk, and the next start deletes it.
    pub(crate) fn delete(&self, ids: &[SegmentId]) {
        for id in ids {
            match self.shelf.delete(*id) {
                Ok(()) => self.catalog.note_deleted(*id),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(segment = %id, error, "a segment stays undeleted");
                }
            }
        }
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

fn missing(id: SegmentId) -> Error {
    match shelf::path(id) {
        Ok(path) => Error::corrupt(format!("{path} is live, and is missing")),
        Err(error) => error,
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

    fn usage(&self, shelf: &Shelf) -> Usage {
        let mut usage = Usage { segments: self.segments.len() as u64, ..Usage::default() };
        for memory in self.flushing.iter().chain(self.memory.parts()) {
            usage.events += u64::from(memory.rows());
            usage.bytes_in += memory.bytes_in();
        }
        for entry in self.segments.iter() {
            usage.events += entry.rows;
            usage.bytes_in += entry.bytes_in;
            usage.bytes_stored += entry.sealed_bytes;
            if shelf.is_archived(entry.id) {
                usage.bytes_archived += entry.sealed_bytes;
            }
        }
        usage
    }
}

impl Apply for TenantStore {
    /// Makes a commit visible. One that is in segments already, which happens when the catalog was
    /// made again from segments, is left out.
    fn apply(&self, committed: Committed) {
        // First its entry, so that whatever is visible has one.
        self.trees.note(&committed);
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

//! A tenant's journal and store on a disk in memory, and what is visible in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledgerline_journal::{Appender, Options as JournalOptions, TenantJournal};
use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags};
use ledgerline_model::id::{DatasetId, DatasetName, RecordId, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_policy::{
    Append, Job, Principal, Read, Role, Scope, Upkeep, authorize_append, authorize_read, upkeep,
};
use ledgerline_store::Horizon;
use ledgerline_store::column::ValueRef;
use ledgerline_store::part::System;
use ledgerline_store::snapshot::Snapshot;
use ledgerline_store::tenant::TenantStore;
use ledgerline_world::disk::{Disk, MemoryDisk};
use ledgerline_world::{Chance, DataDir, ManualClock, Options, TenantBlobs};

/// 2026-01-01.
pub(crate) const NOW: Timestamp = Timestamp(1_767_225_600 * Timestamp::SECOND);

pub(crate) fn tenant() -> TenantId {
    TenantId::from_bytes([3; 16]).expect("not zero")
}

fn admin() -> Principal {
    let user = RecordId::from_bytes([5; 16]).expect("not zero");
    Principal::user(tenant(), user, Role::Admin).expect("a role of a tenant")
}

fn name() -> DatasetName {
    "web".parse().expect("a good name")
}

pub(crate) fn read_scope() -> Scope<Read> {
    authorize_read(&admin(), &name()).expect("an admin reads")
}

fn append_scope() -> Scope<Append> {
    authorize_append(&admin(), &name()).expect("an admin appends")
}

pub(crate) fn job(job: Job) -> Scope<Upkeep> {
    upkeep(tenant(), job)
}

/// One tenant, opened.
pub(crate) struct Home {
    pub(crate) disk: MemoryDisk,
    pub(crate) store: Arc<TenantStore>,
    pub(crate) journal: TenantJournal,
    pub(crate) blobs: TenantBlobs,
    runtime: tokio::runtime::Runtime,
    _data: DataDir,
}

/// How a tenant is opened.
pub(crate) struct How {
    /// What lies before the disk, if anything.
    pub(crate) before: Option<Arc<dyn Disk>>,
    /// A new file of the journal is begun when one is longer.
    pub(crate) journal_file_bytes: u64,
    /// Whether what is left of cut-off work is looked at.
    pub(crate) are_leftovers_removed: bool,
}

impl Default for How {
    fn default() -> Self {
        let journal_file_bytes = JournalOptions::default().file_bytes;
        Self { before: None, journal_file_bytes, are_leftovers_removed: true }
    }
}

/// With a journal that is trimmed by every flush.
pub(crate) fn trimmed() -> How {
    How { journal_file_bytes: 100, ..How::default() }
}

impl Home {
    pub(crate) fn open(folder: &Path, disk: MemoryDisk, seed: u64) -> Self {
        Self::try_open(folder, disk, seed, How::default()).expect("it opens")
    }

    /// Opens a tenant; or says in words why not.
    pub(crate) fn try_open(
        folder: &Path,
        disk: MemoryDisk,
        seed: u64,
        how: How,
    ) -> Result<Self, String> {
        let below = how.before.unwrap_or_else(|| Arc::new(disk.clone()));
        let (data, blobs) = blobs_on(folder, below, seed);
        let chance = Chance::seeded(seed);
        let store = TenantStore::open(&job(Job::Recover), blobs.clone(), chance.clone());
        let store = Arc::new(store.map_err(|error| error.to_string())?);
        let options = JournalOptions {
            reserve_bytes: 0,
            file_bytes: how.journal_file_bytes,
            ..JournalOptions::default()
        };
        let (journal, _) = TenantJournal::open(
            &job(Job::Recover),
            blobs.clone(),
            (Arc::new(ManualClock::new(NOW)), chance),
            options,
            store.start(),
            Arc::clone(&store) as Arc<dyn ledgerline_journal::Apply>,
        )
        .map_err(|error| error.to_string())?;
        if how.are_leftovers_removed {
            store.remove_leftovers(&job(Job::Recover)).map_err(|error| error.to_string())?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Ok(Self { disk, store, journal, blobs, runtime, _data: data })
    }

    pub(crate) fn append(&self, dataset: u32, batch: Batch) {
        let appender: Appender =
            self.journal.appender(&append_scope(), DatasetId(dataset)).expect("bound");
        let receipt = self.runtime.block_on(appender.append(batch, None)).expect("stored");
        assert_eq!(receipt.duplicates, 0);
    }

    pub(crate) fn flush(&self) {
        let flushed = self.store.flush(&job(Job::Flush)).expect("flushed");
        self.journal.trim(&job(Job::Flush), flushed.applied).expect("trimmed");
    }

    pub(crate) fn compact(&self) {
        self.store.compact(&job(Job::Compact), &Horizon::at(NOW)).expect("compacted");
    }

    /// Moves what was merged to the archive, and says how many segments that were.
    pub(crate) fn archive(&self, dataset: u32) -> usize {
        let (scope, after) = (job(Job::Archive), Timestamp(NOW.0 + 1));
        let next = || self.store.archive_next(&scope, DatasetId(dataset), after).expect("moved");
        std::iter::from_fn(next).count()
    }

    pub(crate) fn snapshot(&self, dataset: u32) -> Snapshot {
        self.store.snapshot(&read_scope(), DatasetId(dataset), TimeRange::ALL).expect("a snapshot")
    }

    /// What is visible of a dataset: for each number the event's time and its fields.
    pub(crate) fn visible(&self, dataset: u32) -> BTreeMap<u64, Seen> {
        seen(&self.snapshot(dataset))
    }

    /// Ends it as a power cut does, and opens it again.
    pub(crate) fn power_cut(self, folder: &Path, torn_bytes: usize, seed: u64) -> Self {
        let disk = self.disk.after_power_cut(torn_bytes);
        drop(self);
        Self::open(folder, disk, seed)
    }
}

pub(crate) fn blobs(folder: &Path, disk: &MemoryDisk, seed: u64) -> (DataDir, TenantBlobs) {
    blobs_on(folder, Arc::new(disk.clone()), seed)
}

fn blobs_on(folder: &Path, disk: Arc<dyn Disk>, seed: u64) -> (DataDir, TenantBlobs) {
    let archive = Some(folder.join("archive"));
    let options = Options { disk, archive, ..Options::default() };
    let data = DataDir::open(folder, Chance::seeded(seed), options).expect("the folder opens");
    let blobs = data.blobs(&job(Job::Recover)).expect("the tenant opens");
    // The catalog lies on the machine's disk, whatever the blobs lie on.
    let catalog = blobs.local_file("catalog.db");
    std::fs::create_dir_all(catalog.parent().expect("a folder")).expect("made");
    (data, blobs)
}

/// The segment files on a disk.
pub(crate) fn segments(disk: &MemoryDisk) -> Vec<PathBuf> {
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "lls");
    disk.all_files().into_iter().filter(is_segment).collect()
}

/// The segment files that were set aside.
pub(crate) fn aside(disk: &MemoryDisk) -> Vec<PathBuf> {
    let is_aside = |path: &PathBuf| path.to_string_lossy().ends_with(".lls.quarantined");
    disk.all_files().into_iter().filter(is_aside).collect()
}

/// An event as a reader sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) time: i64,
    pub(crate) fields: BTreeMap<String, String>,
}

pub(crate) fn seen(snapshot: &Snapshot) -> BTreeMap<u64, Seen> {
    let mut events = BTreeMap::new();
    for part in snapshot.parts() {
        let times = part.system(System::Time).expect("times");
        let seqs = part.system(System::Seq).expect("numbers");
        let mut rows: Vec<Seen> =
            times.iter().map(|time| Seen { time: *time, fields: BTreeMap::new() }).collect();
        for (number, head) in part.columns().iter().enumerate() {
            let all = [0..part.rows()];
            let data = part.column(number, &all).expect("a column");
            for (index, row) in data.rows.iter().enumerate() {
                let text = match data.value(index) {
                    ValueRef::Str(text) | ValueRef::Json(text) => text.to_owned(),
                    ValueRef::I64(number) => number.to_string(),
                    ValueRef::F64(number) => number.to_string(),
                    ValueRef::Bool(value) => value.to_string(),
                };
                let key = format!("{}/{:?}", head.name, head.kind);
                rows[row as usize].fields.insert(key, text);
            }
        }
        for (seq, row) in seqs.into_iter().zip(rows) {
            let before = events.insert(seq as u64, row);
            assert!(before.is_none(), "event {seq} is visible twice");
        }
    }
    assert!(events.keys().all(|seq| *seq < snapshot.as_of().0));
    events
}

/// A batch of events, each a time, a word and a number.
pub(crate) fn batch(events: &[(i64, &str, i64)]) -> Batch {
    let mut builder = BatchBuilder::new(NOW);
    for (time, word, number) in events {
        builder.str("word", word).expect("a short key");
        if number % 3 != 0 {
            builder.i64("number", *number).expect("a short key");
        }
        builder.commit(EventHead {
            time: Timestamp(*time),
            severity: Severity::INFO,
            flags: Flags::default(),
            bytes_in: 10,
        });
    }
    builder.finish()
}

pub(crate) fn expected(time: i64, word: &str, number: i64) -> Seen {
    let mut fields = BTreeMap::from([("word/Str".to_owned(), word.to_owned())]);
    if number % 3 != 0 {
        fields.insert("number/I64".to_owned(), number.to_string());
    }
    Seen { time, fields }
}

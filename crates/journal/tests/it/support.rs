//! A tenant on a disk in memory, and who is told of its commits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ledgerline_journal::{
    Appender, Apply, Committed, IdempotencyKey, Options, Position, Receipt, Recovered, Result,
    Start, TenantJournal,
};
use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags, Values};
use ledgerline_model::id::{DatasetId, Seq, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{
    Append, Job, KeyScope, Principal, Scope, Upkeep, authorize_append, upkeep,
};
use ledgerline_world::disk::{Disk, MemoryDisk};
use ledgerline_world::{Chance, Clock, DataDir, ManualClock, TenantBlobs};
use parking_lot::Mutex;
use tokio::runtime::Runtime;

/// When the tests begin.
pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

/// One commit, as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) position: Position,
    pub(crate) dataset: DatasetId,
    pub(crate) first_seq: Seq,
    pub(crate) texts: Vec<String>,
}

/// Remembers what it is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) commits: Mutex<Vec<Applied>>,
}

impl Apply for Recorder {
    fn apply(&self, committed: Committed) {
        self.commits.lock().push(applied(&committed));
    }
}

pub(crate) fn applied(committed: &Committed) -> Applied {
    let batch = committed.batch();
    let texts = batch.columns().iter().find_map(|column| match column.values() {
        Values::Str(texts) if &**column.name() == "text" => Some(texts),
        _ => None,
    });
    let texts = texts.map_or_else(Vec::new, |texts| {
        texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    });
    assert_eq!(texts.len(), batch.rows(), "every event of the tests has a text");
    Applied {
        position: committed.position(),
        dataset: committed.dataset(),
        first_seq: committed.first_seq(),
        texts,
    }
}

/// What the tests run in: a root key on the machine's disk, a clock, a runtime.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) runtime: Runtime,
}

/// An opened journal.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: TenantJournal,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) recovered: Recovered,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::from_bytes([7; 16]).expect("not zero")
}

pub(crate) fn upkeep_scope() -> Scope<Upkeep> {
    upkeep(tenant(), Job::Recover)
}

pub(crate) fn append_scope(tenant: TenantId) -> Scope<Append> {
    let scopes = vec!["ingest:*".parse::<KeyScope>().expect("a scope")];
    let key = Chance::seeded(1).record_id();
    let principal = Principal::key(tenant, key, scopes);
    authorize_append(&principal, &"events".parse().expect("a name")).expect("it may append")
}

pub(crate) fn small_files() -> Options {
    Options { file_bytes: 900, ..Options::default() }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, clock: Arc::new(ManualClock::new(START)), runtime }
    }

    pub(crate) fn blobs(&self, disk: Arc<dyn Disk>) -> TenantBlobs {
        let options = ledgerline_world::Options { disk, ..ledgerline_world::Options::default() };
        let data = DataDir::open(self.folder.path(), Chance::system(), options).expect("it opens");
        data.blobs(&upkeep_scope()).expect("the tenant opens")
    }

    /// Where a file of the tenant lies.
    pub(crate) fn place(&self, file: &str) -> PathBuf {
        self.folder.path().join("tenants").join(tenant().to_string()).join(file)
    }

    /// The journal's files.
    pub(crate) fn log_files(&self, disk: &MemoryDisk) -> Vec<PathBuf> {
        let folder = self.place("journal");
        let is_log = |file: &PathBuf| {
            file.parent() == Some(&folder) && file.extension().is_some_and(|end| end == "log")
        };
        disk.all_files().into_iter().filter(is_log).collect()
    }

    pub(crate) fn open_blobs(
        &self,
        blobs: TenantBlobs,
        options: Options,
        start: Start,
    ) -> Result<Opened> {
        let recorder = Arc::new(Recorder::default());
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let (journal, recovered) = TenantJournal::open(
            &upkeep_scope(),
            blobs,
            (clock, Chance::system()),
            options,
            start,
            Arc::clone(&recorder) as Arc<dyn Apply>,
        )?;
        Ok(Opened { journal, recorder, recovered })
    }

    pub(crate) fn open(&self, disk: &MemoryDisk, options: Options) -> Result<Opened> {
        self.open_blobs(self.blobs(Arc::new(disk.clone())), options, Start::default())
    }

    pub(crate) fn batch(&self, events: &[(&str, Option<&str>)]) -> Batch {
        let mut builder = BatchBuilder::new(self.clock.now());
        for (text, id) in events {
            builder.str("text", text).expect("a new key");
            if let Some(id) = id {
                builder.str("_id", id).expect("a new key");
            }
            builder.commit(EventHead {
                time: START,
                severity: Severity::UNSPECIFIED,
                flags: Flags::default(),
                bytes_in: text.len(),
            });
        }
        builder.finish()
    }

    pub(crate) fn texts(&self, texts: &[&str]) -> Batch {
        let events: Vec<_> = texts.iter().map(|text| (*text, None)).collect();
        self.batch(&events)
    }

    pub(crate) fn append(
        &self,
        opened: &Opened,
        dataset: u32,
        batch: Batch,
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt> {
        self.runtime.block_on(opened.appender(dataset).append(batch, key))
    }

    /// Appends texts, each in a batch of its own.
    pub(crate) fn append_all(&self, opened: &Opened, texts: &[&str]) {
        for text in texts {
            self.append(opened, 1, self.texts(&[text]), None).expect("it is stored");
        }
    }

    /// Appends batches at once, so that they may share a group. Answers in their order.
    pub(crate) fn append_at_once(
        &self,
        opened: &Opened,
        batches: Vec<(u32, Batch, Option<IdempotencyKey>)>,
    ) -> Vec<Result<Receipt>> {
        self.runtime.block_on(async {
            let tasks: Vec<_> = batches
                .into_iter()
                .map(|(dataset, batch, key)| {
                    let appender = opened.appender(dataset);
                    tokio::spawn(async move { appender.append(batch, key).await })
                })
                .collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.expect("no task panics"));
            }
            answers
        })
    }
}

impl Opened {
    pub(crate) fn appender(&self, dataset: u32) -> Appender {
        let scope = append_scope(tenant());
        self.journal.appender(&scope, DatasetId(dataset)).expect("the tenant's own scope")
    }

    /// Every text that was applied, in its order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.commits().into_iter().flat_map(|commit| commit.texts).collect()
    }

    pub(crate) fn commits(&self) -> Vec<Applied> {
        self.recorder.commits.lock().clone()
    }

    pub(crate) fn trim(&self, applied: u64) -> Result<()> {
        self.journal.trim(&upkeep_scope(), Position(applied))
    }
}

pub(crate) fn key(name: &str, digest: u8) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: name.to_owned(), digest: [digest; 32] })
}

/// Where a catalog stands that holds the commits before a position.
pub(crate) fn start_after(commits: &[Applied], applied: u64) -> Start {
    let mut next_seqs = BTreeMap::new();
    for commit in commits.iter().filter(|commit| commit.position.0 < applied) {
        next_seqs.insert(commit.dataset, Seq(commit.first_seq.0 + commit.texts.len() as u64));
    }
    Start { applied: Position(applied), next_seqs: next_seqs.into_iter().collect() }
}

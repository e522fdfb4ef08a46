//! Erasing events: what they say goes from every file, and their ledger tells that it went.
//!
//! ```text
//! intent, durable → the erasure's own entry → what is in memory goes to segments, the journal that
//! held it is deleted → segments are written again without it → the intent is removed
//! ```
//! Every step can be done again, so after the end of the process at any place the next start goes
//! on from the intent. The keys of what was deleted are destroyed with it: an old copy of a file
//! does not open any more.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_api::code::Code;
use ledgerline_audit::ranges::Ranges;
use ledgerline_journal::Position;
use ledgerline_ledger::log_id::parse_uuid;
use ledgerline_model::id::{DatasetName, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::Erase;
use ledgerline_tenancy::Dataset;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::app::App;
use crate::error::{Failure, Result, blocking};
use crate::lookup;
use crate::node::OpenTenant;
use crate::recorder::{self, Draft, Recorded};
use crate::road;

/// How often a flush is tried until all that was committed before is in segments.
const FLUSHES_MAX: u32 = 1_000;
const FLUSH_WAIT: Duration = Duration::from_millis(5);
/// How long what could not be ended waits for the next try.
const RESUME_WAIT: Duration = Duration::from_secs(30);

/// What is to be erased, as it is kept until it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) dataset: String,
    /// Rising, disjoint, both ends included.
    pub(crate) seqs: Vec<(u64, u64)>,
    pub(crate) kind: Kind,
    /// The payload of the entry that tells it.
    pub(crate) payload: String,
    /// Its id.
    pub(crate) id: String,
}

/// What becomes of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Their content is erased.
    Erasure,
    /// They are removed, because their time was over.
    Retirement,
}

impl Intent {
    fn spans(&self) -> Vec<Range<u64>> {
        self.seqs.iter().map(|(first, last)| *first..last + 1).collect()
    }

    /// The intent to erase these events.
    pub(crate) fn new(
        (dataset, kind): (&Dataset, Kind),
        seqs: &Ranges,
        (id, payload): (String, Vec<u8>),
    ) -> Result<Self> {
        let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
        let dataset = dataset.name.to_string();
        Ok(Self { dataset, seqs: seqs.as_slice().to_vec(), kind, payload, id })
    }
}

/// Erases events, to the end. Answers the entry that tells it.
///
/// # Errors
/// The disk's: then it is gone on with at the next start, or when it is asked for again.
pub(crate) async fn erase(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: Intent,
) -> Result<Recorded> {
    let (app, open, dataset) = (Arc::clone(app), Arc::clone(open), dataset.clone());
    let acts = Arc::clone(&app);
    acts.acts.whole(async move { run(&app, &open, &dataset, intent).await }).await
}

async fn run(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: Intent,
) -> Result<Recorded> {
    let _one_at_a_time = open.erasing.lock().await;
    run_alone(app, open, dataset, intent).await
}

/// For who holds `erasing`.
async fn run_alone(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: Intent,
) -> Result<Recorded> {
    let key = parse_uuid(&intent.id).ok_or_else(|| Failure::internal(&std::fmt::Error))?;
    let text = serde_json::to_string(&intent).map_err(|error| Failure::internal(&error))?;
    let keeper = Arc::clone(open);
    blocking(move || {
        let scope = upkeep(keeper.id, Job::Erase);
        // So that the entry of what is erased is durable before its content can be gone.
        keeper.store.trees().persist(&scope)?;
        Ok(keeper.store.trees().put_intent(&scope, key, &text)?)
    })
    .await?;
    let recorded = tell(app, open, dataset, &intent).await?;
    let applied = let_go(open).await?;
    let (eraser, id) = (Arc::clone(open), dataset.id);
    blocking(move || {
        let is_gone = eraser.is_gone.read();
        if *is_gone {
            return Err(gone());
        }
        let scope = upkeep(eraser.id, Job::Erase);
        eraser.journal.forget(&scope, applied)?;
        let erase = match intent.kind {
            Kind::Erasure => Erase::Content,
            Kind::Retirement => Erase::Whole,
        };
        let erased = eraser.store.erase(&scope, id, &intent.spans(), erase)?;
        tracing::info!(events = erased.events, segments = erased.segments, "events were erased");
        Ok(eraser.store.trees().remove_intent(&scope, key)?)
    })
    .await?;
    Ok(recorded)
}

/// Has everything that was committed so far moved into segments, so that the journal can forget
/// it. Answers up to where.
async fn let_go(open: &Arc<OpenTenant>) -> Result<Position> {
    let turning = Arc::clone(open);
    let turned = blocking(move || {
        let scope = upkeep(turning.id, Job::Erase);
        Ok(turning.journal.turn(&scope)?)
    });
    let turned = turned.await?;
    for _ in 0..FLUSHES_MAX {
        let flushing = Arc::clone(open);
        let applied = blocking(move || {
            if *flushing.is_gone.read() {
                return Err(gone());
            }
            Ok(road::flush(&flushing)?.applied)
        });
        let applied = applied.await?;
        if applied >= turned {
            return Ok(applied);
        }
        // A commit is durable a moment before it is in memory, and only from there it is flushed.
        tokio::time::sleep(FLUSH_WAIT).await;
    }
    let detail = "what was stored just now is not in segments yet; the erasure goes on later";
    Err(Failure::new(Code::Unavailable, detail))
}

fn gone() -> Failure {
    Failure::new(Code::TenantUnavailable, "the tenant is gone")
}

/// Writes the entry that tells of the erasure, unless an earlier try did.
async fn tell(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: &Intent,
) -> Result<Recorded> {
    if let Some(recorded) = told(app, open, dataset, &intent.id).await? {
        return Ok(recorded);
    }
    let scope = upkeep(open.id, Job::Erase).append_erasure(&dataset.name)?;
    let (id, payload) = (intent.id.clone(), intent.payload.clone());
    let draft = Draft { id, is_own_id: true, payload };
    let drafts = (vec![draft], app.clock.now());
    let recording = recorder::record(app, &scope, dataset, drafts, None).await?;
    let recorded = recording.items.into_iter().next().and_then(std::result::Result::ok);
    recorded.ok_or_else(|| Failure::internal(&std::fmt::Error))
}

/// The entry of this id, if it is written.
pub(crate) async fn told(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    id: &str,
) -> Result<Option<Recorded>> {
    let (open, dataset, id, now) =
        (Arc::clone(open), dataset.clone(), id.to_owned(), app.clock.now());
    let answered = app.desk.run(open.id, move |budget| {
        let scope = upkeep(open.id, Job::Erase);
        let Some(log_id) = open.store.trees().log_id(dataset.id) else { return Ok(None) };
        let snapshot = open.store.snapshot_for(&scope, dataset.id)?;
        let conventions = dataset.conventions();
        let target = ledgerline_query::Target {
            snapshot: &snapshot,
            conventions: &conventions,
            range: ledgerline_model::time::TimeRange::ALL,
            now,
            budget,
        };
        let found = lookup::by_ids(&target, &[id.as_str()]);
        let found = found.map_err(|error| Failure::of_query(&error, ""))?;
        let kept = snapshot.kept(&found)?.into_iter().flatten().next();
        Ok(kept.map(|kept| Recorded {
            id: kept.id,
            seq: kept.seq,
            received: kept.received,
            log_id,
            leaf: None,
            is_duplicate: true,
        }))
    });
    Ok(answered.await?.answer)
}

/// Goes on with what was begun and not ended, at once and then again and again, until `stop`.
pub(crate) async fn keep_resuming(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        resume(&app).await;
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(RESUME_WAIT) => {}
        }
    }
}

async fn resume(app: &Arc<App>) {
    for open in app.node.tenants() {
        let (of_task, tenant) = (Arc::clone(app), open.id);
        let resumed = app.acts.whole(async move { resume_one(&of_task, &open).await });
        if let Err(failure) = resumed.await {
            let reason = failure.code().as_str();
            tracing::error!(%tenant, reason, "an erasure is not done, and is tried again");
        }
    }
}

async fn resume_one(app: &App, open: &Arc<OpenTenant>) -> Result<()> {
    // What is being erased just now was not cut short.
    let Ok(_one_at_a_time) = open.erasing.try_lock() else { return Ok(()) };
    let reader = Arc::clone(open);
    let intents = blocking(move || {
        let scope = upkeep(reader.id, Job::Erase);
        Ok(reader.store.trees().intents(&scope)?)
    });
    for (_, text) in intents.await? {
        let intent: Intent =
            serde_json::from_str(&text).map_err(|error| Failure::internal(&error))?;
        let scope = upkeep(open.id, Job::Erase);
        let datasets = app.records(move |tenancy| tenancy.all_datasets(&scope)).await?;
        let name: Option<DatasetName> = intent.dataset.parse().ok();
        let dataset = datasets.into_iter().find(|dataset| Some(&dataset.name) == name.as_ref());
        let dataset = dataset.ok_or_else(Failure::no_dataset)?;
        tracing::info!(tenant = %open.id, dataset = %dataset.name, "going on with an erasure");
        run_alone(app, open, &dataset, intent).await?;
    }
    Ok(())
}

/// An id and a time for the entry that tells of an erasure.
pub(crate) fn id_and_time(app: &App) -> (String, Timestamp) {
    let now = app.clock.now();
    (recorder::new_id(&app.chance, now), now)
}

/// The numbers of some events as ranges.
pub(crate) fn ranges(seqs: impl IntoIterator<Item = Seq>) -> Ranges {
    Ranges::of(seqs.into_iter().map(|seq| seq.0))
}

//! Removing events: what they say goes from every file, and their ledger tells that it went.
//!
//! ```text
//! intent, durable (`removal`) → the entry that tells it → what is in memory goes to segments, the
//! journal that held it is deleted → segments are written again without it → the intent is removed
//! ```
//! Every step can be done again, so after the end of the process at any place the next start goes
//! on from the intent. The keys of what was deleted are destroyed with it: an old copy of a file
//! does not open any more.

use std::sync::Arc;
use std::time::Duration;

use ledgerline_api::code::Code;
use ledgerline_journal::Position;
use ledgerline_model::id::DatasetName;
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::Erase;
use ledgerline_tenancy::Dataset;
use tokio::sync::{OwnedMutexGuard, watch};

use crate::app::App;
use crate::error::{Failure, Result, blocking};
use crate::jobs;
use crate::lookup;
use crate::node::OpenTenant;
use crate::recorder::{self, Draft, Recorded};
use crate::removal::{Intent, Kind, Noted};
use crate::road;

/// How often a flush is tried until all that was committed before is in segments.
const FLUSHES_MAX: u32 = 1_000;
const FLUSH_WAIT: Duration = Duration::from_millis(5);
/// How long what could not be ended waits for the next try.
const RESUME_WAIT: Duration = Duration::from_secs(30);

/// The right to remove events of a tenant. Nobody else has it meanwhile.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// Waits until nobody removes events of the tenant.
pub(crate) async fn turn(open: &OpenTenant) -> Turn {
    Arc::clone(&open.erasing).lock_owned().await
}

/// What was removed.
#[derive(Debug)]
pub(crate) struct Removed {
    /// The entry that tells it.
    pub(crate) recorded: Recorded,
    /// How many files that were set aside may hold it and cannot be read.
    pub(crate) unread: u64,
}

/// Removes what is noted, to the end. Answers what became of each, in the same order.
///
/// # Errors
/// The disk's: then it is gone on with soon, and at the next start.
pub(crate) async fn remove(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    turn: Turn,
    noted: Vec<Noted>,
) -> Result<Vec<Removed>> {
    let (of_act, open) = (Arc::clone(app), Arc::clone(open));
    let work = async move {
        let mut removed = Vec::with_capacity(noted.len());
        for Noted { dataset, intent } in noted {
            removed.push(run(&of_act, &open, &dataset, intent).await?);
        }
        drop(turn);
        Ok(removed)
    };
    app.acts.whole(work).await
}

/// For who has the turn.
async fn run(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: Intent,
) -> Result<Removed> {
    let job = intent.job.clone();
    let done = run_through(app, open, dataset, intent).await;
    if let (Err(failure), Some(job)) = (&done, job) {
        let (open, failure) = (Arc::clone(open), failure.clone());
        let noted = blocking(move || {
            let scope = upkeep(open.id, Job::Erase);
            jobs::note_failure(open.store.trees(), &scope, &job, &failure);
            Ok(())
        });
        noted.await?;
    }
    done
}

async fn run_through(
    app: &App,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    intent: Intent,
) -> Result<Removed> {
    let key = intent.key()?;
    let recorded = tell(app, open, dataset, &intent).await?;
    let applied = let_go(open).await?;
    let (eraser, id, now) = (Arc::clone(open), dataset.id, app.clock.now());
    let unread = blocking(move || {
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
        tracing::info!(events = erased.events, segments = erased.segments, "events were removed");
        let trees = eraser.store.trees();
        let job = jobs::with_part_done(trees, &scope, intent.job.as_deref(), now)?;
        trees.remove_intent(&scope, key, job.as_ref())?;
        Ok(erased.unread)
    });
    Ok(Removed { recorded, unread: unread.await? })
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
    let detail = "what was stored just now is not in segments yet; the removal goes on later";
    Err(Failure::new(Code::Unavailable, detail))
}

fn gone() -> Failure {
    Failure::new(Code::TenantUnavailable, "the tenant is gone")
}

/// Writes the entry that tells of the removal, unless an earlier try did.
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
        for open in app.node.tenants() {
            // What is being removed just now was not cut short.
            let Ok(turn) = Arc::clone(&open.erasing).try_lock_owned() else { continue };
            if let Err(failure) = finish(&app, &open, turn).await {
                let reason = failure.code().as_str();
                tracing::error!(tenant = %open.id, reason, "a removal is tried again later");
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(RESUME_WAIT) => {}
        }
    }
}

/// Goes on with what is noted, and gives the turn back.
///
/// # Errors
/// Those of [`remove`].
pub(crate) async fn finish(app: &Arc<App>, open: &Arc<OpenTenant>, turn: Turn) -> Result<Turn> {
    let (of_act, open) = (Arc::clone(app), Arc::clone(open));
    let work = async move {
        let reader = Arc::clone(&open);
        for intent in blocking(move || Intent::all(&reader)).await? {
            finish_one(&of_act, &open, intent).await?;
        }
        Ok(turn)
    };
    app.acts.whole(work).await
}

async fn finish_one(app: &App, open: &Arc<OpenTenant>, intent: Intent) -> Result<()> {
    let scope = upkeep(open.id, Job::Erase);
    let datasets = app.records(move |tenancy| tenancy.all_datasets(&scope)).await?;
    let name: Option<DatasetName> = intent.dataset.parse().ok();
    let dataset = datasets.into_iter().find(|dataset| Some(&dataset.name) == name.as_ref());
    let dataset = dataset.ok_or_else(Failure::no_dataset)?;
    tracing::info!(tenant = %open.id, dataset = %dataset.name, "going on with a removal");
    run(app, open, &dataset, intent).await.map(drop)
}

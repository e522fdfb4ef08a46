//! Jobs: work that goes on after its request was answered, and after an end of the process. What a
//! job is about and how far it is, is kept beside what it has yet to do.

use ledgerline_api::v1::jobs::Job as Wire;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};
use ledgerline_store::tree::{Job as Stored, Trees};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::routes::time;

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: String,
    created: Timestamp,
    body: Body,
}

/// What is kept of a job beside its id and when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    kind: String,
    events: u64,
    /// How many parts are to be done yet.
    parts: u64,
    ended_ns: Option<i64>,
    /// Why the last try to go on failed.
    error: Option<String>,
}

impl Job {
    /// A job without parts, which so is done.
    pub(crate) fn new(app: &App, kind: &str, events: u64) -> Self {
        let created = app.clock.now();
        let (kind, ended_ns) = (kind.to_owned(), Some(created.0));
        let body = Body { kind, events, parts: 0, ended_ns, error: None };
        Self { id: format!("job_{}", app.chance.record_id()), created, body }
    }

    /// The same job with so many parts to do.
    #[must_use]
    pub(crate) fn of_parts(&self, parts: u64) -> Self {
        let ended_ns = self.body.ended_ns.filter(|_| parts == 0);
        Self { body: Body { parts, ended_ns, ..self.body.clone() }, ..self.clone() }
    }

    /// As it is kept.
    ///
    /// # Errors
    /// None but those of the program.
    pub(crate) fn stored(&self) -> Result<Stored> {
        let body = serde_json::to_string(&self.body).map_err(|error| Failure::internal(&error))?;
        Ok(Stored { id: self.id.clone(), created: self.created, body })
    }

    /// The job of this id, if it is one of the tenant's last.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn find(trees: &Trees, scope: &Scope<Upkeep>, id: &str) -> Result<Option<Self>> {
        let Some(Stored { id, created, body }) = trees.job(scope, id)? else { return Ok(None) };
        let body = serde_json::from_str(&body).map_err(|error| Failure::internal(&error))?;
        Ok(Some(Self { id, created, body }))
    }

    /// The job as it is told.
    pub(crate) fn wire(&self) -> Wire {
        let Body { kind, events, ended_ns, error, .. } = &self.body;
        Wire {
            id: self.id.clone(),
            kind: kind.clone(),
            state: if ended_ns.is_some() { "ready" } else { "running" }.to_owned(),
            events: *events,
            created_at: time(self.created),
            ended_at: ended_ns.map(|at| time(Timestamp(at))),
            error: error.clone(),
        }
    }
}

/// The job of a part that was just done, to be kept.
///
/// # Errors
/// The database's.
pub(crate) fn with_part_done(
    trees: &Trees,
    scope: &Scope<Upkeep>,
    job: Option<&str>,
    now: Timestamp,
) -> Result<Option<Stored>> {
    let found = job.map(|job| Job::find(trees, scope, job)).transpose()?.flatten();
    let done = found.map(|mut job| {
        job.body.parts = job.body.parts.saturating_sub(1);
        job.body.ended_ns = (job.body.parts == 0).then_some(now.0);
        job.body.error = None;
        job.stored()
    });
    done.transpose()
}

/// Keeps why a job could not go on, as far as the disk lets it.
pub(crate) fn note_failure(trees: &Trees, scope: &Scope<Upkeep>, id: &str, failure: &Failure) {
    let noted = Job::find(trees, scope, id).and_then(|found| match found {
        Some(mut job) => {
            job.body.error = Some(failure.problem.detail.clone());
            Ok(trees.put_intents(scope, &[], Some(&job.stored()?))?)
        }
        None => Ok(()),
    });
    if let Err(failure) = noted {
        let reason = failure.code().as_str();
        tracing::warn!(id, reason, "why a job cannot go on is not kept");
    }
}

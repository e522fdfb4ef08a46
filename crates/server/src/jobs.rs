//! Jobs: work that goes on after its request was answered. What a job does is durable by itself;
//! how far it is, is told for as long as the process lives.

use std::collections::VecDeque;
use std::sync::Arc;

use ledgerline_api::v1::jobs::Job as Wire;
use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_world::Clock;
use parking_lot::Mutex;

use crate::app::App;
use crate::routes::time;

/// How many jobs are remembered, of all tenants.
const JOBS_MAX: usize = 10_000;

/// The jobs that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<VecDeque<Job>>);

/// One job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    id: String,
    tenant: TenantId,
    kind: &'static str,
    events: u64,
    created: Timestamp,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone)]
enum State {
    Running,
    Ready(Timestamp),
    Failed(Timestamp, String),
}

impl Job {
    /// Begins a job, and remembers it.
    pub(crate) fn new(app: &App, tenant: TenantId, kind: &'static str, events: u64) -> Self {
        let job = Self {
            id: format!("job_{}", app.chance.record_id()),
            tenant,
            kind,
            events,
            created: app.clock.now(),
            clock: Arc::clone(&app.clock),
            state: Arc::new(Mutex::new(State::Running)),
        };
        let mut jobs = app.jobs.0.lock();
        if jobs.len() >= JOBS_MAX {
            jobs.pop_front();
        }
        jobs.push_back(job.clone());
        job
    }

    pub(crate) fn done(&self) {
        *self.state.lock() = State::Ready(self.clock.now());
    }

    pub(crate) fn failed(&self, reason: &str) {
        *self.state.lock() = State::Failed(self.clock.now(), reason.to_owned());
    }

    /// The job as it is now.
    pub(crate) fn wire(&self) -> Wire {
        let (state, ended, error) = match &*self.state.lock() {
            State::Running => ("running", None, None),
            State::Ready(at) => ("ready", Some(*at), None),
            State::Failed(at, reason) => ("failed", Some(*at), Some(reason.clone())),
        };
        Wire {
            id: self.id.clone(),
            kind: self.kind.to_owned(),
            state: state.to_owned(),
            events: self.events,
            created_at: time(self.created),
            ended_at: ended.map(time),
            error,
        }
    }
}

impl Jobs {
    /// A tenant's job.
    pub(crate) fn find(&self, tenant: TenantId, id: &str) -> Option<Job> {
        let jobs = self.0.lock();
        jobs.iter().find(|job| job.tenant == tenant && job.id == id).cloned()
    }
}

//! The desk for queries: how many run at once, in all and of one tenant, and what each may use.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_api::code::Code;
use ledgerline_model::id::TenantId;
use ledgerline_query::{Budget, Limits};
use ledgerline_world::Clock;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Failure, Result, blocking};
use crate::metrics::Metrics;

/// How long a query waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// The desk.
#[derive(Debug)]
pub(crate) struct Desk {
    all: Arc<Semaphore>,
    of_tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    per_tenant: usize,
    limits: Limits,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// How many queries run at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Concurrency {
    /// In all.
    pub(crate) all: usize,
    /// Of one tenant.
    pub(crate) per_tenant: usize,
}

/// An answer, and how long it took.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) elapsed: Duration,
}

impl Desk {
    pub(crate) fn new(
        concurrency: Concurrency,
        limits: Limits,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self {
            all: Arc::new(Semaphore::new(concurrency.all)),
            of_tenants: Mutex::default(),
            per_tenant: concurrency.per_tenant,
            limits,
            clock,
            metrics,
        }
    }

    /// Runs a query off the threads that serve connections. Dropped before it ends, which a client
    /// that goes away does, it stops the query.
    ///
    /// # Errors
    /// `query_busy`, `overloaded`, and whatever the query meets.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        tenant: TenantId,
        query: impl FnOnce(&Budget) -> Result<T> + Send + 'static,
    ) -> Result<Answered<T>> {
        let turn = self.turn(tenant).await?;
        let clock = Arc::clone(&self.clock);
        let monotonic = Arc::new(move || clock.monotonic());
        let budget = Budget::new(self.limits, monotonic);
        let guard = CancelOnDrop(budget.clone());
        let started = self.clock.monotonic();
        let running = self.metrics.queries_running.clone();
        let answer = blocking(move || {
            let _turn = turn;
            running.inc();
            let answer = query(&budget);
            running.dec();
            answer
        })
        .await;
        drop(guard);
        let elapsed = self.clock.monotonic().saturating_sub(started);
        answer.map(|answer| Answered { answer, elapsed })
    }

    async fn turn(&self, tenant: TenantId) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let of_tenant = {
            let mut of_tenants = self.of_tenants.lock();
            let new = || Arc::new(Semaphore::new(self.per_tenant));
            Arc::clone(of_tenants.entry(tenant).or_insert_with(new))
        };
        let busy = || Failure::new(Code::QueryBusy, "too many queries of the tenant are running");
        let of_tenant = patiently(of_tenant).await.ok_or_else(busy)?;
        let full = || Failure::new(Code::Overloaded, "too many queries are running");
        let of_all = patiently(Arc::clone(&self.all)).await.ok_or_else(full)?;
        Ok((of_tenant, of_all))
    }

    /// Forgets a tenant that is gone.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.of_tenants.lock().remove(&tenant);
    }
}

async fn patiently(semaphore: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    tokio::time::timeout(PATIENCE, semaphore.acquire_owned()).await.ok()?.ok()
}

struct CancelOnDrop(Budget);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

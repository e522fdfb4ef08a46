//! The desk for queries: how many run at once, in all and of one tenant, and what each may use.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_api::code::Code;
use ledgerline_model::id::TenantId;
use ledgerline_query::{Budget, Limits};
use ledgerline_world::Clock;
use parking_lot::Mutex;
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Failure, Result, blocking};
use crate::metrics::Metrics;

/// The desk.
#[derive(Debug)]
pub(crate) struct Desk {
    all: Arc<Semaphore>,
    of_tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    per_tenant: usize,
    patience: Duration,
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
    /// How long a query waits for its turn before it is refused.
    pub(crate) patience: Duration,
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
            patience: concurrency.patience,
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
            let _counted = Counted::new(running);
            query(&budget)
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
        let of_tenant = self.patiently(of_tenant).await.ok_or_else(busy)?;
        let full = || Failure::new(Code::Overloaded, "too many queries are running");
        let of_all = self.patiently(Arc::clone(&self.all)).await.ok_or_else(full)?;
        Ok((of_tenant, of_all))
    }

    async fn patiently(&self, places: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(self.patience, places.acquire_owned()).await.ok()?.ok()
    }

    /// Forgets a tenant that is gone.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.of_tenants.lock().remove(&tenant);
    }
}

/// Counts a query for as long as it runs, however it ends.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct CancelOnDrop(Budget);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use ledgerline_query::ErrorKind;
    use ledgerline_world::ManualClock;

    use super::*;

    fn desk(all: usize, per_tenant: usize, patience: Duration) -> Desk {
        let clock = Arc::new(ManualClock::default());
        let metrics = Metrics::new().expect("the names are good");
        Desk::new(Concurrency { all, per_tenant, patience }, Limits::default(), clock, metrics)
    }

    fn tenant(number: u8) -> TenantId {
        TenantId::from_bytes([number; 16]).expect("not nil")
    }

    #[tokio::test]
    async fn a_query_whose_client_went_away_stops_and_gives_its_place_back() {
        let desk = desk(1, 1, Duration::MAX);
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (stopped, has_stopped) = tokio::sync::oneshot::channel();
        let query = desk.run(tenant(1), move |budget| {
            started.send(()).ok();
            let error = loop {
                match budget.check() {
                    Ok(()) => std::thread::yield_now(),
                    Err(error) => break error,
                }
            };
            stopped.send(error.kind()).ok();
            Ok(())
        });
        tokio::select! {
            _ = query => unreachable!("it runs until it is cancelled"),
            started = has_started => started.expect("it started"),
        }
        assert_eq!(has_stopped.await, Ok(ErrorKind::Cancelled));
        desk.run(tenant(2), |_| Ok(())).await.expect("the place is free again");
    }

    #[tokio::test]
    async fn one_tenant_cannot_take_every_place() {
        let desk = desk(2, 1, Duration::ZERO);
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let long = desk.run(tenant(1), move |_| {
            started.send(()).ok();
            Ok(ended.recv().is_ok())
        });
        let others = async {
            has_started.await.expect("it started");
            let refused = desk.run(tenant(1), |_| Ok(())).await.expect_err("its place is taken");
            assert_eq!(refused.code(), Code::QueryBusy);
            desk.run(tenant(2), |_| Ok(())).await.expect("the other tenant's is free");
            end.send(()).expect("it waits");
        };
        let (long, ()) = tokio::join!(long, others);
        assert!(long.expect("it ended well").answer);
    }
}

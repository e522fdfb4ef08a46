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
    turns: Places,
    /// Memory of answers on their way out, in pieces of [`PERMIT_BYTES`].
    answers: Places,
    streams: Places,
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
    /// The turn of the query, for as long as its answer is in its budget and in no other.
    pub(crate) turn: Share,
}

/// Places, of which a tenant has only some.
#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    of_tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    per_tenant: usize,
}

/// Some places, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    _of_tenant: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// Whose places are all taken.
#[derive(Debug, Clone, Copy)]
enum Taken {
    OfTenant,
    OfAll,
}

/// What a permit for an answer stands for, so that 32 bits of them suffice.
const PERMIT_BYTES: usize = 1 << 10;

/// How many streams are open at once, in all and of one tenant: each has a connection and a task.
const STREAMS_MAX: usize = 20_000;
const STREAMS_OF_TENANT_MAX: usize = 10_000;

impl Places {
    fn new(all: usize, per_tenant: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), of_tenants: Mutex::default(), per_tenant }
    }

    /// Waits for some places, at most all that a tenant may have.
    async fn take(&self, tenant: TenantId, count: u32, patience: Duration) -> Result<Share, Taken> {
        let of_tenant = {
            let mut of_tenants = self.of_tenants.lock();
            let new = || Arc::new(Semaphore::new(self.per_tenant));
            Arc::clone(of_tenants.entry(tenant).or_insert_with(new))
        };
        let most = u32::try_from(self.per_tenant).unwrap_or(u32::MAX);
        let take = async |places: Arc<Semaphore>| {
            let places = places.acquire_many_owned(count.min(most));
            tokio::time::timeout(patience, places).await.ok()?.ok()
        };
        let of_tenant = take(of_tenant).await.ok_or(Taken::OfTenant)?;
        let of_all = take(Arc::clone(&self.all)).await.ok_or(Taken::OfAll)?;
        Ok(Share { _of_tenant: of_tenant, _of_all: of_all })
    }

    fn forget(&self, tenant: TenantId) {
        self.of_tenants.lock().remove(&tenant);
    }
}

impl Desk {
    pub(crate) fn new(
        concurrency: Concurrency,
        limits: Limits,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let Concurrency { all, per_tenant, .. } = concurrency;
        // One tenant's answers take what one query may, those of all twice that.
        let of_answers = (limits.memory_bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS / 2);
        Self {
            turns: Places::new(all, per_tenant),
            answers: Places::new(2 * of_answers, of_answers),
            streams: Places::new(STREAMS_MAX, STREAMS_OF_TENANT_MAX),
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
            let _counted = Counted::new(running);
            Ok((query(&budget)?, turn))
        })
        .await;
        drop(guard);
        let elapsed = self.clock.monotonic().saturating_sub(started);
        answer.map(|(answer, turn)| Answered { answer, elapsed, turn })
    }

    /// Gives the turn of a query back for a share of the memory of answers, which is to be held
    /// until the answer is sent: a client that reads slowly takes no query's place, and no more
    /// memory than there is.
    ///
    /// # Errors
    /// `query_busy`, `overloaded`.
    pub(crate) async fn hold(&self, tenant: TenantId, turn: Share, bytes: usize) -> Result<Share> {
        let count = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let held = self.answers.take(tenant, count, self.patience).await;
        drop(turn);
        held.map_err(|taken| {
            let (code, whose) = match taken {
                Taken::OfTenant => (Code::QueryBusy, " of the tenant"),
                Taken::OfAll => (Code::Overloaded, ""),
            };
            Failure::new(code, format!("too many answers{whose} wait to be read"))
        })
    }

    /// A place for an answer that lasts.
    ///
    /// # Errors
    /// `query_busy`, `overloaded`.
    pub(crate) async fn stream(&self, tenant: TenantId) -> Result<Share> {
        self.streams.take(tenant, 1, Duration::ZERO).await.map_err(|taken| match taken {
            Taken::OfTenant => {
                Failure::new(Code::QueryBusy, "too many streams of the tenant are open")
            }
            Taken::OfAll => Failure::new(Code::Overloaded, "too many streams are open"),
        })
    }

    async fn turn(&self, tenant: TenantId) -> Result<Share> {
        self.turns.take(tenant, 1, self.patience).await.map_err(|taken| match taken {
            Taken::OfTenant => {
                Failure::new(Code::QueryBusy, "too many queries of the tenant are running")
            }
            Taken::OfAll => Failure::new(Code::Overloaded, "too many queries are running"),
        })
    }

    /// Forgets a tenant that is gone.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.turns.forget(tenant);
        self.answers.forget(tenant);
        self.streams.forget(tenant);
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

    #[tokio::test]
    async fn answers_that_nobody_reads_keep_their_memory_and_no_place() {
        let desk = desk(1, 1, Duration::ZERO);
        let most = Limits::default().memory_bytes;
        let hold = async |number, bytes| {
            let answered = desk.run(tenant(number), |_| Ok(())).await.expect("the place is free");
            desk.hold(tenant(number), answered.turn, bytes).await.map_err(|failure| failure.code())
        };
        let first = hold(1, most / 2 + 1).await.expect("there is room");
        assert_eq!(hold(1, most / 2).await.err(), Some(Code::QueryBusy));
        let small = hold(1, 10).await.expect("there is room for little");
        let large = hold(2, 10 * most).await.expect("a tenant's share is the most that one takes");
        assert_eq!(hold(3, most).await.err(), Some(Code::Overloaded));
        drop((first, small));
        hold(1, most).await.expect("it was read");
        drop(large);
        hold(2, most).await.expect("it was read");
    }
}

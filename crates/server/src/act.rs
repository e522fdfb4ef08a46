//! Acts: whatever changes what a tenant is, has or lets in.
//!
//! ```text
//! record "attempt" → the change → record "success" or "failure"
//! ```
//! An act is one task, so that a client that hangs up stops none of it halfway. Its attempt is on
//! stable storage before anything changes: nothing changes without a record. An attempt that no
//! outcome follows was cut short, by the end of the process or by a disk that took no more.

use std::sync::Arc;

use ledgerline_model::id::TenantId;
use ledgerline_tenancy::{Error, Tenancy};
use tokio::sync::RwLock;
use tracing::Instrument;

use crate::app::App;
use crate::audit::{Outcome, Record};
use crate::error::{Failure, Result};

/// The acts that are under way.
#[derive(Debug, Default)]
pub(crate) struct Acts(Arc<RwLock<()>>);

impl Acts {
    /// Does the work to its end, whether somebody waits for that or not.
    ///
    /// # Errors
    /// The work's, and `internal` when it panicked.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let under_way = Arc::clone(&self.0).read_owned().await;
        let work = async move {
            let done = work.await;
            drop(under_way);
            done
        };
        let task = tokio::spawn(work.in_current_span());
        task.await.unwrap_or_else(|error| Err(Failure::internal(&error)))
    }

    /// Waits until no act is under way.
    pub(crate) async fn ended(&self) {
        drop(self.0.write().await);
    }
}

/// Changes the control records of a tenant, with a record of it: `told` says more of what was
/// changed.
///
/// # Errors
/// The change's. When the attempt cannot be recorded, nothing is changed.
pub(crate) async fn act<T: Send + 'static>(
    app: &Arc<App>,
    tenant: TenantId,
    record: Record,
    change: impl FnOnce(&Tenancy) -> Result<T, Error> + Send + 'static,
    told: impl FnOnce(Record, &T) -> Record + Send + 'static,
) -> Result<T> {
    let of_task = Arc::clone(app);
    let work = async move {
        let app = of_task;
        app.audit.now(tenant, record.clone().outcome(Outcome::Attempt)).await?;
        let changed = app.records(change).await;
        let record = match &changed {
            Ok(changed) => told(record, changed),
            Err(failure) => {
                record.with("reason", failure.code().as_str()).outcome(Outcome::Failure)
            }
        };
        // What was done is done, and its attempt is on record: the answer says so.
        if let Err(failure) = app.audit.now(tenant, record).await {
            let reason = failure.code().as_str();
            tracing::error!(%tenant, reason, "the outcome of an act is not recorded");
            app.metrics.audit_dropped.inc();
        }
        changed
    };
    app.acts.whole(work).await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_act_goes_on_when_nobody_waits_for_it_and_is_waited_for_at_the_end() {
        let acts = Acts::default();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let act = acts.whole(async move {
            begun.send(()).ok();
            may_go_on.await.ok();
            done.send(()).ok();
            Ok(())
        });
        tokio::select! {
            _ = act => unreachable!("it waits"),
            begun = has_begun => begun.expect("it has begun"),
        }
        // The client hung up: the future of its answer is gone.
        tokio::select! {
            biased;
            () = acts.ended() => unreachable!("it is under way"),
            () = std::future::ready(()) => go_on.send(()).expect("it still waits"),
        }
        is_done.await.expect("it was done to its end");
        acts.ended().await;
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_program() {
        let failed = Acts::default().whole::<()>(async { panic!("of the test") }).await;
        assert_eq!(failed.map_err(|failure| failure.code().as_str()), Err("internal"));
    }
}

//! The way to append to one dataset of one tenant.

use std::sync::Arc;

use ledgerline_model::batch::Batch;
use ledgerline_model::id::DatasetId;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Job, Journal};
use crate::prepare::Step;
use crate::receipt::{IdempotencyKey, Receipt};

/// Up to here it takes less time to make a batch into bytes than to hand it to another thread.
const INLINE_BYTES_MAX: usize = 16 << 10;

/// The way to append to one dataset of one tenant.
#[derive(Debug, Clone)]
pub struct Appender {
    journal: Arc<dyn Journal>,
    dataset: DatasetId,
}

impl Appender {
    pub(crate) fn new(journal: Arc<dyn Journal>, dataset: DatasetId) -> Self {
        Self { journal, dataset }
    }

    /// Stores the events. Returns when they are on stable storage and were given to
    /// [`Apply`](crate::Apply). All of them are stored, but for those that were stored before, or
    /// none. Who drops the future does not take the events back.
    ///
    /// # Errors
    /// See [`ErrorKind`]; only after `Unknown` may the events be stored.
    pub async fn append(&self, batch: Batch, key: Option<IdempotencyKey>) -> Result<Receipt> {
        let desk = self.journal.desk();
        let admitted = match desk.admit(self.dataset, batch, key.as_ref())? {
            Step::Answered(receipt) => return Ok(receipt),
            Step::On(admitted) => admitted,
        };
        let step = if admitted.size_bytes() <= INLINE_BYTES_MAX {
            admitted.prepare()?
        } else {
            let prepared = spawn_blocking(move || admitted.prepare()).await;
            let ended = |error| Error::new(ErrorKind::Bug, format!("preparing a batch: {error}"));
            prepared.map_err(ended)??
        };
        let prepared = match step {
            Step::Answered(receipt) => return Ok(receipt),
            Step::On(prepared) => prepared,
        };
        let (waiter, answer) = oneshot::channel();
        self.journal.append(Job { prepared, waiter });
        answer.await.unwrap_or_else(|_| Err(desk.unknown()))
    }
}

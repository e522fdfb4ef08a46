//! What every route can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ledgerline_tenancy::Tenancy;
use ledgerline_world::{Chance, Clock};
use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::desk::Desk;
use crate::door::Door;
use crate::error::{Result, blocking};
use crate::metrics::Metrics;
use crate::node::Node;

/// What every route can reach.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) node: Arc<Node>,
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) audit: Audit,
    pub(crate) door: Door,
    pub(crate) desk: Desk,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Chance,
    /// One permit a core: decoding never takes more, however many bodies come.
    pub(crate) decoders: Semaphore,
    /// The OpenAPI document.
    pub(crate) document: Bytes,
    pub(crate) is_stopping: AtomicBool,
}

impl App {
    /// Asks the control records, off the threads that serve connections.
    pub(crate) async fn records<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Tenancy) -> Result<T, ledgerline_tenancy::Error> + Send + 'static,
    ) -> Result<T> {
        let tenancy = Arc::clone(&self.tenancy);
        blocking(move || Ok(ask(&tenancy)?)).await
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}

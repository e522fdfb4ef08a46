//! What every route can reach.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ledgerline_tenancy::Tenancy;
use ledgerline_world::{Chance, Clock};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::act::Acts;
use crate::audit::Audit;
use crate::cosigning::Witnesses;
use crate::desk::Desk;
use crate::door::Door;
use crate::error::{Result, blocking};
use crate::metrics::Metrics;
use crate::node::Node;
use crate::rules::Rules;

/// What every route can reach.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) node: Arc<Node>,
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) audit: Audit,
    pub(crate) witnesses: Witnesses,
    /// The folder elsewhere to which checkpoints are copied, if any.
    pub(crate) anchor: Option<PathBuf>,
    pub(crate) acts: Acts,
    /// What tenants demand of audit events.
    pub(crate) rules: Arc<Rules>,
    /// Held while a tenant is opened again, or its rest is removed.
    pub(crate) reviving: Mutex<()>,
    pub(crate) door: Door,
    pub(crate) desk: Desk,
    pub(crate) metrics: Metrics,
    /// The proxies whose word on who is behind them is believed.
    pub(crate) proxies: Vec<IpAddr>,
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

//! The whole server: opened, running, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{StatusCode, header};
use ledgerline_policy::upkeep_of_tenants;
use ledgerline_store::signer::Signer;
use ledgerline_tenancy::Tenancy;
use ledgerline_world::{Chance, Clock, DataDir, SystemClock};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::act::Acts;
use crate::app::App;
use crate::audit::Audit;
use crate::config::Config;
use crate::cosigning::Witnesses;
use crate::desk::{Concurrency, Desk};
use crate::door::{Door, Limits};
use crate::eraser;
use crate::listen::{self, Port};
use crate::loops;
use crate::metrics::Metrics;
use crate::node::{Means, Node};
use crate::openapi;
use crate::revive;
use crate::rotation;
use crate::routes;

/// The address of the operator's login that the first start makes.
pub const OPERATOR: &str = "operator@localhost";

/// A new file of a journal is begun after so many bytes.
const JOURNAL_FILE_BYTES: u64 = 64 << 20;
/// How many bytes of one tenant's batches may wait to be written.
const JOURNAL_QUEUE_BYTES: usize = 64 << 20;
/// How long a query waits for its turn before it is refused.
const QUERY_PATIENCE: Duration = Duration::from_secs(2);
/// How many connections the metrics port takes.
const METRICS_CONNECTIONS_MAX: usize = 16;

/// The disk failed in a way that leaves unknown what is on it; the process must end, and the next
/// start reads what is there.
#[derive(Debug, thiserror::Error)]
#[error("the disk failed, and what it holds of the last events is not known: {0}")]
pub struct Fatal(String);

/// A running server.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    address: SocketAddr,
    metrics_address: SocketAddr,
    operator_password: Option<String>,
    fatal: watch::Receiver<Option<String>>,
    stop_ports: watch::Sender<bool>,
    stop_loops: watch::Sender<bool>,
    ports: Vec<JoinHandle<()>>,
    loops: JoinHandle<()>,
}

/// Opens everything and serves until `shutdown` is done, or the disk fails.
///
/// # Errors
/// What cannot be opened, and [`Fatal`].
pub async fn serve(config: Config, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
    Server::start(config).await?.run(shutdown).await
}

impl Server {
    /// Opens everything, and serves.
    ///
    /// # Errors
    /// What cannot be opened. A tenant that does not open is none of it: it is set aside.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_at(config, Arc::new(SystemClock::new())).await
    }

    /// The same, with another clock than the machine's.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub async fn start_at(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let listener = bind(config.listen).await?;
        let metrics_listener = bind(config.metrics_listen).await?;
        let (address, metrics_address) = (listener.local_addr()?, metrics_listener.local_addr()?);
        let (app, operator_password, audit) = open(&config, clock).await?;

        let stop_ports = watch::Sender::new(false);
        let stop_loops = watch::Sender::new(false);
        tokio::spawn(audit);
        let loops = loops::run(Arc::clone(&app), config.intervals, stop_loops.subscribe());
        let main = Port {
            listener,
            router: routes::router(Arc::clone(&app)),
            connections_max: config.connections_max,
            connections: app.metrics.connections.clone(),
        };
        let metrics = Port {
            listener: metrics_listener,
            router: Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&app)),
            connections_max: METRICS_CONNECTIONS_MAX,
            connections: app.metrics.connections.clone(),
        };
        let ports = [main, metrics]
            .map(|port| tokio::spawn(listen::serve(port, stop_ports.subscribe())))
            .into();
        tracing::info!(%address, %metrics_address, "ready");
        let fatal = app.node.fatal();
        // What the end of the process cut short.
        let of_keys = Arc::clone(&app);
        tokio::spawn(async move { rotation::resume(&of_keys).await });
        let erasures = eraser::keep_resuming(Arc::clone(&app), stop_loops.subscribe());
        let loops = tokio::spawn(async move {
            tokio::join!(loops, erasures);
        });
        Ok(Self {
            app,
            address,
            metrics_address,
            operator_password,
            fatal,
            stop_ports,
            stop_loops,
            ports,
            loops,
        })
    }

    /// Where the API is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` is.
    #[must_use]
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics_address
    }

    /// The operator's password, when this start made the operator's login. To be shown this once.
    #[must_use]
    pub fn operator_password(&self) -> Option<&str> {
        self.operator_password.as_deref()
    }

    /// Serves until `shutdown` is done, or the disk fails.
    ///
    /// # Errors
    /// [`Fatal`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        let failure = failure(self.fatal.clone());
        let ended = tokio::select! {
            () = shutdown => Ok(()),
            reason = failure => Err(Fatal(reason)),
        };
        // After a failure nothing is flushed and nothing is answered: nothing more is to be
        // trusted.
        ended?;
        self.shutdown().await
    }

    /// Waits until every read and refusal so far is in `_audit`.
    pub async fn settle(&self) {
        self.app.audit.drain().await;
    }

    /// Takes no more requests, lets those that run end, moves everything into segments, and closes.
    ///
    /// # Errors
    /// [`Fatal`] when the disk failed meanwhile.
    pub async fn shutdown(self) -> Result<()> {
        tracing::info!("stopping");
        self.app.is_stopping.store(true, Ordering::Relaxed);
        self.stop_ports.send_replace(true);
        for port in self.ports {
            port.await.context("a port ended badly")?;
        }
        self.app.acts.ended().await;
        self.app.audit.drain().await;
        self.stop_loops.send_replace(true);
        self.loops.await.context("the background loop ended badly")?;
        let app = Arc::clone(&self.app);
        let closed = tokio::task::spawn_blocking(move || {
            loops::flush_all(&app);
            app.node.close();
        });
        closed.await.context("closing ended badly")?;
        match &*self.fatal.borrow() {
            Some(reason) => Err(Fatal(reason.clone()).into()),
            None => {
                tracing::info!("stopped");
                Ok(())
            }
        }
    }
}

/// Waits until the disk has failed.
async fn failure(mut fatal: watch::Receiver<Option<String>>) -> String {
    let reason = fatal.wait_for(Option::is_some).await.ok().and_then(|reason| (*reason).clone());
    reason.unwrap_or_default()
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}

type Opened = (Arc<App>, Option<String>, std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

/// Opens the records, and with them every tenant.
async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Opened> {
    let chance = Chance::system();
    let (of_records, records_clock) = (config.clone(), Arc::clone(&clock));
    let records_chance = chance.clone();
    let opened = tokio::task::spawn_blocking(move || {
        open_records(&of_records, records_clock, records_chance)
    });
    let (data, tenancy, operator_password) = opened.await??;
    let tenancy = Arc::new(tenancy);
    let signer = Signer::open(&data, &config.ledger_host).context("open the signer")?;
    let means = Means {
        data,
        clock: Arc::clone(&clock),
        signer: Arc::new(signer),
        journal: journal_options(config),
    };
    let node = Arc::new(Node::new(means));
    let tenants = tenancy.all_tenants().context("list the tenants")?;
    node.open_all(tenants.into_iter().map(|tenant| tenant.id).collect()).await;
    tenancy.damaged_tenants().into_iter().for_each(|(tenant, _)| node.set_aside(tenant));
    let metrics = Metrics::new().context("make the metrics")?;
    let (audit, work) = Audit::new(&node, &tenancy, &clock, metrics.clone());
    let concurrency = Concurrency {
        all: config.query_concurrency,
        per_tenant: config.query_concurrency_per_tenant,
        patience: QUERY_PATIENCE,
    };
    let limits = Limits {
        inflight_bytes: config.ingest_inflight_bytes,
        memtable_bytes: config.memtable_bytes,
        memtable_bytes_per_tenant: config.memtable_bytes_per_tenant,
        tenant_bytes: config.tenant_bytes,
    };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let app = App {
        desk: Desk::new(concurrency, config.query, Arc::clone(&clock), metrics.clone()),
        door: Door::new(limits),
        document: Bytes::from(openapi::document().context("write the OpenAPI document")?),
        decoders: Semaphore::new(cores),
        is_stopping: AtomicBool::new(false),
        acts: Acts::default(),
        rules: Arc::default(),
        witnesses: Witnesses::new(config.ledger_witnesses.clone()),
        anchor: config.ledger_anchor.clone(),
        proxies: config.trusted_proxies.clone(),
        reviving: Mutex::default(),
        node,
        tenancy,
        audit,
        metrics,
        clock,
        chance,
    };
    let app = Arc::new(app);
    let of_removal = Arc::clone(&app);
    // Deletions that the end of the process cut short.
    let removed = tokio::task::spawn_blocking(move || {
        revive::remove_leftovers(&of_removal, &upkeep_of_tenants());
    });
    removed.await.context("removing what is left of tenants ended badly")?;
    Ok((app, operator_password, Box::pin(work)))
}

/// How journals are written.
pub(crate) fn journal_options(config: &Config) -> ledgerline_journal::Options {
    ledgerline_journal::Options {
        file_bytes: JOURNAL_FILE_BYTES,
        queue_bytes: JOURNAL_QUEUE_BYTES,
        reserve_bytes: config.journal_reserve_bytes,
    }
}

fn open_records(
    config: &Config,
    clock: Arc<dyn Clock>,
    chance: Chance,
) -> Result<(DataDir, Tenancy, Option<String>)> {
    let options = ledgerline_world::Options {
        cache_bytes: config.cache_bytes,
        archive: config.archive.clone(),
        ..ledgerline_world::Options::default()
    };
    let data = DataDir::open(&config.data, chance, options);
    let data = data.with_context(|| format!("open {}", config.data.display()))?;
    let tenancy = Tenancy::open(&data, clock, config.tenancy.clone());
    let tenancy = tenancy.context("open the control records")?;
    let given = config.operator_password.as_ref().map(|secret| secret.0.as_str());
    let made = tenancy.ensure_operator(OPERATOR, given).context("make the operator's login")?;
    Ok((data, tenancy, made))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

//! The witness: a small server of its own, run by somebody else than the logs that it cosigns
//! (C2SP tlog-witness).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use ledgerline_ledger::key::{KeyUse, Vkey};
use ledgerline_ledger::witness::{AddCheckpoint, Decision, response};
use ledgerline_model::time::Timestamp;
use ledgerline_store::witness::{Answer, Witness};
use ledgerline_world::{Chance, Clock, DataDir, SystemClock};
use tokio::net::TcpListener;

/// The longest request: a checkpoint, its proof and its signatures are a few kilobytes.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// How a witness is run.
#[derive(Debug, Clone)]
pub struct WitnessConfig {
    /// The folder that holds its key and what it remembers.
    pub data: PathBuf,
    /// Its address; port 0 takes any.
    pub listen: SocketAddr,
    /// Its name, such as `witness.example.org/w1`.
    pub name: String,
    /// The keys of the logs that it cosigns.
    pub logs: Vec<String>,
}

/// A witness that is ready to serve.
#[derive(Debug)]
pub struct WitnessServer {
    listener: TcpListener,
    desk: Arc<Desk>,
}

#[derive(Debug)]
struct Desk {
    witness: Witness,
    logs: Vec<Vkey>,
    clock: SystemClock,
}

impl WitnessServer {
    /// Opens the witness and its port.
    ///
    /// # Errors
    /// What cannot be opened, and a key that is none of a log.
    pub async fn start(config: WitnessConfig) -> Result<Self> {
        let mut logs = Vec::new();
        for text in &config.logs {
            let vkey: Vkey = text.parse().with_context(|| format!("the key {text}"))?;
            if vkey.key_use() != KeyUse::Log {
                bail!("{text} is no key of a log");
            }
            logs.push(vkey);
        }
        let (data, name) = (config.data.clone(), config.name.clone());
        let opened = tokio::task::spawn_blocking(move || -> Result<Witness> {
            let data = DataDir::open(&data, Chance::system(), ledgerline_world::Options::default());
            Ok(Witness::open(&data.context("open the folder")?, &name)?)
        });
        let witness = opened.await??;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| format!("listen on {}", config.listen))?;
        let desk = Desk { witness, logs, clock: SystemClock::new() };
        Ok(Self { listener, desk: Arc::new(desk) })
    }

    /// Where it is.
    ///
    /// # Errors
    /// The socket's.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// The key that others trust.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.desk.witness.vkey().to_string()
    }

    /// Serves until `shutdown` is done.
    ///
    /// # Errors
    /// The socket's.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let router = Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/healthz", get(|| async { "ok\n" }))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .with_state(self.desk);
        axum::serve(self.listener, router).with_graceful_shutdown(shutdown).await?;
        Ok(())
    }
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let Ok((request, checkpoint)) = AddCheckpoint::parse(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let decided = tokio::task::spawn_blocking(move || {
        let of_origin = |key: &&Vkey| key.name().as_str() == checkpoint.origin;
        let keys: Vec<Vkey> = desk.logs.iter().filter(of_origin).cloned().collect();
        let seconds = u64::try_from(desk.clock.now().0 / Timestamp::SECOND).unwrap_or(0);
        desk.witness.add(&request, &checkpoint, (&keys, seconds))
    });
    match decided.await {
        Ok(Ok(Answer::Cosigned(line))) => {
            let media = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (media, response(&[line])).into_response()
        }
        Ok(Ok(Answer::Refused(decision))) => refusal(&decision),
        Ok(Err(error)) => {
            tracing::error!(error = crate::error::chain(&error), "the witness cannot decide");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refusal(decision: &Decision) -> Response {
    let status = StatusCode::from_u16(decision.status()).unwrap_or(StatusCode::BAD_REQUEST);
    match decision {
        Decision::Conflict(size) => {
            let media = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (status, media, format!("{size}\n")).into_response()
        }
        _ => status.into_response(),
    }
}

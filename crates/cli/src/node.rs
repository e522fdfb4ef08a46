//! A server in this process: started, and run until it is asked to stop.

use std::net::SocketAddr;

use ledgerline_server::config::Config;
use ledgerline_server::{Server, logs};
use tokio::runtime::Runtime;

use crate::failure::{DONE, Failure, INTERRUPTED, Outcome};
use crate::stop::Signals;

/// A running server and what runs it.
#[derive(Debug)]
pub(crate) struct Node {
    runtime: Runtime,
    server: Server,
    signals: Signals,
}

impl Node {
    /// Opens everything, and serves.
    pub(crate) fn start(config: Config) -> Result<Self, Failure> {
        logs::start(&config.log_level, config.log_format)
            .map_err(|error| Failure::new(format!("log_level is not understood: {error:#}")))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::caused("no thread can start", &error))?;
        // From here on: whoever sees the first line printed may at once ask it to end.
        let signals = runtime.block_on(async { Signals::listen() });
        let server = runtime.block_on(Server::start(config));
        let server = server.map_err(|error| start_failure(&error))?;
        Ok(Self { runtime, server, signals })
    }

    /// The address at which this machine reaches it.
    pub(crate) fn url(&self) -> String {
        let mut address = self.server.address();
        if address.ip().is_unspecified() {
            address = SocketAddr::from(([127, 0, 0, 1], address.port()));
        }
        format!("http://{address}")
    }

    /// The server.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Serves until Ctrl-C or `TERM`; the second ends the process at once, as a crash would.
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let mut signals = self.signals;
        let shutdown = async {
            signals.next().await;
            tokio::spawn(async move {
                signals.next().await;
                std::process::exit(i32::from(INTERRUPTED));
            });
        };
        let ended = self.runtime.block_on(self.server.run(shutdown));
        ended.map(|()| DONE).map_err(|error| Failure::new(format!("{error:#}")))
    }
}

/// Why a data folder, or a server on it, does not open.
pub(crate) fn start_failure(error: &anyhow::Error) -> Failure {
    let text = format!("{error:#}");
    let failure = Failure::new(&text);
    match () {
        () if text.contains("another process holds") => {
            failure.hint("one server a data folder; stop the other one, or name another --data")
        }
        () if text.contains("listen on") => {
            failure.hint("is a server running there? --listen and --metrics-listen name others")
        }
        () => failure,
    }
}

//! `ledgerline witness`: cosigns the checkpoints of somebody else's ledgers.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use ledgerline_server::{WitnessConfig, WitnessServer};

use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::stop::Signals;

const HELP: &str = "\
Examples:
  ledgerline witness --data ./witness --name witness.example.org/w1 \\
      --log 'logs.example.com/0198…+1a2b3c4d+AQ…' --listen 127.0.0.1:8090

Prints its key, which a log's operator and verifiers need. It cosigns a checkpoint only when that
holds everything that it cosigned before; a log that shows it two histories is found out.";

/// Cosign the checkpoints of ledgers.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The folder that holds its key and what it remembers.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Its name, which is part of its key.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The key of a log that it cosigns, as `GET /api/v1/ledger/keys` answers it; may be repeated.
    #[arg(long = "log", value_name = "VKEY", required = true)]
    logs: Vec<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let Arguments { data, listen, name, logs } = arguments;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut signals = Signals::listen();
        let config = WitnessConfig { data, listen, name, logs };
        let witness = WitnessServer::start(config).await.map_err(failed)?;
        let mut output = Output::open();
        output.line(format_args!(
            "ledgerline witnesses on http://{}",
            witness.address().map_err(failed)?
        ))?;
        output.line(format_args!("key: {}", witness.vkey()))?;
        output.flush()?;
        drop(output);
        let stopped = async move { signals.next().await };
        witness.run(stopped).await.map_err(failed)?;
        Ok(0)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn failed(error: anyhow::Error) -> Failure {
    Failure::new(format!("{error:#}"))
}

//! `make bench`: Ledgerline beside ClickHouse, on real events, in one table.

mod queries;
mod report;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Loads real security events into Ledgerline and into ClickHouse and asks both the same questions.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `ledgerline` program.
    #[arg(long)]
    ledgerline: PathBuf,
    /// The same program, built as `make run` builds it: its loss against the first is printed.
    #[arg(long)]
    quick: Option<PathBuf>,
    /// The events: `windows-security.ndjson.zst`.
    #[arg(long)]
    events: PathBuf,
    /// A Python that has `chdb`; without it, Ledgerline is measured alone.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Where the data of both is written; a temporary folder when nothing is said.
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.unwrap_or_else(|| temporary.path().to_owned());
    let raw_bytes = run::raw_bytes(&arguments.events)?;
    let ours = run::ledgerline(&arguments.ledgerline, &arguments.events, &folder.join("ours"))?;
    let quick = match &arguments.quick {
        Some(quick) => Some(run::ledgerline(quick, &arguments.events, &folder.join("quick"))?),
        None => None,
    };
    let theirs = match &arguments.python {
        Some(python) => Some(run::clickhouse(python, &arguments.events, &folder.join("theirs"))?),
        None => None,
    };
    let is_met = report::print(raw_bytes, &ours, quick.as_ref(), theirs.as_ref())?;
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `make bench`: Ledgerline beside ClickHouse on real events, and how many audit events it takes,
//! each in a table with its gates.

mod audit;
mod queries;
mod report;
mod run;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};

/// The events, in the folder that `LEDGERLINE_SAMPLES` names.
const EVENTS: &str = "windows-security.ndjson.zst";
const NO_EVENTS: &str = "neither --events nor LEDGERLINE_SAMPLES says where events are";

/// Loads real security events into Ledgerline and into ClickHouse and asks both the same questions;
/// then sends audit events to Ledgerline for as long as it is told.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only this.
    #[arg(long)]
    only: Option<Section>,
    /// The `ledgerline` program; the one beside this program when nothing is said.
    #[arg(long)]
    ledgerline: Option<PathBuf>,
    /// The same program, built as `make run` builds it: its loss against the first is printed.
    #[arg(long)]
    quick: Option<PathBuf>,
    /// The events: `windows-security.ndjson.zst`, from the folder that `LEDGERLINE_SAMPLES` names
    /// when nothing is said.
    #[arg(long)]
    events: Option<PathBuf>,
    /// A Python that has `chdb`; without it, Ledgerline is measured alone.
    #[arg(long)]
    python: Option<PathBuf>,
    /// For how many seconds audit events are sent, each way.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the data of both is written; a temporary folder when nothing is said.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Loading logs, and questions about them, beside ClickHouse.
    Logs,
    /// Audit events, with their ledger.
    Audit,
}

impl Arguments {
    fn wants(&self, section: Section) -> bool {
        self.only.is_none_or(|only| only == section)
    }

    fn program(&self) -> Result<PathBuf> {
        match &self.ledgerline {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("ledgerline")),
        }
    }

    fn events(&self) -> Option<PathBuf> {
        let folder = std::env::var_os("LEDGERLINE_SAMPLES").map(PathBuf::from);
        self.events.clone().or_else(|| Some(folder?.join(EVENTS)))
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut is_met = true;
    if arguments.wants(Section::Audit) {
        let time = Duration::from_secs(arguments.seconds);
        is_met &= audit::run(&arguments.program()?, &folder.join("audit"), time)?;
    }
    if arguments.wants(Section::Logs) {
        match arguments.events() {
            Some(events) => is_met &= logs(&arguments, &events, &folder)?,
            None if arguments.only.is_some() => bail!("{NO_EVENTS}"),
            None => writeln!(io::stderr(), "logs: skipped, {NO_EVENTS}")?,
        }
    }
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn logs(arguments: &Arguments, events: &Path, folder: &Path) -> Result<bool> {
    let raw_bytes = run::raw_bytes(events)?;
    let ours = run::ledgerline(&arguments.program()?, events, &folder.join("ours"))?;
    let quick = match &arguments.quick {
        Some(quick) => Some(run::ledgerline(quick, events, &folder.join("quick"))?),
        None => None,
    };
    let theirs = match &arguments.python {
        Some(python) => Some(run::clickhouse(python, events, &folder.join("theirs"))?),
        None => None,
    };
    Ok(report::print(raw_bytes, &ours, quick.as_ref(), theirs.as_ref())?)
}

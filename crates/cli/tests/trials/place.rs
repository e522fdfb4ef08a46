//! Where a trial happens, how large it is, and what it says.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use ledgerline_bench::Launch;
use tempfile::TempDir;

/// One trial at a time: each of them wants the whole machine.
static TURN: Mutex<()> = Mutex::new(());

/// Where a trial happens, alone.
pub(crate) struct Place {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Place {
    /// Waits for the turn of this trial and gives it an empty folder.
    pub(crate) fn new() -> Result<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { folder: tempfile::tempdir()?, _turn: turn })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file or folder of this name in the place.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The program that is tried.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_ledgerline"))
}

/// A file of the real events that are shipped.
pub(crate) fn demo(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo").join(file)
}

/// The program with its data in a folder of this place.
pub(crate) fn launch(data: &Path) -> Launch {
    Launch::new(binary(), data)
}

/// The same, with segments written and merged as often as it can be, so that what happens to it
/// happens in the middle of that.
pub(crate) fn restless(data: &Path) -> Launch {
    launch(data)
        .with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "1")
        .with("LEDGERLINE_COMPACT_INTERVAL_SECONDS", "1")
        .with("LEDGERLINE_MEMTABLE_BYTES_PER_TENANT", (2 << 20).to_string())
        .with("LEDGERLINE_LOG_LEVEL", "warn")
}

/// What `ledgerline admin` does with a data folder that nobody serves.
pub(crate) fn admin(task: &str, data: &Path) -> Result<Output> {
    let mut command = Command::new(binary());
    command.args(["admin", task, "--data"]).arg(data);
    command.output().context("starting `ledgerline admin`")
}

/// A number of the environment; nothing when it is not set.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Says a line to whoever runs the trial, whether it succeeds or not.
pub(crate) fn report(line: fmt::Arguments<'_>) {
    let mut out = std::io::stderr().lock();
    // Who closed the output does not want to know.
    drop(writeln!(out, "{line}"));
}

/// Says why a trial was not made.
pub(crate) fn skip(trial: &str, why: fmt::Arguments<'_>) {
    report(format_args!("{trial}: skipped, {why}"));
}

/// Says why a trial cannot be made on this machine.
///
/// # Errors
/// Where `LEDGERLINE_TRIALS_MUST_RUN=1` says that the machine allows it.
pub(crate) fn cannot(trial: &str, why: fmt::Arguments<'_>) -> Result<()> {
    if number("LEDGERLINE_TRIALS_MUST_RUN") == Some(1) {
        bail!("{trial}: must run, and cannot: {why}");
    }
    skip(trial, why);
    Ok(())
}

/// The end of a text, for messages.
pub(crate) fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

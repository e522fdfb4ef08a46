//! Loading and asking, one engine after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Node, Tenant, folder_bytes, peak_bytes, wait};
use serde::Deserialize;
use serde_json::Value;

use crate::queries::{Ask, QUESTIONS, Question};

/// How often a question is asked again when the data was read before.
const WARM_RUNS: usize = 7;
const DATASET: &str = "windows";

/// What an engine showed.
#[derive(Debug, Deserialize)]
pub(crate) struct Measured {
    /// CPU time of the engine until everything was merged, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Time by the clock, in seconds.
    pub(crate) seconds: f64,
    pub(crate) disk_bytes: u64,
    pub(crate) peak_bytes: u64,
    pub(crate) queries: BTreeMap<String, Times>,
    /// CPU time of the program that sent the events, in seconds.
    #[serde(default)]
    pub(crate) sender_cpu_seconds: f64,
}

/// How long a question took, in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Times {
    pub(crate) cold_ms: f64,
    pub(crate) warm_ms: f64,
}

/// The size of the events as they are, in bytes.
pub(crate) fn raw_bytes(events: &Path) -> Result<u64> {
    let mut child = Command::new("zstd").arg("-dc").arg(events).stdout(Stdio::piped()).spawn()?;
    let mut pipe = child.stdout.take().context("a pipe")?;
    let bytes = std::io::copy(&mut pipe, &mut std::io::sink())?;
    child.wait()?;
    Ok(bytes)
}

/// Sends the events to a server, lets it merge them, and asks.
pub(crate) fn ledgerline(binary: &Path, events: &Path, data: &Path) -> Result<Measured> {
    std::fs::create_dir_all(data)?;
    let start = Instant::now();
    let node = Node::start(binary, data)?;
    let tenant = node.tenant("bench")?;
    let sent = node.send(&tenant, DATASET, &[events])?;
    ensure!(sent.is_success, "not every event was acknowledged");
    let served = node.stop()?;
    let compact = Command::new(binary)
        .args(["admin", "compact", "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .spawn()
        .context("starting `ledgerline admin compact`")?;
    let compacted = wait(&compact)?;
    ensure!(compacted.is_success, "compaction failed");
    let seconds = start.elapsed().as_secs_f64();
    let disk_bytes = folder_bytes(&data.join("tenants").join(&tenant.id))?;
    let node = Node::start(binary, data)?;
    let mut queries = BTreeMap::new();
    for question in &QUESTIONS {
        queries.insert(question.name.to_owned(), times(&node, &tenant, question)?);
    }
    let asked_peak = peak_bytes(node.pid())?;
    node.stop()?;
    Ok(Measured {
        cpu_seconds: served.cpu_seconds + compacted.cpu_seconds,
        seconds,
        disk_bytes,
        peak_bytes: served.peak_bytes.max(compacted.peak_bytes).max(asked_peak),
        queries,
        sender_cpu_seconds: sent.cpu_seconds,
    })
}

fn times(node: &Node, tenant: &Tenant, question: &Question) -> Result<Times> {
    let timed = || -> Result<(f64, Value)> {
        let start = Instant::now();
        let answer = match question.ask {
            Ask::Analyse => node.analyse(tenant, DATASET, question.query)?,
            Ask::Newest => node.search(tenant, DATASET, question.query, 100)?,
        };
        Ok((start.elapsed().as_secs_f64() * 1000.0, answer))
    };
    let (cold_ms, answer) = timed()?;
    ensure!(answer["stats"]["complete"] == true, "{}: not complete", question.name);
    let mut warm_ms = f64::INFINITY;
    for _ in 0..WARM_RUNS {
        warm_ms = warm_ms.min(timed()?.0);
    }
    Ok(Times { cold_ms, warm_ms })
}

/// The same in ClickHouse.
pub(crate) fn clickhouse(python: &Path, events: &Path, folder: &Path) -> Result<Measured> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clickhouse/run.py");
    let output = Command::new(python).arg(script).arg(events).arg(folder).output()?;
    ensure!(output.status.success(), "ClickHouse: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what the script for ClickHouse printed")
}

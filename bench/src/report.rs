//! The table.

use std::io::{self, Write};

use ledgerline_bench::{Gate, put_head, put_row};

use crate::queries::QUESTIONS;
use crate::run::Measured;

const MEGABYTE: f64 = 1e6;
/// Gates of the load.
const DISK_MB_MAX: f64 = 18.0;
const MB_PER_SECOND_MIN: f64 = 60.0;
const PEAK_MIB_MAX: f64 = 1024.0;

type Pick = fn(f64, &Measured) -> f64;

/// A row about the load: its name, its value, and how it is checked.
struct Row {
    name: &'static str,
    pick: Pick,
    gate: Option<Gate>,
}

const ROWS: [Row; 6] = [
    Row { name: "load: CPU seconds", pick: |_, m| m.cpu_seconds, gate: None },
    Row {
        name: "load: MB/s/core",
        pick: |raw, m| raw / MEGABYTE / m.cpu_seconds,
        gate: Some(Gate::Least(MB_PER_SECOND_MIN)),
    },
    Row { name: "load: seconds", pick: |_, m| m.seconds, gate: None },
    Row { name: "sender: CPU seconds", pick: |_, m| m.sender_cpu_seconds, gate: None },
    Row {
        name: "disk: MB",
        pick: |_, m| m.disk_bytes as f64 / MEGABYTE,
        gate: Some(Gate::Most(DISK_MB_MAX)),
    },
    Row {
        name: "memory: peak MiB",
        pick: |_, m| m.peak_bytes as f64 / 1_048_576.0,
        gate: Some(Gate::Most(PEAK_MIB_MAX)),
    },
];

/// Prints the table; returns whether every gate is met.
pub(crate) fn print(
    raw_bytes: u64,
    ours: &Measured,
    quick: Option<&Measured>,
    theirs: Option<&Measured>,
) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let all = [Some(ours), quick, theirs];
    writeln!(
        out,
        "{:.0} MB of NDJSON, {} questions\n",
        raw_bytes as f64 / MEGABYTE,
        QUESTIONS.len()
    )?;
    put_head(&mut out, &["ledgerline", "make run's", "clickhouse"])?;
    let mut is_met = true;
    for row in &ROWS {
        let value = |m: &Measured| (row.pick)(raw_bytes as f64, m);
        is_met &= put_row(&mut out, row.name, &all.map(|m| m.map(value)), row.gate)?;
    }
    for question in &QUESTIONS {
        let times = all.map(|m| m.and_then(|m| m.queries.get(question.name).copied()));
        let cold = format!("{}: cold ms", question.name);
        put_row(&mut out, &cold, &times.map(|times| times.map(|t| t.cold_ms)), None)?;
        let warm = format!("{}: warm ms", question.name);
        let gate = question.gate_ms.map(Gate::Most);
        is_met &= put_row(&mut out, &warm, &times.map(|times| times.map(|t| t.warm_ms)), gate)?;
    }
    writeln!(out, "\n{}", if is_met { "every gate is met" } else { "a gate is MISSED" })?;
    Ok(is_met)
}

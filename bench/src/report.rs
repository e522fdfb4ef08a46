//! The table.

use std::io::{self, Write};

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

#[derive(Clone, Copy)]
enum Gate {
    Most(f64),
    Least(f64),
}

impl Gate {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Most(most) => value <= most,
            Self::Least(least) => value >= least,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Most(most) => format!("<= {most}"),
            Self::Least(least) => format!(">= {least}"),
        }
    }
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
    let head = ["ledgerline", "make run's", "clickhouse", "gate", ""];
    line(&mut out, "", &head.map(str::to_owned))?;
    let mut is_met = true;
    for row in &ROWS {
        let value = |m: &Measured| (row.pick)(raw_bytes as f64, m);
        is_met &= put(&mut out, row.name, all.map(|m| m.map(value)), row.gate)?;
    }
    for question in &QUESTIONS {
        let times = all.map(|m| m.and_then(|m| m.queries.get(question.name).copied()));
        let cold = format!("{}: cold ms", question.name);
        put(&mut out, &cold, times.map(|times| times.map(|t| t.cold_ms)), None)?;
        let warm = format!("{}: warm ms", question.name);
        let gate = question.gate_ms.map(Gate::Most);
        is_met &= put(&mut out, &warm, times.map(|times| times.map(|t| t.warm_ms)), gate)?;
    }
    writeln!(out, "\n{}", if is_met { "every gate is met" } else { "a gate is MISSED" })?;
    Ok(is_met)
}

/// Prints a row; returns whether its gate is met.
fn put(
    out: &mut impl Write,
    name: &str,
    values: [Option<f64>; 3],
    gate: Option<Gate>,
) -> io::Result<bool> {
    let number = |value: Option<f64>| match value {
        Some(value) if value < 100.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.0}"),
        None => "–".to_owned(),
    };
    let is_met = gate.zip(values[0]).is_none_or(|(gate, value)| gate.is_met(value));
    let gate = gate.map(Gate::text).unwrap_or_default();
    let verdict = if is_met { "" } else { "MISSED" };
    let [ours, quick, theirs] = values.map(number);
    line(out, name, &[ours, quick, theirs, gate, verdict.to_owned()])?;
    Ok(is_met)
}

fn line(out: &mut impl Write, name: &str, cells: &[String; 5]) -> io::Result<()> {
    write!(out, "{name:<24}")?;
    cells.iter().try_for_each(|cell| write!(out, " {cell:>12}"))?;
    writeln!(out)
}

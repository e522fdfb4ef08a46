//! What a measured value must be.

use std::io::{self, Write};

/// A bound that a value is held against.
#[derive(Debug, Clone, Copy)]
pub enum Gate {
    /// It may be as large as this.
    Most(f64),
    /// It must be as large as this.
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

/// Prints the heads of some columns, of the gate and of the verdict.
///
/// # Errors
/// The output's.
pub fn put_head(out: &mut impl Write, columns: &[&str]) -> io::Result<()> {
    let cells = columns.iter().copied().chain(["gate", ""]).map(str::to_owned);
    put_line(out, "", cells)
}

/// Prints a row, the first of whose values is held against the gate; returns whether it is met.
///
/// # Errors
/// The output's.
pub fn put_row(
    out: &mut impl Write,
    name: &str,
    values: &[Option<f64>],
    gate: Option<Gate>,
) -> io::Result<bool> {
    let number = |value: &Option<f64>| match value {
        Some(value) if *value < 100.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.0}"),
        None => "–".to_owned(),
    };
    let value = values.first().copied().flatten();
    let is_met = gate.zip(value).is_none_or(|(gate, value)| gate.is_met(value));
    let verdict = if is_met { "" } else { "MISSED" };
    let gate = gate.map(Gate::text).unwrap_or_default();
    let cells = values.iter().map(number).chain([gate, verdict.to_owned()]);
    put_line(out, name, cells)?;
    Ok(is_met)
}

fn put_line(
    out: &mut impl Write,
    name: &str,
    mut cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    write!(out, "{name:<34}")?;
    cells.try_for_each(|cell| write!(out, " {cell:>12}"))?;
    writeln!(out)
}

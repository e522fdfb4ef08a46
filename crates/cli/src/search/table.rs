//! Rows under named columns: aligned for people, or as JSON or CSV for programs.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::output::{Colour, Output, Palette};
use crate::printable::{printable, printable_json};
use crate::search::pages::Stats;

/// The widest cell that columns are aligned to; a wider one pushes its row.
const WIDTH_MAX: usize = 60;

/// A table, as the answer to a query with pipes has it.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    stats: Stats,
}

impl Table {
    /// What the answer cost.
    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    /// A row an event; the columns are `fields`, or every field that occurs.
    pub(super) fn of_events(events: &[Value], fields: &[String], stats: Stats) -> Self {
        let columns = if fields.is_empty() { all_fields(events) } else { fields.to_vec() };
        let row = |event: &Value| columns.iter().map(|name| event[name.as_str()].clone()).collect();
        Self { rows: events.iter().map(row).collect(), columns, stats }
    }

    /// Writes it for people: columns under their names, numbers to the right.
    pub(super) fn write_aligned(&self, output: &mut Output) -> Result<(), Failure> {
        let palette = output.palette();
        self.aligned(palette).into_iter().try_for_each(|line| output.line(line))
    }

    /// Writes an object a row.
    pub(super) fn write_json(&self, output: &mut Output) -> Result<(), Failure> {
        self.rows.iter().try_for_each(|row| {
            let pairs = self.columns.iter().cloned().zip(row.iter().cloned());
            let object = Value::Object(pairs.collect::<Map<_, _>>());
            output.line(printable_json(&object.to_string()))
        })
    }

    /// Writes RFC 4180, with line feeds.
    pub(super) fn write_csv(&self, output: &mut Output) -> Result<(), Failure> {
        let is_terminal = output.is_terminal;
        let mut write = |cells: Vec<String>| {
            let line = cells.join(",");
            if is_terminal { output.line(printable(&line)) } else { output.line(line) }
        };
        write(self.columns.iter().map(|name| quoted(name)).collect())?;
        self.rows.iter().try_for_each(|row| write(row.iter().map(csv_cell).collect()))
    }

    fn aligned(&self, palette: Palette) -> Vec<String> {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let names: Vec<String> =
            self.columns.iter().map(|name| printable(name).into_owned()).collect();
        let widths: Vec<usize> = (0..names.len())
            .map(|at| {
                let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
                cells.filter(|width| *width <= WIDTH_MAX).max().unwrap_or(0).max(width(&names[at]))
            })
            .collect();
        let is_number: Vec<bool> = (0..names.len()).map(|at| self.is_number(at)).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).zip(&is_number);
            let padded = cells.map(|((cell, width), is_number)| pad(cell, *width, *is_number));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let header = palette.paint(Colour::Cyan, &line(&names));
        std::iter::once(header).chain(rows.iter().map(|row| line(row))).collect()
    }

    fn is_number(&self, column: usize) -> bool {
        let mut values = self.rows.iter().filter_map(|row| row.get(column));
        !self.rows.is_empty() && values.all(|value| value.is_number() || value.is_null())
    }
}

/// Every field that occurs, the virtual ones (`_time`, …) first.
fn all_fields(events: &[Value]) -> Vec<String> {
    let objects = events.iter().filter_map(Value::as_object);
    let names: BTreeSet<&String> = objects.flat_map(Map::keys).collect();
    let (virtual_ones, own): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.starts_with('_'));
    virtual_ones.into_iter().chain(own).cloned().collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text).into_owned(),
        other => printable(&other.to_string()).into_owned(),
    }
}

fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// How many columns of a terminal a text takes, as if every character took one.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn pad(text: &str, columns: usize, to_the_right: bool) -> String {
    let space = " ".repeat(columns.saturating_sub(width(text)));
    if to_the_right { format!("{space}{text}") } else { format!("{text}{space}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STATS: Stats = Stats { scanned_bytes: 0, elapsed_ms: 0, complete: true };

    fn table(columns: Value, rows: Value) -> Table {
        let stats = json!({ "scanned_bytes": 1, "elapsed_ms": 2, "complete": true, "later": 3 });
        let answer = json!({ "columns": columns, "rows": rows, "stats": stats });
        serde_json::from_value(answer).expect("a table")
    }

    #[test]
    fn columns_are_aligned() {
        let rows = json!([["Security", 12], ["Sysmon\u{1b}", 1234], [null, 1]]);
        let lines = table(json!(["Channel", "n"]), rows).aligned(Palette::new(false));
        let expected = [
            "Channel          n",
            "Security        12",
            "Sysmon\\u{1b}  1234",
            "                 1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_very_wide_cell_does_not_widen_the_rest() {
        let rows = json!([["x".repeat(100), 1], ["y", 2]]);
        let lines = table(json!(["a", "n"]), rows).aligned(Palette::new(false));
        assert_eq!(lines[2], "y  2");
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let cells = [json!("a,b"), json!("say \"x\""), json!("l1\nl2"), json!(null), json!([1, 2])];
        let cells: Vec<String> = cells.iter().map(csv_cell).collect();
        assert_eq!(cells, ["\"a,b\"", "\"say \"\"x\"\"\"", "\"l1\nl2\"", "", "\"[1,2]\""]);
    }

    #[test]
    fn events_become_rows_of_every_field() {
        let events = [json!({ "_time": "t", "b": 1 }), json!({ "_time": "u", "a": 2 })];
        let table = Table::of_events(&events, &[], STATS);
        assert_eq!(table.columns, ["_time", "a", "b"]);
        assert_eq!(table.rows[0], [json!("t"), json!(null), json!(1)]);
        let table = Table::of_events(&events, &["b".to_owned()], STATS);
        assert_eq!(table.rows, [[json!(1)], [json!(null)]]);
    }
}

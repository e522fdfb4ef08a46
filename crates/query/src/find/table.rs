//! Pipes over rows of cells.

use std::borrow::Cow;
use std::cmp::Ordering;

use hashbrown::HashSet;

use super::group::{Source, Visit};
use super::key::{Key, scalar};
use super::local::Local;
use super::part_scan::severity;
use super::plan::{Check, Meaning, Name, Node};
use super::scalar::Scalar;
use crate::answer::{Cell, Table};
use crate::budget::Budget;
use crate::error::Result;
use crate::lang::ast::{Direction, Renaming, Search, SortKey};
use crate::lang::width::Width;

/// What a column that a table does not have holds.
const NULL: Cell = Cell::Null;

fn position(columns: &[String], name: &str) -> Option<usize> {
    columns.iter().position(|column| column == name)
}

fn cell(row: &[Cell], at: Option<usize>) -> &Cell {
    at.map_or(&NULL, |at| &row[at])
}

/// A cell with a single value: lists as JSON texts.
pub(super) fn plain(cell: &Cell) -> Cow<'_, Cell> {
    match cell {
        Cell::List(_) => Cow::Owned(Cell::Json(json(cell).to_string())),
        other => Cow::Borrowed(other),
    }
}

fn json(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Str(text) => text.as_str().into(),
        Cell::I64(number) => (*number).into(),
        Cell::F64(number) => (*number).into(),
        Cell::Bool(truth) => (*truth).into(),
        Cell::Time(time) => Scalar::Time(*time).text().into(),
        Cell::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Cell::List(cells) => cells.iter().map(json).collect(),
    }
}

/// Cells in the order of a sort key.
pub(super) fn compare(a: &Cell, b: &Cell, direction: Direction) -> Ordering {
    let (a, b) = (plain(a), plain(b));
    let key = |cell| Key::of(cell).unwrap_or(Key::Null);
    match direction {
        Direction::Ascending => key(&a).ascending(key(&b)),
        Direction::Descending => key(&a).descending(key(&b)),
    }
}

/// `sort`: a stable one.
pub(super) fn sort(table: &mut Table, by: &[SortKey]) {
    let by: Vec<(Option<usize>, Direction)> =
        by.iter().map(|key| (position(&table.columns, &key.column), key.direction)).collect();
    table.rows.sort_by(|a, b| {
        let orders =
            by.iter().map(|(at, direction)| compare(cell(a, *at), cell(b, *at), *direction));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
}

/// `fields`
pub(super) fn project(table: Table, names: &[String]) -> Table {
    let from: Vec<Option<usize>> =
        names.iter().map(|name| position(&table.columns, name)).collect();
    let row = |row: Vec<Cell>| from.iter().map(|at| cell(&row, *at).clone()).collect();
    Table { columns: names.to_vec(), rows: table.rows.into_iter().map(row).collect(), ..table }
}

/// `rename`: a column that has a new name of another already gives way to it.
pub(super) fn rename(table: Table, renamings: &[Renaming]) -> Table {
    let target = |name: &String| {
        let renaming = renamings.iter().find(|renaming| renaming.source == *name);
        renaming.map(|renaming| &renaming.target)
    };
    let taken: Vec<&String> = table.columns.iter().filter_map(target).collect();
    let mut kept = Vec::new();
    for (at, column) in table.columns.iter().enumerate() {
        match target(column) {
            Some(target) => kept.push((at, target.clone())),
            None if taken.contains(&column) => {}
            None => kept.push((at, column.clone())),
        }
    }
    let row = |mut row: Vec<Cell>| {
        kept.iter().map(|(at, _)| std::mem::replace(&mut row[*at], Cell::Null)).collect()
    };
    let rows = table.rows.into_iter().map(row).collect();
    Table { columns: kept.iter().map(|(_, name)| name.clone()).collect(), rows, ..table }
}

/// `uniq by`
pub(super) fn uniq(table: &mut Table, names: &[String], budget: &Budget) -> Result<()> {
    let at: Vec<Option<usize>> = names.iter().map(|name| position(&table.columns, name)).collect();
    let keep = firsts(&table.rows, |row| at.iter().map(|at| cell(row, *at)).collect(), budget)?;
    let mut keep = keep.into_iter();
    table.rows.retain(|_| keep.next().unwrap_or(false));
    Ok(())
}

/// Which of the rows are the first with their cells.
pub(super) fn firsts<'a, R>(
    rows: &'a [R],
    cells: impl Fn(&'a R) -> Vec<&'a Cell>,
    budget: &Budget,
) -> Result<Vec<bool>> {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut memory = budget.take(rows.len())?;
    let mut keep = Vec::with_capacity(rows.len());
    for row in rows {
        let mut bytes = Vec::new();
        for cell in cells(row) {
            put_key(&mut bytes, Key::of(&plain(cell)).unwrap_or(Key::Null));
        }
        let size = bytes.len() + size_of::<Vec<u8>>() * 2;
        let is_first = seen.insert(bytes);
        if is_first {
            memory.grow(size)?;
        }
        keep.push(is_first);
    }
    Ok(keep)
}

/// A key as bytes that are equal when the keys are.
fn put_key(out: &mut Vec<u8>, key: Key<'_>) {
    let mut put = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match key {
        Key::Null => put(0, &[]),
        Key::I64(number) => put(1, &number.to_le_bytes()),
        Key::F64(bits) => put(2, &bits.to_le_bytes()),
        Key::Time(time) => put(3, &time.to_le_bytes()),
        Key::Str(text) => put(4, text.as_bytes()),
        Key::Bool(truth) => put(5, &[u8::from(truth)]),
        Key::Json(text) => put(6, text.as_bytes()),
    }
}

/// `where`
pub(super) fn filter(table: &mut Table, search: &Search, meaning: &Meaning<'_>) -> Result<()> {
    let node = meaning.prepare(search)?;
    let Table { columns, rows, .. } = table;
    let mut filter = RowFilter { columns, meaning, scratch: String::new() };
    rows.retain(|row| filter.holds(&node, row));
    Ok(())
}

/// Tests rows of a table.
struct RowFilter<'a> {
    columns: &'a [String],
    meaning: &'a Meaning<'a>,
    scratch: String,
}

impl RowFilter<'_> {
    fn holds(&mut self, node: &Node, row: &[Cell]) -> bool {
        match node {
            Node::All => true,
            Node::And(members) => members.iter().all(|member| self.holds(member, row)),
            Node::Or(members) => members.iter().any(|member| self.holds(member, row)),
            Node::Not(inner) => !self.holds(inner, row),
            Node::Text(check) => match self.message(row) {
                Some(at) => self.holds_cell(check, at, row),
                None => (0..row.len())
                    .any(|at| matches!(row[at], Cell::Str(_)) && self.holds_cell(check, at, row)),
            },
            Node::Every(check) => (0..row.len()).any(|at| self.holds_cell(check, at, row)),
            Node::Field(Name::Message, check) => {
                self.message(row).is_some_and(|at| self.holds_cell(check, at, row))
            }
            Node::Field(name, check) => position(self.columns, name.as_str())
                .is_some_and(|at| self.holds_cell(check, at, row)),
        }
    }

    /// The column that holds the row's message.
    fn message(&self, row: &[Cell]) -> Option<usize> {
        let keys = std::iter::once("_message")
            .chain(self.meaning.conventions.message.iter().map(String::as_str));
        keys.filter_map(|key| position(self.columns, key))
            .find(|at| matches!(row[*at], Cell::Str(_)))
    }

    fn holds_cell(&mut self, check: &Check, at: usize, row: &[Cell]) -> bool {
        let scratch = &mut self.scratch;
        match &row[at] {
            Cell::I64(number) if self.columns[at] == "_severity" => {
                check.test.holds_any(Scalar::Severity(severity(*number)), scratch)
            }
            Cell::List(cells) => {
                cells.iter().filter_map(scalar).any(|value| check.test.holds_any(value, scratch))
            }
            other => scalar(other).is_some_and(|value| check.test.holds_any(value, scratch)),
        }
    }
}

/// The rows of a table, as `stats` reads them.
pub(super) struct TableRows<'a> {
    pub(super) table: &'a Table,
    pub(super) budget: &'a Budget,
}

impl Source for TableRows<'_> {
    fn len(&self) -> usize {
        self.table.rows.len()
    }

    fn budget(&self) -> &Budget {
        self.budget
    }

    fn field(&self, name: &Name) -> Result<Local> {
        let at = position(&self.table.columns, name.as_str());
        let cells = self.table.rows.iter().map(|row| plain(cell(row, at)).into_owned());
        Local::of_cells(self.budget, cells)
    }

    fn bars(&self, width: Width) -> Result<Local> {
        let at = position(&self.table.columns, Name::Time.as_str());
        let bar = |row: &Vec<Cell>| match cell(row, at) {
            Cell::Time(time) => Cell::Time(width.floor(*time)),
            _ => Cell::Null,
        };
        Local::of_cells(self.budget, self.table.rows.iter().map(bar))
    }

    fn counted(&self, _: &Name) -> Result<Option<(Local, Vec<u64>)>> {
        Ok(None)
    }

    fn present(&self, name: &Name, each: &mut dyn FnMut(usize)) -> Result<()> {
        let at = position(&self.table.columns, name.as_str());
        let cells = self.table.rows.iter().map(|row| cell(row, at)).enumerate();
        cells.filter(|(_, cell)| **cell != NULL).for_each(|(position, _)| each(position));
        Ok(())
    }

    fn visit(&self, _: &Name, _: &mut Visit<'_>) -> Result<bool> {
        Ok(false)
    }
}

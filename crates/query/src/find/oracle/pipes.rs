//! What pipes mean, row by row.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use ledgerline_model::limits::QUERY_LIST_MAX;

use super::{Oracle, Row, amount, compare_numbers, number, text};
use crate::answer::{Cell, Table};
use crate::find::table::plain;
use crate::lang::ast::{
    Aggregate, Direction, GroupKey, Number, Pipe, Query, Renaming, Search, SortKey,
};

impl Oracle<'_> {
    pub(in crate::find) fn analyse(&self, query: &Query) -> Table {
        let found = self.search(&query.search);
        let mut rows = Rows { columns: None, rows: found.iter().map(|e| self.row(e)).collect() };
        for pipe in &query.pipes {
            rows = self.pipe(rows, pipe);
        }
        rows.table()
    }

    fn pipe(&self, mut rows: Rows, pipe: &Pipe) -> Rows {
        match pipe {
            Pipe::Stats { measures, keys } => {
                let mut groups: BTreeMap<Vec<OrdCell>, Vec<Row>> = BTreeMap::new();
                if keys.is_empty() {
                    groups.insert(Vec::new(), Vec::new());
                }
                for row in rows.rows {
                    let key = keys.iter().map(|key| OrdCell(group_key(&row, key))).collect();
                    groups.entry(key).or_default().push(row);
                }
                let mut columns: Vec<String> =
                    keys.iter().map(|key| key.column().to_owned()).collect();
                columns.extend(measures.iter().map(|measure| measure.column()));
                let table = groups.into_iter().map(|(key, rows)| {
                    let measured = measures.iter().map(|m| aggregate(&m.aggregate, &rows));
                    let cells = key.into_iter().map(|cell| cell.0).chain(measured);
                    columns.iter().cloned().zip(cells).collect()
                });
                Rows { rows: table.collect(), columns: Some(columns.clone()) }
            }
            Pipe::Sort(by) => {
                rows.rows.sort_by(|a, b| compare_rows(a, b, by));
                rows
            }
            Pipe::Limit(limit) => {
                rows.rows.truncate(*limit as usize);
                rows
            }
            Pipe::Fields(names) => {
                rows.rows.iter_mut().for_each(|row| row.retain(|name, _| names.contains(name)));
                Rows { columns: Some(names.clone()), ..rows }
            }
            Pipe::Where(search) => {
                let is_table = rows.columns.is_some();
                rows.rows.retain(|row| self.holds_row(search, row, is_table));
                rows
            }
            Pipe::Rename(renamings) => rows.renamed(renamings),
            Pipe::Uniq(names) => {
                let mut seen = BTreeSet::new();
                rows.rows.retain(|row| {
                    let key: Vec<OrdCell> =
                        names.iter().map(|name| OrdCell(keyed(get(row, name)))).collect();
                    seen.insert(key)
                });
                rows
            }
        }
    }

    fn holds_row(&self, search: &Search, row: &Row, is_table: bool) -> bool {
        let keys =
            std::iter::once("_message").chain(self.conventions.message.iter().map(String::as_str));
        let message = keys.into_iter().find_map(|key| match row.get(key) {
            Some(Cell::Str(text)) => Some(text.clone()),
            _ => None,
        });
        let mut fields = row.clone();
        if !is_table {
            // Virtual fields are no fields of the event; its own of these names are not asked for
            // in the tests of pipes.
            fields.retain(|name, _| !name.starts_with('_'));
        }
        let mut row = row.clone();
        if let Some(message) = &message {
            row.insert("_message".to_owned(), Cell::Str(message.clone()));
        }
        self.holds(search, &row, &fields, message.as_deref())
    }
}

fn get(row: &Row, name: &str) -> Cell {
    row.get(name).cloned().unwrap_or(Cell::Null)
}

/// Numbers of one amount as one cell.
pub(super) fn keyed(cell: Cell) -> Cell {
    match cell {
        Cell::F64(number) if number.floor() == number && number.abs() < 9e18 => {
            Cell::I64(number as i64)
        }
        Cell::List(cells) => {
            let json: Vec<serde_json::Value> = cells
                .iter()
                .map(|cell| match cell {
                    Cell::I64(number) => (*number).into(),
                    Cell::F64(number) => (*number).into(),
                    Cell::Bool(truth) => (*truth).into(),
                    Cell::Json(json) => serde_json::from_str(json).unwrap_or_default(),
                    other => text(other).into(),
                })
                .collect();
            Cell::Json(serde_json::Value::from(json).to_string())
        }
        other => other,
    }
}

fn group_key(row: &Row, key: &GroupKey) -> Cell {
    match key {
        GroupKey::Field(name) => keyed(get(row, name)),
        GroupKey::Time(width) => match get(row, "_time") {
            Cell::Time(time) => Cell::Time(width.floor(time)),
            _ => Cell::Null,
        },
    }
}

fn compare_rows(a: &Row, b: &Row, by: &[SortKey]) -> Ordering {
    for key in by {
        let (a, b) = (keyed(get(a, &key.column)), keyed(get(b, &key.column)));
        let types = rank(&a).cmp(&rank(&b));
        let order = match key.direction {
            Direction::Ascending => types.then_with(|| within_rank(&a, &b)),
            Direction::Descending => types.then_with(|| within_rank(&b, &a)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn rank(cell: &Cell) -> u8 {
    match cell {
        Cell::I64(_) | Cell::F64(_) => 0,
        Cell::Time(_) => 1,
        Cell::Str(_) => 2,
        Cell::Bool(_) => 3,
        Cell::Json(_) | Cell::List(_) => 4,
        Cell::Null => 5,
    }
}

fn within_rank(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::Json(a), Cell::Json(b)) => a.cmp(b),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => compare_numbers(a, b),
            _ => text(a).cmp(&text(b)),
        },
    }
}

/// A cell in the order of ascending sorts.
pub(super) struct OrdCell(pub(super) Cell);

impl Ord for OrdCell {
    fn cmp(&self, other: &Self) -> Ordering {
        rank(&self.0).cmp(&rank(&other.0)).then_with(|| within_rank(&self.0, &other.0))
    }
}

impl PartialOrd for OrdCell {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OrdCell {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for OrdCell {}

fn aggregate(aggregate: &Aggregate, rows: &[Row]) -> Cell {
    let cells = |name: &str| -> Vec<Cell> {
        let cells = rows.iter().map(|row| get(row, name)).filter(|cell| *cell != Cell::Null);
        // A list counts by its JSON text.
        cells.map(|cell| plain(&cell).into_owned()).collect()
    };
    let amounts = |name: &str| -> Vec<Number> { cells(name).iter().filter_map(amount).collect() };
    match aggregate {
        Aggregate::Count => Cell::I64(rows.len() as i64),
        Aggregate::CountOf(name) => Cell::I64(cells(name).len() as i64),
        Aggregate::Sum(name) => sum(&amounts(name)),
        Aggregate::Average(name) => match (sum(&amounts(name)), amounts(name).len()) {
            (Cell::I64(sum), count) => Cell::F64(sum as f64 / count as f64),
            (Cell::F64(sum), count) => Cell::F64(sum / count as f64),
            _ => Cell::Null,
        },
        Aggregate::Min(name) => extreme(cells(name), Ordering::Less),
        Aggregate::Max(name) => extreme(cells(name), Ordering::Greater),
        Aggregate::Distinct(name) => Cell::I64(distinct(cells(name)).len() as i64),
        Aggregate::Values(name) => {
            let values = distinct(cells(name)).into_iter().map(|cell| cell.0);
            Cell::List(values.take(QUERY_LIST_MAX).collect())
        }
        Aggregate::Percentile { field, percent } => {
            let mut amounts = amounts(field);
            amounts.sort_by(|a, b| compare_numbers(*a, *b));
            let share = u64::from(percent.thousandths());
            let enough = |at: &usize| (*at as u64 + 1) * 100_000 >= share * amounts.len() as u64;
            let at = (0..amounts.len()).find(enough);
            at.map_or(Cell::Null, |at| number_cell(amounts[at]))
        }
    }
}

fn distinct(cells: Vec<Cell>) -> BTreeSet<OrdCell> {
    cells.into_iter().map(|cell| OrdCell(keyed(cell))).collect()
}

fn number_cell(number: Number) -> Cell {
    keyed(match number {
        Number::Integer(number) => Cell::I64(number),
        Number::Float(number) => Cell::F64(number),
    })
}

fn sum(amounts: &[Number]) -> Cell {
    let mut whole = 0_i128;
    let mut broken = None;
    for number in amounts {
        match number {
            Number::Integer(number) => whole += i128::from(*number),
            Number::Float(number) => *broken.get_or_insert(0.0) += number,
        }
    }
    match (broken, i64::try_from(whole)) {
        _ if amounts.is_empty() => Cell::Null,
        (None, Ok(whole)) => Cell::I64(whole),
        (broken, _) => Cell::F64(whole as f64 + broken.unwrap_or(0.0)),
    }
}

fn extreme(cells: Vec<Cell>, wanted: Ordering) -> Cell {
    let numbers: Vec<Number> = cells.iter().filter_map(amount).collect();
    let pick = |order: Ordering| order == wanted;
    if let Some(best) =
        numbers.into_iter().reduce(|a, b| if pick(compare_numbers(b, a)) { b } else { a })
    {
        return number_cell(best);
    }
    let is_time = |cell: &Cell| matches!(cell, Cell::Time(_));
    let (times, texts): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(is_time);
    let times = times.into_iter().reduce(|a, b| if pick(within_rank(&b, &a)) { b } else { a });
    let by_text = |a: Cell, b: Cell| match text(&b).cmp(&text(&a)) {
        Ordering::Equal if rank(&b) < rank(&a) => b,
        order if pick(order) => b,
        _ => a,
    };
    times.or_else(|| texts.into_iter().reduce(by_text)).unwrap_or(Cell::Null)
}

/// Rows on their way through the pipes. Without columns they are events still.
struct Rows {
    columns: Option<Vec<String>>,
    rows: Vec<Row>,
}

impl Rows {
    fn event_columns(&self) -> Vec<String> {
        let names: BTreeSet<&String> =
            self.rows.iter().flat_map(|row| row.keys()).filter(|n| !n.starts_with('_')).collect();
        let usual = ["_time", "_id", "_severity", "_message"].map(str::to_owned);
        usual.into_iter().chain(names.into_iter().cloned()).collect()
    }

    fn renamed(self, renamings: &[Renaming]) -> Self {
        let mut columns = self.columns.clone().unwrap_or_else(|| {
            let mut columns = self.event_columns();
            let hidden = ["_seq", "_received"];
            let is_named = |name: &&str| renamings.iter().any(|r| r.source == **name);
            let extra: Vec<String> =
                hidden.iter().filter(|name| is_named(name)).map(|n| (*n).to_owned()).collect();
            columns.splice(4..4, extra);
            columns
        });
        let target = |name: &str| {
            renamings.iter().find(|r| r.source == name).map(|renaming| renaming.target.clone())
        };
        let taken: Vec<String> = columns.iter().filter_map(|name| target(name)).collect();
        columns.retain(|name| target(name).is_some() || !taken.contains(name));
        let rows = self.rows.iter().map(|row| {
            let renamed = columns
                .iter()
                .map(|name| (target(name).unwrap_or_else(|| name.clone()), get(row, name)));
            renamed.collect()
        });
        let rows = rows.collect();
        let columns = columns.iter().map(|name| target(name).unwrap_or_else(|| name.clone()));
        Self { columns: Some(columns.collect()), rows }
    }

    fn table(self) -> Table {
        let columns = self.columns.clone().unwrap_or_else(|| self.event_columns());
        let row = |row: &Row| columns.iter().map(|name| get(row, name)).collect();
        let rows = self.rows.iter().map(row).collect();
        Table { columns, rows, is_complete: true }
    }
}

//! Events as rows: the steps of a query before the first `stats` or `fields`.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ledgerline_model::event::{Event, Value};
use ledgerline_model::limits::SEARCH_PAGE_MAX;
use rayon::prelude::*;

use super::Target;
use super::fetch::fetch;
use super::local::{Local, Selection};
use super::ordered::Hit;
use super::part_scan::PartScan;
use super::plan::{Name, Node};
use super::rowset::RowSet;
use super::scalar::Scalar;
use super::table;
use crate::answer::{Cell, Table};
use crate::budget::Memory;
use crate::error::Result;
use crate::lang::ast::{Renaming, SortKey};

/// The columns of whole events before those of their fields.
const VIRTUAL: [Name; 4] = [Name::Time, Name::Id, Name::Severity, Name::Message];

/// Some events in an order.
pub(super) struct EventRows<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) hits: Vec<Hit>,
}

/// The rows of one part among events in an order.
pub(super) struct OfPart {
    pub(super) part: u32,
    pub(super) selection: Selection,
    /// For each selected row its position among the events.
    positions: Vec<u32>,
}

impl EventRows<'_> {
    /// The events part by part.
    pub(super) fn by_part(&self) -> Vec<OfPart> {
        let hits = &self.hits;
        let mut order: Vec<u32> = (0..hits.len() as u32).collect();
        order.sort_unstable_by_key(|at| (hits[*at as usize].part, hits[*at as usize].row));
        let same = |a: &u32, b: &u32| hits[*a as usize].part == hits[*b as usize].part;
        let parts = order.chunk_by(same).map(|group| {
            let part = hits[group[0] as usize].part;
            let mut rows = RowSet::none(self.target.snapshot.parts()[part as usize].rows());
            group.iter().for_each(|at| rows.insert(hits[*at as usize].row));
            OfPart { part, selection: Selection::new(rows), positions: group.to_vec() }
        });
        parts.collect()
    }

    pub(super) fn scan(&self, part: u32) -> PartScan<'_> {
        PartScan::new(self.target, &self.target.snapshot.parts()[part as usize])
    }

    /// The cells of some fields: a row for each event.
    fn cells(&self, names: &[Name]) -> Result<(Vec<Vec<Cell>>, Memory)> {
        let size = self.hits.len() * (names.len() * size_of::<Cell>() + size_of::<Vec<Cell>>());
        let mut memory = self.target.budget.take(size)?;
        let mut rows = vec![vec![Cell::Null; names.len()]; self.hits.len()];
        let parts = self.by_part();
        let locals: Result<Vec<Vec<Local>>> = parts
            .par_iter()
            .map(|part| {
                let scan = self.scan(part.part);
                names.iter().map(|name| Local::read(&scan, name, &part.selection)).collect()
            })
            .collect();
        for (part, locals) in parts.iter().zip(locals?) {
            for (at, local) in locals.iter().enumerate() {
                for (position, id) in part.positions.iter().zip(&local.ids) {
                    let Some(value) = local.value(*id) else { continue };
                    if let Scalar::Str(text) | Scalar::Json(text) = value {
                        memory.grow(text.len())?;
                    }
                    rows[*position as usize][at] = cell(value);
                }
            }
        }
        Ok((rows, memory))
    }

    /// Keeps the events that a search finds.
    pub(super) fn filter(&mut self, node: &Node) -> Result<()> {
        let mut keep = vec![false; self.hits.len()];
        for part in self.by_part() {
            self.target.budget.check()?;
            let found = self.scan(part.part).rows(node, &part.selection.rows)?;
            for (position, row) in part.positions.iter().zip(part.selection.rows.iter()) {
                keep[*position as usize] = found.contains(row);
            }
        }
        self.retain(keep);
        Ok(())
    }

    fn retain(&mut self, keep: Vec<bool>) {
        let mut keep = keep.into_iter();
        self.hits.retain(|_| keep.next().unwrap_or(false));
    }

    pub(super) fn sort(&mut self, by: &[SortKey]) -> Result<()> {
        let names: Vec<Name> = by.iter().map(|key| Name::new(&key.column)).collect();
        let (cells, _memory) = self.cells(&names)?;
        let mut order: Vec<u32> = (0..self.hits.len() as u32).collect();
        order.sort_by(|a, b| {
            let pairs = cells[*a as usize].iter().zip(&cells[*b as usize]).zip(by);
            let orders = pairs.map(|((a, b), key)| table::compare(a, b, key.direction));
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        self.hits = order.into_iter().map(|at| self.hits[at as usize]).collect();
        Ok(())
    }

    pub(super) fn uniq(&mut self, names: &[String]) -> Result<()> {
        let names: Vec<Name> = names.iter().map(|name| Name::new(name)).collect();
        let (cells, _memory) = self.cells(&names)?;
        let keep = table::firsts(&cells, |row| row.iter().collect(), self.target.budget)?;
        self.retain(keep);
        Ok(())
    }

    /// The events with just these fields.
    pub(super) fn project(&self, names: &[String]) -> Result<(Table, Memory)> {
        let read: Vec<Name> = names.iter().map(|name| Name::new(name)).collect();
        let (rows, memory) = self.cells(&read)?;
        Ok((Table { columns: names.to_vec(), rows, is_complete: true }, memory))
    }

    /// The events with columns of new names.
    pub(super) fn rename(self, renamings: &[Renaming]) -> Result<(Table, Memory)> {
        let hidden = [Name::Seq, Name::Received];
        let is_named = |name: &Name| renamings.iter().any(|r| r.source == name.as_str());
        let extra: Vec<Name> = hidden.into_iter().filter(is_named).collect();
        let (table, memory) = self.whole(&extra)?;
        Ok((table::rename(table, renamings), memory))
    }

    /// The events as they are.
    pub(super) fn table(self) -> Result<(Table, Memory)> {
        self.whole(&[])
    }

    /// The events with all their fields, and some virtual ones besides the usual.
    fn whole(mut self, extra: &[Name]) -> Result<(Table, Memory)> {
        let most = self.target.budget.limits().rows_max.min(SEARCH_PAGE_MAX);
        let is_complete = self.hits.len() <= most;
        self.hits.truncate(most);
        let (fetched, mut memory) = fetch(self.target, &self.hits, None)?;
        let virtuals: Vec<&Name> = VIRTUAL.iter().chain(extra).collect();
        let is_virtual = |name: &str| virtuals.iter().any(|other| other.as_str() == name);
        let fields = fetched.iter().flat_map(|(event, _)| &event.fields);
        let names = fields.map(|(name, _)| name.as_str()).filter(|name| !is_virtual(name));
        let names: BTreeSet<&str> = names.collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let width = virtuals.len() + names.len();
        memory.grow(fetched.len() * width * size_of::<Cell>())?;
        let mut rows = Vec::with_capacity(fetched.len());
        for (event, message) in fetched {
            let mut row = Vec::with_capacity(width);
            row.extend(virtuals.iter().map(|name| virtual_cell(name, &event, &message)));
            row.resize(width, Cell::Null);
            for (name, value) in event.fields {
                if let Ok(at) = names.binary_search(&name) {
                    row[virtuals.len() + at] = owned(value);
                }
            }
            rows.push(row);
        }
        let mut columns: Vec<String> =
            virtuals.iter().map(|name| name.as_str().to_owned()).collect();
        columns.extend(names);
        Ok((Table { columns, rows, is_complete }, memory))
    }
}

fn virtual_cell(name: &Name, event: &Event, message: &Option<String>) -> Cell {
    match name {
        Name::Time => Cell::Time(event.time),
        Name::Received => Cell::Time(event.received),
        Name::Seq => Cell::I64(event.seq.0 as i64),
        Name::Id => Cell::Str(event.id.clone()),
        Name::Severity if event.severity.number() == 0 => Cell::Null,
        Name::Severity => Cell::I64(event.severity.number().into()),
        Name::Message => message.clone().map_or(Cell::Null, Cell::Str),
        Name::Field(_) => Cell::Null,
    }
}

fn owned(value: Value) -> Cell {
    match value {
        Value::Str(text) => Cell::Str(text),
        Value::I64(number) => Cell::I64(number),
        Value::F64(number) => Cell::F64(number),
        Value::Bool(truth) => Cell::Bool(truth),
        Value::Json(text) => Cell::Json(text),
    }
}

fn cell(value: Scalar<'_>) -> Cell {
    match value {
        Scalar::Str(text) => Cell::Str(text.to_owned()),
        Scalar::I64(number) => Cell::I64(number),
        Scalar::F64(number) => Cell::F64(number),
        Scalar::Bool(truth) => Cell::Bool(truth),
        Scalar::Json(text) => Cell::Json(text.to_owned()),
        Scalar::Time(time) => Cell::Time(time),
        Scalar::Severity(severity) => Cell::I64(severity.number().into()),
    }
}

//! What is computed of values that are looked at one by one: only those are held that matter.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use hashbrown::HashSet;
use ledgerline_model::limits::QUERY_LIST_MAX;

use super::group::{GroupedRows, Source};
use super::key::{Key, Ordered};
use super::local::{Local, cell_bytes};
use super::measure::{Measured, Of, Sum, extreme, is_better};
use super::plan::Name;
use super::scalar::Scalar;
use crate::answer::Cell;
use crate::budget::{Budget, Memory};
use crate::error::Result;
use crate::lang::ast::Number;

/// The first values in their order, at most so many.
#[derive(Debug)]
pub(super) struct Least {
    values: BTreeSet<Ordered>,
    most: usize,
    memory: Memory,
}

/// About how many bytes a value takes in a tree or a table of hashes, besides what it says.
pub(super) const NODE_BYTES: usize = 48;

impl Least {
    pub(super) fn new(most: usize, budget: &Budget) -> Result<Self> {
        Ok(Self { values: BTreeSet::new(), most, memory: budget.take(0)? })
    }

    pub(super) fn add(&mut self, key: Key<'_>) -> Result<()> {
        let is_full = self.values.len() >= self.most;
        let is_behind = |last: &Ordered| key.ascending(last.key()).is_ge();
        if is_full && self.values.last().is_none_or(is_behind) {
            return Ok(());
        }
        self.add_cell(key.cell())
    }

    fn add_cell(&mut self, cell: Cell) -> Result<()> {
        let bytes = |cell: &Cell| cell_bytes(cell) + NODE_BYTES;
        let taken = bytes(&cell);
        self.memory.grow(taken)?;
        if !self.values.insert(Ordered(cell)) {
            self.memory.shrink(taken);
        }
        if self.values.len() > self.most
            && let Some(last) = self.values.pop_last()
        {
            self.memory.shrink(bytes(&last.0));
        }
        Ok(())
    }

    /// Adds those of another one.
    pub(super) fn merge(&mut self, other: Self) -> Result<()> {
        other.values.into_iter().try_for_each(|value| self.add_cell(value.0))
    }

    /// The values in their order.
    pub(super) fn into_cells(self) -> impl Iterator<Item = Cell> {
        self.values.into_iter().map(|value| value.0)
    }
}

/// What a measure of a field comes to, if the field's values lie in pages of texts.
pub(super) fn streamed(
    source: &impl Source,
    (name, of): (&Name, Of),
    rows: &GroupedRows<'_>,
    memory: &mut Memory,
) -> Result<Option<Measured>> {
    let some = |is_paged: bool, measured: Measured| is_paged.then_some(measured);
    Ok(match of {
        Of::Count => None,
        Of::Sum | Of::Average => {
            memory.grow(rows.groups * size_of::<Sum>())?;
            let mut sums = vec![Sum::default(); rows.groups];
            let is_paged = source.visit(name, &mut |position, value| {
                value.amount().into_iter().for_each(|number| {
                    sums[rows.group(position)].add(number);
                });
                Ok(())
            })?;
            some(is_paged, Measured::Sums(sums))
        }
        Of::Percentile(_) => {
            let mut numbers = Vec::new();
            let is_paged = source.visit(name, &mut |position, value| {
                let Some(number) = value.amount() else { return Ok(()) };
                memory.grow(size_of::<(u32, Number)>())?;
                numbers.push((rows.group(position) as u32, number));
                Ok(())
            })?;
            some(is_paged, Measured::Numbers(numbers))
        }
        Of::Distinct => {
            let mut hashes = HashSet::new();
            let is_paged = source.visit(name, &mut |position, value| {
                let group = rows.group(position) as u32;
                if hashes.insert((group, Key::from(value).hash())) {
                    memory.grow(NODE_BYTES)?;
                }
                Ok(())
            })?;
            some(is_paged, Measured::Hashes(hashes))
        }
        Of::Min => best(source, name, rows, Ordering::Less)?,
        Of::Max => best(source, name, rows, Ordering::Greater)?,
        Of::Values => least(source, name, rows)?,
    })
}

/// The least or the greatest value of each group.
fn best(
    source: &impl Source,
    name: &Name,
    rows: &GroupedRows<'_>,
    wanted: Ordering,
) -> Result<Option<Measured>> {
    let mut memory = source.budget().take(rows.groups * size_of::<Cell>())?;
    let mut cells = vec![Cell::Null; rows.groups];
    let is_paged = source.visit(name, &mut |position, value| {
        let known = &mut cells[rows.group(position)];
        let is_first = *known == Cell::Null;
        if is_first || is_better(extreme(value), extreme_of(known), wanted) {
            let new = cell(value);
            memory.grow(cell_bytes(&new))?;
            memory.shrink(cell_bytes(known));
            *known = new;
        }
        Ok(())
    })?;
    if !is_paged {
        return Ok(None);
    }
    let mut local = Local::of_cells(source.budget(), cells.into_iter())?;
    let best = std::mem::take(&mut local.ids);
    Ok(Some(Measured::Best(best, local)))
}

fn extreme_of(cell: &Cell) -> Key<'_> {
    super::key::scalar(cell).map_or(Key::Null, extreme)
}

fn cell(value: Scalar<'_>) -> Cell {
    match value {
        Scalar::Str(text) => Cell::Str(text.to_owned()),
        Scalar::Json(text) => Cell::Json(text.to_owned()),
        other => Key::from(other).cell(),
    }
}

/// The first values of each group.
fn least(source: &impl Source, name: &Name, rows: &GroupedRows<'_>) -> Result<Option<Measured>> {
    let budget = source.budget();
    let _memory = budget.take(rows.groups * size_of::<Least>())?;
    let groups = (0..rows.groups).map(|_| Least::new(QUERY_LIST_MAX, budget));
    let mut groups = groups.collect::<Result<Vec<Least>>>()?;
    let is_paged = source
        .visit(name, &mut |position, value| groups[rows.group(position)].add(value.into()))?;
    if !is_paged {
        return Ok(None);
    }
    let mut pairs = Vec::new();
    let of_group = |(group, least): (usize, Least)| {
        let numbered = least.into_cells().map(move |cell| (group as u32, cell));
        numbered.collect::<Vec<_>>()
    };
    let cells = groups.into_iter().enumerate().flat_map(of_group).map(|(group, cell)| {
        pairs.push((group, pairs.len() as u32 + 1));
        cell
    });
    let local = Local::of_cells(budget, cells)?.without_rows();
    Ok(Some(Measured::Pairs(local, pairs)))
}

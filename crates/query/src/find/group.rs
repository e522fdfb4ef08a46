//! Groups of the selected rows of one part, and what is computed over each.

use std::collections::HashSet;

use hashbrown::HashMap;
use ledgerline_model::batch::Kind;

use super::local::{Local, Selection};
use super::measure::{Measured, Measuring};
use super::part_scan::PartScan;
use super::plan::Name;
use super::rowset::RowSet;
use super::scalar::Scalar;
use crate::budget::{Budget, Memory};
use crate::error::Result;
use crate::lang::width::Width;

/// What rows are grouped by, ready to be read.
#[derive(Debug)]
pub(super) enum KeySource {
    Field(Name),
    Bars(Width),
}

/// What a `stats` pipe asks for, ready to be read.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) keys: Vec<KeySource>,
    pub(super) measures: Vec<Measuring>,
}

/// The groups of one part.
#[derive(Debug)]
pub(super) struct PartGroups {
    /// For each key its values.
    pub(super) keys: Vec<Local>,
    pub(super) tuples: Tuples,
    /// How many rows are in each group; groups of no rows do not exist.
    pub(super) counts: Vec<u64>,
    /// For each measure, what it came to.
    pub(super) measured: Vec<Measured>,
    _memory: Memory,
}

/// Which values the groups of a part have.
#[derive(Debug)]
pub(super) enum Tuples {
    /// There is one group, with no keys.
    Empty,
    /// The number of a group is the number of its key's value.
    Single,
    /// For each further key, of each group: the group by the keys before, and the value's number.
    Combined(Vec<Vec<(u32, u32)>>),
}

impl Tuples {
    /// The numbers of the values of a group, one for each key.
    pub(super) fn of(&self, group: u32, values: &mut Vec<u32>) {
        values.clear();
        match self {
            Self::Empty => {}
            Self::Single => values.push(group),
            Self::Combined(levels) => {
                let mut group = group;
                for level in levels.iter().rev() {
                    let (before, value) = level[group as usize];
                    values.push(value);
                    group = before;
                }
                values.push(group);
                values.reverse();
            }
        }
    }
}

/// Rows with fields: those selected of a part, or those of a table.
pub(super) trait Source {
    /// How many rows there are.
    fn len(&self) -> usize;
    fn budget(&self) -> &Budget;
    /// The values of a field.
    fn field(&self, name: &Name) -> Result<Local>;
    /// The bars of `_time`.
    fn bars(&self, width: Width) -> Result<Local>;
    /// The values of a field and how often each occurs, where that is known without reading rows.
    fn counted(&self, name: &Name) -> Result<Option<(Local, Vec<u64>)>>;
    /// Calls `each` with the position of every row that has a field.
    fn present(&self, name: &Name, each: &mut dyn FnMut(usize)) -> Result<()>;
    /// Calls `each` with the position and the value of every row that has a field, and holds none
    /// of the values; false, and no call, where they do not lie in pages of texts.
    fn visit(&self, name: &Name, each: &mut Visit<'_>) -> Result<bool>;
}

/// What is called with a position and a value.
pub(super) type Visit<'a> = dyn FnMut(usize, Scalar<'_>) -> Result<()> + 'a;

/// The selected rows of a part.
pub(super) struct PartRows<'a> {
    pub(super) scan: &'a PartScan<'a>,
    pub(super) selection: &'a Selection,
}

impl Source for PartRows<'_> {
    fn len(&self) -> usize {
        self.selection.len()
    }

    fn budget(&self) -> &Budget {
        self.scan.target.budget
    }

    fn field(&self, name: &Name) -> Result<Local> {
        Local::read(self.scan, name, self.selection)
    }

    fn bars(&self, width: Width) -> Result<Local> {
        Local::bars(self.scan, width, self.selection)
    }

    fn counted(&self, name: &Name) -> Result<Option<(Local, Vec<u64>)>> {
        if self.selection.is_all() { Local::counted(self.scan, name) } else { Ok(None) }
    }

    fn present(&self, name: &Name, each: &mut dyn FnMut(usize)) -> Result<()> {
        let rows = &self.selection.rows;
        let Some(columns) = self.scan.columns_of(name) else {
            let local = self.field(name)?;
            let present = local.ids.iter().enumerate().filter(|(_, id)| **id != 0);
            present.for_each(|(position, _)| each(position));
            return Ok(());
        };
        let mut present = RowSet::none(self.scan.part.rows());
        for column in columns {
            present.unite(&self.scan.presence(column)?);
        }
        let positions = rows.iter().enumerate().filter(|(_, row)| present.contains(*row));
        positions.for_each(|(position, _)| each(position));
        Ok(())
    }

    fn visit(&self, name: &Name, each: &mut Visit<'_>) -> Result<bool> {
        let (scan, selection) = (self.scan, self.selection);
        let columns = scan.columns_of(name).unwrap_or_default();
        if !columns.iter().any(|column| scan.is_paged(*column)) {
            return Ok(false);
        }
        let _memory = self.budget().take(selection.len())?;
        // Of several message keys the first counts.
        let mut is_seen = vec![false; selection.len()];
        let mut first = |position: usize, value: Scalar<'_>| {
            if std::mem::replace(&mut is_seen[position], true) {
                return Ok(());
            }
            each(position, value)
        };
        for column in columns {
            if !scan.is_paged(column) {
                let local = Local::of_column(scan, column, selection)?;
                for (position, id) in local.ids.iter().enumerate() {
                    local.value(*id).map_or(Ok(()), |value| first(position, value))?;
                }
                continue;
            }
            let is_json = scan.part.columns()[column].kind == Kind::Json;
            scan.part.texts(column, selection.spans(), |page| {
                self.budget().check()?;
                selection.each(page.rows, |position, index| {
                    let text = page.get(index);
                    first(position, if is_json { Scalar::Json(text) } else { Scalar::Str(text) })
                })
            })?;
        }
        Ok(true)
    }
}

impl Stats {
    /// The groups of some rows.
    pub(super) fn groups(&self, rows: &impl Source) -> Result<PartGroups> {
        if let Some(groups) = self.counted(rows)? {
            return Ok(groups);
        }
        let mut keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            keys.push(match key {
                KeySource::Field(name) => rows.field(name)?,
                KeySource::Bars(width) => rows.bars(*width)?,
            });
        }
        let mut memory = rows.budget().take(rows.len() * 4)?;
        let (tuples, of_rows, groups) = combine(&mut keys, rows.len());
        let mut counts = vec![0_u64; groups];
        match &of_rows {
            None => counts[0] = rows.len() as u64,
            Some(of_rows) => of_rows.iter().for_each(|group| counts[*group as usize] += 1),
        }
        let grouped = GroupedRows { of_rows: of_rows.as_deref(), groups };
        let mut measured = Vec::with_capacity(self.measures.len());
        for measure in &self.measures {
            measured.push(measure.of_rows(rows, &grouped, &mut memory)?);
        }
        let keys = keys.into_iter().map(Local::without_rows).collect();
        Ok(PartGroups { keys, tuples, counts, measured, _memory: memory })
    }

    /// The counts by one field, where they are known without reading rows.
    fn counted(&self, rows: &impl Source) -> Result<Option<PartGroups>> {
        let only_counts = self.measures.iter().all(|measure| matches!(measure, Measuring::Count));
        let [KeySource::Field(name)] = &self.keys[..] else { return Ok(None) };
        if !only_counts {
            return Ok(None);
        }
        let Some((local, counts)) = rows.counted(name)? else { return Ok(None) };
        let memory = rows.budget().take(counts.len() * 8)?;
        let measured = self.measures.iter().map(|_| Measured::Count).collect();
        let (keys, tuples) = (vec![local], Tuples::Single);
        Ok(Some(PartGroups { keys, tuples, counts, measured, _memory: memory }))
    }
}

/// The group of each row.
#[derive(Debug)]
pub(super) struct GroupedRows<'a> {
    /// Nothing when all are in group 0.
    pub(super) of_rows: Option<&'a [u32]>,
    pub(super) groups: usize,
}

impl GroupedRows<'_> {
    #[inline]
    pub(super) fn group(&self, position: usize) -> usize {
        self.of_rows.map_or(0, |of_rows| of_rows[position] as usize)
    }

    /// Every distinct pair of a group and a value's number that some row has.
    pub(super) fn pairs(&self, ids: &[u32], numbers: usize) -> Vec<(u32, u32)> {
        let dense = self.groups.checked_mul(numbers).filter(|cells| *cells <= DENSE_CELLS_MAX);
        let mut pairs = Vec::new();
        let present = ids.iter().enumerate().filter(|(_, id)| **id != 0);
        if dense.is_some_and(|cells| cells <= 64 * ids.len().max(64)) {
            let mut seen = vec![false; self.groups * numbers];
            for (position, id) in present {
                let group = self.group(position);
                let cell = &mut seen[group * numbers + *id as usize];
                if !*cell {
                    *cell = true;
                    pairs.push((group as u32, *id));
                }
            }
        } else {
            let mut seen = HashSet::new();
            for (position, id) in present {
                let pair = (self.group(position) as u32, *id);
                if seen.insert(pair) {
                    pairs.push(pair);
                }
            }
        }
        pairs
    }
}

/// The most cells of a table that is indexed by two numbers instead of hashing them.
const DENSE_CELLS_MAX: usize = 1 << 22;

/// Numbers the distinct combinations of the keys' values. Of no key there is one group; of one key
/// the value's number is the group's.
fn combine(keys: &mut [Local], rows: usize) -> (Tuples, Option<Vec<u32>>, usize) {
    let Some((first, others)) = keys.split_first_mut() else {
        return (Tuples::Empty, None, 1);
    };
    let mut groups = first.numbers();
    let mut of_rows = std::mem::take(&mut first.ids);
    if others.is_empty() {
        return (Tuples::Single, Some(of_rows), groups);
    }
    let mut levels = Vec::with_capacity(others.len());
    for key in others {
        let numbers = key.numbers();
        let mut level: Vec<(u32, u32)> = Vec::new();
        let cells = groups.saturating_mul(numbers);
        if cells <= DENSE_CELLS_MAX && cells <= 64 * rows.max(64) {
            let mut table = vec![u32::MAX; cells];
            for (group, id) in of_rows.iter_mut().zip(&key.ids) {
                let cell = &mut table[*group as usize * numbers + *id as usize];
                if *cell == u32::MAX {
                    *cell = level.len() as u32;
                    level.push((*group, *id));
                }
                *group = *cell;
            }
        } else {
            let mut table: HashMap<(u32, u32), u32> = HashMap::new();
            for (group, id) in of_rows.iter_mut().zip(&key.ids) {
                *group = *table.entry((*group, *id)).or_insert_with(|| {
                    level.push((*group, *id));
                    level.len() as u32 - 1
                });
            }
        }
        key.ids = Vec::new();
        groups = level.len();
        levels.push(level);
    }
    (Tuples::Combined(levels), Some(of_rows), groups)
}

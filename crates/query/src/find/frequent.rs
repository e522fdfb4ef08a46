//! The most frequent values of a field. All values are counted by their hashes; those that come
//! first are then read once more, and no others are held.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::Target;
use super::group::{PartRows, Source};
use super::key::{Key, Ordered};
use super::local::{Local, Selection, cell_bytes};
use super::part_scan::PartScan;
use super::plan::{Name, Node};
use super::rowset::RowSet;
use super::scalar::Scalar;
use super::stream::{Least, NODE_BYTES};
use crate::answer::{Cell, Values};
use crate::budget::{Budget, Memory};
use crate::error::Result;

/// How often each value is, by its hash.
#[derive(Debug)]
struct Counts {
    of_hashes: HashMap<u128, u64>,
    memory: Memory,
}

/// The rows of a part that are found, and how often each value is in them.
#[derive(Debug)]
struct PartCounts {
    part: usize,
    rows: RowSet,
    found: u64,
    counts: Counts,
}

/// The most frequent values of a field.
pub(super) fn values(
    target: &Target<'_>,
    node: &Node,
    field: &str,
    limit: usize,
) -> Result<Values> {
    let name = Name::new(field);
    let parts = 0..target.snapshot.parts().len();
    let parts: Result<Vec<Option<PartCounts>>> =
        parts.into_par_iter().map(|part| counts_of_part(target, node, &name, part)).collect();
    let mut all = Counts::new(target.budget)?;
    let mut found = 0;
    let mut places = Vec::new();
    for part in parts?.into_iter().flatten() {
        found += part.found;
        part.counts.of_hashes.iter().try_for_each(|(hash, count)| all.add(*hash, *count))?;
        places.push((part.part, part.rows));
    }
    let wanted = Wanted::new(&all, limit);
    let none = || Chosen::new(&wanted, target.budget);
    let chosen = places.into_par_iter().fold(none, |chosen, (part, rows)| {
        let mut chosen = chosen?;
        let scan = PartScan::new(target, &target.snapshot.parts()[part]);
        let selection = Selection::new(rows);
        let rows = PartRows { scan: &scan, selection: &selection };
        each_value(&rows, &name, &mut |value, _| chosen.add(value.into()))?;
        Ok(chosen)
    });
    let chosen = chosen.reduce(none, |chosen, other| chosen?.merge(other?))?;
    Ok(Values {
        top: chosen.top(),
        distinct: all.of_hashes.len() as u64,
        events: all.of_hashes.values().sum(),
        found,
    })
}

fn counts_of_part(
    target: &Target<'_>,
    node: &Node,
    name: &Name,
    part: usize,
) -> Result<Option<PartCounts>> {
    let scan = PartScan::new(target, &target.snapshot.parts()[part]);
    let selection = Selection::new(scan.select(node, None)?);
    if selection.len() == 0 {
        return Ok(None);
    }
    let mut counts = Counts::new(target.budget)?;
    let rows = PartRows { scan: &scan, selection: &selection };
    each_value(&rows, name, &mut |value, count| counts.add(Key::from(value).hash(), count))?;
    let found = selection.len() as u64;
    Ok(Some(PartCounts { part, rows: selection.rows, found, counts }))
}

/// Calls `each` with every value and how often it is; several times with the same value, where that
/// saves holding it.
fn each_value(
    rows: &PartRows<'_>,
    name: &Name,
    each: &mut dyn FnMut(Scalar<'_>, u64) -> Result<()>,
) -> Result<()> {
    if let Some((local, counts)) = rows.counted(name)? {
        return each_counted(&local, &counts, each);
    }
    if rows.visit(name, &mut |_, value| each(value, 1))? {
        return Ok(());
    }
    let local = rows.field(name)?;
    let _memory = rows.budget().take(local.numbers() * size_of::<u64>())?;
    let mut counts = vec![0; local.numbers()];
    local.ids.iter().for_each(|id| counts[*id as usize] += 1);
    each_counted(&local, &counts, each)
}

fn each_counted(
    local: &Local,
    counts: &[u64],
    each: &mut dyn FnMut(Scalar<'_>, u64) -> Result<()>,
) -> Result<()> {
    let mut counted = local.values().map(|(id, value)| (value, counts[id as usize]));
    counted.try_for_each(|(value, count)| if count > 0 { each(value, count) } else { Ok(()) })
}

impl Counts {
    fn new(budget: &Budget) -> Result<Self> {
        Ok(Self { of_hashes: HashMap::new(), memory: budget.take(0)? })
    }

    fn add(&mut self, hash: u128, count: u64) -> Result<()> {
        let memory = &mut self.memory;
        let known = self.of_hashes.entry(hash).or_insert(0);
        if *known == 0 {
            memory.grow(NODE_BYTES)?;
        }
        *known += count;
        Ok(())
    }
}

/// Which values are wanted: all that are more frequent than some number, and the first of those
/// that are just as frequent.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    counts: &'a Counts,
    above: u64,
    equal: usize,
}

impl<'a> Wanted<'a> {
    fn new(counts: &'a Counts, limit: usize) -> Self {
        let mut all: Vec<u64> = counts.of_hashes.values().copied().collect();
        let above = match limit.checked_sub(1) {
            Some(last) if last < all.len() => *all.select_nth_unstable_by(last, |a, b| b.cmp(a)).1,
            Some(_) => 0,
            None => u64::MAX,
        };
        let more = all.iter().filter(|count| **count > above).count();
        Self { counts, above, equal: limit - more }
    }
}

/// Those of the wanted values that were met so far.
#[derive(Debug)]
struct Chosen<'a> {
    wanted: &'a Wanted<'a>,
    /// The more frequent ones, by their hashes.
    more: HashMap<u128, Cell>,
    equal: Least,
    memory: Memory,
}

impl<'a> Chosen<'a> {
    fn new(wanted: &'a Wanted<'a>, budget: &Budget) -> Result<Self> {
        let equal = Least::new(wanted.equal, budget)?;
        Ok(Self { wanted, more: HashMap::new(), equal, memory: budget.take(0)? })
    }

    fn add(&mut self, key: Key<'_>) -> Result<()> {
        let hash = key.hash();
        let count = self.wanted.counts.of_hashes.get(&hash).copied().unwrap_or(0);
        if count == self.wanted.above {
            return self.equal.add(key);
        }
        if count > self.wanted.above && !self.more.contains_key(&hash) {
            self.insert(hash, key.cell())?;
        }
        Ok(())
    }

    fn insert(&mut self, hash: u128, cell: Cell) -> Result<()> {
        self.memory.grow(cell_bytes(&cell) + NODE_BYTES)?;
        self.more.insert(hash, cell);
        Ok(())
    }

    fn merge(mut self, other: Self) -> Result<Self> {
        for (hash, cell) in other.more {
            if !self.more.contains_key(&hash) {
                self.insert(hash, cell)?;
            }
        }
        self.equal.merge(other.equal)?;
        Ok(self)
    }

    /// The values and how often each is, the most frequent first, equal ones in their order.
    fn top(self) -> Vec<(Cell, u64)> {
        let count = |hash| self.wanted.counts.of_hashes.get(&hash).copied().unwrap_or(0);
        let more = self.more.into_iter().map(|(hash, cell)| (Ordered(cell), count(hash)));
        let mut more: Vec<(Ordered, u64)> = more.collect();
        more.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
        let more = more.into_iter().map(|(value, count)| (value.0, count));
        let above = self.wanted.above;
        more.chain(self.equal.into_cells().map(|cell| (cell, above))).collect()
    }
}

//! What is computed over the rows of a group: within a part first, then over all parts.

use std::cmp::Ordering;

use hashbrown::HashSet;
use ledgerline_model::limits::QUERY_LIST_MAX;

use super::group::{GroupedRows, Source};
use super::key::Key;
use super::local::Local;
use super::plan::Name;
use super::scalar::Scalar;
use super::stream::{NODE_BYTES, streamed};
use crate::answer::Cell;
use crate::budget::Memory;
use crate::error::Result;
use crate::lang::ast::{Aggregate, Number, Percent, compare_numbers};

/// A measure, ready to be read.
#[derive(Debug)]
pub(super) enum Measuring {
    Count,
    Of(Name, Of),
}

/// What is computed of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Count,
    Sum,
    Average,
    Min,
    Max,
    Distinct,
    Values,
    Percentile(Percent),
}

impl Measuring {
    pub(super) fn new(aggregate: &Aggregate) -> Self {
        let of = |name: &str, of| Self::Of(Name::new(name), of);
        match aggregate {
            Aggregate::Count => Self::Count,
            Aggregate::CountOf(name) => of(name, Of::Count),
            Aggregate::Sum(name) => of(name, Of::Sum),
            Aggregate::Average(name) => of(name, Of::Average),
            Aggregate::Min(name) => of(name, Of::Min),
            Aggregate::Max(name) => of(name, Of::Max),
            Aggregate::Distinct(name) => of(name, Of::Distinct),
            Aggregate::Values(name) => of(name, Of::Values),
            Aggregate::Percentile { field, percent } => of(field, Of::Percentile(*percent)),
        }
    }

    /// The measure over the groups of some rows.
    pub(super) fn of_rows(
        &self,
        source: &impl Source,
        rows: &GroupedRows<'_>,
        memory: &mut Memory,
    ) -> Result<Measured> {
        let Self::Of(name, of) = self else { return Ok(Measured::Count) };
        if *of == Of::Count {
            memory.grow(rows.groups * size_of::<u64>())?;
            let mut counts = vec![0; rows.groups];
            source.present(name, &mut |position| counts[rows.group(position)] += 1)?;
            return Ok(Measured::Counts(counts));
        }
        let lists = matches!(of, Of::Distinct | Of::Values);
        if lists
            && rows.of_rows.is_none()
            && let Some((local, _)) = source.counted(name)?
        {
            memory.grow(local.numbers() * size_of::<(u32, u32)>())?;
            let pairs = (1..local.numbers() as u32).map(|id| (0, id)).collect();
            return Ok(Measured::Pairs(local, pairs));
        }
        if let Some(measured) = streamed(source, (name, *of), rows, memory)? {
            return Ok(measured);
        }
        let local = source.field(name)?;
        memory.grow(rows.groups * size_of::<Sum>())?;
        Ok(match of {
            Of::Count => Measured::Count,
            Of::Sum | Of::Average => Measured::Sums(sums(&local, rows)),
            Of::Min => Measured::Best(best(&local, rows, Ordering::Less), local.without_rows()),
            Of::Max => Measured::Best(best(&local, rows, Ordering::Greater), local.without_rows()),
            Of::Distinct | Of::Values => {
                let pairs = rows.pairs(&local.ids, local.numbers());
                memory.grow(pairs.len() * 8)?;
                Measured::Pairs(local.without_rows(), pairs)
            }
            Of::Percentile(_) => {
                let numbers = numbers(&local, rows);
                memory.grow(numbers.len() * size_of::<(u32, Number)>())?;
                Measured::Numbers(numbers)
            }
        })
    }
}

/// What a measure came to in the groups of one part.
#[derive(Debug)]
pub(super) enum Measured {
    /// The number of rows, which is known anyway.
    Count,
    Counts(Vec<u64>),
    Sums(Vec<Sum>),
    /// For each group the number of its least or greatest value, 0 for none.
    Best(Vec<u32>, Local),
    /// Groups and the numbers of values they have.
    Pairs(Local, Vec<(u32, u32)>),
    /// Groups and the hashes of values they have.
    Hashes(HashSet<(u32, u128)>),
    /// Groups and the amounts they have.
    Numbers(Vec<(u32, Number)>),
}

/// A sum so far: whole numbers exactly, the others as they come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    count: u64,
    whole: i128,
    broken: f64,
    is_broken: bool,
}

impl Sum {
    pub(super) fn add(&mut self, number: Number) {
        self.count += 1;
        match number {
            Number::Integer(number) => self.whole += i128::from(number),
            Number::Float(number) => {
                self.broken += number;
                self.is_broken = true;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.whole += other.whole;
        self.broken += other.broken;
        self.is_broken |= other.is_broken;
    }

    fn total(&self) -> Cell {
        match i64::try_from(self.whole) {
            _ if self.count == 0 => Cell::Null,
            Ok(whole) if !self.is_broken => Cell::I64(whole),
            _ => Cell::F64(self.whole as f64 + self.broken),
        }
    }

    fn average(&self) -> Cell {
        if self.count == 0 {
            return Cell::Null;
        }
        Cell::F64((self.whole as f64 + self.broken) / self.count as f64)
    }
}

/// The amount of each value, by its number.
fn amounts(local: &Local) -> Vec<Option<Number>> {
    std::iter::once(None).chain(local.values().map(|(_, value)| value.amount())).collect()
}

fn sums(local: &Local, rows: &GroupedRows<'_>) -> Vec<Sum> {
    let amounts = amounts(local);
    let mut sums = vec![Sum::default(); rows.groups];
    for (position, id) in local.ids.iter().enumerate() {
        if let Some(number) = amounts[*id as usize] {
            sums[rows.group(position)].add(number);
        }
    }
    sums
}

fn numbers(local: &Local, rows: &GroupedRows<'_>) -> Vec<(u32, Number)> {
    let amounts = amounts(local);
    let numbered = local.ids.iter().enumerate();
    numbered
        .filter_map(|(position, id)| Some((rows.group(position) as u32, amounts[*id as usize]?)))
        .collect()
}

fn best(local: &Local, rows: &GroupedRows<'_>, wanted: Ordering) -> Vec<u32> {
    let mut best = vec![0_u32; rows.groups];
    for (position, id) in local.ids.iter().enumerate().filter(|(_, id)| **id != 0) {
        let best = &mut best[rows.group(position)];
        if *best == *id {
            continue;
        }
        let (Some(value), known) = (local.value(*id), local.value(*best)) else { continue };
        if known.is_none_or(|known| is_better(extreme(value), extreme(known), wanted)) {
            *best = *id;
        }
    }
    best
}

/// A value as the least or the greatest: texts that are numbers are numbers.
pub(super) fn extreme(value: Scalar<'_>) -> Key<'_> {
    match value.amount() {
        Some(Number::Integer(number)) => Key::I64(number),
        Some(Number::Float(number)) => Scalar::F64(number).into(),
        None => value.into(),
    }
}

/// Numbers beat times, and those beat texts, whichever end is wanted.
pub(super) fn is_better(new: Key<'_>, known: Key<'_>, wanted: Ordering) -> bool {
    let class = |key: Key<'_>| match key {
        Key::I64(_) | Key::F64(_) => 0,
        Key::Time(_) => 1,
        _ => 2,
    };
    let text = |key| match key {
        Key::Str(text) | Key::Json(text) => text,
        Key::Bool(true) => "true",
        Key::Bool(false) => "false",
        _ => "",
    };
    match class(new).cmp(&class(known)) {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal if class(new) == 2 => match text(new).cmp(text(known)) {
            // Of equal texts of several types, always the same one.
            Ordering::Equal => new.ascending(known).is_lt(),
            order => order == wanted,
        },
        Ordering::Equal => new.ascending(known) == wanted,
    }
}

/// A measure over all parts, group by group.
#[derive(Debug)]
pub(super) enum Total<'a> {
    Count(Vec<u64>),
    Sum(Vec<Sum>, Of),
    Best(Vec<Key<'a>>, Ordering),
    Distinct(Vec<HashSet<u128>>),
    Lists(Vec<HashSet<Key<'a>>>),
    Numbers(Vec<Vec<Number>>, Percent),
}

impl<'a> Total<'a> {
    pub(super) fn new(measuring: &Measuring) -> Self {
        let Measuring::Of(_, of) = measuring else { return Self::Count(Vec::new()) };
        match of {
            Of::Count => Self::Count(Vec::new()),
            Of::Sum | Of::Average => Self::Sum(Vec::new(), *of),
            Of::Min => Self::Best(Vec::new(), Ordering::Less),
            Of::Max => Self::Best(Vec::new(), Ordering::Greater),
            Of::Distinct => Self::Distinct(Vec::new()),
            Of::Values => Self::Lists(Vec::new()),
            Of::Percentile(percent) => Self::Numbers(Vec::new(), *percent),
        }
    }

    /// Makes room for so many groups.
    pub(super) fn resize(&mut self, groups: usize) {
        match self {
            Self::Count(counts) => counts.resize(groups, 0),
            Self::Sum(sums, _) => sums.resize(groups, Sum::default()),
            Self::Best(keys, _) => keys.resize(groups, Key::Null),
            Self::Distinct(hashes) => hashes.resize(groups, HashSet::new()),
            Self::Lists(lists) => lists.resize(groups, HashSet::new()),
            Self::Numbers(lists, _) => lists.resize(groups, Vec::new()),
        }
    }

    /// Adds what a part came to. `groups` gives the group here of each group there, and `counts`
    /// how many rows each has there.
    pub(super) fn add(
        &mut self,
        measured: &'a Measured,
        groups: &[u32],
        counts: &[u64],
        memory: &mut Memory,
    ) -> Result<()> {
        let target = |group: usize| groups[group] as usize;
        let used = |group: &usize| counts[*group] != 0;
        match (self, measured) {
            (Self::Count(totals), Measured::Count) => {
                (0..counts.len()).filter(used).for_each(|g| totals[target(g)] += counts[g]);
            }
            (Self::Count(totals), Measured::Counts(counts)) => {
                (0..counts.len()).filter(used).for_each(|g| totals[target(g)] += counts[g]);
            }
            (Self::Sum(totals, _), Measured::Sums(sums)) => {
                (0..sums.len()).filter(used).for_each(|g| totals[target(g)].merge(&sums[g]));
            }
            (Self::Best(totals, wanted), Measured::Best(best, local)) => {
                for group in (0..best.len()).filter(used) {
                    let Some(value) = local.value(best[group]) else { continue };
                    let (new, known) = (extreme(value), &mut totals[target(group)]);
                    if *known == Key::Null || is_better(new, *known, *wanted) {
                        *known = new;
                    }
                }
            }
            (Self::Distinct(hashes), Measured::Hashes(of_part)) => {
                for (group, hash) in of_part {
                    if hashes[target(*group as usize)].insert(*hash) {
                        memory.grow(NODE_BYTES)?;
                    }
                }
            }
            (Self::Distinct(hashes), Measured::Pairs(local, pairs)) => {
                for (group, id) in pairs {
                    let Some(value) = local.value(*id) else { continue };
                    if hashes[target(*group as usize)].insert(Key::from(value).hash()) {
                        memory.grow(NODE_BYTES)?;
                    }
                }
            }
            (Self::Lists(lists), Measured::Pairs(local, pairs)) => {
                for (group, id) in pairs {
                    let Some(value) = local.value(*id) else { continue };
                    if lists[target(*group as usize)].insert(value.into()) {
                        memory.grow(size_of::<Key<'_>>() * 2)?;
                    }
                }
            }
            (Self::Numbers(lists, _), Measured::Numbers(numbers)) => {
                memory.grow(numbers.len() * size_of::<Number>())?;
                for (group, number) in numbers {
                    lists[target(*group as usize)].push(*number);
                }
            }
            _ => debug_assert!(false, "a measure gives the same in every part"),
        }
        Ok(())
    }

    /// What the measure is for a group.
    pub(super) fn cell(&self, group: usize) -> Cell {
        match self {
            Self::Count(counts) => Cell::I64(counts[group] as i64),
            Self::Sum(sums, Of::Average) => sums[group].average(),
            Self::Sum(sums, _) => sums[group].total(),
            Self::Best(keys, _) => keys[group].cell(),
            Self::Distinct(hashes) => Cell::I64(hashes[group].len() as i64),
            Self::Lists(lists) => list(&lists[group]),
            Self::Numbers(lists, percent) => percentile(&lists[group], *percent),
        }
    }
}

fn list(keys: &HashSet<Key<'_>>) -> Cell {
    let mut keys: Vec<Key<'_>> = keys.iter().copied().collect();
    keys.sort_unstable_by(|a, b| a.ascending(*b));
    Cell::List(keys.into_iter().take(QUERY_LIST_MAX).map(Key::cell).collect())
}

/// The least number that is not below so large a share of the numbers.
fn percentile(numbers: &[Number], percent: Percent) -> Cell {
    let mut sorted = numbers.to_vec();
    let count = sorted.len() as u128;
    let rank = (u128::from(percent.thousandths()) * count).div_ceil(100_000);
    let index = rank.saturating_sub(1) as usize;
    if index >= sorted.len() {
        return Cell::Null;
    }
    let (_, number, _) = sorted.select_nth_unstable_by(index, |a, b| compare_numbers(*a, *b));
    match *number {
        Number::Integer(number) => Key::I64(number).cell(),
        Number::Float(number) => Key::from(Scalar::F64(number)).cell(),
    }
}

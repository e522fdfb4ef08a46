//! The groups of all parts together.

use std::cmp::Ordering;

use hashbrown::HashMap;

use super::group::{PartGroups, Stats};
use super::key::Key;
use super::measure::Total;
use super::table::plain;
use crate::answer::Cell;
use crate::budget::{Budget, Memory};
use crate::error::Result;
use crate::lang::ast::Direction;

/// The distinct values of one key, numbered as they come.
#[derive(Debug, Default)]
struct Values<'a> {
    numbers: HashMap<Key<'a>, u32>,
    keys: Vec<Key<'a>>,
}

impl<'a> Values<'a> {
    fn number(&mut self, key: Key<'a>) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.keys.len() as u32 - 1
        })
    }
}

/// About how many bytes a distinct value takes.
const VALUE_BYTES: usize = 3 * size_of::<Key<'_>>();

/// The groups, and each one's measures.
#[derive(Debug)]
pub(super) struct Totals<'a> {
    values: Vec<Values<'a>>,
    /// Of several keys: the groups' numbers of values, and the group with such numbers.
    tuples: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, u32>,
    measures: Vec<Total<'a>>,
    memory: Memory,
}

impl<'a> Totals<'a> {
    /// Merges the groups of the parts, in their order.
    pub(super) fn of(stats: &Stats, parts: &'a [PartGroups], budget: &Budget) -> Result<Self> {
        let mut totals = Self {
            values: stats.keys.iter().map(|_| Values::default()).collect(),
            tuples: Vec::new(),
            numbers: HashMap::new(),
            measures: stats.measures.iter().map(Total::new).collect(),
            memory: budget.take(0)?,
        };
        for part in parts {
            budget.check()?;
            totals.add(part)?;
        }
        let groups = totals.len();
        totals.measures.iter_mut().for_each(|measure| measure.resize(groups));
        Ok(totals)
    }

    fn add(&mut self, part: &'a PartGroups) -> Result<()> {
        let before = self.size();
        let groups = match self.values.len() {
            0 => vec![0; part.counts.len()],
            1 => self.groups_of_one_key(part),
            _ => self.groups_of_keys(part),
        };
        self.memory.grow((self.size() - before) * VALUE_BYTES)?;
        let count = self.len();
        for (total, measured) in self.measures.iter_mut().zip(&part.measured) {
            total.resize(count);
            total.add(measured, &groups, &part.counts, &mut self.memory)?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.values.iter().map(|values| values.keys.len()).sum::<usize>() + self.tuples.len()
    }

    fn groups_of_one_key(&mut self, part: &'a PartGroups) -> Vec<u32> {
        let values = &mut self.values[0];
        let mut groups = vec![0; part.counts.len()];
        if part.counts[0] != 0 {
            groups[0] = values.number(Key::Null);
        }
        for (id, value) in part.keys[0].values() {
            if part.counts[id as usize] != 0 {
                groups[id as usize] = values.number(value.into());
            }
        }
        groups
    }

    fn groups_of_keys(&mut self, part: &'a PartGroups) -> Vec<u32> {
        const UNKNOWN: u32 = u32::MAX;
        let mut known: Vec<Vec<u32>> =
            part.keys.iter().map(|key| vec![UNKNOWN; key.numbers()]).collect();
        let mut groups = Vec::with_capacity(part.counts.len());
        let mut tuple = Vec::new();
        for group in 0..part.counts.len() as u32 {
            part.tuples.of(group, &mut tuple);
            for (at, id) in tuple.iter_mut().enumerate() {
                let number = &mut known[at][*id as usize];
                if *number == UNKNOWN {
                    let key = part.keys[at].value(*id).map_or(Key::Null, Key::from);
                    *number = self.values[at].number(key);
                }
                *id = *number;
            }
            groups.push(self.group(&tuple));
        }
        groups
    }

    fn group(&mut self, tuple: &[u32]) -> u32 {
        if let Some(group) = self.numbers.get(tuple) {
            return *group;
        }
        let group = self.tuples.len() as u32;
        self.tuples.push(tuple.into());
        self.numbers.insert(tuple.into(), group);
        group
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        match self.values.len() {
            0 => 1,
            1 => self.values[0].keys.len(),
            _ => self.tuples.len(),
        }
    }

    fn key(&self, group: u32, at: usize) -> Key<'a> {
        let number = if self.values.len() == 1 { group } else { self.tuples[group as usize][at] };
        self.values[at].keys[number as usize]
    }

    fn keys(&self, group: u32) -> impl Iterator<Item = Key<'a>> + '_ {
        (0..self.values.len()).map(move |at| self.key(group, at))
    }

    /// Groups in the order of their keys.
    fn compare_keys(&self, a: u32, b: u32) -> Ordering {
        let pairs = self.keys(a).zip(self.keys(b));
        pairs.map(|(a, b)| a.ascending(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The first groups by some of the columns (keys first, then measures), equal ones in the order
    /// of their keys.
    pub(super) fn first(&self, by: &[(usize, Direction)], limit: usize) -> Vec<u32> {
        let count = self.len();
        let keys = self.values.len();
        // A measure is computed once for each group, not once for each comparison.
        let column = |at: usize| -> Vec<Cell> {
            let cell = |group| plain(&self.measures[at - keys].cell(group)).into_owned();
            (0..count).map(cell).collect()
        };
        let computed: Vec<Vec<Cell>> =
            by.iter().map(|(at, _)| if *at < keys { Vec::new() } else { column(*at) }).collect();
        let value = |group: u32, by: usize, at: usize| -> Key<'_> {
            if at < keys {
                return self.key(group, at);
            }
            Key::of(&computed[by][group as usize]).unwrap_or(Key::Null)
        };
        let compare = |a: &u32, b: &u32| {
            for (by, (at, direction)) in by.iter().enumerate() {
                let (a, b) = (value(*a, by, *at), value(*b, by, *at));
                let order = match direction {
                    Direction::Ascending => a.ascending(b),
                    Direction::Descending => a.descending(b),
                };
                if order.is_ne() {
                    return order;
                }
            }
            self.compare_keys(*a, *b)
        };
        let mut groups: Vec<u32> = (0..count as u32).collect();
        if limit < groups.len() {
            if limit > 0 {
                groups.select_nth_unstable_by(limit - 1, compare);
            }
            groups.truncate(limit);
        }
        groups.sort_unstable_by(compare);
        groups
    }

    /// The row of a group: its keys, then its measures.
    pub(super) fn row(&self, group: u32) -> Vec<Cell> {
        let keys = self.keys(group).map(Key::cell);
        keys.chain(self.measures.iter().map(|measure| measure.cell(group as usize))).collect()
    }
}

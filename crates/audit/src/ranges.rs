//! Sets of events by number, as rising ranges.

use crate::error::{Faults, code};
use crate::json::Tree;
use crate::writer::list;

/// The most ranges of one record, so that its payload stays far below an event's limit.
pub const RANGES_MAX: usize = 10_000;

/// Numbers of events as ranges, each with its first and last number, that rise and have gaps
/// between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The fewest ranges that hold these numbers and no others. They may come in any order, and
    /// more than once.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        Self::merged(numbers.into_iter().map(|number| (number, number)).collect())
    }

    /// The fewest ranges that hold what these hold, given as first and last number in any order.
    /// One that ends before it begins holds nothing.
    #[must_use]
    pub fn merged(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// The ranges, rising.
    #[must_use]
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Whether no number is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in. The set of all 2⁶⁴ counts as one less.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |count: u64, (first, last)| {
            count.saturating_add((last - first).saturating_add(1))
        })
    }

    /// Whether a number is in.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < number);
        self.0.get(at).is_some_and(|(first, _)| *first <= number)
    }

    /// Whether any number from `first` to `last` is in.
    #[must_use]
    pub fn overlaps(&self, first: u64, last: u64) -> bool {
        let at = self.0.partition_point(|(_, end)| *end < first);
        self.0.get(at).is_some_and(|(start, _)| *start <= last)
    }

    /// Every number, rising.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Sets of at most so many ranges each, which together hold what this holds: one for each
    /// record that is needed.
    pub fn split(&self, ranges_max: usize) -> impl Iterator<Item = Self> + '_ {
        self.0.chunks(ranges_max.max(1)).map(|chunk| Self(chunk.to_vec()))
    }

    /// The ranges as a JSON list of pairs.
    pub(crate) fn json(&self) -> String {
        list(self.0.iter().map(|(first, last)| format!("[{first},{last}]")))
    }

    /// Reads what [`Ranges::json`] writes.
    pub(crate) fn read(faults: &mut Faults, pointer: &str, tree: &Tree<'_>) -> Option<Self> {
        let ranges = tree.as_list().map(|items| items.iter().map(pair).collect::<Option<Vec<_>>>());
        let Some(Some(ranges)) = ranges else {
            faults.push(code::WRONG_TYPE, pointer, "a list of pairs of numbers is expected");
            return None;
        };
        let merged = Self::merged(ranges.clone());
        if ranges.is_empty() || merged.0 != ranges {
            faults.push(code::BAD_VALUE, pointer, "the ranges neither rise nor have gaps between");
            return None;
        }
        Some(merged)
    }
}

fn pair(tree: &Tree<'_>) -> Option<(u64, u64)> {
    let [first, last] = tree.as_list()? else { return None };
    Some((first.text.parse().ok()?, last.text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::json::read;

    #[test]
    fn numbers_become_the_fewest_ranges() {
        assert_eq!(Ranges::of([]).as_slice(), []);
        assert!(Ranges::of([]).is_empty());
        assert_eq!(Ranges::of([3, 1, 2, 2, 7]).as_slice(), [(1, 3), (7, 7)]);
        assert!(!Ranges::of([3]).is_empty());
        assert_eq!(Ranges::of([u64::MAX, u64::MAX - 1]).as_slice(), [(u64::MAX - 1, u64::MAX)]);
        let merged = Ranges::merged(vec![(5, 9), (1, 4), (6, 7), (20, 10), (11, 12)]);
        assert_eq!(merged.as_slice(), [(1, 9), (11, 12)]);
        assert_eq!(merged.count(), 11);
        assert_eq!(Ranges::merged(vec![(0, u64::MAX)]).count(), u64::MAX);
    }

    #[test]
    fn a_set_is_split_and_written() {
        let ranges = Ranges::of([1, 3, 5, 6]);
        let parts: Vec<Ranges> = ranges.split(2).collect();
        assert_eq!(parts, [Ranges::of([1, 3]), Ranges::of([5, 6])]);
        assert_eq!(ranges.split(0).count(), 3);
        assert_eq!(ranges.json(), "[[1,1],[3,3],[5,6]]");
    }

    #[test]
    fn only_rising_ranges_are_read() {
        let check = |text: &str| {
            let mut faults = Faults::default();
            let tree = read(text.as_bytes()).expect("JSON");
            let read = Ranges::read(&mut faults, "/erases", &tree);
            match faults.finish(read) {
                Ok(ranges) => ranges.json(),
                Err(refusal) => refusal.to_string(),
            }
        };
        assert_eq!(check("[[1,1],[3,3]]"), "[[1,1],[3,3]]");
        for text in ["{}", "[1]", "[[1]]", "[[1,2,3]]", "[[1,-2]]", "[[1.0,2]]", "[[\"1\",2]]"] {
            assert!(check(text).ends_with("(wrong_type)"), "{text}");
        }
        for text in ["[]", "[[2,1]]", "[[1,2],[3,4]]", "[[5,6],[1,2]]", "[[1,2],[2,3]]"] {
            assert!(check(text).ends_with("(bad_value)"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_hold_what_was_put_in(numbers: BTreeSet<u8>) {
            let ranges = Ranges::of(numbers.iter().map(|number| u64::from(*number)));
            let expected: Vec<u64> = numbers.iter().map(|number| u64::from(*number)).collect();
            prop_assert_eq!(ranges.numbers().collect::<Vec<_>>(), expected);
            prop_assert_eq!(ranges.count(), numbers.len() as u64);
            for number in 0..=u8::MAX {
                prop_assert_eq!(ranges.contains(number.into()), numbers.contains(&number));
                let last = number.saturating_add(3);
                let overlaps = numbers.range(number..=last).next().is_some();
                prop_assert_eq!(ranges.overlaps(number.into(), last.into()), overlaps);
            }
            for pair in ranges.as_slice().windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0);
            }
            let parts = ranges.split(3).map(|part| part.numbers().collect::<Vec<_>>());
            let parts: Vec<u64> = parts.flatten().collect();
            prop_assert_eq!(parts, ranges.numbers().collect::<Vec<_>>());
        }
    }
}

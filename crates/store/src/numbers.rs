//! Sets of event numbers.

use std::collections::BTreeMap;

/// A set of event numbers of one dataset, as disjoint spans that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Where each span begins, and where it ends, which is no more in it.
    spans: BTreeMap<u64, u64>,
}

impl Numbers {
    /// The numbers in a system column.
    pub(crate) fn of(mut column: Vec<i64>) -> Self {
        column.sort_unstable();
        let mut numbers = Self::default();
        let mut column = column.into_iter().map(|number| number as u64).peekable();
        while let Some(start) = column.next() {
            let mut end = start + 1;
            while let Some(next) = column.next_if(|next| *next <= end) {
                end = next + 1;
            }
            numbers.add_span(start, end);
        }
        numbers
    }

    /// Adds the numbers from `start` up to `end`, which is not one of them.
    pub(crate) fn add_span(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((before, before_end)) = self.last_from(end).filter(|span| span.1 >= start) {
            start = start.min(before);
            end = end.max(before_end);
            self.spans.remove(&before);
        }
        self.spans.insert(start, end);
    }

    /// The spans, rising.
    pub(crate) fn spans(&self) -> impl Iterator<Item = std::ops::Range<u64>> + '_ {
        self.spans.iter().map(|(start, end)| *start..*end)
    }

    /// Adds the numbers of another set.
    pub(crate) fn add(&mut self, other: &Self) {
        other.spans.iter().for_each(|(start, end)| self.add_span(*start, *end));
    }

    /// Whether the sets have a number in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let meets = |(start, end): (&u64, &u64)| {
            self.last_from(end - 1).is_some_and(|(_, before_end)| before_end > *start)
        };
        other.spans.iter().any(meets)
    }

    /// Whether every number of the other set is in this one.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        let holds = |(start, end): (&u64, &u64)| {
            self.last_from(*start).is_some_and(|(_, before_end)| before_end >= *end)
        };
        other.spans.iter().all(holds)
    }

    /// The last span that does not begin after a number.
    fn last_from(&self, number: u64) -> Option<(u64, u64)> {
        self.spans.range(..=number).next_back().map(|(start, end)| (*start, *end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_sets(
            a in prop::collection::vec(0..40_i64, 0..30),
            b in prop::collection::vec(0..40_i64, 0..30),
        ) {
            let (one, other) = (Numbers::of(a.clone()), Numbers::of(b.clone()));
            let (one_set, other_set): (BTreeSet<i64>, BTreeSet<i64>) =
                (a.iter().copied().collect(), b.iter().copied().collect());
            prop_assert_eq!(one.meets(&other), !one_set.is_disjoint(&other_set));
            prop_assert_eq!(one.holds(&other), one_set.is_superset(&other_set));
            let mut both = one.clone();
            both.add(&other);
            prop_assert_eq!(&both, &Numbers::of([a, b].concat()));
            prop_assert!(both.holds(&one) && both.holds(&other));
            let gaps = both.spans.iter().zip(both.spans.iter().skip(1));
            prop_assert!(gaps.into_iter().all(|(span, next)| span.1 < next.0));
        }
    }
}

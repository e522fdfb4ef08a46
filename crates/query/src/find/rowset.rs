//! Sets of rows of one part.

use std::ops::Range;

use ledgerline_store::column::Rows;
use ledgerline_store::index::Blocks;

/// Some of the rows of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowSet {
    rows: u32,
    bits: Bits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bits {
    None,
    All,
    Some(Vec<u64>),
}

impl RowSet {
    /// All of so many rows.
    pub(super) fn all(rows: u32) -> Self {
        Self { rows, bits: Bits::All }
    }

    /// None of so many rows.
    pub(super) fn none(rows: u32) -> Self {
        Self { rows, bits: Bits::None }
    }

    /// The rows of spans, which need not be disjoint.
    pub(super) fn of_spans(rows: u32, spans: &[Range<u32>]) -> Self {
        if matches!(spans, [all] if *all == (0..rows)) {
            return Self::all(rows);
        }
        let mut set = Self::none(rows);
        spans.iter().for_each(|span| set.insert_span(span.clone()));
        set
    }

    /// The rows of blocks of `block_rows` rows each.
    pub(super) fn of_blocks(rows: u32, block_rows: u32, blocks: &Blocks) -> Self {
        if blocks.is_all() {
            return Self::all(rows);
        }
        let mut set = Self::none(rows);
        for block in blocks.iter() {
            let start = block as u32 * block_rows;
            set.insert_span(start..start.saturating_add(block_rows).min(rows));
        }
        set
    }

    /// The rows that have a value.
    pub(super) fn of_rows(count: u32, rows: &Rows) -> Self {
        match rows {
            Rows::Span(span) => Self::of_spans(count, std::slice::from_ref(span)),
            Rows::List(list) => {
                let mut set = Self::none(count);
                list.iter().for_each(|row| set.insert(*row));
                set
            }
        }
    }

    /// How many rows are in the set.
    pub(super) fn len(&self) -> usize {
        match &self.bits {
            Bits::None => 0,
            Bits::All => self.rows as usize,
            Bits::Some(bits) => bits.iter().map(|bits| bits.count_ones() as usize).sum(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.bits {
            Bits::None => true,
            Bits::All => self.rows == 0,
            Bits::Some(bits) => bits.iter().all(|bits| *bits == 0),
        }
    }

    /// Whether every row is known to be in the set.
    pub(super) fn is_all(&self) -> bool {
        matches!(self.bits, Bits::All)
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        match &self.bits {
            Bits::None => false,
            Bits::All => row < self.rows,
            Bits::Some(bits) => bits[row as usize / 64] >> (row % 64) & 1 != 0,
        }
    }

    /// Adds a row.
    #[inline]
    pub(super) fn insert(&mut self, row: u32) {
        debug_assert!(row < self.rows, "row {row} of {}", self.rows);
        if let Some(bits) = self.writable() {
            bits[row as usize / 64] |= 1 << (row % 64);
        }
    }

    fn insert_span(&mut self, span: Range<u32>) {
        let Some(bits) = self.writable() else { return };
        let mut row = span.start;
        while row < span.end {
            let word = row / 64;
            let end = span.end.min((word + 1) * 64);
            let ones = u64::MAX >> (64 - (end - row));
            bits[word as usize] |= ones << (row % 64);
            row = end;
        }
    }

    /// The bits, unless every row is in the set already.
    fn writable(&mut self) -> Option<&mut Vec<u64>> {
        if matches!(self.bits, Bits::None) {
            self.bits = Bits::Some(vec![0; (self.rows as usize).div_ceil(64)]);
        }
        match &mut self.bits {
            Bits::Some(bits) => Some(bits),
            _ => None,
        }
    }

    /// Keeps the rows that are in both sets.
    pub(super) fn intersect(&mut self, other: &Self) {
        match (&mut self.bits, &other.bits) {
            (Bits::None, _) | (_, Bits::All) => {}
            (_, Bits::None) => self.bits = Bits::None,
            (Bits::All, Bits::Some(bits)) => self.bits = Bits::Some(bits.clone()),
            (Bits::Some(a), Bits::Some(b)) => a.iter_mut().zip(b).for_each(|(a, b)| *a &= b),
        }
    }

    /// Adds the rows of the other set.
    pub(super) fn unite(&mut self, other: &Self) {
        match (&mut self.bits, &other.bits) {
            (Bits::All, _) | (_, Bits::None) => {}
            (_, Bits::All) => self.bits = Bits::All,
            (Bits::None, Bits::Some(bits)) => self.bits = Bits::Some(bits.clone()),
            (Bits::Some(a), Bits::Some(b)) => a.iter_mut().zip(b).for_each(|(a, b)| *a |= b),
        }
    }

    /// Removes the rows of the other set.
    pub(super) fn subtract(&mut self, other: &Self) {
        match (&mut self.bits, &other.bits) {
            (Bits::None, _) | (_, Bits::None) => {}
            (_, Bits::All) => self.bits = Bits::None,
            (Bits::All, Bits::Some(bits)) => {
                let mut left: Vec<u64> = bits.iter().map(|bits| !bits).collect();
                if let (Some(last), 1..) = (left.last_mut(), self.rows % 64) {
                    *last &= u64::MAX >> (64 - self.rows % 64);
                }
                self.bits = Bits::Some(left);
            }
            (Bits::Some(a), Bits::Some(b)) => a.iter_mut().zip(b).for_each(|(a, b)| *a &= !b),
        }
    }

    /// Keeps the rows that the test accepts.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        let mut kept = Self::none(self.rows);
        let mut count = 0;
        for row in self.iter() {
            if keep(row) {
                kept.insert(row);
                count += 1;
            }
        }
        *self = if count == self.rows { Self::all(self.rows) } else { kept };
    }

    /// The rows, rising.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (span, words): (Range<u32>, &[u64]) = match &self.bits {
            Bits::None => (0..0, &[]),
            Bits::All => (0..self.rows, &[]),
            Bits::Some(bits) => (0..0, bits),
        };
        let listed = words
            .iter()
            .enumerate()
            .flat_map(|(index, bits)| Ones { base: index as u32 * 64, bits: *bits });
        span.chain(listed)
    }

    /// The rows as rising, disjoint spans, as long as can be.
    pub(super) fn spans(&self) -> Vec<Range<u32>> {
        match &self.bits {
            Bits::None => Vec::new(),
            Bits::All => std::iter::once(0..self.rows).collect(),
            Bits::Some(bits) => {
                let mut spans = Vec::new();
                let mut next = 0;
                while let Some(start) = first(bits, next, self.rows, false) {
                    let end = first(bits, start, self.rows, true).unwrap_or(self.rows);
                    spans.push(start..end);
                    next = end;
                }
                spans
            }
        }
    }
}

/// The first row from `from` on whose bit is set, or, when `clear`, is not.
fn first(bits: &[u64], from: u32, rows: u32, clear: bool) -> Option<u32> {
    let flip = if clear { u64::MAX } else { 0 };
    let mut index = from as usize / 64;
    let mut word = (bits.get(index)? ^ flip) >> (from % 64) << (from % 64);
    while word == 0 {
        index += 1;
        word = bits.get(index)? ^ flip;
    }
    let row = index as u32 * 64 + word.trailing_zeros();
    (row < rows).then_some(row)
}

/// The set bits of one word.
struct Ones {
    base: u32,
    bits: u64,
}

impl Iterator for Ones {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.bits == 0 {
            return None;
        }
        let row = self.base + self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(rows: u32, members: &BTreeSet<u32>) -> RowSet {
        if members.len() == rows as usize {
            return RowSet::all(rows);
        }
        let mut set = RowSet::none(rows);
        members.iter().for_each(|row| set.insert(*row));
        set
    }

    fn members(rows: u32) -> impl Strategy<Value = BTreeSet<u32>> {
        prop_oneof![
            1 => Just((0..rows).collect()),
            1 => Just(BTreeSet::new()),
            4 => proptest::collection::btree_set(0..rows, 0..=rows as usize),
        ]
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_set(
            (rows, a, b) in (1_u32..200).prop_flat_map(|r| (Just(r), members(r), members(r)))
        ) {
            type Change = fn(&mut RowSet, &RowSet);
            type Model = fn(&BTreeSet<u32>, &BTreeSet<u32>) -> BTreeSet<u32>;
            let changes: [(Change, Model); 3] = [
                (RowSet::intersect, |a, b| a & b),
                (RowSet::unite, |a, b| a | b),
                (RowSet::subtract, |a, b| a - b),
            ];
            for (change, model) in changes {
                let mut changed = set(rows, &a);
                change(&mut changed, &set(rows, &b));
                let expected = model(&a, &b);
                prop_assert_eq!(changed.iter().collect::<BTreeSet<u32>>(), expected.clone());
                prop_assert_eq!(changed.len(), expected.len());
                prop_assert_eq!(changed.is_empty(), expected.is_empty());
                let spans = changed.spans();
                prop_assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].start));
                let of_spans = RowSet::of_spans(rows, &spans);
                prop_assert!(of_spans.iter().eq(expected.iter().copied()));
                prop_assert!((0..rows).all(|row| changed.contains(row) == expected.contains(&row)));
            }
        }
    }
}

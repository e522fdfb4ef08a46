//! One dictionary for the values of several parts.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::strings::Strings;

use super::Placed;
use crate::column::{ColumnData, Data};
use crate::memory::extend;

/// The most entries of a dictionary.
const ENTRIES_MAX: usize = 1 << 17;
/// The most bytes of a dictionary, which is read whole.
const BYTES_MAX: usize = 16 << 20;
/// A dictionary pays when at most this share of the values is distinct.
const DISTINCT_PERCENT_MAX: usize = 60;
/// How many values show whether a dictionary will pay.
const SAMPLE: usize = 4096;

/// A dictionary that all pieces of a column share, and each value's entry in it.
#[derive(Debug)]
pub(super) struct Coding {
    /// Distinct values, sorted; perhaps some that no row has any more.
    values: Values,
    /// For each piece, the entry of each of its values.
    codes: Vec<Vec<u32>>,
}

/// A column as a segment stores it.
#[derive(Debug)]
pub(super) struct Coded {
    pub(super) values: Values,
    pub(super) counts: Vec<u32>,
    pub(super) codes: Vec<u32>,
}

impl Coding {
    /// A dictionary, unless it would not pay.
    pub(super) fn of(kind: Kind, pieces: &[Option<ColumnData>]) -> Option<Self> {
        let total: usize = pieces.iter().flatten().map(|piece| piece.rows.len()).sum();
        let mut distinct = Distinct::new(kind);
        let mut codes = Vec::with_capacity(pieces.len());
        let mut seen = 0;
        for piece in pieces {
            let Some(piece) = piece else {
                codes.push(Vec::new());
                continue;
            };
            codes.push(distinct.piece(piece, &mut seen, total)?);
        }
        (distinct.len() * 100 <= total * DISTINCT_PERCENT_MAX).then_some(())?;
        let (values, ranks) = distinct.sorted();
        codes.iter_mut().flatten().for_each(|code| *code = ranks[*code as usize]);
        Some(Self { values, codes })
    }

    pub(super) fn code(&self, piece: usize, index: usize) -> u32 {
        self.codes[piece][index]
    }

    /// The placed values as codes of a dictionary with no entry that none of them uses.
    pub(super) fn coded(&self, placed: &[Placed]) -> Coded {
        let mut counts = vec![0_u32; self.values.len()];
        let mut codes: Vec<u32> = placed
            .iter()
            .map(|place| {
                let code = self.code(place.input as usize, place.index as usize);
                counts[code as usize] += 1;
                code
            })
            .collect();
        if counts.iter().all(|count| *count > 0) {
            return Coded { values: self.values.clone(), counts, codes };
        }
        let mut values = Values::new(self.values.kind());
        let mut renumbered = vec![0; counts.len()];
        for (code, _) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            renumbered[code] = values.len() as u32;
            extend(&mut values, &self.values, code..code + 1);
        }
        codes.iter_mut().for_each(|code| *code = renumbered[*code as usize]);
        counts.retain(|count| *count > 0);
        Coded { values, counts, codes }
    }
}

/// Distinct values in the order in which they came.
struct Distinct {
    hasher: DefaultHashBuilder,
    entries: HashTable<u32>,
    values: Values,
    bytes: usize,
}

impl Distinct {
    fn new(kind: Kind) -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            entries: HashTable::new(),
            values: Values::new(kind),
            bytes: 0,
        }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    /// The entries of a piece's values; nothing when a dictionary does not pay.
    fn piece(&mut self, piece: &ColumnData, seen: &mut usize, total: usize) -> Option<Vec<u32>> {
        match &piece.data {
            Data::Plain(values) => {
                let mut codes = Vec::with_capacity(values.len());
                for index in 0..values.len() {
                    codes.push(self.entry(values, index));
                    *seen += 1;
                    if seen.is_multiple_of(SAMPLE) && self.is_hopeless(*seen) {
                        return None;
                    }
                }
                Some(codes)
            }
            Data::Coded { dictionary, codes } => {
                let used = used(codes, dictionary.values.len());
                let mut entries = vec![0; dictionary.values.len()];
                for (code, _) in used.iter().enumerate().filter(|(_, used)| **used) {
                    entries[code] = self.entry(&dictionary.values, code);
                }
                *seen += codes.len();
                if self.is_hopeless(total.max(SAMPLE)) {
                    return None;
                }
                Some(codes.iter().map(|code| entries[*code as usize]).collect())
            }
        }
    }

    fn is_hopeless(&self, seen: usize) -> bool {
        self.len() > ENTRIES_MAX
            || self.bytes > BYTES_MAX
            || self.len() * 100 > seen * DISTINCT_PERCENT_MAX
    }

    fn entry(&mut self, from: &Values, index: usize) -> u32 {
        let hasher = &self.hasher;
        let hash = hash(hasher, from, index);
        let values = &self.values;
        if let Some(entry) = self.entries.find(hash, |e| equal(values, *e as usize, from, index)) {
            return *entry;
        }
        let entry = self.values.len() as u32;
        self.bytes += bytes(from, index);
        extend(&mut self.values, from, index..index + 1);
        let values = &self.values;
        self.entries
            .insert_unique(hash, entry, |entry| self::hash(hasher, values, *entry as usize));
        entry
    }

    /// The values in order, and the rank of each entry.
    fn sorted(self) -> (Values, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.values.len() as u32).collect();
        sort(&self.values, &mut order);
        let mut ranks = vec![0; order.len()];
        let mut values = Values::new(self.values.kind());
        for (rank, entry) in order.iter().enumerate() {
            ranks[*entry as usize] = rank as u32;
            extend(&mut values, &self.values, *entry as usize..*entry as usize + 1);
        }
        (values, ranks)
    }
}

fn used(codes: &[u32], entries: usize) -> Vec<bool> {
    let mut used = vec![false; entries];
    codes.iter().for_each(|code| used[*code as usize] = true);
    used
}

fn hash(hasher: &DefaultHashBuilder, values: &Values, index: usize) -> u64 {
    match values {
        Values::Str(values) | Values::Json(values) => hasher.hash_one(values.get(index)),
        Values::I64(values) => hasher.hash_one(values[index]),
        Values::F64(values) => hasher.hash_one(values[index].to_bits()),
        Values::Bool(values) => hasher.hash_one(values[index]),
    }
}

fn equal(a: &Values, a_index: usize, b: &Values, b_index: usize) -> bool {
    match (a, b) {
        (Values::Str(a), Values::Str(b)) | (Values::Json(a), Values::Json(b)) => {
            a.get(a_index) == b.get(b_index)
        }
        (Values::I64(a), Values::I64(b)) => a[a_index] == b[b_index],
        (Values::F64(a), Values::F64(b)) => a[a_index].to_bits() == b[b_index].to_bits(),
        (Values::Bool(a), Values::Bool(b)) => a[a_index] == b[b_index],
        _ => false,
    }
}

/// How long a value is.
pub(super) fn bytes(values: &Values, index: usize) -> usize {
    match values {
        Values::Str(values) | Values::Json(values) => values.get(index).len(),
        _ => 8,
    }
}

fn sort(values: &Values, order: &mut [u32]) {
    let strings = |strings: &Strings, order: &mut [u32]| {
        order.sort_unstable_by(|a, b| strings.get(*a as usize).cmp(strings.get(*b as usize)));
    };
    match values {
        Values::Str(values) | Values::Json(values) => strings(values, order),
        Values::I64(values) => order.sort_unstable_by_key(|entry| values[*entry as usize]),
        Values::F64(values) => {
            order.sort_unstable_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
        }
        Values::Bool(values) => order.sort_unstable_by_key(|entry| values[*entry as usize]),
    }
}

//! The word index of a segment: which words its texts hold, in which columns and which blocks of
//! rows.
//!
//! Words stand in the index as they are, sorted, so that a part of a word (`*mimi*`) is found by
//! reading the list of words instead of the texts. An answer never misses a block that has the
//! word; it may name one that has it in another column.
//!
//! ```text
//! chunk = word*                                                      (sorted, one zstd frame)
//! word  = shared u8 | rest length varint | rest | column set varint | blocks varint | where
//! where = nothing, when blocks is 0: the word counts as being everywhere
//!       | the rising block numbers, each a varint of the difference to the one before
//! ```
//! `shared` is how many bytes the word shares with the one before it in the chunk.

pub(crate) mod build;
pub(crate) mod read;

use ledgerline_model::word::WORD_BYTES_MAX;

/// Numbers of up to this many digits stand in almost every block of almost every text (hours,
/// minutes, counts), so they are left out: a query takes them as being everywhere.
const SHORT_NUMBER_DIGITS: usize = 3;

/// Whether the index says anything about a word.
pub(crate) fn is_indexed(word: &str) -> bool {
    word.len() > SHORT_NUMBER_DIGITS || !word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The part of a word that the index keeps: of a longer one the first bytes, but a few more than a
/// word that is kept whole can have, so that whoever reads the index can tell that it may be cut.
pub(crate) fn indexed_part(word: &str) -> &str {
    if word.len() <= WORD_BYTES_MAX {
        return word;
    }
    &word[..word.floor_char_boundary(WORD_BYTES_MAX + CHAR_BYTES_MAX)]
}

/// The longest character in UTF-8.
const CHAR_BYTES_MAX: usize = 4;

/// A set of blocks, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    bits: Vec<u64>,
    count: usize,
}

impl Blocks {
    /// No block of `count`.
    #[must_use]
    pub fn none(count: usize) -> Self {
        Self { bits: vec![0; count.div_ceil(64)], count }
    }

    /// Every block of `count`.
    #[must_use]
    pub fn all(count: usize) -> Self {
        let mut blocks = Self::none(count);
        (0..count).for_each(|block| blocks.insert(block));
        blocks
    }

    /// Adds a block.
    ///
    /// # Panics
    /// When it is none of the count.
    pub fn insert(&mut self, block: usize) {
        assert!(block < self.count, "block {block} of {}", self.count);
        self.bits[block / 64] |= 1 << (block % 64);
    }

    /// Whether a block is in the set.
    #[must_use]
    pub fn contains(&self, block: usize) -> bool {
        self.bits[block / 64] & 1 << (block % 64) != 0
    }

    /// Keeps what is in both sets.
    pub fn intersect(&mut self, other: &Self) {
        self.bits.iter_mut().zip(&other.bits).for_each(|(a, b)| *a &= b);
    }

    /// Adds what is in the other set.
    pub fn unite(&mut self, other: &Self) {
        self.bits.iter_mut().zip(&other.bits).for_each(|(a, b)| *a |= b);
    }

    /// Whether there is no block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    /// Whether every block is in the set.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.len() == self.count
    }

    /// How many blocks are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The blocks, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.count).filter(|block| self.contains(*block))
    }
}

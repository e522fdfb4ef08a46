//! Building the word index while the columns of a segment are written.

use std::collections::HashMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use ledgerline_model::strings::Strings;
use ledgerline_model::varint::put_varint;
use ledgerline_model::word;

use super::{indexed_part, is_indexed};
use crate::error::Result;
use crate::segment::directory::Chunk;

/// A word of the index being built.
pub(crate) type WordId = u32;

/// About how large a chunk is before compression: large enough to compress, small enough to be
/// read for one word.
const CHUNK_BYTES: usize = 16 << 10;

/// A word in more than this share of the blocks counts as being everywhere.
const EVERYWHERE_PERCENT: usize = 40;

/// Collects words column after column.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    blocks: usize,
    bits_per_word: usize,
    hasher: DefaultHashBuilder,
    ids: HashTable<WordId>,
    words: Strings,
    bits: Vec<u64>,
    sets: Vec<u32>,
    last_columns: Vec<u32>,
    column_sets: Vec<Vec<u32>>,
    grown_sets: HashMap<(u32, u32), u32>,
    folded: String,
}

const NO_COLUMN: u32 = u32::MAX;

impl IndexBuilder {
    pub(crate) fn new(blocks: usize) -> Self {
        Self {
            blocks,
            bits_per_word: blocks.div_ceil(64),
            hasher: DefaultHashBuilder::default(),
            ids: HashTable::new(),
            words: Strings::new(),
            bits: Vec::new(),
            sets: Vec::new(),
            last_columns: Vec::new(),
            column_sets: vec![Vec::new()],
            grown_sets: HashMap::new(),
            folded: String::new(),
        }
    }

    /// Notes every word of a text that stands in a block.
    pub(crate) fn add(&mut self, column: u32, block: usize, text: &str) {
        let mut folded = std::mem::take(&mut self.folded);
        word::fold(text, &mut folded);
        for word in indexed_words(&folded) {
            let id = self.id(word);
            self.note(id, column, block);
        }
        self.folded = folded;
    }

    /// The ids of a text's words, to be noted later and often.
    pub(crate) fn ids(&mut self, text: &str, ids: &mut Vec<WordId>) {
        let mut folded = std::mem::take(&mut self.folded);
        word::fold(text, &mut folded);
        for word in indexed_words(&folded) {
            ids.push(self.id(word));
        }
        self.folded = folded;
    }

    /// Notes a word in a block.
    #[inline]
    pub(crate) fn note(&mut self, id: WordId, column: u32, block: usize) {
        let id = id as usize;
        self.bits[id * self.bits_per_word + block / 64] |= 1 << (block % 64);
        if self.last_columns[id] != column {
            self.last_columns[id] = column;
            self.sets[id] = self.grown_set(self.sets[id], column);
        }
    }

    fn grown_set(&mut self, set: u32, column: u32) -> u32 {
        if let Some(grown) = self.grown_sets.get(&(set, column)) {
            return *grown;
        }
        let mut columns = self.column_sets[set as usize].clone();
        columns.push(column);
        let grown = u32::try_from(self.column_sets.len()).expect("fewer than 2^32 column sets");
        self.column_sets.push(columns);
        self.grown_sets.insert((set, column), grown);
        grown
    }

    #[inline]
    fn id(&mut self, word: &str) -> WordId {
        let hash = self.hasher.hash_one(word);
        let words = &self.words;
        if let Some(id) = self.ids.find(hash, |id| words.get(*id as usize) == word.as_bytes()) {
            return *id;
        }
        let id = u32::try_from(self.words.len()).expect("fewer than 2^32 words");
        self.words.push(word.as_bytes());
        self.bits.resize(self.bits.len() + self.bits_per_word, 0);
        self.sets.push(0);
        self.last_columns.push(NO_COLUMN);
        let (words, hasher) = (&self.words, &self.hasher);
        self.ids.insert_unique(hash, id, |id| {
            hasher.hash_one(std::str::from_utf8(words.get(*id as usize)).unwrap_or_default())
        });
        id
    }

    /// Writes the chunks, and gives their places and the column sets.
    pub(crate) fn finish(
        self,
        mut write: impl FnMut(&[u8]) -> Result<crate::segment::pack::Span>,
    ) -> Result<(Vec<Chunk>, Vec<Vec<u32>>)> {
        let mut order: Vec<WordId> = (0..self.words.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.words.get(*a as usize).cmp(self.words.get(*b as usize)));
        let mut renumbered = SetNumbers::default();
        let mut chunks = Vec::new();
        let mut out = Vec::with_capacity(2 * CHUNK_BYTES);
        let mut first: &[u8] = b"";
        let (mut previous, mut count): (&[u8], u32) = (b"", 0);
        for id in &order {
            let word = self.words.get(*id as usize);
            if out.is_empty() {
                (first, previous, count) = (word, b"", 0);
            }
            let shared = previous.iter().zip(word).take_while(|(a, b)| a == b).count();
            out.push(shared as u8);
            put_varint(&mut out, (word.len() - shared) as u64);
            out.extend_from_slice(&word[shared..]);
            put_varint(&mut out, u64::from(renumbered.number(self.sets[*id as usize])));
            self.put_blocks(&mut out, *id);
            (previous, count) = (word, count + 1);
            if out.len() >= CHUNK_BYTES {
                chunks.push(chunk(first, count, write(&out)?));
                out.clear();
            }
        }
        if !out.is_empty() {
            chunks.push(chunk(first, count, write(&out)?));
        }
        let sets = renumbered.used.iter().map(|set| self.column_sets[*set as usize].clone());
        Ok((chunks, sets.collect()))
    }

    fn put_blocks(&self, out: &mut Vec<u8>, id: WordId) {
        let bits = &self.bits[id as usize * self.bits_per_word..][..self.bits_per_word];
        let count: usize = bits.iter().map(|bits| bits.count_ones() as usize).sum();
        if count > 1 && count * 100 > self.blocks * EVERYWHERE_PERCENT {
            out.push(0);
            return;
        }
        put_varint(out, count as u64);
        let mut previous = 0;
        for (index, bits) in bits.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let block = index * 64 + bits.trailing_zeros() as usize;
                put_varint(out, (block - previous) as u64);
                previous = block;
                bits &= bits - 1;
            }
        }
    }
}

fn chunk(first: &[u8], words: u32, span: crate::segment::pack::Span) -> Chunk {
    Chunk { first_word: String::from_utf8_lossy(first).into(), words, span }
}

fn indexed_words(folded: &str) -> impl Iterator<Item = &str> {
    word::words(folded).filter(|word| is_indexed(word)).map(indexed_part)
}

/// Only the sets that words ended up with are stored, numbered as they come.
#[derive(Debug, Default)]
struct SetNumbers {
    used: Vec<u32>,
    numbers: HashMap<u32, u32>,
}

impl SetNumbers {
    fn number(&mut self, set: u32) -> u32 {
        *self.numbers.entry(set).or_insert_with(|| {
            self.used.push(set);
            self.used.len() as u32 - 1
        })
    }
}

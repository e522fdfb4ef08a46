//! Looking words up in a segment's index.

use std::cmp::Ordering;

use ledgerline_model::varint::take_varint;

use super::{Blocks, indexed_part, is_indexed};
use crate::error::{Error, Result};
use crate::segment::directory::{Chunk, Directory};

/// Where a word is.
#[derive(Debug)]
pub(crate) struct Posting {
    /// The number of its column set.
    pub(crate) set: u32,
    /// The blocks.
    pub(crate) blocks: Blocks,
}

/// What the index knows of a word.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing: the word is of those that are left out.
    Unknown,
    /// The word stands nowhere in the segment.
    Nowhere,
    /// The word stands here and nowhere else.
    At(Posting),
}

/// Looks a folded word up. `read` fetches a chunk's bytes.
pub(crate) fn find(
    directory: &Directory,
    word: &str,
    read: impl Fn(&Chunk) -> Result<Vec<u8>>,
) -> Result<Found> {
    if !is_indexed(word) {
        return Ok(Found::Unknown);
    }
    let word = indexed_part(word);
    let after = directory.chunks.partition_point(|chunk| *chunk.first_word <= *word);
    let Some(chunk) = after.checked_sub(1).map(|index| &directory.chunks[index]) else {
        return Ok(Found::Nowhere);
    };
    let bytes = read(chunk)?;
    let mut found = Found::Nowhere;
    scan_chunk(
        directory,
        chunk,
        &bytes,
        |candidate| match candidate.cmp(word.as_bytes()) {
            Ordering::Less => Wanted::No,
            Ordering::Equal => Wanted::Yes,
            Ordering::Greater => Wanted::NoneFromHere,
        },
        |posting| {
            found = Found::At(posting);
        },
    )?;
    Ok(found)
}

/// Whether a word is looked for.
enum Wanted {
    Yes,
    No,
    /// Neither it nor any word after it.
    NoneFromHere,
}

/// Calls `found` for every word that `wanted` accepts.
pub(crate) fn scan(
    directory: &Directory,
    mut wanted: impl FnMut(&[u8]) -> bool,
    mut found: impl FnMut(Posting),
    read: impl Fn(&Chunk) -> Result<Vec<u8>>,
) -> Result<()> {
    for chunk in &directory.chunks {
        let wanted = |word: &[u8]| if wanted(word) { Wanted::Yes } else { Wanted::No };
        scan_chunk(directory, chunk, &read(chunk)?, wanted, &mut found)?;
    }
    Ok(())
}

fn scan_chunk(
    directory: &Directory,
    chunk: &Chunk,
    mut bytes: &[u8],
    mut wanted: impl FnMut(&[u8]) -> Wanted,
    mut found: impl FnMut(Posting),
) -> Result<()> {
    let malformed = || Error::corrupt("malformed word index");
    let count = directory.blocks();
    let mut word = Vec::new();
    for _ in 0..chunk.words {
        let entry = take_word(&mut bytes, &mut word).ok_or_else(malformed)?;
        match wanted(&word) {
            Wanted::Yes => {
                let blocks = take_blocks(&mut bytes, entry.blocks, count).ok_or_else(malformed)?;
                if entry.set as usize >= directory.column_sets.len() {
                    return Err(malformed());
                }
                found(Posting { set: entry.set, blocks });
            }
            Wanted::No => bytes = without_varints(bytes, entry.blocks).ok_or_else(malformed)?,
            Wanted::NoneFromHere => return Ok(()),
        }
    }
    if bytes.is_empty() { Ok(()) } else { Err(malformed()) }
}

struct Entry {
    set: u32,
    blocks: u64,
}

fn take_word(bytes: &mut &[u8], word: &mut Vec<u8>) -> Option<Entry> {
    let (shared, rest) = bytes.split_first()?;
    *bytes = rest;
    let length = usize::try_from(take_varint(bytes)?).ok()?;
    if *shared as usize > word.len() {
        return None;
    }
    let (rest, after) = bytes.split_at_checked(length)?;
    *bytes = after;
    word.truncate(*shared as usize);
    word.extend_from_slice(rest);
    let set = u32::try_from(take_varint(bytes)?).ok()?;
    Some(Entry { set, blocks: take_varint(bytes)? })
}

fn take_blocks(bytes: &mut &[u8], listed: u64, count: usize) -> Option<Blocks> {
    if listed == 0 {
        return Some(Blocks::all(count));
    }
    let mut blocks = Blocks::none(count);
    let mut block = 0_usize;
    for _ in 0..listed {
        block = block.checked_add(usize::try_from(take_varint(bytes)?).ok()?)?;
        if block >= count {
            return None;
        }
        blocks.insert(block);
    }
    Some(blocks)
}

/// What follows so many varints: each ends with a byte below 128.
fn without_varints(bytes: &[u8], mut count: u64) -> Option<&[u8]> {
    if count == 0 {
        return Some(bytes);
    }
    let last = bytes.iter().position(|byte| {
        count -= u64::from(*byte < 128);
        count == 0
    })?;
    Some(&bytes[last + 1..])
}

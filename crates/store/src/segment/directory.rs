//! The directory of a segment: everything about it but the values.
//!
//! ```text
//! segment   = page* dictionary* presence* chunk* | directory (zstd frame) | tail
//! tail      = directory offset u64 | stored length u32 | raw length u32 | crc32c of the stored
//!             directory u32 | format version u32 | magic "LLS1"                  (28 bytes)
//! directory = dataset u32 | segment id [16] | rows varint | block rows varint
//!           | window start zigzag varint | window width varint | is settled u8
//!           | seq first, last varint | time first, last zigzag varint
//!           | received first, last zigzag varint | bytes in varint | word version u8
//!           | applied varint | flushed varint | replaces varint × id [16] | runs varint × run
//!           | 4 × page list (time, seq, severity, flags) | columns varint × column
//!           | column sets | chunks varint × chunk
//! run       = first seq varint | count varint | received zigzag varint | id base u128
//! column    = name length varint, name | kind u8 | encoding u8 | present varint
//!           | presence span, when not every row is present | dictionary span and entries varint,
//!             when coded | least and most zigzag varint, when integers | page list
//! page list = count varint × (values varint | span)
//! ```
//!
//! Offsets are those of the plain bytes; sealing is the business of the room below.

use std::sync::Arc;

use ledgerline_model::batch::Kind;
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_model::varint::{put_varint, take_varint, unzigzag, zigzag};

use super::pack::Span;
use crate::error::{Error, Result};
use crate::run::Run;
use crate::window::Window;

/// The version that is written. Every version ever released is read.
pub(crate) const VERSION: u32 = 1;
pub(crate) const MAGIC: [u8; 4] = *b"LLS1";
pub(crate) const TAIL_BYTES: u64 = 28;

/// One page: how many values, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) values: u32,
    pub(crate) span: Span,
}

/// How a column's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Codes of a dictionary of so many entries.
    Coded { dictionary: Span, entries: u32 },
    /// The values themselves.
    Plain,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnEntry {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) encoding: Encoding,
    /// How many rows have a value.
    pub(crate) present: u32,
    /// Which rows; nothing when all have one.
    pub(crate) presence: Option<Span>,
    /// Least and most value of integers.
    pub(crate) bounds: Option<(i64, i64)>,
    pub(crate) pages: Vec<Page>,
}

/// One chunk of the word index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) first_word: Box<str>,
    pub(crate) words: u32,
    pub(crate) span: Span,
}

/// Everything about a segment but its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Directory {
    pub(crate) dataset: DatasetId,
    pub(crate) id: SegmentId,
    pub(crate) rows: u32,
    pub(crate) block_rows: u32,
    pub(crate) window: Window,
    /// Whether it was written for long, not in haste.
    pub(crate) is_settled: bool,
    pub(crate) seqs: (Seq, Seq),
    pub(crate) times: (Timestamp, Timestamp),
    pub(crate) received: (Timestamp, Timestamp),
    pub(crate) bytes_in: u64,
    pub(crate) word_version: u8,
    /// Up to which commit of the tenant's journal everything is in segments when this one exists.
    pub(crate) applied: u64,
    /// Up to which commit the flush went that its latest events come from. Beyond the `applied` of
    /// every segment, it is what is left of a flush that was cut off.
    pub(crate) flushed: u64,
    /// The segments whose events this one holds instead of them.
    pub(crate) replaces: Vec<SegmentId>,
    pub(crate) runs: Vec<Run>,
    pub(crate) system: [Vec<Page>; 4],
    /// Sorted by name and kind.
    pub(crate) columns: Vec<ColumnEntry>,
    /// Sets of columns that words occur in, as rising column numbers.
    pub(crate) column_sets: Vec<Vec<u32>>,
    pub(crate) chunks: Vec<Chunk>,
}

/// Numbers of the system columns in [`Directory::system`].
pub(crate) const TIME: usize = 0;
pub(crate) const SEQ: usize = 1;
pub(crate) const SEVERITY: usize = 2;
pub(crate) const FLAGS: usize = 3;

impl Directory {
    /// How many blocks of rows the word index tells apart.
    pub(crate) fn blocks(&self) -> usize {
        self.rows.div_ceil(self.block_rows) as usize
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.dataset.0.to_le_bytes());
        out.extend_from_slice(self.id.as_bytes());
        put_varint(&mut out, u64::from(self.rows));
        put_varint(&mut out, u64::from(self.block_rows));
        put_varint(&mut out, zigzag(self.window.start.0));
        put_varint(&mut out, self.window.width as u64);
        out.push(u8::from(self.is_settled));
        put_varint(&mut out, self.seqs.0.0);
        put_varint(&mut out, self.seqs.1.0);
        for time in [self.times.0, self.times.1, self.received.0, self.received.1] {
            put_varint(&mut out, zigzag(time.0));
        }
        put_varint(&mut out, self.bytes_in);
        out.push(self.word_version);
        put_varint(&mut out, self.applied);
        put_varint(&mut out, self.flushed);
        put_varint(&mut out, self.replaces.len() as u64);
        self.replaces.iter().for_each(|id| out.extend_from_slice(id.as_bytes()));
        put_varint(&mut out, self.runs.len() as u64);
        for run in &self.runs {
            put_varint(&mut out, run.first_seq.0);
            put_varint(&mut out, run.count);
            put_varint(&mut out, zigzag(run.received.0));
            out.extend_from_slice(&run.id_base.to_le_bytes());
        }
        self.system.iter().for_each(|pages| put_pages(&mut out, pages));
        put_varint(&mut out, self.columns.len() as u64);
        self.columns.iter().for_each(|column| column.encode(&mut out, self.rows));
        put_varint(&mut out, self.column_sets.len() as u64);
        for set in &self.column_sets {
            put_varint(&mut out, set.len() as u64);
            set.iter().for_each(|column| put_varint(&mut out, u64::from(*column)));
        }
        put_varint(&mut out, self.chunks.len() as u64);
        for chunk in &self.chunks {
            put_text(&mut out, &chunk.first_word);
            put_varint(&mut out, u64::from(chunk.words));
            chunk.span.encode(&mut out);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut input = bytes;
        let directory = decode(&mut input)
            .filter(|directory| input.is_empty() && directory.is_sound())
            .ok_or_else(|| Error::corrupt("malformed segment directory"))?;
        Ok(directory)
    }

    /// What must hold between the parts of a directory.
    fn is_sound(&self) -> bool {
        let sum = |pages: &[Page]| pages.iter().map(|page| u64::from(page.values)).sum::<u64>();
        let rows = u64::from(self.rows);
        self.rows > 0
            && self.block_rows > 0
            && self.seqs.0 <= self.seqs.1
            && self.window.width > 0
            && self.window.holds(self.times.0, self.times.1)
            && self.system.iter().all(|pages| sum(pages) == rows)
            && self.runs.iter().map(|run| run.count).sum::<u64>() >= rows
            && self.columns.iter().all(|column| {
                sum(&column.pages) == u64::from(column.present)
                    && u64::from(column.present) <= rows
                    && column.present > 0
                    && (column.presence.is_some() || column.present == self.rows)
            })
            && self.columns.is_sorted_by_key(|column| (&column.name, column.kind))
            && self.chunks.is_sorted_by_key(|chunk| &chunk.first_word)
            && self.column_sets.iter().flatten().all(|column| *column < self.columns.len() as u32)
    }
}

impl ColumnEntry {
    fn encode(&self, out: &mut Vec<u8>, rows: u32) {
        put_text(out, &self.name);
        out.push(self.kind as u8);
        out.push(u8::from(matches!(self.encoding, Encoding::Coded { .. })));
        put_varint(out, u64::from(self.present));
        if self.present != rows {
            self.presence.expect("a column with gaps says where they are").encode(out);
        }
        if let Encoding::Coded { dictionary, entries } = self.encoding {
            dictionary.encode(out);
            put_varint(out, u64::from(entries));
        }
        if self.kind == Kind::I64 {
            let (least, most) = self.bounds.expect("integers have bounds");
            put_varint(out, zigzag(least));
            put_varint(out, zigzag(most));
        }
        put_pages(out, &self.pages);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_pages(out: &mut Vec<u8>, pages: &[Page]) {
    put_varint(out, pages.len() as u64);
    for page in pages {
        put_varint(out, u64::from(page.values));
        page.span.encode(out);
    }
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(count)?;
    *input = rest;
    Some(taken)
}

fn take_u32(input: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_varint(input)?).ok()
}

fn take_time(input: &mut &[u8]) -> Option<Timestamp> {
    take_varint(input).map(|number| Timestamp(unzigzag(number)))
}

fn take_text<'a>(input: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_varint(input)?).ok()?;
    std::str::from_utf8(take(input, length)?).ok()
}

fn take_id(input: &mut &[u8]) -> Option<SegmentId> {
    SegmentId::from_bytes(take(input, 16)?.try_into().ok()?).ok()
}

/// A list whose every entry takes at least one byte of what is left.
fn take_list<T>(
    input: &mut &[u8],
    mut entry: impl FnMut(&mut &[u8]) -> Option<T>,
) -> Option<Vec<T>> {
    let count = usize::try_from(take_varint(input)?).ok()?;
    if count > input.len() {
        return None;
    }
    (0..count).map(|_| entry(input)).collect()
}

fn take_pages(input: &mut &[u8]) -> Option<Vec<Page>> {
    take_list(input, |input| Some(Page { values: take_u32(input)?, span: Span::decode(input)? }))
}

fn take_run(input: &mut &[u8]) -> Option<Run> {
    Some(Run {
        first_seq: Seq(take_varint(input)?),
        count: take_varint(input)?,
        received: take_time(input)?,
        id_base: u128::from_le_bytes(take(input, 16)?.try_into().ok()?),
    })
}

fn take_column(input: &mut &[u8], rows: u32) -> Option<ColumnEntry> {
    let name = take_text(input)?.into();
    let kind = Kind::from_number(take(input, 1)?[0])?;
    let coded = take(input, 1)?[0] == 1;
    let present = take_u32(input)?;
    let presence = if present == rows { None } else { Some(Span::decode(input)?) };
    let encoding = if coded {
        Encoding::Coded { dictionary: Span::decode(input)?, entries: take_u32(input)? }
    } else {
        Encoding::Plain
    };
    let bounds = if kind == Kind::I64 {
        Some((unzigzag(take_varint(input)?), unzigzag(take_varint(input)?)))
    } else {
        None
    };
    let pages = take_pages(input)?;
    Some(ColumnEntry { name, kind, encoding, present, presence, bounds, pages })
}

fn decode(input: &mut &[u8]) -> Option<Directory> {
    let dataset = DatasetId(u32::from_le_bytes(take(input, 4)?.try_into().ok()?));
    let id = take_id(input)?;
    let rows = take_u32(input)?;
    Some(Directory {
        dataset,
        id,
        rows,
        block_rows: take_u32(input)?,
        window: Window {
            start: take_time(input)?,
            width: i64::try_from(take_varint(input)?).ok()?,
        },
        is_settled: take(input, 1)?[0] == 1,
        seqs: (Seq(take_varint(input)?), Seq(take_varint(input)?)),
        times: (take_time(input)?, take_time(input)?),
        received: (take_time(input)?, take_time(input)?),
        bytes_in: take_varint(input)?,
        word_version: take(input, 1)?[0],
        applied: take_varint(input)?,
        flushed: take_varint(input)?,
        replaces: take_list(input, take_id)?,
        runs: take_list(input, take_run)?,
        system: [take_pages(input)?, take_pages(input)?, take_pages(input)?, take_pages(input)?],
        columns: take_list(input, |input| take_column(input, rows))?,
        column_sets: take_list(input, |input| take_list(input, take_u32))?,
        chunks: take_list(input, |input| {
            let first_word = take_text(input)?.into();
            Some(Chunk { first_word, words: take_u32(input)?, span: Span::decode(input)? })
        })?,
    })
}

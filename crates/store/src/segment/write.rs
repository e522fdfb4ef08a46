//! Writing a segment: pages, dictionaries and presence one after the other, the directory last.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::convention::is_evidence;
use ledgerline_model::varint::put_varint;

use super::directory::{ColumnEntry, Directory, Encoding, MAGIC, Page, VERSION};
use super::encode;
use super::pack::{Packer, Span};
use crate::error::{Error, Result};

/// Where the bytes of a segment go.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// A page of numbers or codes is closed when its values take this much before compression.
const PAGE_BYTES: usize = 256 << 10;
/// The same of texts. On real security events, four times the size takes a quarter of the bytes off
/// the whole segment; beyond that, the few rows of a page of answers cost too much to read.
const TEXT_PAGE_BYTES: usize = 1 << 20;
/// The same of evidence, which is read event by event.
const EVIDENCE_PAGE_BYTES: usize = 64 << 10;

/// Values of a column in the order of the rows, ready to be stored.
#[derive(Debug)]
pub(crate) enum Stored<'a> {
    /// Codes of a dictionary whose values are sorted.
    Coded { values: &'a Values, counts: &'a [u32], codes: &'a [u32] },
    /// The values themselves.
    Plain(&'a Values),
}

/// Writes the pieces of one segment.
pub(crate) struct SegmentWriter<'a> {
    sink: &'a mut Sink<'a>,
    packer: Packer,
    offset: u64,
    raw: Vec<u8>,
}

impl std::fmt::Debug for SegmentWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl<'a> SegmentWriter<'a> {
    /// Begins a segment, compressed at a zstd level.
    pub(crate) fn new(sink: &'a mut Sink<'a>, level: i32) -> Result<Self> {
        Ok(Self { sink, packer: Packer::new(level)?, offset: 0, raw: Vec::new() })
    }

    /// Writes one piece.
    pub(crate) fn piece(&mut self, raw: &[u8]) -> Result<Span> {
        let length = |bytes: &[u8]| {
            u32::try_from(bytes.len()).map_err(|_| Error::bug("a piece of 4 GiB or more"))
        };
        let stored = self.packer.pack(raw)?;
        let span = Span { offset: self.offset, stored: length(stored)?, raw: length(raw)? };
        (self.sink)(stored)?;
        self.offset += u64::from(span.stored);
        Ok(span)
    }

    /// Writes a system column or another column of integers.
    pub(crate) fn integers(&mut self, values: &[i64]) -> Result<Vec<Page>> {
        values.chunks(PAGE_BYTES / 8).map(|chunk| self.integer_page(chunk)).collect()
    }

    /// Tries both layouts and keeps the one that compresses better.
    fn integer_page(&mut self, values: &[i64]) -> Result<Page> {
        let (mut delta, mut fixed) = (Vec::new(), Vec::new());
        encode::put_delta(&mut delta, values);
        encode::put_fixed(&mut fixed, values);
        let smaller = if self.packer.pack(&delta)?.len() <= self.packer.pack(&fixed)?.len() {
            delta
        } else {
            fixed
        };
        Ok(Page { values: values.len() as u32, span: self.piece(&smaller)? })
    }

    /// Writes a column: `present` are the rows that have a value, as rising spans, of `rows`.
    pub(crate) fn column(
        &mut self,
        name: &Arc<str>,
        kind: Kind,
        present: &[Range<u32>],
        rows: u32,
        stored: &Stored<'_>,
    ) -> Result<ColumnEntry> {
        let count: u32 = present.iter().map(|span| span.end - span.start).sum();
        let presence = if count == rows { None } else { Some(self.presence(present)?) };
        let (encoding, pages, bounds) = match stored {
            Stored::Coded { values, counts, codes } => {
                let dictionary = self.dictionary(values, counts)?;
                let entries = counts.len() as u32;
                (Encoding::Coded { dictionary, entries }, self.codes(codes)?, bounds(values))
            }
            Stored::Plain(values) => {
                let text_bytes =
                    if is_evidence(name) { EVIDENCE_PAGE_BYTES } else { TEXT_PAGE_BYTES };
                (Encoding::Plain, self.plain(values, text_bytes)?, bounds(values))
            }
        };
        let name = Arc::clone(name);
        Ok(ColumnEntry { name, kind, encoding, present: count, presence, bounds, pages })
    }

    fn presence(&mut self, present: &[Range<u32>]) -> Result<Span> {
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        let mut end = 0;
        for span in present {
            put_varint(&mut raw, u64::from(span.start - end));
            put_varint(&mut raw, u64::from(span.end - span.start));
            end = span.end;
        }
        let span = self.piece(&raw);
        self.raw = raw;
        span
    }

    fn dictionary(&mut self, values: &Values, counts: &[u32]) -> Result<Span> {
        let mut raw = Vec::new();
        counts.iter().for_each(|count| put_varint(&mut raw, u64::from(*count)));
        put_values(&mut raw, values, 0..values.len());
        self.piece(&raw)
    }

    fn codes(&mut self, codes: &[u32]) -> Result<Vec<Page>> {
        let mut pages = Vec::new();
        for chunk in codes.chunks(PAGE_BYTES / 4) {
            let mut raw = Vec::new();
            encode::put_codes(&mut raw, chunk);
            pages.push(Page { values: chunk.len() as u32, span: self.piece(&raw)? });
        }
        Ok(pages)
    }

    fn plain(&mut self, values: &Values, text_bytes: usize) -> Result<Vec<Page>> {
        if let Values::I64(values) = values {
            return self.integers(values);
        }
        let mut pages = Vec::new();
        let mut start = 0;
        while start < values.len() {
            let end = page_end(values, start, text_bytes);
            let mut raw = Vec::new();
            put_values(&mut raw, values, start..end);
            pages.push(Page { values: (end - start) as u32, span: self.piece(&raw)? });
            start = end;
        }
        Ok(pages)
    }

    /// Writes the directory and the tail. Returns how long the segment is.
    pub(crate) fn finish(mut self, directory: &Directory) -> Result<u64> {
        let raw = directory.encode();
        let stored = self.packer.pack(&raw)?.to_vec();
        let span = self.piece(&raw)?;
        let mut tail = Vec::new();
        tail.extend_from_slice(&span.offset.to_le_bytes());
        for number in [span.stored, span.raw, crc32c::crc32c(&stored), VERSION] {
            tail.extend_from_slice(&number.to_le_bytes());
        }
        tail.extend_from_slice(&MAGIC);
        (self.sink)(&tail)?;
        Ok(self.offset + tail.len() as u64)
    }
}

/// Where the page that begins at `start` ends: at least one value, then up to the page's size.
/// Where a page ends that begins at an index; of texts, at most so many bytes of them.
fn page_end(values: &Values, start: usize, text_bytes: usize) -> usize {
    match values {
        Values::Str(strings) | Values::Json(strings) => {
            let ends = strings.ends();
            let before = if start == 0 { 0 } else { ends[start - 1] as usize };
            let fits = ends[start..].partition_point(|end| *end as usize - before <= text_bytes);
            start + fits.max(1)
        }
        Values::I64(_) | Values::F64(_) => values.len().min(start + PAGE_BYTES / 8),
        Values::Bool(_) => values.len().min(start + PAGE_BYTES),
    }
}

fn bounds(values: &Values) -> Option<(i64, i64)> {
    let Values::I64(values) = values else { return None };
    Some((*values.iter().min()?, *values.iter().max()?))
}

fn put_values(out: &mut Vec<u8>, values: &Values, range: Range<usize>) {
    match values {
        Values::Str(strings) | Values::Json(strings) => {
            encode::put_strings(out, range.map(|index| strings.get(index)));
        }
        Values::I64(values) => encode::put_delta(out, &values[range]),
        Values::F64(values) => encode::put_floats(out, &values[range]),
        Values::Bool(values) => out.extend(values[range].iter().map(|value| u8::from(*value))),
    }
}

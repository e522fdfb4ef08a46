//! Reading a segment: its directory once, then only the pages that are asked for.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::varint::take_varint;

use super::directory::{ColumnEntry, Directory, Encoding, MAGIC, Page, TAIL_BYTES, VERSION};
use super::encode;
use super::pack::{Span, unpack, unpack_into};
use crate::column::{ColumnData, Data, Dictionary, Rows, Texts};
use crate::error::{Error, Result};
use crate::index;

/// Where the bytes of a segment come from.
pub(crate) trait Bytes: Send + Sync + fmt::Debug {
    /// How many there are.
    fn len(&self) -> u64;
    /// Some of them; an error names the object.
    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>>;
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    bytes: Box<dyn Bytes>,
    directory: Directory,
}

impl SegmentReader {
    /// Reads the tail and the directory, and checks both.
    pub(crate) fn open(bytes: Box<dyn Bytes>) -> Result<Self> {
        let start = bytes
            .len()
            .checked_sub(TAIL_BYTES)
            .ok_or_else(|| Error::corrupt("shorter than its tail"))?;
        let tail = bytes.read_at(start, TAIL_BYTES as usize)?;
        let number =
            |at: usize| u32::from_le_bytes([tail[at], tail[at + 1], tail[at + 2], tail[at + 3]]);
        if tail[24..] != MAGIC {
            return Err(Error::corrupt("not a segment"));
        }
        if number(20) != VERSION {
            return Err(Error::corrupt("unknown format version"));
        }
        let offset = u64::from(number(0)) | u64::from(number(4)) << 32;
        let span = Span { offset, stored: number(8), raw: number(12) };
        let stored = bytes.read_at(span.offset, span.stored as usize)?;
        if crc32c::crc32c(&stored) != number(16) {
            return Err(Error::corrupt("the directory's checksum differs"));
        }
        let directory = Directory::decode(&unpack(stored, span)?)?;
        Ok(Self { bytes, directory })
    }

    /// Reads and decodes everything.
    pub(crate) fn verify(&self) -> Result<()> {
        let directory = &self.directory;
        let all = [0..directory.rows];
        (0..directory.system.len()).try_for_each(|number| self.system(number).map(drop))?;
        for column in &directory.columns {
            self.column(column, &all, &mut 0)?;
        }
        index::read::scan(directory, |_| true, |_| (), |chunk| self.read(chunk.span))
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn read(&self, span: Span) -> Result<Vec<u8>> {
        unpack(self.bytes.read_at(span.offset, span.stored as usize)?, span)
    }

    /// The rows that have a value of a column, as rising spans of rows.
    pub(crate) fn presence(&self, column: &ColumnEntry) -> Result<Vec<Range<u32>>> {
        let Some(span) = column.presence else {
            return Ok(vec![0..self.directory.rows]);
        };
        let bytes = self.read(span)?;
        let mut input = &bytes[..];
        let mut spans = Vec::new();
        let (mut row, mut present) = (0_u64, 0_u64);
        while !input.is_empty() {
            let mut number = || take_varint(&mut input).ok_or_else(malformed_presence);
            row += number()?;
            let length = number()?;
            let end = row.saturating_add(length);
            if length == 0 || end > u64::from(self.directory.rows) {
                return Err(malformed_presence());
            }
            spans.push(row as u32..end as u32);
            (row, present) = (end, present + length);
        }
        if present == u64::from(column.present) { Ok(spans) } else { Err(malformed_presence()) }
    }

    /// The dictionary of a column, if it has one.
    pub(crate) fn dictionary(&self, column: &ColumnEntry) -> Result<Option<Dictionary>> {
        let Encoding::Coded { dictionary, entries } = column.encoding else {
            return Ok(None);
        };
        let bytes = self.read(dictionary)?;
        let entries = entries as usize;
        let malformed = || Error::corrupt("malformed dictionary");
        let mut input = &bytes[..];
        let mut counts = Vec::with_capacity(entries.min(bytes.len()));
        for _ in 0..entries {
            let count = take_varint(&mut input).ok_or_else(malformed)?;
            counts.push(u32::try_from(count).map_err(|_| malformed())?);
        }
        let values = take_values(column.kind, input, entries).ok_or_else(malformed)?;
        Ok(Some(Dictionary { values, counts }))
    }

    /// One system column (`directory::TIME` and so on), whole.
    pub(crate) fn system(&self, number: usize) -> Result<Vec<i64>> {
        let mut values = Vec::with_capacity(self.directory.rows as usize);
        for page in &self.directory.system[number] {
            let raw = self.read(page.span)?;
            let page = encode::take_integers(&raw, page.values as usize);
            values.extend(page.ok_or_else(|| Error::corrupt("malformed page"))?);
        }
        Ok(values)
    }

    /// The values of a column in some rows: rising, disjoint spans of row numbers. Adds to
    /// `read_bytes` what was read for them.
    pub(crate) fn column(
        &self,
        column: &ColumnEntry,
        wanted: &[Range<u32>],
        read_bytes: &mut u64,
    ) -> Result<ColumnData> {
        let presence = self.presence(column)?;
        *read_bytes += column.presence.map_or(0, |span| u64::from(span.stored));
        let ranks = ranks(&presence, wanted);
        if ranks.ranges.is_empty() {
            return Ok(ColumnData::empty(column.kind));
        }
        let dictionary = self.dictionary(column)?.map(Arc::new);
        let mut gathered = Gathered::new(column.kind, dictionary);
        let mut start = 0_u32;
        let mut ranges = ranks.ranges.as_slice();
        for page in &column.pages {
            let end = start + page.values;
            let done = ranges.partition_point(|range| range.end <= start);
            ranges = &ranges[done..];
            let count = ranges.partition_point(|range| range.start < end);
            if count > 0 {
                let values = self.page(column, page, gathered.entries())?;
                *read_bytes += u64::from(page.span.stored);
                for range in &ranges[..count] {
                    let from = range.start.max(start) - start;
                    let to = range.end.min(end) - start;
                    gathered.extend(&values, from as usize..to as usize)?;
                }
            }
            start = end;
        }
        gathered.finish(ranks.rows)
    }

    /// About how many bytes of memory the pages take that have values of wanted rows, and what is
    /// kept of them, at most.
    pub(crate) fn raw_bytes(&self, column: &ColumnEntry, wanted: &[Range<u32>]) -> Result<u64> {
        let is_all = matches!(wanted, [all] if *all == (0..self.directory.rows));
        let ranges = match column.presence {
            Some(_) if is_all => vec![0..column.present],
            _ => ranks(&self.presence(column)?, wanted).ranges,
        };
        let values: u64 = ranges.iter().map(|range| range.len() as u64).sum();
        let mut bytes = match column.encoding {
            Encoding::Coded { dictionary, entries } if values > 0 => {
                u64::from(dictionary.raw) + 8 * u64::from(entries)
            }
            _ => 0,
        };
        // A row's number and its value, which is eight bytes or a code or where its text ends.
        bytes += 12 * values;
        let mut start = 0_u32;
        let mut ranges = ranges.as_slice();
        for page in &column.pages {
            let end = start + page.values;
            ranges = &ranges[ranges.partition_point(|range| range.end <= start)..];
            if ranges.first().is_some_and(|range| range.start < end) {
                bytes += u64::from(page.span.raw);
            }
            start = end;
        }
        Ok(bytes)
    }

    /// Hands over every page that has texts of wanted rows, whole: those of other rows are in it
    /// too. The column is one of texts without a dictionary. Adds to `read_bytes` what was read.
    pub(crate) fn texts<E: From<Error>>(
        &self,
        column: &ColumnEntry,
        wanted: &[Range<u32>],
        read_bytes: &mut u64,
        mut each: impl FnMut(Texts<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let presence = self.presence(column)?;
        *read_bytes += column.presence.map_or(0, |span| u64::from(span.stored));
        let Ranks { ranges, .. } = ranks(&presence, wanted);
        let mut ranges = ranges.as_slice();
        let mut cursor = Cursor { presence: &presence, rank: 0 };
        let (mut raw, mut ends) = (Vec::new(), Vec::new());
        let mut start = 0_u32;
        for page in &column.pages {
            let end = start + page.values;
            ranges = &ranges[ranges.partition_point(|range| range.end <= start)..];
            if ranges.first().is_some_and(|range| range.start < end) {
                let span = page.span;
                let stored = self.bytes.read_at(span.offset, span.stored as usize)?;
                unpack_into(&stored, span, &mut raw)?;
                *read_bytes += u64::from(span.stored);
                let bytes = encode::take_texts(&raw, page.values as usize, &mut ends)
                    .ok_or_else(|| Error::corrupt("malformed page"))?;
                let rows = cursor.rows(start..end);
                each(Texts { rows: &rows, ends: &ends, bytes })?;
            }
            start = end;
        }
        Ok(())
    }

    fn page(&self, column: &ColumnEntry, page: &Page, entries: Option<usize>) -> Result<PageData> {
        let raw = self.read(page.span)?;
        let count = page.values as usize;
        match entries {
            Some(entries) => encode::take_codes(&raw, count, entries).map(PageData::Codes),
            None => take_values(column.kind, &raw, count).map(PageData::Values),
        }
        .ok_or_else(|| Error::corrupt("malformed page"))
    }
}

/// Walks through the spans of rows that have a value.
struct Cursor<'a> {
    presence: &'a [Range<u32>],
    /// How many values lie before the first of the spans.
    rank: u32,
}

impl Cursor<'_> {
    /// The rows of some values; those asked for later lie behind.
    fn rows(&mut self, values: Range<u32>) -> Rows {
        while let [first, rest @ ..] = self.presence
            && self.rank + (first.end - first.start) <= values.start
        {
            self.rank += first.end - first.start;
            self.presence = rest;
        }
        let mut rank = self.rank;
        let mut rows = Vec::new();
        for span in self.presence {
            let from = span.start + values.start.saturating_sub(rank);
            let to = span.end.min(span.start + values.end.saturating_sub(rank));
            if rank == self.rank && to - from == values.end - values.start {
                return Rows::Span(from..to);
            }
            if rank >= values.end {
                break;
            }
            rows.extend(from..to);
            rank += span.end - span.start;
        }
        Rows::List(rows.into())
    }
}

fn malformed_presence() -> Error {
    Error::corrupt("malformed presence")
}

fn take_values(kind: Kind, input: &[u8], count: usize) -> Option<Values> {
    Some(match kind {
        Kind::Str => Values::Str(encode::take_strings(input, count)?),
        Kind::Json => Values::Json(encode::take_strings(input, count)?),
        Kind::I64 => Values::I64(encode::take_integers(input, count)?),
        Kind::F64 => Values::F64(encode::take_floats(input, count)?),
        Kind::Bool => {
            let bytes = (input.len() == count).then_some(input)?;
            Values::Bool(bytes.iter().map(|byte| *byte != 0).collect())
        }
    })
}

/// Which values of a column the wanted rows have, and the rows themselves.
struct Ranks {
    ranges: Vec<Range<u32>>,
    rows: Rows,
}

fn ranks(presence: &[Range<u32>], wanted: &[Range<u32>]) -> Ranks {
    let mut ranges: Vec<Range<u32>> = Vec::new();
    let mut spans: Vec<Range<u32>> = Vec::new();
    let mut before = 0;
    let mut next = 0;
    for span in presence {
        while next < wanted.len() && wanted[next].end <= span.start {
            next += 1;
        }
        for want in wanted[next..].iter().take_while(|want| want.start < span.end) {
            let rows = want.start.max(span.start)..want.end.min(span.end);
            if rows.is_empty() {
                continue;
            }
            let rank = before + (rows.start - span.start)..before + (rows.end - span.start);
            match ranges.last_mut() {
                Some(last) if last.end == rank.start => last.end = rank.end,
                _ => ranges.push(rank),
            }
            spans.push(rows);
        }
        before += span.end - span.start;
    }
    let rows = match &spans[..] {
        [only] => Rows::Span(only.clone()),
        _ => Rows::List(spans.into_iter().flatten().collect::<Vec<u32>>().into()),
    };
    Ranks { ranges, rows }
}

enum PageData {
    Codes(Vec<u32>),
    Values(Values),
}

/// The values gathered from pages so far.
struct Gathered {
    values: Values,
    codes: Vec<u32>,
    dictionary: Option<Arc<Dictionary>>,
}

impl Gathered {
    fn new(kind: Kind, dictionary: Option<Arc<Dictionary>>) -> Self {
        Self { values: Values::new(kind), codes: Vec::new(), dictionary }
    }

    fn entries(&self) -> Option<usize> {
        self.dictionary.as_ref().map(|dictionary| dictionary.values.len())
    }

    fn extend(&mut self, page: &PageData, range: Range<usize>) -> Result<()> {
        match (page, &mut self.values) {
            (PageData::Codes(codes), _) => self.codes.extend_from_slice(&codes[range]),
            (PageData::Values(Values::Str(from)), Values::Str(to))
            | (PageData::Values(Values::Json(from)), Values::Json(to)) => {
                range.for_each(|index| to.push(from.get(index)));
            }
            (PageData::Values(Values::I64(from)), Values::I64(to)) => {
                to.extend_from_slice(&from[range]);
            }
            (PageData::Values(Values::F64(from)), Values::F64(to)) => {
                to.extend_from_slice(&from[range]);
            }
            (PageData::Values(Values::Bool(from)), Values::Bool(to)) => {
                to.extend_from_slice(&from[range]);
            }
            _ => return Err(Error::bug("a page of another kind than its column")),
        }
        Ok(())
    }

    fn finish(self, rows: Rows) -> Result<ColumnData> {
        let data = match self.dictionary {
            Some(dictionary) => Data::Coded { dictionary, codes: self.codes },
            None => Data::Plain(Arc::new(self.values)),
        };
        let count = match &data {
            Data::Coded { codes, .. } => codes.len(),
            Data::Plain(values) => values.len(),
        };
        if count == rows.len() {
            Ok(ColumnData { rows, data })
        } else {
            Err(Error::corrupt("a column has fewer values than its directory says"))
        }
    }
}

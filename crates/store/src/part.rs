//! A part: some events of one dataset, column by column, in a segment or still in memory. Whoever
//! reads a snapshot reads its parts, and need not know which of the two a part is.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::convention::{PAYLOAD_KEY, SALT_KEY, is_evidence};
use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;

use crate::column::{ColumnData, Data, Dictionary, Texts, ValueRef};
use crate::error::{Error, Result};
use crate::index::Blocks;
use crate::index::read::{Found, find, scan};
use crate::memory::Memory;
use crate::run::{Origin, Run, origin};
use crate::segment::directory::{self, ColumnEntry, Encoding};
use crate::segment::read::SegmentReader;

/// What can be known of a column without reading its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnHead {
    /// The sender's key, nested ones joined by dots.
    pub name: Arc<str>,
    /// The type of its values.
    pub kind: Kind,
    /// How many rows have a value.
    pub present: u32,
    /// How many distinct values it has, where it has a dictionary.
    pub distinct: Option<u32>,
    /// The least and the greatest value, of whole numbers in segments.
    pub bounds: Option<(i64, i64)>,
}

/// The columns that every event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Event times, in nanoseconds since 1970.
    Time,
    /// Numbers within the dataset.
    Seq,
    /// OpenTelemetry severity numbers.
    Severity,
    /// [`ledgerline_model::batch::Flags`].
    Flags,
}

/// What the word index says of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nothing: it may stand anywhere.
    Anywhere,
    /// It stands in no text of the part.
    Nowhere,
    /// It may stand in these columns and these blocks, and stands in no others.
    At {
        /// Numbers of columns, rising.
        columns: Vec<u32>,
        /// The blocks.
        blocks: Blocks,
    },
}

/// What proves one event: the payload that the ledger commits to, and the salt of the commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The event's row in its part.
    pub row: u32,
    /// The exact bytes of the payload.
    pub payload: String,
    /// The salt, in base64.
    pub salt: String,
}

pub(crate) enum Source {
    Segment(Arc<Segment>),
    Memory(Arc<Memory>),
}

/// An open segment, and the heads of its columns.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) reader: SegmentReader,
    heads: Vec<ColumnHead>,
    fields: usize,
}

/// How many of the columns are fields; those of evidence come after them.
pub(crate) fn fields(heads: &[ColumnHead]) -> usize {
    heads.partition_point(|head| !is_evidence(&head.name))
}

impl Segment {
    pub(crate) fn new(reader: SegmentReader) -> Self {
        let head = |column: &ColumnEntry| ColumnHead {
            name: Arc::clone(&column.name),
            kind: column.kind,
            present: column.present,
            distinct: match column.encoding {
                Encoding::Coded { entries, .. } => Some(entries),
                Encoding::Plain => None,
            },
            bounds: column.bounds,
        };
        let heads: Vec<ColumnHead> = reader.directory().columns.iter().map(head).collect();
        Self { fields: fields(&heads), reader, heads }
    }
}

/// Some events of one dataset. Its rows are numbered from 0, in no order of time.
#[derive(Clone)]
pub struct Part {
    source: Arc<Source>,
    scanned: Arc<AtomicU64>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("rows", &self.rows())
            .field("times", &self.times())
            .finish_non_exhaustive()
    }
}

impl Part {
    pub(crate) fn new(source: Arc<Source>, scanned: Arc<AtomicU64>) -> Self {
        Self { source, scanned }
    }

    /// How many events it has; never 0.
    #[must_use]
    pub fn rows(&self) -> u32 {
        match &*self.source {
            Source::Segment(segment) => segment.reader.directory().rows,
            Source::Memory(memory) => memory.rows(),
        }
    }

    /// The earliest and the latest event time.
    #[must_use]
    pub fn times(&self) -> (Timestamp, Timestamp) {
        match &*self.source {
            Source::Segment(segment) => segment.reader.directory().times,
            Source::Memory(memory) => memory.times(),
        }
    }

    /// The least and the greatest number of an event.
    #[must_use]
    pub fn seqs(&self) -> (Seq, Seq) {
        match &*self.source {
            Source::Segment(segment) => segment.reader.directory().seqs,
            Source::Memory(memory) => memory.seqs(),
        }
    }

    /// The columns of fields, sorted by name and kind.
    #[must_use]
    pub fn columns(&self) -> &[ColumnHead] {
        match &*self.source {
            Source::Segment(segment) => &segment.heads[..segment.fields],
            Source::Memory(memory) => &memory.heads()[..memory.fields()],
        }
    }

    /// The columns, those of evidence after those of fields.
    pub(crate) fn all_columns(&self) -> &[ColumnHead] {
        match &*self.source {
            Source::Segment(segment) => &segment.heads,
            Source::Memory(memory) => memory.heads(),
        }
    }

    /// The evidence of events, by the rows of the part: rising, disjoint spans. An event that was
    /// erased has none.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn evidence(&self, wanted: &[Range<u32>]) -> Result<Vec<Evidence>> {
        let column = |key: &str| -> Result<Option<ColumnData>> {
            let heads = self.all_columns();
            let number = heads.iter().position(|head| *head.name == *key);
            number.map(|number| self.column(number, wanted)).transpose()
        };
        let (Some(payloads), Some(salts)) = (column(PAYLOAD_KEY)?, column(SALT_KEY)?) else {
            return Ok(Vec::new());
        };
        let mut evidence = Vec::with_capacity(payloads.rows.len());
        for index in 0..payloads.rows.len() {
            let row = payloads.rows.get(index);
            let salt = salts.rows.position(row).map(|at| salts.value(at));
            let (ValueRef::Str(payload), Some(ValueRef::Str(salt))) = (payloads.value(index), salt)
            else {
                return Err(Error::corrupt("an event's payload has no salt"));
            };
            let (payload, salt) = (payload.to_owned(), salt.to_owned());
            evidence.push(Evidence { row, payload, salt });
        }
        Ok(evidence)
    }

    /// The numbers of the columns with this name, one for each kind.
    #[must_use]
    pub fn named(&self, name: &str) -> Range<usize> {
        let columns = self.columns();
        let start = columns.partition_point(|column| *column.name < *name);
        let same = columns[start..].iter().take_while(|column| *column.name == *name).count();
        start..start + same
    }

    /// How many rows a block of the word index has; a power of two.
    #[must_use]
    pub fn block_rows(&self) -> u32 {
        match &*self.source {
            Source::Segment(segment) => segment.reader.directory().block_rows,
            Source::Memory(memory) => memory.rows().next_power_of_two(),
        }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.rows().div_ceil(self.block_rows()) as usize
    }

    /// Which rows have a value of a column, as rising spans.
    ///
    /// # Errors
    /// When the stored bytes cannot be read or are not what was written.
    ///
    /// # Panics
    /// When there is no such column, as all functions with a column's number.
    pub fn presence(&self, column: usize) -> Result<Vec<Range<u32>>> {
        match &*self.source {
            Source::Segment(segment) => {
                let entry = &segment.reader.directory().columns[column];
                self.note(entry.presence.map_or(0, |span| u64::from(span.stored)));
                segment.reader.presence(entry)
            }
            Source::Memory(memory) => Ok(memory.present(column).spans()),
        }
    }

    /// The distinct values of a column and how often each occurs, if it has a dictionary.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn dictionary(&self, column: usize) -> Result<Option<Arc<Dictionary>>> {
        match &*self.source {
            Source::Segment(segment) => {
                let entry = &segment.reader.directory().columns[column];
                if let Encoding::Coded { dictionary, .. } = entry.encoding {
                    self.note(u64::from(dictionary.stored));
                }
                Ok(segment.reader.dictionary(entry)?.map(Arc::new))
            }
            Source::Memory(_) => Ok(None),
        }
    }

    /// The values of a column in some rows: rising, disjoint spans of row numbers.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn column(&self, column: usize, wanted: &[Range<u32>]) -> Result<ColumnData> {
        match &*self.source {
            Source::Segment(segment) => {
                let entry = &segment.reader.directory().columns[column];
                let mut read = 0;
                let data = segment.reader.column(entry, wanted, &mut read)?;
                self.note(read);
                Ok(data)
            }
            Source::Memory(memory) => {
                let data = memory.column(column, wanted);
                self.note(data.size_bytes() as u64);
                Ok(data)
            }
        }
    }

    /// About how many bytes of memory reading a column in some rows takes, at most: whole pages are
    /// read for them, of which only the wanted values are kept. Reads none of them.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn raw_bytes(&self, column: usize, wanted: &[Range<u32>]) -> Result<u64> {
        match &*self.source {
            Source::Segment(segment) => {
                segment.reader.raw_bytes(&segment.reader.directory().columns[column], wanted)
            }
            Source::Memory(memory) => Ok(memory.raw_bytes(column, wanted)),
        }
    }

    /// Hands over texts of a column, many at a time, without a copy of their own: all of the wanted
    /// rows (rising, disjoint spans), and perhaps some of other rows. The column's kind is `Str` or
    /// `Json`, and it has no dictionary.
    ///
    /// # Errors
    /// As [`Part::presence`], and those of `each`.
    pub fn texts<E: From<Error>>(
        &self,
        column: usize,
        wanted: &[Range<u32>],
        mut each: impl FnMut(Texts<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &*self.source {
            Source::Segment(segment) => {
                let entry = &segment.reader.directory().columns[column];
                if entry.encoding != Encoding::Plain {
                    return Err(Error::bug("the texts of a column with a dictionary").into());
                }
                let mut read = 0;
                let handed = segment.reader.texts(entry, wanted, &mut read, each);
                self.note(read);
                handed
            }
            Source::Memory(memory) => {
                let ColumnData { rows, data } = memory.column(column, wanted);
                let Data::Plain(values) = &data else { return Ok(()) };
                let (Values::Str(texts) | Values::Json(texts)) = &**values else { return Ok(()) };
                self.note(texts.size_bytes() as u64);
                each(Texts { rows: &rows, ends: texts.ends(), bytes: texts.bytes() })
            }
        }
    }

    /// A column that every event has, whole.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn system(&self, system: System) -> Result<Vec<i64>> {
        match &*self.source {
            Source::Segment(segment) => {
                let number = match system {
                    System::Time => directory::TIME,
                    System::Seq => directory::SEQ,
                    System::Severity => directory::SEVERITY,
                    System::Flags => directory::FLAGS,
                };
                let pages = &segment.reader.directory().system[number];
                self.note(pages.iter().map(|page| u64::from(page.span.stored)).sum());
                segment.reader.system(number)
            }
            Source::Memory(memory) => Ok(memory.system(system)),
        }
    }

    /// Where a word stands. The word must be folded and a single word.
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn word(&self, word: &str) -> Result<Place> {
        let Source::Segment(segment) = &*self.source else { return Ok(Place::Anywhere) };
        let directory = segment.reader.directory();
        if directory.word_version != ledgerline_model::word::VERSION {
            return Ok(Place::Anywhere);
        }
        let found = find(directory, word, |chunk| {
            self.note(u64::from(chunk.span.stored));
            segment.reader.read(chunk.span)
        })?;
        Ok(match found {
            Found::Unknown => Place::Anywhere,
            Found::Nowhere => Place::Nowhere,
            Found::At(posting) => Place::At {
                columns: directory.column_sets[posting.set as usize].clone(),
                blocks: posting.blocks,
            },
        })
    }

    /// Where the words stand that `wanted` accepts, as one place for all of them. It sees each
    /// indexed word once, folded, and perhaps cut if it is longer than
    /// [`ledgerline_model::word::WORD_BYTES_MAX`] bytes; never those numbers that the index leaves
    /// out ([`Part::is_indexed`]).
    ///
    /// # Errors
    /// As [`Part::presence`].
    pub fn words(&self, wanted: impl FnMut(&[u8]) -> bool) -> Result<Place> {
        let Source::Segment(segment) = &*self.source else { return Ok(Place::Anywhere) };
        let directory = segment.reader.directory();
        if directory.word_version != ledgerline_model::word::VERSION {
            return Ok(Place::Anywhere);
        }
        let mut blocks = Blocks::none(directory.blocks());
        let mut sets = vec![false; directory.column_sets.len()];
        scan(
            directory,
            wanted,
            |posting| {
                blocks.unite(&posting.blocks);
                sets[posting.set as usize] = true;
            },
            |chunk| {
                self.note(u64::from(chunk.span.stored));
                segment.reader.read(chunk.span)
            },
        )?;
        if blocks.is_empty() {
            return Ok(Place::Nowhere);
        }
        let used = directory.column_sets.iter().zip(&sets).filter(|(_, used)| **used);
        let mut columns: Vec<u32> = used.flat_map(|(set, _)| set.iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        Ok(Place::At { columns, blocks })
    }

    /// Whether the index says anything about a word: short numbers stand nearly everywhere and are
    /// left out.
    #[must_use]
    pub fn is_indexed(word: &str) -> bool {
        crate::index::is_indexed(word)
    }

    /// When an event was received, and the id that Ledgerline gave it.
    ///
    /// # Errors
    /// When the number is none of the part's.
    pub fn origin(&self, seq: Seq) -> Result<Origin> {
        origin(self.runs(), seq).ok_or_else(|| Error::bug("no run has the event's number"))
    }

    /// The events that were committed together, by rising numbers.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        match &*self.source {
            Source::Segment(segment) => &segment.reader.directory().runs,
            Source::Memory(memory) => memory.runs(),
        }
    }

    /// Size of the events as they were sent.
    #[must_use]
    pub fn bytes_in(&self) -> u64 {
        match &*self.source {
            Source::Segment(segment) => segment.reader.directory().bytes_in,
            Source::Memory(memory) => memory.bytes_in(),
        }
    }

    /// Whether it is a segment, which lies still, and not memory.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        matches!(*self.source, Source::Segment(_))
    }

    fn note(&self, bytes: u64) {
        self.scanned.fetch_add(bytes, Ordering::Relaxed);
    }
}

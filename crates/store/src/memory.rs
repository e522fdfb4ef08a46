//! Events that are committed and not yet in a segment.
//!
//! Small commits are joined as they come, so that a dataset that gets thousands of single events a
//! second has a handful of parts to search and not thousands.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Batch, Kind, Values};
use ledgerline_model::id::Seq;
use ledgerline_model::strings::Strings;
use ledgerline_model::time::Timestamp;

use crate::column::{ColumnData, Data, Rows};
use crate::part::{ColumnHead, System, fields};
use crate::run::Run;

/// Consecutive events of one dataset, as they were committed.
#[derive(Debug)]
pub(crate) struct Memory {
    first_seq: Seq,
    runs: Vec<Run>,
    times: Vec<i64>,
    severities: Vec<u8>,
    flags: Vec<u8>,
    span: (Timestamp, Timestamp),
    heads: Vec<ColumnHead>,
    fields: usize,
    columns: Vec<(Rows, Arc<Values>)>,
    bytes_in: u64,
    size_bytes: usize,
}

/// What a memory part is made of.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) runs: Vec<Run>,
    pub(crate) times: Vec<i64>,
    pub(crate) severities: Vec<u8>,
    pub(crate) flags: Vec<u8>,
    /// Sorted by name and kind.
    pub(crate) columns: Vec<(Arc<str>, Rows, Arc<Values>)>,
    pub(crate) bytes_in: u64,
}

impl Memory {
    /// A part of at least one event.
    pub(crate) fn new(first_seq: Seq, contents: Contents) -> Self {
        let Contents { runs, times, severities, flags, columns, bytes_in } = contents;
        let least = times.iter().copied().min().unwrap_or(0);
        let most = times.iter().copied().max().unwrap_or(0);
        let head = |(name, rows, values): &(Arc<str>, Rows, Arc<Values>)| ColumnHead {
            name: Arc::clone(name),
            kind: values.kind(),
            present: rows.len() as u32,
            distinct: None,
            bounds: None,
        };
        let heads: Vec<ColumnHead> = columns.iter().map(head).collect();
        debug_assert!(heads.is_sorted_by_key(|head| (&head.name, head.kind)), "sorted columns");
        let columns: Vec<(Rows, Arc<Values>)> =
            columns.into_iter().map(|(_, rows, values)| (rows, values)).collect();
        let values: usize = columns
            .iter()
            .map(|(rows, values)| values.size_bytes() + rows.size_bytes() + 128)
            .sum();
        Self {
            first_seq,
            runs,
            size_bytes: values + times.len() * 10,
            times,
            severities,
            flags,
            span: (Timestamp(least), Timestamp(most)),
            fields: fields(&heads),
            heads,
            columns,
            bytes_in,
        }
    }

    /// The events of one commit.
    pub(crate) fn of_batch(batch: Batch, first_seq: Seq, id_base: u128) -> Self {
        let rows = batch.rows();
        let run = Run { first_seq, count: rows as u64, received: batch.received(), id_base };
        let contents = Contents {
            runs: vec![run],
            times: batch.times().to_vec(),
            severities: batch.severities().to_vec(),
            flags: batch.flags().to_vec(),
            bytes_in: batch.bytes_in(),
            columns: batch
                .into_columns()
                .into_iter()
                .map(|column| {
                    let (name, present, values) = column.into_parts();
                    (name, listed(present), Arc::new(values))
                })
                .collect(),
        };
        Self::new(first_seq, contents)
    }

    pub(crate) fn rows(&self) -> u32 {
        self.times.len() as u32
    }

    pub(crate) fn times(&self) -> (Timestamp, Timestamp) {
        self.span
    }

    pub(crate) fn seqs(&self) -> (Seq, Seq) {
        (self.first_seq, Seq(self.first_seq.0 + self.times.len() as u64 - 1))
    }

    pub(crate) fn heads(&self) -> &[ColumnHead] {
        &self.heads
    }

    /// How many of the columns are fields.
    pub(crate) fn fields(&self) -> usize {
        self.fields
    }

    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(crate) fn present(&self, column: usize) -> &Rows {
        &self.columns[column].0
    }

    pub(crate) fn system(&self, system: System) -> Vec<i64> {
        match system {
            System::Time => self.times.clone(),
            System::Seq => (self.first_seq.0 as i64..).take(self.times.len()).collect(),
            System::Severity => self.severities.iter().map(|value| i64::from(*value)).collect(),
            System::Flags => self.flags.iter().map(|value| i64::from(*value)).collect(),
        }
    }

    /// Bytes of memory that the values of a column in some rows take.
    pub(crate) fn raw_bytes(&self, column: usize, wanted: &[Range<u32>]) -> u64 {
        let (rows, values) = &self.columns[column];
        let bytes = |want: &Range<u32>| {
            let range = indexes(rows, want);
            let texts = match &**values {
                Values::Str(texts) | Values::Json(texts) => {
                    let before = |end: usize| end.checked_sub(1).map_or(0, |at| texts.ends()[at]);
                    before(range.end) - before(range.start)
                }
                Values::I64(_) | Values::F64(_) | Values::Bool(_) => 0,
            };
            u64::from(texts) + 12 * range.len() as u64
        };
        wanted.iter().map(bytes).sum()
    }

    /// The values of a column in some rows. All of them cost no copy.
    pub(crate) fn column(&self, column: usize, wanted: &[Range<u32>]) -> ColumnData {
        let (rows, values) = &self.columns[column];
        if matches!(wanted, [all] if *all == (0..self.rows())) {
            return ColumnData { rows: rows.clone(), data: Data::Plain(Arc::clone(values)) };
        }
        let mut kept_rows = Vec::new();
        let mut kept = Values::new(values.kind());
        for want in wanted {
            let range = indexes(rows, want);
            kept_rows.extend(range.clone().map(|index| rows.get(index)));
            extend(&mut kept, values, range);
        }
        ColumnData { rows: listed(kept_rows), data: Data::Plain(Arc::new(kept)) }
    }
}

/// Which of the rows lie in a span, by their indexes.
fn indexes(rows: &Rows, want: &Range<u32>) -> Range<usize> {
    match rows {
        Rows::Span(span) => {
            let from = want.start.clamp(span.start, span.end) - span.start;
            let to = want.end.clamp(span.start, span.end) - span.start;
            from as usize..to as usize
        }
        Rows::List(list) => {
            list.partition_point(|row| *row < want.start)
                ..list.partition_point(|row| *row < want.end)
        }
    }
}

/// Rising row numbers as [`Rows`], without a list where they are one span.
fn listed(rows: Vec<u32>) -> Rows {
    match (rows.first(), rows.last()) {
        (Some(first), Some(last)) if (last - first) as usize + 1 == rows.len() => {
            Rows::Span(*first..*last + 1)
        }
        _ => Rows::List(rows.into()),
    }
}

/// Appends some values of the same kind.
pub(crate) fn extend(to: &mut Values, from: &Values, range: Range<usize>) {
    match (to, from) {
        (Values::Str(to), Values::Str(from)) | (Values::Json(to), Values::Json(from)) => {
            extend_strings(to, from, range);
        }
        (Values::I64(to), Values::I64(from)) => to.extend_from_slice(&from[range]),
        (Values::F64(to), Values::F64(from)) => to.extend_from_slice(&from[range]),
        (Values::Bool(to), Values::Bool(from)) => to.extend_from_slice(&from[range]),
        _ => debug_assert!(false, "both have one kind"),
    }
}

fn extend_strings(to: &mut Strings, from: &Strings, range: Range<usize>) {
    range.for_each(|index| to.push(from.get(index)));
}

/// Joins parts that follow each other into one.
pub(crate) fn join(parts: &[Arc<Memory>]) -> Memory {
    let mut contents = Contents {
        runs: parts.iter().flat_map(|part| part.runs.iter().copied()).collect(),
        times: parts.iter().flat_map(|part| part.times.iter().copied()).collect(),
        severities: parts.iter().flat_map(|part| part.severities.iter().copied()).collect(),
        flags: parts.iter().flat_map(|part| part.flags.iter().copied()).collect(),
        columns: Vec::new(),
        bytes_in: parts.iter().map(|part| part.bytes_in).sum(),
    };
    let mut keys: Vec<(Arc<str>, Kind)> = parts
        .iter()
        .flat_map(|part| part.heads.iter().map(|head| (Arc::clone(&head.name), head.kind)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut cursors = vec![0; parts.len()];
    for (name, kind) in keys {
        let (mut rows, mut values) = (Vec::new(), Values::new(kind));
        let mut base = 0;
        for (part, cursor) in parts.iter().zip(&mut cursors) {
            let head = part.heads.get(*cursor);
            if head.is_some_and(|head| head.name == name && head.kind == kind) {
                let (part_rows, part_values) = &part.columns[*cursor];
                rows.extend(part_rows.iter().map(|row| row + base));
                extend(&mut values, part_values, 0..part_values.len());
                *cursor += 1;
            }
            base += part.rows();
        }
        contents.columns.push((name, listed(rows), Arc::new(values)));
    }
    Memory::new(parts[0].first_seq, contents)
}

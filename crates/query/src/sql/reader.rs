//! Reads the events of some pieces of parts, batch by batch.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int16Array, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::SchemaRef;
use ledgerline_model::convention::{Conventions, ID_KEY};
use ledgerline_model::id::Seq;
use ledgerline_model::severity::Severity;
use ledgerline_store::column::spans;
use ledgerline_store::part::{Part, System};
use ledgerline_store::snapshot::Snapshot;

use super::columns::{Column, Form, Origin};
use super::layers::Layers;
use super::narrow::Narrow;
use crate::budget::{Budget, Memory};
use crate::error::{Error, ErrorKind, Result};

/// The most rows of a batch.
pub(super) const BATCH_ROWS: usize = 8192;
/// The most rows that are decoded at once.
const PIECE_ROWS: u32 = 8 * BATCH_ROWS as u32;
/// About the most bytes that are decoded at once, if it is more than one row.
const PIECE_BYTES: u64 = 16 << 20;

/// Some rows of a part.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    part: Part,
    rows: Range<u32>,
}

impl Piece {
    /// A piece whose values are not too large to be decoded at once, and the rest, if there is one.
    fn cut(mut self, plan: &Plan) -> Result<(Self, Option<Self>)> {
        let all = self.rows.end;
        let mut bytes = plan.raw_bytes(&self.part, &self.rows)?;
        if bytes > PIECE_BYTES {
            // Dictionaries and whole pages are read for a single row, too.
            let least = plan.raw_bytes(&self.part, &(self.rows.start..self.rows.start + 1))?;
            while self.rows.len() > 1 && bytes > PIECE_BYTES + least {
                self.rows.end = self.rows.start + self.rows.len() as u32 / 2;
                bytes = plan.raw_bytes(&self.part, &self.rows)?;
            }
        }
        let rest = self.rows.end..all;
        let rest = (!rest.is_empty()).then(|| Self { part: self.part.clone(), rows: rest });
        Ok((self, rest))
    }
}

/// What a scan reads, shared by its partitions.
#[derive(Debug)]
pub(super) struct Plan {
    /// The columns, in the order of the schema.
    pub(super) columns: Vec<Column>,
    /// Their Arrow types.
    pub(super) schema: SchemaRef,
    /// Which events are wanted.
    pub(super) narrow: Narrow,
    /// Which keys hold the message.
    pub(super) conventions: Arc<Conventions>,
    /// How many events are enough for each partition.
    pub(super) limit: Option<usize>,
    /// What the query may use.
    pub(super) budget: Budget,
}

impl Plan {
    /// The names of the stored columns behind a column.
    fn stored<'a>(&'a self, column: &'a Column) -> Vec<&'a str> {
        match column.origin {
            Origin::Id => vec![ID_KEY],
            Origin::Message => self.conventions.message.iter().map(String::as_str).collect(),
            Origin::Field => vec![&*column.name],
            _ => Vec::new(),
        }
    }

    /// About how many bytes reading some rows takes, at most.
    fn raw_bytes(&self, part: &Part, rows: &Range<u32>) -> Result<u64> {
        let wanted = self.columns.iter().flat_map(|column| self.stored(column));
        let mut bytes = 0;
        for column in wanted.chain(self.narrow.names()).flat_map(|name| part.named(name)) {
            bytes += part.raw_bytes(column, std::slice::from_ref(rows))?;
        }
        Ok(bytes)
    }
}

/// Splits a snapshot into so many lists of pieces of about equal numbers of rows.
pub(super) fn split(snapshot: &Snapshot, partitions: usize) -> Vec<Vec<Piece>> {
    let total: u64 = snapshot.parts().iter().map(|part| u64::from(part.rows())).sum();
    let share = total.div_ceil(partitions.max(1) as u64).max(1);
    let mut lists = vec![Vec::new()];
    let mut in_list = 0;
    for part in snapshot.parts() {
        let mut start = 0;
        while start < part.rows() {
            if in_list >= share {
                lists.push(Vec::new());
                in_list = 0;
            }
            let end = part.rows().min(start + PIECE_ROWS);
            lists
                .last_mut()
                .expect("there is always a list")
                .push(Piece { part: part.clone(), rows: start..end });
            in_list += u64::from(end - start);
            start = end;
        }
    }
    lists
}

/// Reads the pieces of one partition.
pub(super) struct Reader {
    plan: Arc<Plan>,
    /// The next one last.
    pieces: Vec<Piece>,
    open: Option<Open>,
    left: usize,
}

/// A decoded piece, of which some rows are still to be handed out.
struct Open {
    part: Part,
    rows: Vec<u32>,
    next: usize,
    stored: Vec<Stored>,
    /// Numbers of the piece's rows, where they are needed.
    seqs: Vec<i64>,
    first_row: u32,
    _memory: Memory,
}

enum Stored {
    System(Vec<i64>),
    Layers(Layers),
    Runs,
}

impl Reader {
    pub(super) fn new(plan: Arc<Plan>, mut pieces: Vec<Piece>) -> Self {
        let left = plan.limit.unwrap_or(usize::MAX);
        pieces.reverse();
        Self { plan, pieces, open: None, left }
    }

    /// The next batch, or nothing at the end.
    ///
    /// # Errors
    /// When the budget is used up or the stored bytes cannot be read.
    pub(super) fn batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            self.plan.budget.check()?;
            if self.left == 0 {
                return Ok(None);
            }
            if let Some(open) = &mut self.open {
                let end = open.rows.len().min(open.next + BATCH_ROWS.min(self.left));
                if open.next < end {
                    let batch = open.batch(&self.plan, open.next..end)?;
                    self.left -= end - open.next;
                    open.next = end;
                    return Ok(Some(batch));
                }
                self.open = None;
            }
            let Some(piece) = self.pieces.pop() else { return Ok(None) };
            if !self.plan.narrow.may_pass(&piece.part)? {
                continue;
            }
            let (piece, rest) = piece.cut(&self.plan)?;
            self.pieces.extend(rest);
            self.open = Open::new(&self.plan, piece)?;
        }
    }
}

impl Open {
    /// Decodes a piece, unless no row of it is wanted.
    fn new(plan: &Plan, piece: Piece) -> Result<Option<Self>> {
        let Piece { part, rows: range } = piece;
        let mut rows: Vec<u32> = range.clone().collect();
        plan.narrow.retain(&part, &mut rows, &plan.budget, || Ok(part.system(System::Time)?))?;
        if rows.is_empty() {
            return Ok(None);
        }
        let spans = spans(rows.iter().copied());
        let mut memory = plan.budget.take(rows.len() * 4)?;
        let mut stored = Vec::with_capacity(plan.columns.len());
        for column in &plan.columns {
            let read = Stored::read(&part, column, plan, &spans, &range)?;
            if let Stored::System(values) = &read {
                memory.grow(values.len() * 8)?;
            }
            stored.push(read);
        }
        let needs_seqs = |column: &Column| matches!(column.origin, Origin::Id | Origin::Received);
        let seqs = match plan.columns.iter().any(needs_seqs) {
            true => cut(part.system(System::Seq)?, &range),
            false => Vec::new(),
        };
        memory.grow(seqs.len() * 8)?;
        let first_row = range.start;
        Ok(Some(Self { part, rows, next: 0, stored, seqs, first_row, _memory: memory }))
    }

    fn batch(&self, plan: &Plan, range: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.rows[range];
        let columns = plan.columns.iter().zip(&self.stored);
        let arrays = columns
            .map(|(column, stored)| self.array(column, stored, rows))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(&plan.schema), arrays, &options).map_err(
            |error| Error::caused(ErrorKind::Bug, "columns do not fit their schema", error),
        )
    }

    fn array(&self, column: &Column, stored: &Stored, rows: &[u32]) -> Result<ArrayRef> {
        let at = |row: &u32| (*row - self.first_row) as usize;
        Ok(match (&column.origin, stored) {
            (Origin::Time, Stored::System(times)) => {
                time_array(rows.iter().map(|row| times[at(row)]))
            }
            (Origin::Seq, Stored::System(seqs)) => {
                Arc::new(rows.iter().map(|row| seqs[at(row)]).collect::<Int64Array>())
            }
            (Origin::Severity, Stored::System(numbers)) => {
                let numbers = rows.iter().map(|row| severity(numbers[at(row)]));
                let numbers = numbers.map(|severity| severity.map(|s| i16::from(s.number())));
                Arc::new(numbers.collect::<Int16Array>())
            }
            (Origin::SeverityText, Stored::System(numbers)) => {
                let severities = rows.iter().map(|row| severity(numbers[at(row)]));
                let names = severities.map(|severity| severity.map(Severity::name));
                Arc::new(names.collect::<StringViewArray>())
            }
            (Origin::Received, _) => {
                let origin = |row: &u32| self.part.origin(Seq(self.seqs[at(row)] as u64));
                let received = rows.iter().map(|row| Ok(origin(row)?.received.0));
                time_array(received.collect::<Result<Vec<_>>>()?.into_iter())
            }
            (Origin::Id, Stored::Layers(own)) => {
                let given = own.texts(rows);
                let ids = rows.iter().zip(given).map(|(row, given)| match given {
                    Some(id) => Ok(id.into_owned()),
                    None => Ok(self.part.origin(Seq(self.seqs[at(row)] as u64))?.id.to_string()),
                });
                let ids = ids.collect::<Result<Vec<_>>>()?;
                Arc::new(ids.iter().map(|id| Some(id.as_str())).collect::<StringViewArray>())
            }
            (_, Stored::Layers(layers)) => layers.array(rows, column.form),
            _ => return Err(Error::new(ErrorKind::Bug, "a column is read as another")),
        })
    }
}

impl Stored {
    fn read(
        part: &Part,
        column: &Column,
        plan: &Plan,
        spans: &[Range<u32>],
        range: &Range<u32>,
    ) -> Result<Self> {
        let system = |system| Ok(Self::System(cut(part.system(system)?, range)));
        match column.origin {
            Origin::Time => system(System::Time),
            Origin::Seq => system(System::Seq),
            Origin::Severity | Origin::SeverityText => system(System::Severity),
            Origin::Received => Ok(Self::Runs),
            Origin::Id | Origin::Message | Origin::Field => {
                let names = plan.stored(column).into_iter();
                Ok(Self::Layers(Layers::read(part, names, spans, &plan.budget)?))
            }
        }
    }
}

fn cut(mut values: Vec<i64>, range: &Range<u32>) -> Vec<i64> {
    values.truncate(range.end as usize);
    values.drain(..range.start as usize);
    values
}

fn time_array(times: impl Iterator<Item = i64>) -> ArrayRef {
    let array = TimestampNanosecondArray::from_iter_values(times);
    Arc::new(array.with_data_type(Form::Time.data_type()))
}

/// The severity with a stored number, if one was given.
fn severity(number: i64) -> Option<Severity> {
    let severity = u8::try_from(number).ok().and_then(Severity::from_number)?;
    Some(severity).filter(|severity| *severity != Severity::UNSPECIFIED)
}

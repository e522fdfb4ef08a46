//! Gathering events of several parts into one segment: their order, then column after column.
//!
//! One column is in memory at a time, so a merge needs about twice its largest column; how large
//! that may be is bounded by who says what is merged.

mod coding;
mod order;

use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::convention::{ID_KEY, is_evidence};
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_model::word;

use self::coding::{Coded, Coding};
use self::order::Order;
use crate::column::{ColumnData, Data, ValueRef, spans};
use crate::error::{Error, Result};
use crate::index::build::IndexBuilder;
use crate::memory::extend;
use crate::part::{ColumnHead, Part, System};
use crate::run::{Run, joined};
use crate::segment::directory::{ColumnEntry, Directory};
use crate::segment::write::{SegmentWriter, Sink, Stored};
use crate::window::Window;

/// Some rows of a part.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) part: Part,
    /// Rising, disjoint.
    pub(crate) rows: Vec<Range<u32>>,
    /// Those of them that keep their fields and their evidence; the others keep their number, their
    /// times, their severity and their id.
    pub(crate) kept: Vec<Range<u32>>,
}

impl Input {
    /// Some rows of a part.
    pub(crate) fn new(part: Part, rows: Vec<Range<u32>>) -> Self {
        Self { part, kept: rows.clone(), rows }
    }

    /// All rows of a part.
    pub(crate) fn whole(part: Part) -> Self {
        let rows = vec![0..part.rows()];
        Self::new(part, rows)
    }

    /// The share of the part's size as it was sent that its rows have.
    pub(crate) fn bytes_in(&self) -> u64 {
        let share = u128::from(self.part.bytes_in()) * u128::from(self.count());
        (share / u128::from(self.part.rows())) as u64
    }

    pub(crate) fn count(&self) -> u32 {
        self.rows.iter().map(|range| range.end - range.start).sum()
    }
}

/// How hard a segment is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// It will soon be merged.
    Hasty,
    /// It stays.
    Settled,
}

impl Effort {
    /// The zstd level.
    fn level(self) -> i32 {
        match self {
            Self::Hasty => 1,
            Self::Settled => 8,
        }
    }
}

/// What a segment says of itself besides its events.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) dataset: DatasetId,
    pub(crate) id: SegmentId,
    pub(crate) window: Window,
    pub(crate) applied: u64,
    pub(crate) flushed: u64,
    pub(crate) replaces: Vec<SegmentId>,
    pub(crate) bytes_in: u64,
    pub(crate) effort: Effort,
}

/// The most blocks that the word index of a segment tells apart.
const BLOCKS_MAX: u32 = 256;
/// The least rows of a block: below it, a block's entry costs more than reading its rows.
const BLOCK_ROWS_MIN: u32 = 256;

/// Writes one segment of all the inputs' rows. Returns its directory and its length.
pub(crate) fn write_segment(
    inputs: &[Input],
    label: Label,
    sink: &mut Sink<'_>,
) -> Result<(Directory, u64)> {
    let order = Order::of(inputs)?;
    let rows = order.rows();
    if rows == 0 {
        return Err(Error::bug("a segment of no events"));
    }
    let block_rows = rows.div_ceil(BLOCKS_MAX).next_power_of_two().max(BLOCK_ROWS_MIN);
    let mut writer = SegmentWriter::new(sink, label.effort.level())?;
    let mut index = IndexBuilder::new(rows.div_ceil(block_rows) as usize);
    let system = [
        writer.integers(&order.times)?,
        writer.integers(&order.seqs)?,
        writer.integers(&order.gather(inputs, System::Severity)?)?,
        writer.integers(&order.gather(inputs, System::Flags)?)?,
    ];
    let mut columns = Vec::new();
    for (name, kind) in names(inputs) {
        let merged = Merged::read(inputs, &name, kind)?;
        let number = columns.len() as u32;
        let is_searched = !is_evidence(&name);
        columns.extend(merged.write(&order, name, &mut writer, |placed, values, codes| {
            if !is_searched {
                return;
            }
            let block = |at: usize| (placed[at].row / block_rows) as usize;
            note_words(&mut index, number, block, values, codes);
        })?);
    }
    let (chunks, column_sets) = index.finish(|piece| writer.piece(piece))?;
    let runs = runs(inputs, &order.seqs);
    let received = |pick: fn(Timestamp, Timestamp) -> Timestamp| {
        runs.iter().map(|run| run.received).reduce(pick).unwrap_or(Timestamp(0))
    };
    let bounds = |values: &[i64]| {
        let least = values.iter().copied().min().unwrap_or(0);
        (least, values.iter().copied().max().unwrap_or(0))
    };
    let (times, seqs) = (bounds(&order.times), bounds(&order.seqs));
    let directory = Directory {
        dataset: label.dataset,
        id: label.id,
        rows,
        block_rows,
        window: label.window,
        is_settled: label.effort == Effort::Settled,
        seqs: (Seq(seqs.0 as u64), Seq(seqs.1 as u64)),
        times: (Timestamp(times.0), Timestamp(times.1)),
        received: (received(Ord::min), received(Ord::max)),
        bytes_in: label.bytes_in,
        word_version: word::VERSION,
        applied: label.applied,
        flushed: label.flushed,
        replaces: label.replaces,
        runs,
        system,
        columns,
        column_sets,
        chunks,
    };
    let length = writer.finish(&directory)?;
    Ok((directory, length))
}

/// The columns of all inputs, sorted by name and kind.
fn names(inputs: &[Input]) -> Vec<(Arc<str>, Kind)> {
    let heads = inputs.iter().flat_map(|input| input.part.all_columns());
    let mut names: Vec<_> = heads.map(|head| (Arc::clone(&head.name), head.kind)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The runs that some of the events are of.
fn runs(inputs: &[Input], seqs: &[i64]) -> Vec<Run> {
    let mut sorted = seqs.to_vec();
    sorted.sort_unstable();
    let runs = inputs.iter().flat_map(|input| input.part.runs().iter().copied()).collect();
    let mut runs = joined(runs);
    runs.retain(|run| {
        let first = sorted.partition_point(|seq| *seq < run.first_seq.0 as i64);
        sorted.get(first).is_some_and(|seq| *seq < (run.first_seq.0 + run.count) as i64)
    });
    runs
}

/// One value in the order of the new segment: its row there, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    row: u32,
    input: u32,
    index: u32,
}

/// A column of all inputs, before it is put in order.
#[derive(Debug)]
struct Merged {
    kind: Kind,
    pieces: Vec<Option<ColumnData>>,
    coding: Option<Coding>,
}

impl Merged {
    fn read(inputs: &[Input], name: &str, kind: Kind) -> Result<Self> {
        let mut pieces = Vec::with_capacity(inputs.len());
        for input in inputs {
            let heads = input.part.all_columns();
            let same = |head: &ColumnHead| (&*head.name, head.kind).cmp(&(name, kind));
            let piece = match heads.binary_search_by(same) {
                Ok(column) => {
                    let rows = if name == ID_KEY { &input.rows } else { &input.kept };
                    Some(input.part.column(column, rows)?)
                }
                Err(_) => None,
            };
            pieces.push(piece.filter(|piece| !piece.rows.is_empty()));
        }
        let coding = Coding::of(kind, &pieces);
        Ok(Self { kind, pieces, coding })
    }

    /// Writes the column, if any of the rows has it, and hands its texts to `note`.
    fn write(
        &self,
        order: &Order,
        name: Arc<str>,
        writer: &mut SegmentWriter<'_>,
        mut note: impl FnMut(&[Placed], &Values, Option<&[u32]>),
    ) -> Result<Option<ColumnEntry>> {
        let placed = order.place(&self.pieces);
        if placed.is_empty() {
            return Ok(None);
        }
        let present = spans(placed.iter().map(|placed| placed.row));
        let is_text = self.kind == Kind::Str;
        if let Some(coding) = &self.coding {
            let Coded { values, counts, codes } = coding.coded(&placed);
            if is_text {
                note(&placed, &values, Some(&codes));
            }
            let stored = Stored::Coded { values: &values, counts: &counts, codes: &codes };
            return writer.column(&name, self.kind, &present, order.rows(), &stored).map(Some);
        }
        let values = self.plain(&placed)?;
        if is_text {
            note(&placed, &values, None);
        }
        let stored = Stored::Plain(&values);
        writer.column(&name, self.kind, &present, order.rows(), &stored).map(Some)
    }

    /// # Errors
    /// `Bug` when the texts together are longer than one list may be.
    fn plain(&self, placed: &[Placed]) -> Result<Values> {
        let mut values = Values::new(self.kind);
        let mut bytes = 0;
        for place in placed {
            let piece = self.pieces[place.input as usize].as_ref().expect("placed values exist");
            let index = place.index as usize;
            let (from, index) = match &piece.data {
                Data::Plain(from) => (&**from, index),
                Data::Coded { dictionary, codes } => (&dictionary.values, codes[index] as usize),
            };
            bytes += coding::bytes(from, index);
            if u32::try_from(bytes).is_err() {
                return Err(Error::bug("the texts of a column take 4 GiB or more"));
            }
            extend(&mut values, from, index..index + 1);
        }
        Ok(values)
    }
}

/// Notes the words of a text column: `block` gives the block of each value, or of each code.
fn note_words(
    index: &mut IndexBuilder,
    column: u32,
    block: impl Fn(usize) -> usize,
    values: &Values,
    codes: Option<&[u32]>,
) {
    let text = |at: usize| match ValueRef::of(values, at) {
        ValueRef::Str(text) => text,
        _ => "",
    };
    let Some(codes) = codes else {
        (0..values.len()).for_each(|at| index.add(column, block(at), text(at)));
        return;
    };
    let (mut ids, mut ends) = (Vec::new(), Vec::with_capacity(values.len()));
    for entry in 0..values.len() {
        index.ids(text(entry), &mut ids);
        ends.push(ids.len());
    }
    let mut last_blocks = vec![usize::MAX; values.len()];
    for (at, code) in codes.iter().enumerate() {
        let (block, code) = (block(at), *code as usize);
        if last_blocks[code] == block {
            continue;
        }
        last_blocks[code] = block;
        let start = if code == 0 { 0 } else { ends[code - 1] };
        ids[start..ends[code]].iter().for_each(|id| index.note(*id, column, block));
    }
}

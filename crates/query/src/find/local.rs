//! One field's values in the selected rows of a part, as small numbers and what they stand for.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::strings::Strings;
use ledgerline_model::time::Timestamp;
use ledgerline_store::column::{ColumnData, Data, Dictionary, Rows, ValueRef};

use super::key::scalar;
use super::part_scan::PartScan;
use super::plan::Name;
use super::rowset::RowSet;
use super::scalar::Scalar;
use crate::answer::Cell;
use crate::budget::{Budget, Memory};
use crate::error::Result;
use crate::lang::width::Width;

/// The most bytes of texts in one block: their ends are 32 bits wide.
const BLOCK_BYTES_MAX: usize = 1 << 30;

/// The selected rows of a part, ready to be walked beside a column.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) rows: RowSet,
    /// The rows, unless they are all.
    list: Option<Vec<u32>>,
    spans: Vec<Range<u32>>,
    len: usize,
}

impl Selection {
    pub(super) fn new(rows: RowSet) -> Self {
        let list = (!rows.is_all()).then(|| rows.iter().collect::<Vec<u32>>());
        let len = list.as_ref().map_or_else(|| rows.len(), Vec::len);
        Self { spans: rows.spans(), list, len, rows }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_all(&self) -> bool {
        self.list.is_none()
    }

    pub(super) fn spans(&self) -> &[Range<u32>] {
        &self.spans
    }

    /// Calls `each` with the position among the selected rows, and the index in `rows`, of every
    /// row that is in both.
    pub(super) fn each(
        &self,
        rows: &Rows,
        mut each: impl FnMut(usize, usize) -> Result<()>,
    ) -> Result<()> {
        let Some(list) = &self.list else {
            return (0..rows.len()).try_for_each(|index| each(rows.get(index) as usize, index));
        };
        if rows.is_empty() {
            return Ok(());
        }
        let first = rows.get(0);
        let mut position = list.partition_point(|row| *row < first);
        for index in 0..rows.len() {
            let row = rows.get(index);
            while position < list.len() && list[position] < row {
                position += 1;
            }
            match list.get(position) {
                Some(selected) if *selected == row => each(position, index)?,
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// The position of a selected row.
    fn position(&self, row: u32) -> usize {
        match &self.list {
            None => row as usize,
            Some(list) => list.partition_point(|other| *other < row),
        }
    }
}

/// Values, each with a number: those of a field in the selected rows, and perhaps more. It has the
/// memory that it takes.
#[derive(Debug)]
pub(super) struct Local {
    /// For each selected row the number of its value; 0 for none. Empty when nobody asked.
    pub(super) ids: Vec<u32>,
    blocks: Vec<Block>,
    /// How many numbers there are, 0 for none included.
    next: u32,
    memory: Memory,
}

#[derive(Debug)]
struct Block {
    first: u32,
    values: Entries,
}

#[derive(Debug)]
enum Entries {
    Dictionary(Arc<Dictionary>),
    Values(Arc<Values>),
    Times(Vec<i64>),
    Cells(Vec<Cell>),
}

impl Entries {
    fn len(&self) -> usize {
        match self {
            Self::Dictionary(dictionary) => dictionary.values.len(),
            Self::Values(values) => values.len(),
            Self::Times(times) => times.len(),
            Self::Cells(cells) => cells.len(),
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Dictionary(dictionary) => dictionary.values.size_bytes(),
            Self::Values(values) => values.size_bytes(),
            Self::Times(times) => times.len() * 8,
            Self::Cells(cells) => cells.iter().map(cell_bytes).sum(),
        }
    }

    fn get(&self, index: usize) -> Option<Scalar<'_>> {
        Some(match self {
            Self::Dictionary(dictionary) => ValueRef::of(&dictionary.values, index).into(),
            Self::Values(values) => ValueRef::of(values, index).into(),
            Self::Times(times) => Scalar::Time(Timestamp(times[index])),
            Self::Cells(cells) => return scalar(&cells[index]),
        })
    }
}

/// Bytes of memory behind a cell, itself included.
pub(super) fn cell_bytes(cell: &Cell) -> usize {
    let more = match cell {
        Cell::Str(text) | Cell::Json(text) => text.len(),
        Cell::List(cells) => cells.iter().map(cell_bytes).sum(),
        _ => 0,
    };
    size_of::<Cell>() + more
}

impl Local {
    /// No value in any of so many rows.
    fn none(budget: &Budget, rows: usize) -> Result<Self> {
        let memory = budget.take(rows * 4)?;
        Ok(Self { ids: vec![0; rows], blocks: Vec::new(), next: 1, memory })
    }

    /// The values of a field in the selected rows.
    pub(super) fn read(scan: &PartScan<'_>, name: &Name, selection: &Selection) -> Result<Self> {
        let mut local = Self::none(scan.target.budget, selection.len())?;
        match scan.columns_of(name) {
            Some(columns) => {
                for column in columns {
                    local.add_column(scan, column, selection)?;
                }
            }
            None => local.add_virtual(scan, name, selection)?,
        }
        Ok(local)
    }

    /// The values of a column in the selected rows.
    pub(super) fn of_column(
        scan: &PartScan<'_>,
        column: usize,
        selection: &Selection,
    ) -> Result<Self> {
        let mut local = Self::none(scan.target.budget, selection.len())?;
        local.add_column(scan, column, selection)?;
        Ok(local)
    }

    /// The bars of `_time` of the selected rows.
    pub(super) fn bars(scan: &PartScan<'_>, width: Width, selection: &Selection) -> Result<Self> {
        let mut local = Self::none(scan.target.budget, selection.len())?;
        let (first, last) = scan.part.times();
        let (first, last) = (width.floor(first), width.floor(last));
        if first == last {
            local.ids.fill(1);
            local.push(Entries::Times(vec![first.0]))?;
            return Ok(local);
        }
        let times = scan.times()?;
        let mut bars = Bars { width, numbers: HashMap::new(), starts: Vec::new(), last: None };
        for (id, row) in local.ids.iter_mut().zip(selection.rows.iter()) {
            *id = bars.number(times[row as usize]);
        }
        local.push(Entries::Times(bars.starts))?;
        Ok(local)
    }

    /// How often each value of a field is in the whole part, without reading a row; nothing where
    /// that is not known. The values have their numbers, the rows have not.
    pub(super) fn counted(scan: &PartScan<'_>, name: &Name) -> Result<Option<(Self, Vec<u64>)>> {
        let Name::Field(field) = name else { return Ok(None) };
        let columns = scan.part.named(field);
        let heads = &scan.part.columns()[columns.clone()];
        if heads.iter().any(|head| head.distinct.is_none()) {
            return Ok(None);
        }
        let present: u64 = heads.iter().map(|head| u64::from(head.present)).sum();
        let mut counts = vec![u64::from(scan.part.rows()) - present];
        let mut local = Self::none(scan.target.budget, 0)?;
        for column in columns {
            let Some(dictionary) = scan.part.dictionary(column)? else { return Ok(None) };
            counts.extend(dictionary.counts.iter().map(|count| u64::from(*count)));
            local.push(Entries::Dictionary(dictionary))?;
        }
        Ok(Some((local, counts)))
    }

    /// One value a row, nulls left out.
    pub(super) fn of_cells(budget: &Budget, cells: impl Iterator<Item = Cell>) -> Result<Self> {
        let mut local = Self::none(budget, 0)?;
        let mut kept = Vec::new();
        for cell in cells {
            local.memory.grow(4)?;
            if cell == Cell::Null {
                local.ids.push(0);
            } else {
                local.memory.grow(cell_bytes(&cell))?;
                kept.push(cell);
                local.ids.push(kept.len() as u32);
            }
        }
        local.push_counted(Entries::Cells(kept));
        Ok(local)
    }

    fn push(&mut self, values: Entries) -> Result<()> {
        self.memory.grow(values.size_bytes())?;
        self.push_counted(values);
        Ok(())
    }

    /// The same of values whose memory it has already.
    fn push_counted(&mut self, values: Entries) {
        let first = self.next;
        self.next += values.len() as u32;
        self.blocks.push(Block { first, values });
    }

    fn add_column(
        &mut self,
        scan: &PartScan<'_>,
        column: usize,
        selection: &Selection,
    ) -> Result<()> {
        scan.target.budget.check()?;
        if scan.is_paged(column) {
            return self.add_texts(scan, column, selection);
        }
        let mut memory = scan.take_raw(column, &selection.spans)?;
        let ColumnData { rows, data } = scan.part.column(column, &selection.spans)?;
        let first = self.next;
        let ids = &mut self.ids;
        let mut set = |position: usize, id: u32| {
            // Of several message keys the first counts.
            if ids[position] == 0 {
                ids[position] = id;
            }
            Ok(())
        };
        let entries = match data {
            Data::Coded { dictionary, codes } => {
                selection.each(&rows, |position, index| set(position, first + codes[index]))?;
                Entries::Dictionary(dictionary)
            }
            Data::Plain(values) => {
                selection.each(&rows, |position, index| set(position, first + index as u32))?;
                Entries::Values(values)
            }
        };
        memory.resize(entries.size_bytes())?;
        self.memory.add(memory);
        self.push_counted(entries);
        Ok(())
    }

    /// The texts of a column, page by page, so that none is read but for keeping.
    fn add_texts(
        &mut self,
        scan: &PartScan<'_>,
        column: usize,
        selection: &Selection,
    ) -> Result<()> {
        let mut texts = Strings::new();
        let mut memory = scan.target.budget.take(0)?;
        scan.part.texts(column, &selection.spans, |page| {
            scan.target.budget.check()?;
            if texts.bytes().len() + page.bytes.len() > BLOCK_BYTES_MAX {
                self.push_texts(scan, column, std::mem::take(&mut texts));
            }
            let mut wanted = 0;
            selection.each(page.rows, |_, index| {
                wanted += page.span(index).len() + 4;
                Ok(())
            })?;
            memory.grow(wanted)?;
            let (first, ids) = (self.next, &mut self.ids);
            selection.each(page.rows, |position, index| {
                if ids[position] == 0 {
                    texts.push(&page.bytes[page.span(index)]);
                    ids[position] = first + texts.len() as u32 - 1;
                }
                Ok(())
            })
        })?;
        self.memory.add(memory);
        self.push_texts(scan, column, texts);
        Ok(())
    }

    fn push_texts(&mut self, scan: &PartScan<'_>, column: usize, texts: Strings) {
        let values = match scan.part.columns()[column].kind {
            Kind::Json => Values::Json(texts),
            _ => Values::Str(texts),
        };
        self.push_counted(Entries::Values(Arc::new(values)));
    }

    fn add_virtual(
        &mut self,
        scan: &PartScan<'_>,
        name: &Name,
        selection: &Selection,
    ) -> Result<()> {
        let mut entries = match name {
            Name::Time | Name::Received => Entries::Times(Vec::new()),
            Name::Id => Entries::Values(Arc::new(Values::Str(Strings::new()))),
            _ => Entries::Values(Arc::new(Values::I64(Vec::new()))),
        };
        let ids = &mut self.ids;
        scan.each_virtual(name, &selection.rows, |row, value| {
            match &mut entries {
                Entries::Times(times) => times.push(match value {
                    Scalar::Time(time) => time.0,
                    _ => 0,
                }),
                Entries::Values(values) => push(Arc::make_mut(values), value),
                Entries::Dictionary(_) | Entries::Cells(_) => {}
            }
            ids[selection.position(row)] = entries.len() as u32;
        })?;
        self.push(entries)
    }

    /// How many numbers there are, 0 for none included.
    pub(super) fn numbers(&self) -> usize {
        self.next as usize
    }

    /// The value with a number; none of 0.
    pub(super) fn value(&self, id: u32) -> Option<Scalar<'_>> {
        let block = self.blocks.partition_point(|block| block.first <= id).checked_sub(1)?;
        let block = &self.blocks[block];
        block.values.get((id - block.first) as usize)
    }

    /// Every number from 1 on and its value.
    pub(super) fn values(&self) -> impl Iterator<Item = (u32, Scalar<'_>)> {
        self.blocks.iter().flat_map(|block| {
            let values = &block.values;
            let numbered = move |index| Some((block.first + index as u32, values.get(index)?));
            (0..values.len()).filter_map(numbered)
        })
    }

    /// Forgets which row has which value.
    pub(super) fn without_rows(mut self) -> Self {
        let ids = std::mem::take(&mut self.ids);
        self.memory.shrink(ids.len() * 4);
        self
    }
}

fn push(values: &mut Values, value: Scalar<'_>) {
    match (values, value) {
        (Values::Str(texts), value) => texts.push(value.text().as_bytes()),
        (Values::I64(numbers), Scalar::I64(number)) => numbers.push(number),
        (Values::I64(numbers), Scalar::Severity(severity)) => {
            numbers.push(severity.number().into());
        }
        _ => debug_assert!(false, "ids are texts, the other virtual fields whole numbers"),
    }
}

/// Bars get their numbers in the order in which they are met.
struct Bars {
    width: Width,
    numbers: HashMap<i64, u32>,
    starts: Vec<i64>,
    /// The span of the bar met last, and its number: neighbours are mostly in one bar.
    last: Option<(Range<i64>, u32)>,
}

impl Bars {
    fn number(&mut self, time: i64) -> u32 {
        if let Some((span, number)) = &self.last
            && span.contains(&time)
        {
            return *number;
        }
        let start = self.width.floor(Timestamp(time)).0;
        let starts = &mut self.starts;
        let number = *self.numbers.entry(start).or_insert_with(|| {
            starts.push(start);
            starts.len() as u32
        });
        self.last = Some((start..start.saturating_add(self.width.nanoseconds()), number));
        number
    }
}

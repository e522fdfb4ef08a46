//! From Arrow's columns to the rows of an answer.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeStringArray, RecordBatch, StringArray,
    StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use ledgerline_model::time::Timestamp;

use crate::answer::{Cell, Table};
use crate::budget::{Budget, Memory};
use crate::error::{Error, ErrorKind, Result};

/// Collects the rows of an answer.
pub(super) struct Rows {
    table: Table,
    rows_max: usize,
    memory: Memory,
}

impl Rows {
    /// No rows yet.
    pub(super) fn new(schema: &Schema, budget: &Budget) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let table = Table { columns, rows: Vec::new(), is_complete: true };
        Ok(Self { table, rows_max: budget.limits().rows_max, memory: budget.take(0)? })
    }

    /// Adds the rows of a batch; false when there are more than an answer may have.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<bool> {
        let room = self.rows_max - self.table.rows.len();
        let all = batch.num_rows();
        let taken = all.min(room);
        let batch = batch.slice(0, taken).columns().to_vec();
        let bytes: usize = batch.iter().map(cell_bytes).sum();
        self.memory.grow(bytes + taken * size_of::<Vec<Cell>>())?;
        let columns = batch.iter().map(cells).collect::<Result<Vec<_>, _>>();
        let columns = columns
            .map_err(|error| Error::caused(ErrorKind::Bug, "a column has no text", error))?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in 0..taken {
            let row = columns.iter_mut().map(|column| column.next().unwrap_or(Cell::Null));
            self.table.rows.push(row.collect());
        }
        self.table.is_complete = taken == all;
        Ok(self.table.is_complete)
    }

    /// The answer.
    pub(super) fn into_table(self) -> Table {
        self.table
    }
}

/// About how much memory the cells of a column take.
fn cell_bytes(column: &ArrayRef) -> usize {
    let texts: usize = match column.data_type() {
        DataType::Utf8View => {
            let texts: &StringViewArray = column.as_string_view();
            texts.iter().flatten().map(str::len).sum()
        }
        _ => column.to_data().get_slice_memory_size().unwrap_or_default(),
    };
    texts + column.len() * size_of::<Cell>()
}

fn cells(column: &ArrayRef) -> Result<Vec<Cell>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Null => vec![Cell::Null; column.len()],
        DataType::Utf8View => {
            let texts: &StringViewArray = column.as_string_view();
            texts.iter().map(|text| or_null(text, |text| Cell::Str(text.to_owned()))).collect()
        }
        DataType::Utf8 => {
            let texts: &StringArray = column.as_string();
            texts.iter().map(|text| or_null(text, |text| Cell::Str(text.to_owned()))).collect()
        }
        DataType::LargeUtf8 => {
            let texts: &LargeStringArray = column.as_string();
            texts.iter().map(|text| or_null(text, |text| Cell::Str(text.to_owned()))).collect()
        }
        DataType::Boolean => {
            let truths: &BooleanArray = column.as_boolean();
            truths.iter().map(|truth| or_null(truth, Cell::Bool)).collect()
        }
        DataType::UInt64 => whole_or_text(column)?,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let numbers = cast(column, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            numbers.iter().map(|number| or_null(number, Cell::F64)).collect()
        }
        kind if kind.is_integer() => {
            let numbers = cast(column, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            numbers.iter().map(|number| or_null(number, Cell::I64)).collect()
        }
        DataType::Timestamp(unit, _) => {
            let times = cast(column, &DataType::Int64)?;
            let times = times.as_primitive::<Int64Type>();
            let texts = texts(column)?;
            let cells = times.iter().zip(texts).map(|(time, text)| match time {
                Some(time) => match time.checked_mul(nanoseconds(*unit)) {
                    Some(time) => Cell::Time(Timestamp(time)),
                    None => text,
                },
                None => Cell::Null,
            });
            cells.collect()
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let of_row = |row: Option<ArrayRef>| match row {
                Some(values) => Ok(Cell::List(cells(&values)?)),
                None => Ok(Cell::Null),
            };
            lists.iter().map(of_row).collect::<Result<Vec<_>, ArrowError>>()?
        }
        _ => texts(column)?,
    })
}

fn or_null<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or(Cell::Null, cell)
}

fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// Numbers without a sign may be too large for one with a sign.
fn whole_or_text(column: &ArrayRef) -> Result<Vec<Cell>, ArrowError> {
    let numbers = column.as_primitive::<arrow::datatypes::UInt64Type>();
    let cell = |number: u64| match i64::try_from(number) {
        Ok(number) => Cell::I64(number),
        Err(_) => Cell::Str(number.to_string()),
    };
    Ok(numbers.iter().map(|number| or_null(number, cell)).collect())
}

/// Everything else by its text: dates and times of day as RFC 3339 writes them, decimals exactly.
fn texts(column: &ArrayRef) -> Result<Vec<Cell>, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let text = |row: usize| match column.is_null(row) {
        true => Ok(Cell::Null),
        false => Ok(Cell::Str(formatter.value(row).try_to_string()?)),
    };
    (0..column.len()).map(text).collect()
}

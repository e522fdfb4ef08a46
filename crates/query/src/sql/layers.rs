//! The values of one column in some rows of a part, from one or more stored columns.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewArray, StringViewBuilder,
};
use ledgerline_model::batch::Values;
use ledgerline_store::column::{ColumnData, Data, Rows, ValueRef};
use ledgerline_store::part::Part;

use super::columns::Form;
use crate::budget::{Budget, Memory};
use crate::error::Result;

/// Stored columns, one above the other: a row has the value of the first that has it. They have the
/// memory that they take.
pub(super) struct Layers {
    stored: Vec<ColumnData>,
    _memory: Memory,
}

/// No value.
const NONE: u32 = u32::MAX;

impl Layers {
    /// Reads the columns of these names, the first name on top, where there is memory for them.
    pub(super) fn read<'a>(
        part: &Part,
        names: impl Iterator<Item = &'a str>,
        rows: &[Range<u32>],
        budget: &Budget,
    ) -> Result<Self> {
        let mut memory = budget.take(0)?;
        let mut stored = Vec::new();
        for column in names.flat_map(|name| part.named(name)) {
            budget.check()?;
            let raw = part.raw_bytes(column, rows)?;
            let mut taken = budget.take(usize::try_from(raw).unwrap_or(usize::MAX))?;
            let data = part.column(column, rows)?;
            taken.resize(size_bytes(&data))?;
            memory.add(taken);
            stored.push(data);
        }
        Ok(Self { stored, _memory: memory })
    }

    /// Keeps those rows whose value passes. Each entry of a dictionary is tested once.
    pub(super) fn retain(&self, rows: &mut Vec<u32>, passes: impl Fn(ValueRef<'_>) -> bool) {
        let verdicts: Vec<Option<Vec<bool>>> = self
            .stored
            .iter()
            .map(|data| match &data.data {
                Data::Coded { dictionary, .. } => {
                    let entries = 0..dictionary.values.len();
                    Some(entries.map(|at| passes(ValueRef::of(&dictionary.values, at))).collect())
                }
                Data::Plain(_) => None,
            })
            .collect();
        let places = self.places(rows);
        let mut at = 0;
        rows.retain(|_| {
            let (layer, index) = places[at];
            at += 1;
            let Some(data) = self.stored.get(layer as usize) else { return false };
            match (&data.data, &verdicts[layer as usize]) {
                (Data::Coded { codes, .. }, Some(verdicts)) => {
                    verdicts[codes[index as usize] as usize]
                }
                _ => passes(data.value(index as usize)),
            }
        });
    }

    /// The values of some rows, rising, as an Arrow array.
    pub(super) fn array(&self, rows: &[u32], form: Form) -> ArrayRef {
        if let ([only], Form::Text) = (&self.stored[..], form)
            && let Data::Coded { dictionary, codes } = &only.data
            && let Values::Str(entries) | Values::Json(entries) = &dictionary.values
            && entries.bytes().len() <= rows.len() * SHARED_BYTES_PER_ROW
        {
            return shared_texts(entries, &only.rows, codes, rows);
        }
        let places = self.places(rows);
        let values = places.iter().map(|(layer, index)| {
            self.stored.get(*layer as usize).map(|data| data.value(*index as usize))
        });
        match form {
            Form::Whole | Form::Small | Form::Time => {
                Arc::new(values.map(|value| value.and_then(whole)).collect::<Int64Array>())
            }
            Form::Real => {
                Arc::new(values.map(|value| value.and_then(real)).collect::<Float64Array>())
            }
            Form::Truth => {
                Arc::new(values.map(|value| value.and_then(truth)).collect::<BooleanArray>())
            }
            Form::Text => {
                let mut texts = StringViewBuilder::with_capacity(rows.len());
                values.for_each(|value| texts.append_option(value.map(text)));
                Arc::new(texts.finish())
            }
        }
    }

    /// The text of each row that has a value.
    pub(super) fn texts(&self, rows: &[u32]) -> Vec<Option<Cow<'_, str>>> {
        let text_at = |(layer, index): (u32, u32)| {
            self.stored.get(layer as usize).map(|data| text(data.value(index as usize)))
        };
        self.places(rows).into_iter().map(text_at).collect()
    }

    /// For each row the layer and the index in it where its value is.
    fn places(&self, rows: &[u32]) -> Vec<(u32, u32)> {
        let mut places = vec![(NONE, NONE); rows.len()];
        for (layer, data) in self.stored.iter().enumerate().rev() {
            each_shared(&data.rows, rows, |at, index| places[at] = (layer as u32, index as u32));
        }
        places
    }
}

/// Bytes of memory behind a column.
fn size_bytes(data: &ColumnData) -> usize {
    match &data.data {
        Data::Coded { dictionary, .. } => data.size_bytes() + dictionary.values.size_bytes(),
        Data::Plain(_) => data.size_bytes(),
    }
}

/// A batch shares the texts of a dictionary rather than copying its own as long as they are at most
/// this many bytes a row: DataFusion counts what is shared once for each batch.
const SHARED_BYTES_PER_ROW: usize = 16;

fn shared_texts(
    entries: &ledgerline_model::strings::Strings,
    present: &Rows,
    codes: &[u32],
    rows: &[u32],
) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows.len());
    let block = builder.append_block(entries.bytes().to_vec().into());
    let ends = entries.ends();
    let mut next = 0;
    each_shared(present, rows, |at, index| {
        (next..at).for_each(|_| builder.append_null());
        next = at + 1;
        let code = codes[index] as usize;
        let start = if code == 0 { 0 } else { ends[code - 1] };
        match builder.try_append_view(block, start, ends[code] - start) {
            Ok(()) => {}
            Err(_) => builder.append_null(),
        }
    });
    (next..rows.len()).for_each(|_| builder.append_null());
    let array: StringViewArray = builder.finish();
    Arc::new(array)
}

/// Calls `both` with the index in `rows` and the index in `present` of every row in both.
fn each_shared(present: &Rows, rows: &[u32], mut both: impl FnMut(usize, usize)) {
    match present {
        Rows::Span(span) => {
            let from = rows.partition_point(|row| *row < span.start);
            let to = rows.partition_point(|row| *row < span.end);
            (from..to).for_each(|at| both(at, (rows[at] - span.start) as usize));
        }
        Rows::List(list) => {
            let Some(first) = rows.first() else { return };
            let mut index = list.partition_point(|row| row < first);
            for (at, row) in rows.iter().enumerate() {
                while list.get(index).is_some_and(|listed| listed < row) {
                    index += 1;
                }
                if list.get(index) == Some(row) {
                    both(at, index);
                }
            }
        }
    }
}

/// The text of a value: what it would be in JSON, a text without its quotes.
pub(super) fn text(value: ValueRef<'_>) -> Cow<'_, str> {
    match value {
        ValueRef::Str(text) | ValueRef::Json(text) => Cow::Borrowed(text),
        ValueRef::I64(number) => Cow::Owned(number.to_string()),
        ValueRef::F64(number) => Cow::Owned(match serde_json::Number::from_f64(number) {
            Some(number) => number.to_string(),
            None => number.to_string(),
        }),
        ValueRef::Bool(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
    }
}

/// The whole number that a value is.
pub(super) fn whole(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::I64(number) => Some(number),
        _ => None,
    }
}

fn real(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::F64(number) => Some(number),
        ValueRef::I64(number) => Some(number as f64),
        _ => None,
    }
}

fn truth(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Bool(truth) => Some(truth),
        _ => None,
    }
}

//! Columns as they are read: the values that some rows of a part have.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};

/// Which rows have a value: rising row numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// Every row of a span.
    Span(Range<u32>),
    /// Just these.
    List(Arc<[u32]>),
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Span(span) => span.len(),
            Self::List(list) => list.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Span(_) => 0,
            Self::List(list) => list.len() * 4,
        }
    }

    /// The row at an index.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> u32 {
        match self {
            Self::Span(span) => {
                debug_assert!(index < span.len(), "the index lies in the span");
                span.start + index as u32
            }
            Self::List(list) => list[index],
        }
    }

    /// The index of a row, if it is one of them.
    #[must_use]
    pub fn position(&self, row: u32) -> Option<usize> {
        match self {
            Self::Span(span) => span.contains(&row).then(|| (row - span.start) as usize),
            Self::List(list) => list.binary_search(&row).ok(),
        }
    }

    /// The rows as rising, disjoint spans.
    #[must_use]
    pub fn spans(&self) -> Vec<Range<u32>> {
        match self {
            Self::Span(span) => vec![span.clone()],
            Self::List(list) => spans(list.iter().copied()),
        }
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Rising row numbers as disjoint spans, as long as can be.
#[must_use]
pub fn spans(rows: impl Iterator<Item = u32>) -> Vec<Range<u32>> {
    let mut spans: Vec<Range<u32>> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some(last) if last.end == row => last.end = row + 1,
            _ => spans.push(row..row + 1),
        }
    }
    spans
}

/// The distinct values of a column within one segment, sorted, and in how many rows each occurs.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    /// The distinct values, rising.
    pub values: Values,
    /// How many rows of the whole segment have each.
    pub counts: Vec<u32>,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Each an entry of a dictionary.
    Coded {
        /// The entries.
        dictionary: Arc<Dictionary>,
        /// Which entry each value is.
        codes: Vec<u32>,
    },
    /// Each by itself.
    Plain(Arc<Values>),
}

/// Some texts of a column, as they lie end to end.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// The row of each text, rising.
    pub rows: &'a Rows,
    /// Where each text ends in `bytes`; the first starts at 0.
    pub ends: &'a [u32],
    /// The texts. Each by itself is UTF-8; it is checked when it is looked at.
    pub bytes: &'a [u8],
}

impl<'a> Texts<'a> {
    /// Where a text lies in the bytes.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn span(&self, index: usize) -> Range<usize> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        start..self.ends[index] as usize
    }

    /// The text at an index.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> &'a str {
        text(&self.bytes[self.span(index)])
    }
}

/// The values of one column in some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnData {
    /// The rows that have a value.
    pub rows: Rows,
    /// Their values, one a row.
    pub data: Data,
}

impl ColumnData {
    /// No rows at all.
    #[must_use]
    pub fn empty(kind: Kind) -> Self {
        Self { rows: Rows::List([].into()), data: Data::Plain(Arc::new(Values::new(kind))) }
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.rows.size_bytes()
            + match &self.data {
                Data::Coded { codes, .. } => codes.len() * 4,
                Data::Plain(values) => values.size_bytes(),
            }
    }

    /// The value at an index of [`ColumnData::rows`].
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn value(&self, index: usize) -> ValueRef<'_> {
        match &self.data {
            Data::Coded { dictionary, codes } => {
                ValueRef::of(&dictionary.values, codes[index] as usize)
            }
            Data::Plain(values) => ValueRef::of(values, index),
        }
    }
}

/// One value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// UTF-8 text.
    Str(&'a str),
    /// A whole number.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Compact JSON text.
    Json(&'a str),
}

impl<'a> ValueRef<'a> {
    /// The value at an index.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn of(values: &'a Values, index: usize) -> Self {
        match values {
            Values::Str(values) => Self::Str(text(values.get(index))),
            Values::I64(values) => Self::I64(values[index]),
            Values::F64(values) => Self::F64(values[index]),
            Values::Bool(values) => Self::Bool(values[index]),
            Values::Json(values) => Self::Json(text(values.get(index))),
        }
    }
}

/// Bytes that were checked to be UTF-8 when they were read or taken in.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("\u{fffd}")
}

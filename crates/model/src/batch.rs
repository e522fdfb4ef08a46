//! A batch: validated events of one dataset, column by column, as they travel from `ingest` through
//! the journal into the store.
//!
//! A column is named by the sender's key and has one [`Kind`]; a key that carries texts in some
//! events and numbers in others makes two columns, so nothing is ever converted or lost.

mod build;
pub mod format;

pub use build::{BatchBuilder, EventHead, Field, KeyError};

use std::sync::Arc;

use crate::convention::ID_KEY;
use crate::strings::Strings;
use crate::time::Timestamp;

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// UTF-8 text.
    Str = 1,
    /// A whole number of 64 bits.
    I64 = 2,
    /// A floating-point number.
    F64 = 3,
    /// True or false.
    Bool = 4,
    /// Compact JSON text of an array, an empty object, `null` or a number beyond 64 bits.
    Json = 5,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Str, Self::I64, Self::F64, Self::Bool, Self::Json];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The values of one column, one for each row that has the key.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// For [`Kind::Str`].
    Str(Strings),
    /// For [`Kind::I64`].
    I64(Vec<i64>),
    /// For [`Kind::F64`].
    F64(Vec<f64>),
    /// For [`Kind::Bool`].
    Bool(Vec<bool>),
    /// For [`Kind::Json`].
    Json(Strings),
}

impl Values {
    /// No values of a kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Str => Self::Str(Strings::new()),
            Kind::I64 => Self::I64(Vec::new()),
            Kind::F64 => Self::F64(Vec::new()),
            Kind::Bool => Self::Bool(Vec::new()),
            Kind::Json => Self::Json(Strings::new()),
        }
    }

    /// The kind of the values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Str(_) => Kind::Str,
            Self::I64(_) => Kind::I64,
            Self::F64(_) => Kind::F64,
            Self::Bool(_) => Kind::Bool,
            Self::Json(_) => Kind::Json,
        }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Str(values) | Self::Json(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values at some indexes, in their order.
    ///
    /// # Panics
    /// When there is none at one of them.
    #[must_use]
    pub fn at(&self, indexes: &[usize]) -> Self {
        match self {
            Self::Str(values) => Self::Str(indexes.iter().map(|at| values.get(*at)).collect()),
            Self::Json(values) => Self::Json(indexes.iter().map(|at| values.get(*at)).collect()),
            Self::I64(values) => Self::I64(indexes.iter().map(|at| values[*at]).collect()),
            Self::F64(values) => Self::F64(indexes.iter().map(|at| values[*at]).collect()),
            Self::Bool(values) => Self::Bool(indexes.iter().map(|at| values[*at]).collect()),
        }
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Str(values) | Self::Json(values) => values.size_bytes(),
            Self::I64(values) => values.capacity() * 8,
            Self::F64(values) => values.capacity() * 8,
            Self::Bool(values) => values.capacity(),
        }
    }
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: Arc<str>,
    rows: Vec<u32>,
    values: Values,
}

impl Column {
    /// The sender's key, nested ones joined by dots.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The rows that have a value, rising.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The values, one for each of [`Column::rows`].
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The name, the rows and the values.
    #[must_use]
    pub fn into_parts(self) -> (Arc<str>, Vec<u32>, Values) {
        (self.name, self.rows, self.values)
    }
}

/// What was noticed about an event when it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The event had no time that could be read; its time is that of the receipt.
    pub const TIME_MISSING: Self = Self(1);
    /// The event's time is further back than [`crate::limits::PAST_NS_MAX`].
    pub const FAR_PAST: Self = Self(2);
    /// The event's time is further ahead than [`crate::limits::FUTURE_NS_MAX`].
    pub const FAR_FUTURE: Self = Self(4);

    /// Both sets of flags.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every flag of `other` is set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Validated events of one dataset. Made by [`BatchBuilder::finish`] and by [`format::decode`].
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    received: Timestamp,
    times: Vec<i64>,
    severities: Vec<u8>,
    flags: Vec<u8>,
    columns: Vec<Column>,
    bytes_in: u64,
}

impl Batch {
    /// When the events were received: one time for all of them.
    #[must_use]
    pub fn received(&self) -> Timestamp {
        self.received
    }

    /// How many events there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Event times in nanoseconds since 1970, one a row.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// OpenTelemetry severity numbers, one a row.
    #[must_use]
    pub fn severities(&self) -> &[u8] {
        &self.severities
    }

    /// [`Flags`], one a row.
    #[must_use]
    pub fn flags(&self) -> &[u8] {
        &self.flags
    }

    /// The columns, sorted by name and kind.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns, to be kept without a copy.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The batch without the rows for which `keep` is false, such as events that were sent twice.
    ///
    /// # Panics
    /// When `keep` has another length than the batch has rows.
    #[must_use]
    pub fn retained(self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.rows(), "one answer a row");
        let mut new_rows = Vec::with_capacity(keep.len());
        let mut kept = 0_u32;
        for keep in keep {
            new_rows.push(kept);
            kept += u32::from(*keep);
        }
        let bytes_in = self.bytes_in * u64::from(kept) / self.rows().max(1) as u64;
        let columns = self.columns.into_iter().filter_map(|column| {
            let of_row = |index: &usize| keep[column.rows[*index] as usize];
            let indexes: Vec<usize> = (0..column.rows.len()).filter(of_row).collect();
            let rows: Vec<u32> =
                indexes.iter().map(|index| new_rows[column.rows[*index] as usize]).collect();
            let values = column.values.at(&indexes);
            (!rows.is_empty()).then_some(Column { name: column.name, rows, values })
        });
        Self {
            received: self.received,
            times: kept_of(&self.times, keep),
            severities: kept_of(&self.severities, keep),
            flags: kept_of(&self.flags, keep),
            columns: columns.collect(),
            bytes_in,
        }
    }

    /// Size of the accepted events as they were sent, decompressed.
    #[must_use]
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let columns: usize = self
            .columns
            .iter()
            .map(|column| column.rows.capacity() * 4 + column.values.size_bytes() + 96)
            .sum();
        columns + self.times.capacity() * 8 + self.severities.capacity() + self.flags.capacity()
    }

    /// The explicit ids of the events, where the sender gave some: the column named `_id`.
    #[must_use]
    pub fn ids(&self) -> Option<(&[u32], &Strings)> {
        self.texts(ID_KEY)
    }

    /// The rows that have a text under a key, and the texts.
    #[must_use]
    pub fn texts(&self, key: &str) -> Option<(&[u32], &Strings)> {
        self.columns.iter().find_map(|column| match &column.values {
            Values::Str(values) if &*column.name == key => Some((&*column.rows, values)),
            _ => None,
        })
    }
}

fn kept_of<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
}

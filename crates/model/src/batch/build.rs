//! Building a batch, event by event.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Batch, Column, Flags, Kind, Values};
use crate::convention::{PAYLOAD_KEY, SALT_KEY, is_evidence};
use crate::limits;
use crate::severity::Severity;
use crate::time::Timestamp;

/// Why a key of an event was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The event already has this key, perhaps by flattening.
    #[error("the key occurs twice in the event")]
    Duplicate,
    /// Longer than [`limits::KEY_BYTES_MAX`].
    #[error("a key is longer than {} bytes", limits::KEY_BYTES_MAX)]
    TooLong,
    /// More than [`limits::EVENT_KEYS_MAX`].
    #[error("an event has more than {} keys", limits::EVENT_KEYS_MAX)]
    TooMany,
    /// The key is one of those that evidence is kept under.
    #[error("a key must not begin with the character U+10FFFF")]
    Reserved,
    /// More than [`limits::BATCH_KEYS_MAX`].
    #[error("the events of a batch have more than {} different keys", limits::BATCH_KEYS_MAX)]
    TooManyInBatch,
}

/// The value of one field, as it is handed to a [`BatchBuilder`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<'a> {
    /// A text.
    Str(&'a str),
    /// A whole number that fits in 64 bits.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// A value that is kept as compact JSON text.
    Json(&'a str),
}

impl Field<'_> {
    fn kind(self) -> Kind {
        match self {
            Self::Str(_) => Kind::Str,
            Self::I64(_) => Kind::I64,
            Self::F64(_) => Kind::F64,
            Self::Bool(_) => Kind::Bool,
            Self::Json(_) => Kind::Json,
        }
    }
}

/// What every event has besides its fields.
#[derive(Debug, Clone, Copy)]
pub struct EventHead {
    /// When it happened.
    pub time: Timestamp,
    /// How severe it is.
    pub severity: Severity,
    /// What was noticed about it.
    pub flags: Flags,
    /// Its size as it was sent.
    pub bytes_in: usize,
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    columns: [u32; Kind::ALL.len()],
    row_last: u32,
}

const NONE: u32 = u32::MAX;
/// About what a column takes besides its values.
const COLUMN_SIZE_BYTES: usize = 192;
/// About what a key takes besides its text.
const NAME_SIZE_BYTES: usize = 128;

/// Collects events into a [`Batch`]: fields first, then [`BatchBuilder::commit`] or
/// [`BatchBuilder::abandon`].
#[derive(Debug)]
pub struct BatchBuilder {
    received: Timestamp,
    times: Vec<i64>,
    severities: Vec<u8>,
    flags: Vec<u8>,
    names: Vec<Name>,
    name_of: HashMap<Arc<str>, u32>,
    columns: Vec<Column>,
    /// The names of the event before, in its order: the next event mostly has the same.
    previous: Vec<u32>,
    /// The names and columns that the current event has so far.
    current: Vec<(u32, u32)>,
    bytes_in: u64,
    size_bytes: usize,
}

impl BatchBuilder {
    /// An empty batch of events that were received at this time.
    #[must_use]
    pub fn new(received: Timestamp) -> Self {
        Self {
            received,
            times: Vec::new(),
            severities: Vec::new(),
            flags: Vec::new(),
            names: Vec::new(),
            name_of: HashMap::new(),
            columns: Vec::new(),
            previous: Vec::new(),
            current: Vec::new(),
            bytes_in: 0,
            size_bytes: 0,
        }
    }

    /// When the events were received.
    #[must_use]
    pub fn received(&self) -> Timestamp {
        self.received
    }

    /// How many events are committed.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// About how many bytes the events take, abandoned ones included.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Gives the current event a field, and says which of the batch's keys it has: keys are
    /// numbered from 0 in the order in which the batch first sees them.
    ///
    /// # Errors
    /// [`KeyError`]; the event is as it was before, and either goes on without the field or should
    /// be abandoned.
    pub fn put(&mut self, key: &str, value: Field<'_>) -> Result<usize, KeyError> {
        if is_evidence(key) {
            return Err(KeyError::Reserved);
        }
        self.put_any(key, value)
    }

    /// Gives the current event its evidence: the payload that the ledger commits to, and the salt
    /// of that commitment.
    ///
    /// # Errors
    /// As [`BatchBuilder::put`].
    pub fn evidence(&mut self, payload: &str, salt: &str) -> Result<(), KeyError> {
        self.put_any(PAYLOAD_KEY, Field::Str(payload))?;
        self.put_any(SALT_KEY, Field::Str(salt)).map(drop)
    }

    #[inline]
    fn put_any(&mut self, key: &str, value: Field<'_>) -> Result<usize, KeyError> {
        let (name, column) = self.slot(key, value.kind())?;
        let size_bytes = match (&mut self.columns[column].values, value) {
            (Values::Str(values), Field::Str(text)) | (Values::Json(values), Field::Json(text)) => {
                values.push(text.as_bytes());
                text.len() + 8
            }
            (Values::I64(values), Field::I64(value)) => {
                values.push(value);
                12
            }
            (Values::F64(values), Field::F64(value)) => {
                values.push(value);
                12
            }
            (Values::Bool(values), Field::Bool(value)) => {
                values.push(value);
                5
            }
            _ => unreachable!("a column holds the kind that it was found by"),
        };
        self.size_bytes += size_bytes;
        Ok(name)
    }

    /// Gives the current event a text field.
    ///
    /// # Errors
    /// [`KeyError`]; the event should then be abandoned.
    pub fn str(&mut self, key: &str, value: &str) -> Result<(), KeyError> {
        self.put(key, Field::Str(value)).map(drop)
    }

    /// Gives the current event a whole number.
    ///
    /// # Errors
    /// [`KeyError`]; the event should then be abandoned.
    pub fn i64(&mut self, key: &str, value: i64) -> Result<(), KeyError> {
        self.put(key, Field::I64(value)).map(drop)
    }

    /// Gives the current event a floating-point number.
    ///
    /// # Errors
    /// [`KeyError`]; the event should then be abandoned.
    pub fn f64(&mut self, key: &str, value: f64) -> Result<(), KeyError> {
        self.put(key, Field::F64(value)).map(drop)
    }

    /// Gives the current event a truth value.
    ///
    /// # Errors
    /// [`KeyError`]; the event should then be abandoned.
    pub fn bool(&mut self, key: &str, value: bool) -> Result<(), KeyError> {
        self.put(key, Field::Bool(value)).map(drop)
    }

    /// Gives the current event a value that is kept as compact JSON text.
    ///
    /// # Errors
    /// [`KeyError`]; the event should then be abandoned.
    pub fn json(&mut self, key: &str, value: &str) -> Result<(), KeyError> {
        self.put(key, Field::Json(value)).map(drop)
    }

    /// Ends the current event and keeps it.
    pub fn commit(&mut self, head: EventHead) {
        self.times.push(head.time.0);
        self.severities.push(head.severity.number());
        self.flags.push(head.flags.0);
        self.bytes_in += head.bytes_in as u64;
        self.size_bytes += 10;
        self.previous.clear();
        self.previous.extend(self.current.iter().map(|(name, _)| *name));
        self.current.clear();
    }

    /// Drops what the current event has so far.
    pub fn abandon(&mut self) {
        for (name, column) in self.current.drain(..) {
            let column = &mut self.columns[column as usize];
            column.rows.pop();
            match &mut column.values {
                Values::Str(values) | Values::Json(values) => values.pop(),
                Values::I64(values) => drop(values.pop()),
                Values::F64(values) => drop(values.pop()),
                Values::Bool(values) => drop(values.pop()),
            }
            self.names[name as usize].row_last = NONE;
        }
    }

    /// The batch, its columns sorted by name and kind. An event that was begun and neither
    /// committed nor abandoned is dropped.
    #[must_use]
    pub fn finish(mut self) -> Batch {
        self.abandon();
        self.columns.retain(|column| !column.rows.is_empty());
        self.columns.sort_by(|a, b| (&a.name, a.values.kind()).cmp(&(&b.name, b.values.kind())));
        Batch {
            received: self.received,
            times: self.times,
            severities: self.severities,
            flags: self.flags,
            columns: self.columns,
            bytes_in: self.bytes_in,
        }
    }

    /// The key's name and the column that the current event's value goes to.
    #[inline]
    fn slot(&mut self, key: &str, kind: Kind) -> Result<(usize, usize), KeyError> {
        let position = self.current.len();
        if position >= limits::EVENT_KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        let guess = self.previous.get(position).copied();
        let name_index = match guess {
            Some(index) if &*self.names[index as usize].text == key => index,
            _ => self.name(key)?,
        };
        let row = u32::try_from(self.times.len()).expect("a batch has fewer than 2^32 events");
        let name = &mut self.names[name_index as usize];
        if name.row_last == row {
            return Err(KeyError::Duplicate);
        }
        name.row_last = row;
        let mut column_index = name.columns[kind as usize - 1];
        if column_index == NONE {
            column_index = self.add_column(name_index, kind);
        }
        self.current.push((name_index, column_index));
        self.columns[column_index as usize].rows.push(row);
        Ok((name_index as usize, column_index as usize))
    }

    #[cold]
    fn add_column(&mut self, name_index: u32, kind: Kind) -> u32 {
        let name = &mut self.names[name_index as usize];
        let index = u32::try_from(self.columns.len()).expect("fewer than 2^32 columns");
        name.columns[kind as usize - 1] = index;
        self.columns.push(Column {
            name: Arc::clone(&name.text),
            rows: Vec::new(),
            values: Values::new(kind),
        });
        self.size_bytes += COLUMN_SIZE_BYTES;
        index
    }

    fn name(&mut self, key: &str) -> Result<u32, KeyError> {
        if let Some(index) = self.name_of.get(key) {
            return Ok(*index);
        }
        if key.len() > limits::KEY_BYTES_MAX {
            return Err(KeyError::TooLong);
        }
        if self.names.len() >= limits::BATCH_KEYS_MAX {
            return Err(KeyError::TooManyInBatch);
        }
        let index = u32::try_from(self.names.len()).expect("fewer than 2^32 names");
        let text: Arc<str> = key.into();
        self.name_of.insert(Arc::clone(&text), index);
        self.names.push(Name { text, columns: [NONE; Kind::ALL.len()], row_last: NONE });
        self.size_bytes += NAME_SIZE_BYTES + key.len();
        Ok(index)
    }
}

//! One event, row by row, as answers and tests speak of it.

use crate::id::Seq;
use crate::severity::Severity;
use crate::time::Timestamp;

/// The value of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Str(String),
    /// A whole number that fits in 64 bits.
    I64(i64),
    /// Any other number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// An array, an empty object, `null`, or a number too large for `I64`, as compact JSON text.
    Json(String),
}

/// One event as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number within the dataset.
    pub seq: Seq,
    /// Its id: the sender's own, or one that Ledgerline gave (UUIDv7).
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// When Ledgerline received it.
    pub received: Timestamp,
    /// Its severity, unspecified when none was recognised.
    pub severity: Severity,
    /// Its fields: dotted keys, in the order of their names.
    pub fields: Vec<(String, Value)>,
}

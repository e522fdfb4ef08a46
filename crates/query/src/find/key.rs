//! What makes values equal and how they are ordered, in groups, sorts and lists.

use std::cmp::Ordering;

use ledgerline_model::time::Timestamp;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::scalar::{Scalar, whole};
use crate::answer::Cell;
use crate::lang::ast::{Number, compare_numbers};

/// A value as the key of a group. Numbers of one amount are one key, whatever their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Null,
    I64(i64),
    /// The bits of a number that is no whole number of 64 bits.
    F64(u64),
    Time(i64),
    Str(&'a str),
    Bool(bool),
    Json(&'a str),
}

impl<'a> From<Scalar<'a>> for Key<'a> {
    fn from(value: Scalar<'a>) -> Self {
        match value {
            Scalar::Str(text) => Self::Str(text),
            Scalar::I64(number) => Self::I64(number),
            Scalar::F64(number) if number.is_nan() => Self::F64(f64::NAN.to_bits()),
            Scalar::F64(number) => whole(number).map_or(Self::F64(number.to_bits()), Self::I64),
            Scalar::Bool(truth) => Self::Bool(truth),
            Scalar::Json(text) => Self::Json(text),
            Scalar::Time(time) => Self::Time(time.0),
            Scalar::Severity(severity) => Self::I64(severity.number().into()),
        }
    }
}

impl<'a> Key<'a> {
    /// The key of a cell; none of a list, which is the key of nothing.
    pub(super) fn of(cell: &'a Cell) -> Option<Self> {
        Some(match cell {
            Cell::Null => Self::Null,
            other => Self::from(scalar(other)?),
        })
    }

    /// The value as a cell of a table.
    pub(super) fn cell(self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::I64(number) => Cell::I64(number),
            Self::F64(bits) => Cell::F64(f64::from_bits(bits)),
            Self::Time(time) => Cell::Time(Timestamp(time)),
            Self::Str(text) => Cell::Str(text.to_owned()),
            Self::Bool(truth) => Cell::Bool(truth),
            Self::Json(text) => Cell::Json(text.to_owned()),
        }
    }

    /// A hash that no two keys of an answer have in common.
    pub(super) fn hash(self) -> u128 {
        let of = |kind: u64, bytes: &[u8]| xxh3_128_with_seed(bytes, kind);
        match self {
            Self::Null => of(0, &[]),
            Self::I64(number) => of(1, &number.to_le_bytes()),
            Self::F64(bits) => of(2, &bits.to_le_bytes()),
            Self::Time(time) => of(3, &time.to_le_bytes()),
            Self::Str(text) => of(4, text.as_bytes()),
            Self::Bool(truth) => of(5, &[u8::from(truth)]),
            Self::Json(text) => of(6, text.as_bytes()),
        }
    }

    /// Numbers first, null last, whichever way the others are ordered.
    fn rank(self) -> u8 {
        match self {
            Self::I64(_) | Self::F64(_) => 0,
            Self::Time(_) => 1,
            Self::Str(_) => 2,
            Self::Bool(_) => 3,
            Self::Json(_) => 4,
            Self::Null => u8::MAX,
        }
    }

    fn number(self) -> Number {
        match self {
            Self::I64(number) => Number::Integer(number),
            Self::F64(bits) => Number::Float(f64::from_bits(bits)),
            _ => Number::Integer(0),
        }
    }

    fn compare_same_rank(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => a.cmp(&b),
            (Self::Str(a), Self::Str(b)) | (Self::Json(a), Self::Json(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::F64(a), Self::F64(b)) => f64::from_bits(a).total_cmp(&f64::from_bits(b)),
            (a, b) => compare_numbers(a.number(), b.number()),
        }
    }

    /// The rising order: numbers, times, texts, truths, JSON, null.
    pub(super) fn ascending(self, other: Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| self.compare_same_rank(other))
    }

    /// Falling within each type; the types stay in their order.
    pub(super) fn descending(self, other: Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| other.compare_same_rank(self))
    }
}

/// A single value in the rising order.
#[derive(Debug)]
pub(super) struct Ordered(pub(super) Cell);

impl Ordered {
    pub(super) fn key(&self) -> Key<'_> {
        Key::of(&self.0).unwrap_or(Key::Null)
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().ascending(other.key())
    }
}

/// The single value of a cell that has one.
pub(super) fn scalar(cell: &Cell) -> Option<Scalar<'_>> {
    Some(match cell {
        Cell::Null | Cell::List(_) => return None,
        Cell::Str(text) => Scalar::Str(text),
        Cell::I64(number) => Scalar::I64(*number),
        Cell::F64(number) => Scalar::F64(*number),
        Cell::Bool(truth) => Scalar::Bool(*truth),
        Cell::Time(time) => Scalar::Time(*time),
        Cell::Json(text) => Scalar::Json(text),
    })
}

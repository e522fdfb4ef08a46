//! The byte layout of a batch inside a journal frame.
//!
//! ```text
//! batch   = version u8 (1) | received i64 | bytes_in u64 | rows varint
//!         | times    rows × zigzag varint of the difference to the row before (the first: to 0)
//!         | severity rows × u8 | flags rows × u8
//!         | columns varint | column*
//! column  = name length varint | name | kind u8 | present varint
//!         | rows     present × varint of the difference to the row before (the first: to 0);
//!                    left out when every row is present
//!         | values   Str, Json: present × length varint, then the bytes end to end
//!                    I64: present × zigzag varint; F64: present × u64 bits; Bool: present × u8
//! ```
//!
//! Fixed-width numbers are little-endian; varints are LEB128. Lengths are checked against what is
//! left of the input before anything is allocated.

use std::sync::Arc;

use super::{Batch, Column, Kind, Values};
use crate::strings::Strings;
use crate::time::Timestamp;
use crate::varint::{put_varint, unzigzag, zigzag};

/// The version that [`encode`] writes. Every version ever released is read.
pub const VERSION: u8 = 1;

/// The bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed batch: {0}")]
pub struct FormatError(&'static str);

/// The batch as bytes.
#[must_use]
pub fn encode(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.size_bytes());
    out.push(VERSION);
    out.extend_from_slice(&batch.received.0.to_le_bytes());
    out.extend_from_slice(&batch.bytes_in.to_le_bytes());
    put_varint(&mut out, batch.rows() as u64);
    let mut previous = 0_i64;
    for time in &batch.times {
        put_varint(&mut out, zigzag(time.wrapping_sub(previous)));
        previous = *time;
    }
    out.extend_from_slice(&batch.severities);
    out.extend_from_slice(&batch.flags);
    put_varint(&mut out, batch.columns.len() as u64);
    for column in &batch.columns {
        encode_column(&mut out, column, batch.rows());
    }
    out
}

fn encode_column(out: &mut Vec<u8>, column: &Column, rows: usize) {
    put_varint(out, column.name.len() as u64);
    out.extend_from_slice(column.name.as_bytes());
    out.push(column.values.kind() as u8);
    put_varint(out, column.rows.len() as u64);
    if column.rows.len() != rows {
        let mut previous = 0;
        for row in &column.rows {
            put_varint(out, u64::from(row - previous));
            previous = *row;
        }
    }
    match &column.values {
        Values::Str(values) | Values::Json(values) => {
            values.iter().for_each(|value| put_varint(out, value.len() as u64));
            out.extend_from_slice(values.bytes());
        }
        Values::I64(values) => values.iter().for_each(|value| put_varint(out, zigzag(*value))),
        Values::F64(values) => {
            values.iter().for_each(|value| out.extend_from_slice(&value.to_bits().to_le_bytes()));
        }
        Values::Bool(values) => out.extend(values.iter().map(|value| u8::from(*value))),
    }
}

/// The batch that these bytes hold.
///
/// # Errors
/// [`FormatError`] when the bytes are not exactly one batch of a known version.
pub fn decode(bytes: &[u8]) -> Result<Batch, FormatError> {
    let mut input = Input(bytes);
    if input.u8()? != VERSION {
        return Err(FormatError("unknown version"));
    }
    let received = Timestamp(i64::from_le_bytes(input.array()?));
    let bytes_in = u64::from_le_bytes(input.array()?);
    let rows = input.count(1)?;
    let mut previous = 0_i64;
    let mut times = Vec::with_capacity(rows);
    for _ in 0..rows {
        previous = previous.wrapping_add(unzigzag(input.varint()?));
        times.push(previous);
    }
    let severities = input.take(rows)?.to_vec();
    let flags = input.take(rows)?.to_vec();
    if severities.iter().any(|number| *number > 24) {
        return Err(FormatError("severity above 24"));
    }
    let count = input.count(4)?;
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        columns.push(decode_column(&mut input, rows)?);
    }
    if !input.0.is_empty() {
        return Err(FormatError("bytes after the end"));
    }
    Ok(Batch { received, times, severities, flags, columns, bytes_in })
}

fn decode_column(input: &mut Input<'_>, rows: usize) -> Result<Column, FormatError> {
    let length = input.count(1)?;
    let name: Arc<str> = input.text(length)?.into();
    let kind = Kind::from_number(input.u8()?).ok_or(FormatError("unknown kind"))?;
    let present = input.count_below(rows)?;
    let row_numbers = if present == rows {
        (0..).take(rows).collect()
    } else {
        input.row_numbers(present, rows)?
    };
    let values = match kind {
        Kind::Str => Values::Str(input.strings(present)?),
        Kind::Json => Values::Json(input.strings(present)?),
        Kind::I64 => {
            let values: Result<_, _> = (0..present).map(|_| input.varint().map(unzigzag)).collect();
            Values::I64(values?)
        }
        Kind::F64 => {
            let bits = input.take(present.checked_mul(8).ok_or(FormatError("too many"))?)?;
            let values = bits.chunks_exact(8).map(|bits| {
                f64::from_bits(u64::from_le_bytes(bits.try_into().expect("chunks of 8")))
            });
            Values::F64(values.collect())
        }
        Kind::Bool => Values::Bool(input.take(present)?.iter().map(|byte| *byte != 0).collect()),
    };
    Ok(Column { name, rows: row_numbers, values })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(FormatError("too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        Ok(self.take(N)?.try_into().expect("N bytes were taken"))
    }

    fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, FormatError> {
        crate::varint::take_varint(&mut self.0).ok_or(FormatError("not a number"))
    }

    /// A count of things of which each takes at least `size_min` bytes of what is left.
    fn count(&mut self, size_min: usize) -> Result<usize, FormatError> {
        let max = self.0.len() / size_min;
        self.count_below(max)
    }

    fn count_below(&mut self, max: usize) -> Result<usize, FormatError> {
        let count = usize::try_from(self.varint()?).map_err(|_| FormatError("too many"))?;
        if count > max { Err(FormatError("too many")) } else { Ok(count) }
    }

    fn text(&mut self, length: usize) -> Result<&'a str, FormatError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| FormatError("not UTF-8"))
    }

    fn row_numbers(&mut self, present: usize, rows: usize) -> Result<Vec<u32>, FormatError> {
        let mut numbers = Vec::with_capacity(present);
        let mut next = 0_u64;
        for index in 0..present {
            let step = self.varint()?;
            if index > 0 && step == 0 {
                return Err(FormatError("rows do not rise"));
            }
            next = next.checked_add(step).ok_or(FormatError("row out of range"))?;
            if next >= rows as u64 {
                return Err(FormatError("row out of range"));
            }
            numbers.push(next as u32);
        }
        Ok(numbers)
    }

    fn strings(&mut self, present: usize) -> Result<Strings, FormatError> {
        let mut ends = Vec::with_capacity(present);
        let mut end = 0_u64;
        for _ in 0..present {
            end = end.checked_add(self.varint()?).ok_or(FormatError("too long"))?;
            ends.push(u32::try_from(end).map_err(|_| FormatError("too long"))?);
        }
        let bytes = self.take(end as usize)?;
        let text = std::str::from_utf8(bytes).map_err(|_| FormatError("not UTF-8"))?;
        if !ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
            return Err(FormatError("not UTF-8"));
        }
        Strings::from_parts(ends, bytes.to_vec()).ok_or(FormatError("too long"))
    }
}

#[cfg(test)]
mod tests;

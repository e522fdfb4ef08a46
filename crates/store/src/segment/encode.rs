//! How the values of a page are laid out before compression.
//!
//! ```text
//! integers = mode u8 | scale varint | first zigzag varint | body
//!            mode 0: every further value as zigzag varint of (difference to the last) / scale
//!            mode 1: every value as (value - least) / scale in a fixed width; `first` is least;
//!                    a width u8 of 1, 2, 4 or 8 follows, then the lowest bytes of all values, then
//!                    the next bytes, and so on
//! codes    = width u8 | as in mode 1
//! floats   = the lowest bytes of all bit patterns, then the next bytes, and so on: 8 planes
//! texts    = length varint of each | the bytes end to end
//! ```

use ledgerline_model::strings::Strings;
use ledgerline_model::varint::{put_varint, take_varint, unzigzag, zigzag};

const DELTA: u8 = 0;
const FIXED: u8 = 1;

/// Integers as differences; small when neighbours are alike.
pub(crate) fn put_delta(out: &mut Vec<u8>, values: &[i64]) {
    let scale = difference_gcd(values);
    out.push(DELTA);
    put_varint(out, scale);
    let mut previous = values.first().copied().unwrap_or(0);
    put_varint(out, zigzag(previous));
    for value in values.iter().skip(1) {
        let difference = i128::from(*value) - i128::from(previous);
        put_varint(out, zigzag((difference / i128::from(scale)) as i64));
        previous = *value;
    }
}

/// Integers above the least one; small when they lie close together.
pub(crate) fn put_fixed(out: &mut Vec<u8>, values: &[i64]) {
    let scale = difference_gcd(values);
    let least = values.iter().copied().min().unwrap_or(0);
    out.push(FIXED);
    put_varint(out, scale);
    put_varint(out, zigzag(least));
    let above: Vec<u64> =
        values.iter().map(|value| value.wrapping_sub(least) as u64 / scale).collect();
    put_planes(out, &above);
}

/// The greatest common divisor of all differences, at least 1: times in whole milliseconds have
/// 1,000,000. A difference beyond 63 bits makes it 1.
fn difference_gcd(values: &[i64]) -> u64 {
    let mut gcd = 0_u64;
    for pair in values.windows(2) {
        let Some(difference) = pair[1].checked_sub(pair[0]) else { return 1 };
        let (mut a, mut b) = (gcd, difference.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        gcd = a;
        if gcd == 1 {
            break;
        }
    }
    gcd.max(1)
}

/// Reads what [`put_delta`] or [`put_fixed`] wrote.
pub(crate) fn take_integers(mut input: &[u8], count: usize) -> Option<Vec<i64>> {
    let (mode, rest) = input.split_first()?;
    input = rest;
    let scale = take_varint(&mut input)?;
    let first = unzigzag(take_varint(&mut input)?);
    match *mode {
        DELTA => {
            let mut values = Vec::with_capacity(count);
            let mut value = first;
            for index in 0..count {
                if index > 0 {
                    let step = unzigzag(take_varint(&mut input)?);
                    value = value.wrapping_add(step.wrapping_mul(scale as i64));
                }
                values.push(value);
            }
            input.is_empty().then_some(values)
        }
        FIXED => {
            let above = take_planes(input, count)?;
            let value = |above: &u64| first.wrapping_add(above.wrapping_mul(scale) as i64);
            Some(above.iter().map(value).collect())
        }
        _ => None,
    }
}

/// Unsigned numbers in the least width that holds all, byte plane after byte plane.
fn put_planes(out: &mut Vec<u8>, values: &[u64]) {
    let bits = 64 - values.iter().fold(0, |all, value| all | value).leading_zeros();
    let width = (bits.div_ceil(8).max(1) as u8).next_power_of_two();
    out.push(width);
    for plane in 0..width {
        out.extend(values.iter().map(|value| (value >> (8 * plane)) as u8));
    }
}

fn take_planes(input: &[u8], count: usize) -> Option<Vec<u64>> {
    let (width, input) = input.split_first()?;
    if !matches!(width, 1 | 2 | 4 | 8) || input.len() != count.checked_mul(*width as usize)? {
        return None;
    }
    let mut values = vec![0_u64; count];
    for plane in 0..*width as usize {
        let bytes = &input[plane * count..][..count];
        for (value, byte) in values.iter_mut().zip(bytes) {
            *value |= u64::from(*byte) << (8 * plane);
        }
    }
    Some(values)
}

/// Codes of a dictionary.
pub(crate) fn put_codes(out: &mut Vec<u8>, codes: &[u32]) {
    let most = codes.iter().copied().max().unwrap_or(0);
    let width = if most < 1 << 8 {
        1
    } else if most < 1 << 16 {
        2
    } else {
        4
    };
    out.push(width);
    for plane in 0..width {
        out.extend(codes.iter().map(|code| (code >> (8 * plane)) as u8));
    }
}

/// Reads what [`put_codes`] wrote; every code is below `distinct`.
pub(crate) fn take_codes(input: &[u8], count: usize, distinct: usize) -> Option<Vec<u32>> {
    let (width, input) = input.split_first()?;
    if input.len() != count.checked_mul(*width as usize)? {
        return None;
    }
    let codes: Vec<u32> = match width {
        1 => input.iter().map(|byte| u32::from(*byte)).collect(),
        2 => {
            let (low, high) = input.split_at(count);
            low.iter().zip(high).map(|(l, h)| u32::from(*l) | u32::from(*h) << 8).collect()
        }
        4 => (0..count)
            .map(|i| u32::from_le_bytes([0, 1, 2, 3].map(|plane| input[plane * count + i])))
            .collect(),
        _ => return None,
    };
    let most = codes.iter().copied().max().unwrap_or(0) as usize;
    (count == 0 || most < distinct).then_some(codes)
}

/// Floating-point numbers by their bits.
pub(crate) fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    for plane in 0..8 {
        out.extend(values.iter().map(|value| (value.to_bits() >> (8 * plane)) as u8));
    }
}

/// Reads what [`put_floats`] wrote.
pub(crate) fn take_floats(input: &[u8], count: usize) -> Option<Vec<f64>> {
    if input.len() != count.checked_mul(8)? {
        return None;
    }
    let bits = |i: usize| {
        (0..8).fold(0, |bits, plane| bits | u64::from(input[plane * count + i]) << (8 * plane))
    };
    Some((0..count).map(|i| f64::from_bits(bits(i))).collect())
}

/// Texts one after the other.
pub(crate) fn put_strings<'a>(
    out: &mut Vec<u8>,
    values: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) {
    values.clone().for_each(|value| put_varint(out, value.len() as u64));
    values.for_each(|value| out.extend_from_slice(value));
}

/// Reads what [`put_strings`] wrote without looking at the texts: where each ends, and the bytes.
pub(crate) fn take_texts<'a>(
    mut input: &'a [u8],
    count: usize,
    ends: &mut Vec<u32>,
) -> Option<&'a [u8]> {
    ends.clear();
    let mut end = 0_u64;
    for _ in 0..count {
        end = end.checked_add(take_varint(&mut input)?)?;
        ends.push(u32::try_from(end).ok()?);
    }
    (end == input.len() as u64).then_some(input)
}

/// Reads what [`put_strings`] wrote; all of it is UTF-8.
pub(crate) fn take_strings(input: &[u8], count: usize) -> Option<Strings> {
    let mut ends = Vec::with_capacity(count.min(input.len()));
    let input = take_texts(input, count, &mut ends)?;
    let text = std::str::from_utf8(input).ok()?;
    if !ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
        return None;
    }
    Strings::from_parts(ends, input.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    proptest! {
        #[test]
        fn integers_round_trip(values: Vec<i64>, scale in 1..5_i64) {
            for values in [values.clone(), values.iter().map(|v| v / 8 * scale).collect()] {
                for write in [put_delta, put_fixed] {
                    let bytes = written(|out| write(out, &values));
                    prop_assert_eq!(take_integers(&bytes, values.len()), Some(values.clone()));
                }
            }
        }

        #[test]
        fn codes_floats_and_texts_round_trip(
            codes in prop::collection::vec(0..100_000_u32, 0..50), bits: Vec<u64>,
            texts: Vec<String>
        ) {
            let bytes = written(|out| put_codes(out, &codes));
            prop_assert_eq!(take_codes(&bytes, codes.len(), 100_000), Some(codes.clone()));
            if let Some(most) = codes.iter().max() {
                prop_assert_eq!(take_codes(&bytes, codes.len(), *most as usize), None);
            }
            let floats: Vec<f64> = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
            let bytes = written(|out| put_floats(out, &floats));
            let read = take_floats(&bytes, floats.len()).map(|read| {
                read.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
            });
            prop_assert_eq!(read, Some(bits));
            let strings: Strings = texts.iter().collect();
            let bytes = written(|out| put_strings(out, strings.iter()));
            prop_assert_eq!(take_strings(&bytes, strings.len()), Some(strings));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>, count in 0..64_usize) {
            let _integers = take_integers(&bytes, count);
            let _codes = take_codes(&bytes, count, 3);
            let _floats = take_floats(&bytes, count);
            let _strings = take_strings(&bytes, count);
        }
    }
}

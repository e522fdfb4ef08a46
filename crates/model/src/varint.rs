//! Numbers of variable length: LEB128, and zigzag for signed ones, as Protocol Buffers have them.

/// Appends a number as LEB128.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a LEB128 number off the front. Nothing when there is none, or one above 64 bits.
#[inline]
pub fn take_varint(input: &mut &[u8]) -> Option<u64> {
    let (first, rest) = input.split_first()?;
    if *first < 0x80 {
        *input = rest;
        return Some(u64::from(*first));
    }
    let mut number = 0;
    for (index, byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * index);
        if *byte < 0x80 {
            *input = &input[index + 1..];
            return Some(number);
        }
    }
    None
}

/// Small numbers of either sign as small unsigned ones.
#[must_use]
#[inline]
pub fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The inverse of [`zigzag`].
#[must_use]
#[inline]
pub fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_round_trip(number: u64, signed: i64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            put_varint(&mut bytes, zigzag(signed));
            let mut input = &bytes[..];
            prop_assert_eq!(take_varint(&mut input), Some(number));
            prop_assert_eq!(take_varint(&mut input).map(unzigzag), Some(signed));
            prop_assert!(input.is_empty());
            prop_assert_eq!(take_varint(&mut input), None);
        }
    }

    #[test]
    fn numbers_above_64_bits_are_refused() {
        let mut input = &[0xff; 11][..];
        assert_eq!(take_varint(&mut input), None);
        let mut input = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02][..];
        assert_eq!(take_varint(&mut input), None);
    }
}

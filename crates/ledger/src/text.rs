//! Bytes and numbers as text, in exactly one way each: what is read would be written the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// Standard base64 with padding (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64: with its padding, without spaces, the unused bits zero.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text.
pub fn parse_base64(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| Error::malformed("this is not base64"))
}

/// Reads the base64 of exactly so many bytes.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text.
pub fn parse_base64_array<const N: usize>(text: &str) -> Result<[u8; N]> {
    let bytes = parse_base64(text)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| Error::malformed(format!("{length} bytes stand where {N} belong")))
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads lower-case hexadecimal digits of exactly so many bytes.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text.
pub fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N]> {
    let wrong = || Error::malformed(format!("these are not {N} bytes in lower-case hexadecimal"));
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(wrong());
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(wrong()),
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? * 16 + digit(pair[1])?;
    }
    Ok(bytes)
}

/// Reads a decimal number without leading zeros or a sign.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text and for numbers of more than 64 bits.
pub fn parse_decimal(text: &str) -> Result<u64> {
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => Ok(number),
        _ => Err(Error::malformed("this is not a decimal number of at most 64 bits")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "+1", "-1", "01", "00", " 1", "1 ", "1_0", "18446744073709551616", "x"] {
            parse_decimal(text).expect_err(text);
        }
        assert_eq!(parse_decimal("0").expect("a number"), 0);
        assert_eq!(parse_decimal("18446744073709551615").expect("a number"), u64::MAX);
        for text in ["AA", "AA=", "AB==", "AA==\n", " AA==", "A-==", "AA===", "AA==AA=="] {
            parse_base64(text).expect_err(text);
        }
        assert_eq!(parse_base64("AA==").expect("a byte"), [0]);
        parse_base64_array::<2>("AA==").expect_err("one byte is not two");
        for text in ["", "0", "0G", "0g", "A0", "000", "0`", "/0", ":0"] {
            parse_hex::<1>(text).expect_err(text);
        }
        assert_eq!(parse_hex::<3>("09afc3").expect("three bytes"), [0x09, 0xaf, 0xc3]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 32], number: u64) {
            prop_assert_eq!(parse_base64_array(&base64(&bytes)).expect("as written"), bytes);
            prop_assert_eq!(parse_hex(&hex(&bytes)).expect("as written"), bytes);
            prop_assert_eq!(parse_decimal(&number.to_string()).expect("as written"), number);
        }
    }
}

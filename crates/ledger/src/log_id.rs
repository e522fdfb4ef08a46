//! Which log: a UUID, in text always with hyphens and lower-case digits.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::text;

/// The id of a log. One dataset of audit events has one log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(pub [u8; 16]);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid_text(&self.0))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

impl FromStr for LogId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse_uuid(text).map(Self).ok_or_else(|| {
            Error::malformed("the id of a log is a UUID with hyphens and lower-case digits")
        })
    }
}

/// Sixteen bytes as a UUID is written: `8-4-4-4-12` lower-case hexadecimal digits.
#[must_use]
pub fn uuid_text(bytes: &[u8; 16]) -> String {
    let digits = text::hex(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// Reads what [`uuid_text`] writes; nothing for any other text.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits = text.replace('-', "");
    let bytes = text::parse_hex(&digits).ok()?;
    (uuid_text(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_spelling_is_read() {
        let text = "0198c1f2-7a5b-7c3d-8e4f-a1b2c3d4e5f6";
        let id: LogId = text.parse().expect("a UUID");
        assert_eq!(format!("{id} {id:?}"), format!("{text} LogId({text})"));
        let upper = text.to_uppercase();
        let plain = text.replace('-', "");
        let moved = "0198c1f27-a5b-7c3d-8e4f-a1b2c3d4e5f6";
        for other in [&upper, &plain, moved, &text[1..], ""] {
            other.parse::<LogId>().expect_err(other);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 16]) {
            prop_assert_eq!(parse_uuid(&uuid_text(&bytes)), Some(bytes));
        }
    }
}

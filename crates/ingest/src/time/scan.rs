//! A cursor over the text of a time.

use super::civil::Civil;

/// A place in a text. Methods that find what they look for step over it; those that do not may
/// leave the place anywhere before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// A number of exactly so many digits; a digit more is not looked for.
    pub(super) fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        let mut value = 0;
        for digit in digits {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u32::from(digit);
        }
        self.at += count;
        Some(value)
    }

    /// A number of one or two digits.
    pub(super) fn one_or_two_digits(&mut self) -> Option<u32> {
        self.digits(2).or_else(|| self.digits(1))
    }

    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        self.one_of(&[byte]).map(drop)
    }

    pub(super) fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.rest().first()?;
        bytes.contains(&byte).then(|| {
            self.at += 1;
            byte
        })
    }

    /// One space or several.
    pub(super) fn spaces(&mut self) -> Option<()> {
        self.byte(b' ')?;
        while self.byte(b' ').is_some() {}
        Some(())
    }

    /// Three letters.
    pub(super) fn word3(&mut self) -> Option<[u8; 3]> {
        let word: [u8; 3] = self.rest().get(..3)?.try_into().ok()?;
        self.at += 3;
        Some(word)
    }

    /// `22:58`, `22:58:14`, `22:58:14.123456789` or `22:58:14,123`; digits after the ninth of a
    /// fraction are dropped.
    pub(super) fn clock(&mut self, civil: &mut Civil) -> Option<()> {
        civil.hour = self.digits(2)?;
        self.byte(b':')?;
        civil.minute = self.digits(2)?;
        if self.byte(b':').is_some() {
            civil.second = self.digits(2)?;
            civil.nanosecond = self.fraction();
        }
        Some(())
    }

    /// `225814`, with a fraction or without.
    pub(super) fn compact_clock(&mut self, civil: &mut Civil) -> Option<()> {
        civil.hour = self.digits(2)?;
        civil.minute = self.digits(2)?;
        civil.second = self.digits(2)?;
        civil.nanosecond = self.fraction();
        Some(())
    }

    /// A fraction of a second in nanoseconds, 0 when there is none.
    fn fraction(&mut self) -> u32 {
        let [b'.' | b',', rest @ ..] = self.rest() else { return 0 };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match fraction(&rest[..count.min(9)]) {
            Some(nanoseconds) => {
                self.at += 1 + count;
                nanoseconds
            }
            None => 0,
        }
    }

    /// The seconds that a zone is east of UTC: `Z`, `+02:00`, `-0700`, `+01`, each with a space
    /// before it or without, ` UTC` or ` GMT`. No zone is UTC.
    pub(super) fn zone(&mut self) -> i64 {
        let start = self.at;
        let spaced = self.spaces().is_some();
        let named = [&b"UTC"[..], b"GMT", b"Z", b"z"]
            .into_iter()
            .find(|name| self.rest().starts_with(name) && (!spaced || name.len() == 3));
        if let Some(name) = named {
            self.at += name.len();
            return 0;
        }
        self.offset(spaced).unwrap_or_else(|| {
            self.at = start;
            0
        })
    }

    fn offset(&mut self, spaced: bool) -> Option<i64> {
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2)?;
        let colon = self.byte(b':').is_some();
        let minutes = match self.digits(2) {
            Some(minutes) => minutes,
            // After a space two digits alone are rather a number of the text than a zone.
            None if colon || spaced => return None,
            None => 0,
        };
        let is_zone = hours < 24
            && minutes < 60
            && !self.rest().first().is_some_and(u8::is_ascii_alphanumeric);
        is_zone.then(|| sign * i64::from(hours * 3600 + minutes * 60))
    }
}

/// Up to nine digits after a decimal point as nanoseconds.
pub(super) fn fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut nanoseconds = 0;
    for place in 0..9 {
        let digit = digits.get(place).map_or(0, |digit| digit - b'0');
        nanoseconds = nanoseconds * 10 + u32::from(digit);
    }
    Some(nanoseconds)
}

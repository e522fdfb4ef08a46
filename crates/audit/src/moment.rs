//! Points in time as texts: RFC 3339, always with an offset.

use std::fmt;

use ledgerline_model::time::Timestamp;

use crate::error::code;

/// The longest text of a time. A fraction may have more digits than count.
pub const MOMENT_BYTES_MAX: usize = 64;

/// A time as it was written, and the point that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    at: Timestamp,
}

/// Why a text names no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// It is not RFC 3339.
    #[error("a time is written like 2026-01-31T12:00:00Z or 2026-01-31T13:00:00.5+01:00")]
    Format,
    /// It has no offset, so that it names a different point in each zone.
    #[error("a time needs an offset, Z or one like +01:00")]
    Offset,
    /// 64 bits of nanoseconds do not reach it.
    #[error("a time lies between the years 1678 and 2261")]
    Range,
}

impl MomentError {
    /// The stable name of the fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Format | Self::Offset => code::BAD_TIME,
            Self::Range => code::TIME_OUT_OF_RANGE,
        }
    }
}

impl Moment {
    /// Reads a time. Digits of a fraction after the ninth do not count; second 60, the leap second,
    /// is the first of the next minute.
    ///
    /// # Errors
    /// When the text is no time, has no offset, or lies too far from 1970.
    pub fn parse(text: &str) -> Result<Self, MomentError> {
        let at = parse(text)?;
        Ok(Self { text: text.to_owned(), at })
    }

    /// The text that says when it was.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The point in time.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { text: written(at), at }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The time as Ledgerline writes it, such as `2026-01-31T12:00:00.000000000Z`.
#[must_use]
pub fn written(at: Timestamp) -> String {
    let (days, within) = (at.0.div_euclid(Timestamp::DAY), at.0.rem_euclid(Timestamp::DAY));
    let (year, month, day) = civil(days);
    let (seconds, nanosecond) = (within / Timestamp::SECOND, within % Timestamp::SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z")
}

fn parse(text: &str) -> Result<Timestamp, MomentError> {
    let bytes = text.as_bytes();
    if bytes.len() > MOMENT_BYTES_MAX {
        return Err(MomentError::Format);
    }
    let (civil, rest) = read_civil(bytes).ok_or(MomentError::Format)?;
    let offset_s = match rest {
        b"Z" | b"z" => 0,
        [] => return Err(MomentError::Offset),
        _ => read_offset(rest).ok_or(MomentError::Format)?,
    };
    let seconds = civil.seconds - offset_s;
    let nanoseconds = i128::from(seconds) * i128::from(Timestamp::SECOND) + civil.nanosecond;
    i64::try_from(nanoseconds).map(Timestamp).map_err(|_| MomentError::Range)
}

/// A date and time of day: seconds since 1970 if its offset were 0, and nanoseconds within.
struct Civil {
    seconds: i64,
    nanosecond: i128,
}

/// The date and time of day that the text begins with, and what comes behind.
fn read_civil(bytes: &[u8]) -> Option<(Civil, &[u8])> {
    let (head, mut rest) = bytes.split_at_checked(19)?;
    let has_shape = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b'T' | b't' | b' ')
        && head[13] == b':'
        && head[16] == b':';
    if !has_shape {
        return None;
    }
    let two = |at: usize| number(&head[at..at + 2]);
    let (year, month, day) = (number(&head[..4])?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let is_civil = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !is_civil {
        return None;
    }
    let mut nanosecond = 0;
    if let [b'.', behind @ ..] = rest {
        let count = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        for place in 0..9 {
            let digit = behind[..count].get(place).map_or(0, |digit| digit - b'0');
            nanosecond = nanosecond * 10 + i128::from(digit);
        }
        rest = &behind[count..];
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((Civil { seconds, nanosecond }, rest))
}

/// The seconds that an offset such as `+01:00` is east of UTC.
fn read_offset(bytes: &[u8]) -> Option<i64> {
    let [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] = bytes else { return None };
    if hours.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(&[*tens, *ones])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let days_before_month = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + days_before_month + day - 1 - 719_468
}

/// The date of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // The mean length of a year is near enough to be off by one at most.
    let mut year = 1970 + days * 400 / 146_097;
    while self::days(year, 1, 1) > days {
        year -= 1;
    }
    while self::days(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while self::days(year, month, 1) > days {
        month -= 1;
    }
    (year, month, days - self::days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests;

//! Reading times: texts and epoch numbers, to nanoseconds since 1970.
//!
//! A time outside of what 64 bits of nanoseconds can hold (1677 to 2262) becomes the nearest that
//! they can; a text without a zone is UTC.

mod civil;
mod epoch;
mod scan;
mod words;

pub(crate) use epoch::{of_float, of_integer};

use ledgerline_model::time::Timestamp;

use civil::Civil;
use scan::Scan;

/// The time that a whole text is, surrounding spaces aside.
pub(crate) fn of_text(text: &str, received: Timestamp) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if let Some(time) = rfc3339(bytes) {
        return Some(time);
    }
    let bytes = bytes.trim_ascii();
    if let Some((time, end)) = of_prefix(bytes, received)
        && end == bytes.len()
    {
        return Some(time);
    }
    epoch::of_decimal(bytes)
}

/// The time that a text begins with, and where it ends. Knows ISO 8601 and RFC 3339 with their
/// common variants, the times of syslog, of C's `ctime`, of RFC 2822, of Apache's access log, and
/// the `yymmdd hhmmss` of old Hadoop.
pub(crate) fn of_prefix(bytes: &[u8], received: Timestamp) -> Option<(Timestamp, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii_digit() {
        iso(bytes).or_else(|| words::day_first(bytes)).or_else(|| short(bytes))
    } else if first.is_ascii_uppercase() {
        words::month_first(bytes, received)
    } else {
        None
    }
}

/// The time with a full date that a text begins with, for places where a mistake is more likely.
pub(crate) fn of_full_prefix(bytes: &[u8]) -> Option<(Timestamp, usize)> {
    iso(bytes).or_else(|| words::day_first(bytes))
}

/// The fast way for what nearly every event carries: `2019-12-05T01:49:34.041Z`.
fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let shape = text.len() >= 20
        && text[4] == b'-'
        && text[7] == b'-'
        && (text[10] == b'T' || text[10] == b' ')
        && text[13] == b':'
        && text[16] == b':'
        && text[text.len() - 1] == b'Z';
    if !shape {
        return None;
    }
    let two = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    let civil = Civil {
        year: i64::from(two(0)? * 100 + two(2)?),
        month: two(5)?,
        day: two(8)?,
        hour: two(11)?,
        minute: two(14)?,
        second: two(17)?,
        nanosecond: match &text[19..text.len() - 1] {
            [] => 0,
            [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => scan::fraction(digits)?,
            _ => return None,
        },
    };
    civil.timestamp(0)
}

/// ISO 8601: `2020-09-21T22:58:14.5+02:00`, `2020/09/21 22:58`, `20200921T225814Z`, `2020-09-21`.
fn iso(bytes: &[u8]) -> Option<(Timestamp, usize)> {
    let mut scan = Scan::new(bytes);
    let mut civil = Civil::midnight(i64::from(scan.digits(4)?), 1, 1);
    let separator = scan.one_of(b"-/");
    civil.month = scan.digits(2)?;
    if let Some(separator) = separator {
        scan.byte(separator)?;
    }
    civil.day = scan.digits(2)?;
    let date_end = scan;
    let timed = scan.one_of(b"Tt _").and_then(|_| {
        if separator.is_some() { scan.clock(&mut civil) } else { scan.compact_clock(&mut civil) }
    });
    if timed.is_none() {
        let is_whole = !date_end.rest().first().is_some_and(u8::is_ascii_alphanumeric);
        civil = Civil::midnight(civil.year, civil.month, civil.day);
        return is_whole.then_some((civil.timestamp(0)?, date_end.at()));
    }
    let offset_s = scan.zone();
    Some((civil.timestamp(offset_s)?, scan.at()))
}

/// Old Hadoop: `081109 203615`.
fn short(bytes: &[u8]) -> Option<(Timestamp, usize)> {
    let mut scan = Scan::new(bytes);
    let year = i64::from(scan.digits(2)?);
    let century = if year < 70 { 2000 } else { 1900 };
    let mut civil = Civil::midnight(century + year, scan.digits(2)?, scan.digits(2)?);
    scan.byte(b' ')?;
    scan.compact_clock(&mut civil)?;
    let is_whole = !scan.rest().first().is_some_and(u8::is_ascii_alphanumeric);
    is_whole.then_some((civil.timestamp(0)?, scan.at()))
}

#[cfg(test)]
mod tests;

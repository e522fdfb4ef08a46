//! Times as people write them, in queries and wherever else a time is asked for. A literal names a
//! span of time, as exact as it was written:
//!
//! | written | the span |
//! | --- | --- |
//! | `2020-09-21T10:15:30.123Z`, `…+02:00`, or no zone | one unit of the last digit: here a ms |
//! | `…T10:15`, `…T10`, `2020-09-21`, `2020-09`, `2020` | the minute, hour, day, month, year |
//! | `1600683330`, `….123`, `…123`, `…123456`, `…123456789` | a second, ms, µs, ns since 1970 |
//! | `now`, `now-15m`, `-1h`, `now-1d+2h` | that very nanosecond |
//! | `now/d`, `now-1d/d`, `-1w/w` | the minute, hour, day, week … that holds it |
//!
//! Without a zone it is UTC, and a space may stand for the `T`. Which unit a number since 1970 is
//! in shows by its size: below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds,
//! else nanoseconds. A number of four digits is a year. What lies beyond the years 1677 to 2262
//! counts as the first or the last representable time.

use std::ops::Bound;

use chrono::{Days, Months, NaiveDate};
use ledgerline_model::time::{TimeRange, Timestamp};

use super::ast::Comparison;
use super::width::{UNITS, Width};

/// The span of time that a literal names, seen from `now`; none if it names none.
#[must_use]
pub fn range(literal: &str, now: Timestamp) -> Option<TimeRange> {
    relative(literal, now).or_else(|| since_1970(literal)).or_else(|| calendar(literal))
}

/// The start of the span that a literal names, seen from `now`.
#[must_use]
pub fn instant(literal: &str, now: Timestamp) -> Option<Timestamp> {
    Some(range(literal, now)?.start)
}

/// The times that compare so with the span that a literal names: `>` begins behind the span, `<=`
/// ends with it, `=` is the span itself.
#[must_use]
pub fn compared(comparison: Comparison, span: TimeRange) -> TimeRange {
    let TimeRange { start, end } = span;
    match comparison {
        Comparison::Equal => span,
        Comparison::Less => TimeRange { start: TimeRange::ALL.start, end: start },
        Comparison::LessOrEqual => TimeRange { start: TimeRange::ALL.start, end },
        Comparison::Greater => TimeRange { start: end, end: TimeRange::ALL.end },
        Comparison::GreaterOrEqual => TimeRange { start, end: TimeRange::ALL.end },
    }
}

/// The times between two spans: one that is included belongs to them as a whole.
#[must_use]
pub fn between(low: Bound<TimeRange>, high: Bound<TimeRange>) -> TimeRange {
    let start = match low {
        Bound::Unbounded => TimeRange::ALL.start,
        Bound::Included(span) => span.start,
        Bound::Excluded(span) => span.end,
    };
    let end = match high {
        Bound::Unbounded => TimeRange::ALL.end,
        Bound::Included(span) => span.end,
        Bound::Excluded(span) => span.start,
    };
    TimeRange { start, end }
}

/// A span of nanoseconds, of which what cannot be represented is cut off.
fn span(start: i128, width: i128) -> TimeRange {
    TimeRange { start: saturated(start), end: saturated(start + width) }
}

fn saturated(nanoseconds: i128) -> Timestamp {
    let nearest = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    Timestamp(i64::try_from(nearest).expect("it was clamped"))
}

/// `now`, offsets from it, and rounding down at the end.
fn relative(literal: &str, now: Timestamp) -> Option<TimeRange> {
    let mut rest = match literal.strip_prefix("now") {
        Some(rest) => rest,
        None if literal.starts_with(['-', '+']) => literal,
        None => return None,
    };
    let mut point = i128::from(now.0);
    while let Some(signed) = rest.strip_prefix(['-', '+']) {
        let digits = signed.len() - signed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let amount: u32 = signed[..digits].parse().ok()?;
        let (width, after) = unit(&signed[digits..])?;
        let offset = i128::from(amount) * i128::from(width.nanoseconds());
        point += if rest.starts_with('-') { -offset } else { offset };
        rest = after;
    }
    match rest.strip_prefix('/') {
        Some(rounding) => {
            let (width, after) = unit(rounding)?;
            let start = width.floor(saturated(point));
            after.is_empty().then(|| span(start.0.into(), width.nanoseconds().into()))
        }
        None => rest.is_empty().then(|| span(point, 1)),
    }
}

/// A letter of a unit, and what follows it.
fn unit(text: &str) -> Option<(Width, &str)> {
    let (letter, seconds) = UNITS.into_iter().find(|(letter, _)| text.starts_with(*letter))?;
    Some((Width::from_seconds(seconds)?, text.strip_prefix(letter)?))
}

/// A number since 1970-01-01T00:00:00Z.
fn since_1970(literal: &str) -> Option<TimeRange> {
    let unsigned = literal.strip_prefix('-').unwrap_or(literal);
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (unsigned, None),
    };
    let is_year = literal.len() == 4 && decimals.is_none();
    if is_year || whole.len() > 19 || !is_number(whole) {
        return None;
    }
    let amount: i128 = whole.parse().ok()?;
    let unit = match amount {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let (fraction, width) = match decimals {
        Some(decimals) => fraction(decimals, unit)?,
        None => (0, unit),
    };
    let distance = amount * unit + fraction;
    Some(span(if literal.starts_with('-') { -distance } else { distance }, width))
}

/// The amount of digits behind the point, and the width of the last of them, of some unit that is a
/// power of ten.
fn fraction(decimals: &str, unit: i128) -> Option<(i128, i128)> {
    if decimals.len() > 9 || !is_number(decimals) {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(decimals.len()).ok()?);
    let amount: i128 = decimals.parse().ok()?;
    (unit % scale == 0).then(|| (amount * (unit / scale), unit / scale))
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// A date, or a part of one, or a date with a time, as RFC 3339 writes them.
fn calendar(literal: &str) -> Option<TimeRange> {
    let mut rest = Rest(literal);
    let year = i32::try_from(rest.number(4)?).ok()?;
    if rest.0.is_empty() {
        let start = NaiveDate::from_ymd_opt(year, 1, 1)?;
        return Some(days(start, start.checked_add_months(Months::new(12))?));
    }
    let month = rest.part('-')?;
    if rest.0.is_empty() {
        let start = NaiveDate::from_ymd_opt(year, month, 1)?;
        return Some(days(start, start.checked_add_months(Months::new(1))?));
    }
    let date = NaiveDate::from_ymd_opt(year, month, rest.part('-')?)?;
    if rest.0.is_empty() {
        return Some(days(date, date.checked_add_days(Days::new(1))?));
    }
    if !rest.eat(&['T', 't', ' ']) {
        return None;
    }
    let (since_midnight, width) = rest.clock()?;
    let offset = rest.zone()?;
    rest.0.is_empty().then(|| span(midnight(date) + since_midnight - offset, width))
}

fn days(start: NaiveDate, end: NaiveDate) -> TimeRange {
    TimeRange { start: saturated(midnight(start)), end: saturated(midnight(end)) }
}

fn midnight(date: NaiveDate) -> i128 {
    let days = i128::from(date.to_epoch_days());
    days * i128::from(Timestamp::DAY)
}

/// What of a date and time is not read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// So many digits.
    fn number(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = is_number(digits).then(|| digits.parse().ok()).flatten()?;
        self.0 = rest;
        Some(number)
    }

    fn eat(&mut self, signs: &[char]) -> bool {
        let rest = self.0.strip_prefix(signs);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Two digits behind a sign.
    fn part(&mut self, sign: char) -> Option<u32> {
        if self.eat(&[sign]) { self.number(2) } else { None }
    }

    /// The nanoseconds since midnight, and the width of the last part that is there. The leap
    /// second, 60, is the first of the next minute.
    fn clock(&mut self) -> Option<(i128, i128)> {
        const SECOND: i128 = Timestamp::SECOND as i128;
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        let hours = i128::from(hour) * 3_600 * SECOND;
        if !self.eat(&[':']) {
            return Some((hours, 3_600 * SECOND));
        }
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        let minutes = hours + i128::from(minute) * 60 * SECOND;
        if !self.eat(&[':']) {
            return Some((minutes, 60 * SECOND));
        }
        let second = self.number(2).filter(|second| *second <= 60)?;
        let seconds = minutes + i128::from(second) * SECOND;
        if !self.eat(&['.', ',']) {
            return Some((seconds, SECOND));
        }
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (decimals, rest) = self.0.split_at(end);
        self.0 = rest;
        let (nanoseconds, width) = fraction(decimals, SECOND)?;
        Some((seconds + nanoseconds, width))
    }

    /// How far the zone is ahead of UTC, in nanoseconds.
    fn zone(&mut self) -> Option<i128> {
        if self.0.is_empty() || self.eat(&['Z', 'z']) {
            return Some(0);
        }
        let is_behind = self.0.starts_with('-');
        if !self.eat(&['+', '-']) {
            return None;
        }
        let hours = self.number(2).filter(|hours| *hours < 24)?;
        let has_minutes = self.eat(&[':']) || !self.0.is_empty();
        let minutes =
            if has_minutes { self.number(2).filter(|minutes| *minutes < 60)? } else { 0 };
        let ahead = i128::from(hours * 60 + minutes) * 60 * i128::from(Timestamp::SECOND);
        Some(if is_behind { -ahead } else { ahead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2020-09-21T10:15:30.5Z, a Monday.
    const NOW: Timestamp = Timestamp(1_600_683_330_500_000_000);
    const SECOND: i64 = Timestamp::SECOND;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = Timestamp::DAY;
    /// 2020-09-21T00:00:00Z.
    const MIDNIGHT: i64 = 1_600_646_400 * SECOND;

    #[track_caller]
    fn check(literal: &str, start: i64, width: i64) {
        let range = range(literal, NOW).unwrap_or_else(|| panic!("{literal} is a time"));
        assert_eq!((range.start.0, range.end.0 - range.start.0), (start, width), "{literal}");
        assert_eq!(instant(literal, NOW), Some(range.start));
    }

    #[test]
    fn dates_and_times_are_as_wide_as_they_are_written() {
        check("2020", 1_577_836_800 * SECOND, 366 * DAY);
        check("2020-09", MIDNIGHT - 20 * DAY, 30 * DAY);
        check("2020-09-21", MIDNIGHT, DAY);
        check("2020-09-21T10", MIDNIGHT + 10 * HOUR, HOUR);
        check("2020-09-21 10:15", MIDNIGHT + 10 * HOUR + 15 * MINUTE, MINUTE);
        check("2020-09-21T10:15:30", NOW.0 - SECOND / 2, SECOND);
        check("2020-09-21T10:15:30.5", NOW.0, SECOND / 10);
        check("2020-09-21t10:15:30,500z", NOW.0, 1_000_000);
        check("2020-09-21T10:15:30.500000000Z", NOW.0, 1);
        check("2020-09-21T23:59:60Z", MIDNIGHT + DAY, SECOND);
    }

    #[test]
    fn zones_are_subtracted() {
        let start = NOW.0 - SECOND / 2;
        for literal in [
            "2020-09-21T12:15:30+02:00",
            "2020-09-21T12:15:30+0200",
            "2020-09-21T12:15:30+02",
            "2020-09-21T04:45:30-05:30",
        ] {
            check(literal, start, SECOND);
        }
    }

    #[test]
    fn numbers_are_since_1970() {
        check("1600683330", NOW.0 - SECOND / 2, SECOND);
        check("1600683330.5", NOW.0, SECOND / 10);
        check("1600683330500", NOW.0, 1_000_000);
        check("1600683330500.25", NOW.0 + 250_000, 10_000);
        check("1600683330500000", NOW.0, 1_000);
        check("1600683330500000000", NOW.0, 1);
        check("0", 0, SECOND);
        check("-5", -5 * SECOND, SECOND);
        check("99999", 99_999 * SECOND, SECOND);
    }

    #[test]
    fn relative_times_are_seen_from_now() {
        check("now", NOW.0, 1);
        check("now-15m", NOW.0 - 15 * MINUTE, 1);
        check("-1h", NOW.0 - HOUR, 1);
        check("+1h", NOW.0 + HOUR, 1);
        check("now-1d+2h", NOW.0 - DAY + 2 * HOUR, 1);
        check("now/d", MIDNIGHT, DAY);
        check("now-1d/d", MIDNIGHT - DAY, DAY);
        check("now/w", MIDNIGHT, 7 * DAY);
        check("-1w/w", MIDNIGHT - 7 * DAY, 7 * DAY);
        check("now/s", NOW.0 - SECOND / 2, SECOND);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for literal in [
            "",
            "-",
            "+",
            "now-",
            "now-5",
            "now-m",
            "now/",
            "now/dd",
            "now/d-1h",
            "nowhere",
            "2020-13",
            "2020-02-30",
            "2020-9-21",
            "2020-09-21T",
            "2020-09-21T24:00",
            "2020-09-21Z",
            "2020-09-21T10:60",
            "2020-09-21T10:15:61",
            "2020-09-21T10:15:30.",
            "1600683330.",
            "2020-09-21T10:15:30.1234567890",
            "2020-09-21T10:15:30+2",
            "2020-09-21T10:15:30+02:",
            "2020-09-21T10:15:30 UTC",
            "12345678901234567890",
            "1e9",
            "١٦٠٠",
            "2020-09-2é",
            "-99999999999h",
        ] {
            assert_eq!(range(literal, NOW), None, "{literal}");
        }
    }

    #[test]
    fn the_ends_of_time_are_not_exceeded() {
        let last = Timestamp(i64::MAX);
        assert_eq!(instant("9999-12-31", NOW), Some(last));
        assert_eq!(instant("0001-01-01", NOW), Some(Timestamp(i64::MIN)));
        assert_eq!(instant("9999999999999999999", NOW), Some(last));
        assert_eq!(instant("now+4294967295w", NOW), Some(last));
        assert!(range("now-4294967295w/w", NOW).is_some());
    }

    #[test]
    fn comparisons_treat_a_span_as_one() {
        let day = range("2020-09-21", NOW).expect("a date");
        let (start, end) = (day.start.0, day.end.0);
        for (comparison, first, after_last) in [
            (Comparison::Equal, start, end),
            (Comparison::Less, i64::MIN, start),
            (Comparison::LessOrEqual, i64::MIN, end),
            (Comparison::Greater, end, i64::MAX),
            (Comparison::GreaterOrEqual, start, i64::MAX),
        ] {
            let times = compared(comparison, day);
            assert_eq!((times.start.0, times.end.0), (first, after_last), "{comparison}");
        }
        assert_eq!(between(Bound::Included(day), Bound::Included(day)), day);
        assert_eq!(between(Bound::Unbounded, Bound::Unbounded), TimeRange::ALL);
        let after = between(Bound::Excluded(day), Bound::Unbounded);
        assert_eq!(after.start, day.end);
        let before = between(Bound::Unbounded, Bound::Excluded(day));
        assert_eq!(before.end, day.start);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(literal in "\\PC{0,40}", now: i64) {
            let range = range(&literal, Timestamp(now));
            proptest::prop_assert!(range.is_none_or(|range| range.start <= range.end));
        }

        #[test]
        fn texts_like_times_do_not_break_it(
            literal in "(now)?([-+][0-9]{1,12}[smhdw]|/[smhdw]|[0-9]{1,20}|[-:TZ. +]){0,8}",
            now: i64,
        ) {
            let range = range(&literal, Timestamp(now));
            proptest::prop_assert!(range.is_none_or(|range| range.start <= range.end));
        }

        #[test]
        fn what_is_printed_is_read(nanoseconds: i64) {
            let printed = chrono::DateTime::from_timestamp_nanos(nanoseconds)
                .format("%Y-%m-%dT%H:%M:%S%.9fZ")
                .to_string();
            proptest::prop_assert_eq!(instant(&printed, NOW), Some(Timestamp(nanoseconds)));
        }
    }
}

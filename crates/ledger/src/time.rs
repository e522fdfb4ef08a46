//! When an entry was received, as text: RFC 3339 with nine digits of a second and `Z`.

use crate::error::{Error, Result};

const NANOSECONDS: u64 = 1_000_000_000;
const DAY_SECONDS: u64 = 86_400;

/// Nanoseconds since 1970 as `2026-11-24T23:39:47.123456789Z`. Leap seconds do not exist.
#[must_use]
pub fn format(nanoseconds: u64) -> String {
    let seconds = nanoseconds / NANOSECONDS;
    let (year, month, day) = date(seconds / DAY_SECONDS);
    let second = seconds % DAY_SECONDS;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = nanoseconds % NANOSECONDS;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}Z")
}

/// Reads what [`format()`] writes.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for every other text, other spellings of the same time among
/// them.
pub fn parse(text: &str) -> Result<u64> {
    let wrong = || Error::malformed("a time is written as 2026-11-24T23:39:47.123456789Z");
    let number = |range: std::ops::Range<usize>| {
        text.get(range).and_then(|digits| digits.parse::<u64>().ok()).ok_or_else(wrong)
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    let fraction = number(20..29)?;
    let days = days(year, month, day).ok_or_else(wrong)?;
    let nanoseconds = (days * DAY_SECONDS + seconds)
        .checked_mul(NANOSECONDS)
        .and_then(|whole| whole.checked_add(fraction))
        .ok_or_else(wrong)?;
    if format(nanoseconds) == text { Ok(nanoseconds) } else { Err(wrong()) }
}

/// The date of a day after 1970-01-01, in the proleptic Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, a year ends with February, and so with its leap day.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// The day after 1970-01-01 of a date; nothing for what is no date.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        let known = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (1_795_563_587_123_456_789, "2026-11-24T23:39:47.123456789Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (1_735_689_599_000_000_001, "2024-12-31T23:59:59.000000001Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ];
        for (nanoseconds, text) in known {
            assert_eq!(format(nanoseconds), text);
            assert_eq!(parse(text).expect("as written"), nanoseconds);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let wrong = [
            "",
            "2026-11-24T23:39:47Z",
            "2026-11-24T23:39:47.12345678Z",
            "2026-11-24T23:39:47.123456789+00:00",
            "2026-11-24t23:39:47.123456789Z",
            "2026-11-24T24:00:00.123456789Z",
            "2026-11-24T23:60:00.123456789Z",
            "2026-11-24T23:39:60.123456789Z",
            "2026-11-31T23:39:47.123456789Z",
            "2026-02-29T23:39:47.123456789Z",
            "2026-00-24T23:39:47.123456789Z",
            "2026-13-24T23:39:47.123456789Z",
            "2026-11-00T23:39:47.123456789Z",
            "2026-11-32T23:39:47.123456789Z",
            "1969-12-31T23:59:59.999999999Z",
            "2554-07-21T23:34:33.709551616Z",
            "2554-07-21T23:34:34.000000000Z",
            "9999-12-31T23:59:59.999999999Z",
            "2026-11-24T+3:39:47.123456789Z",
            "2026-11-24T23:39:47.123456789é",
            "+026-11-24T23:39:47.123456789Z",
        ];
        for text in wrong {
            parse(text).expect_err(text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(nanoseconds: u64) {
            prop_assert_eq!(parse(&format(nanoseconds)).expect("as written"), nanoseconds);
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            if let Ok(nanoseconds) = parse(&text) {
                prop_assert_eq!(format(nanoseconds), text);
            }
        }
    }
}

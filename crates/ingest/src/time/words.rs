//! Times in which the month is a word.

use ledgerline_model::time::Timestamp;

use super::civil::{Civil, year_of};
use super::scan::Scan;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
/// How many years back a date without a year may lie: the 29th of February may be that far.
const YEARS_BACK_MAX: i64 = 8;

/// Apache's access log `10/Oct/2000:13:55:36 -0700`, or `21 Sep 2020 22:58:14 +0000`.
pub(super) fn day_first(bytes: &[u8]) -> Option<(Timestamp, usize)> {
    let mut scan = Scan::new(bytes);
    let day = scan.one_or_two_digits()?;
    let separator = scan.one_of(b"/ -")?;
    let month = month(&mut scan)?;
    scan.byte(separator)?;
    let mut civil = Civil::midnight(i64::from(scan.digits(4)?), month, day);
    scan.one_of(b": ")?;
    scan.clock(&mut civil)?;
    let offset_s = scan.zone();
    Some((civil.timestamp(offset_s)?, scan.at()))
}

/// Syslog `Jun  4 15:16:01`, `Sep 21 2020 22:58:14`, ctime `Sun Dec 04 04:47:44 2005`, or
/// RFC 2822 `Mon, 21 Sep 2020 22:58:14 +0000`.
pub(super) fn month_first(bytes: &[u8], received: Timestamp) -> Option<(Timestamp, usize)> {
    let mut scan = Scan::new(bytes);
    let after_weekday = weekday(scan);
    if let Some(after) = after_weekday {
        scan = after;
        if scan.rest().first()?.is_ascii_digit() {
            let (time, end) = day_first(scan.rest())?;
            return Some((time, scan.at() + end));
        }
    }
    let month = month(&mut scan)?;
    scan.spaces()?;
    let day = scan.one_or_two_digits()?;
    let comma = scan.byte(b',').is_some();
    scan.spaces()?;
    let mut civil = Civil::midnight(0, month, day);
    let mut year = leading_year(&mut scan);
    if comma && year.is_none() {
        return None;
    }
    scan.clock(&mut civil)?;
    if year.is_none() {
        year = trailing_year(&mut scan);
    }
    let offset_s = scan.zone();
    let time = match year {
        Some(year) => Civil { year, ..civil }.timestamp(offset_s)?,
        None => latest_year(civil, offset_s, received)?,
    };
    Some((time, scan.at()))
}

fn weekday(mut scan: Scan<'_>) -> Option<Scan<'_>> {
    let word = scan.word3()?;
    WEEKDAYS.iter().find(|weekday| ***weekday == word)?;
    scan.byte(b',');
    scan.spaces()?;
    Some(scan)
}

fn month(scan: &mut Scan<'_>) -> Option<u32> {
    let word = scan.word3()?;
    (1..).zip(MONTHS).find(|(_, name)| **name == word).map(|(month, _)| month)
}

/// A year before the clock, which begins with two digits and a colon.
fn leading_year(scan: &mut Scan<'_>) -> Option<i64> {
    let mut ahead = *scan;
    let year = ahead.digits(4)?;
    ahead.spaces()?;
    *scan = ahead;
    Some(i64::from(year))
}

fn trailing_year(scan: &mut Scan<'_>) -> Option<i64> {
    let mut ahead = *scan;
    ahead.spaces()?;
    let year = ahead.digits(4)?;
    let is_year = (1970..2100).contains(&year)
        && !ahead.rest().first().is_some_and(u8::is_ascii_alphanumeric);
    is_year.then(|| {
        *scan = ahead;
        i64::from(year)
    })
}

/// The time in the latest year in which it is not in the future. A day is granted, as the sender's
/// zone is not known.
fn latest_year(civil: Civil, offset_s: i64, received: Timestamp) -> Option<Timestamp> {
    let latest = received.0.saturating_add(Timestamp::DAY);
    let year = year_of(Timestamp(latest));
    (0..=YEARS_BACK_MAX)
        .filter_map(|back| Civil { year: year - back, ..civil }.timestamp(offset_s))
        .find(|time| time.0 <= latest)
}

//! Times as people write them.

use chrono::{DateTime, NaiveDate};
use ledgerline_model::time::{TimeRange, Timestamp};

/// The span of time that a text names: a day, or a point to the second.
#[must_use]
pub fn range(text: &str, now: Timestamp) -> Option<TimeRange> {
    let span = |start: i64, length: i64| TimeRange {
        start: Timestamp(start),
        end: Timestamp(start.saturating_add(length)),
    };
    if text == "now" {
        return Some(span(now.0, 1));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(span(time.timestamp_nanos_opt()?, Timestamp::SECOND));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let start = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_nanos_opt()?;
    Some(span(start, Timestamp::DAY))
}

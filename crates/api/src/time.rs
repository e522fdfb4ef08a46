//! Times on the wire: RFC 3339 in UTC with nanoseconds.

use chrono::{DateTime, SecondsFormat};
use ledgerline_model::time::Timestamp;

/// The time as text, such as `2026-01-31T12:00:00.000000000Z`.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// The time that a text of RFC 3339 names, if it is one and a [`Timestamp`] can hold it.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_read_as_it_is_written() {
        for nanoseconds in [0, 1, -1, i64::MIN, i64::MAX, 1_769_860_800_123_456_789] {
            let time = Timestamp(nanoseconds);
            assert_eq!(from_rfc3339(&rfc3339(time)), Some(time), "{nanoseconds}");
        }
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(from_rfc3339("1969-13-01T00:00:00Z"), None);
    }
}

use proptest::prelude::*;

use super::civil::year_of;
use super::*;

/// 2024-03-01T12:00:00Z.
const RECEIVED: Timestamp = Timestamp(1_709_294_400 * Timestamp::SECOND);

fn ns(rfc3339: &str) -> i64 {
    let time = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("the test writes it well");
    time.timestamp_nanos_opt().expect("within 64 bits")
}

#[test]
fn texts_are_read() {
    for (text, time) in [
        ("2019-12-05T01:49:34.041Z", "2019-12-05T01:49:34.041Z"),
        ("2023-07-10T11:42:18Z", "2023-07-10T11:42:18Z"),
        ("2018-03-24T17:15:20.123456789Z", "2018-03-24T17:15:20.123456789Z"),
        ("2018-03-24T17:15:20.1234567899Z", "2018-03-24T17:15:20.123456789Z"),
        ("2018-03-24T17:15:20+05:30", "2018-03-24T11:45:20Z"),
        ("2018-03-24t17:15:20.5-0700", "2018-03-25T00:15:20.5Z"),
        ("2018-03-24T17:15:20+01", "2018-03-24T16:15:20Z"),
        ("2018-03-24 17:15:20 +0200", "2018-03-24T15:15:20Z"),
        (" 2020-09-21 22:58:14 ", "2020-09-21T22:58:14Z"),
        ("2020-09-21 22:58:14 UTC", "2020-09-21T22:58:14Z"),
        ("2020/09/21 22:58:14,123", "2020-09-21T22:58:14.123Z"),
        ("2020-09-21T22:58", "2020-09-21T22:58:00Z"),
        ("2020-09-21", "2020-09-21T00:00:00Z"),
        ("20200921", "2020-09-21T00:00:00Z"),
        ("20200921T225814.25Z", "2020-09-21T22:58:14.25Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
        ("21 Sep 2020 22:58:14", "2020-09-21T22:58:14Z"),
        ("Mon, 21 Sep 2020 22:58:14 +0000", "2020-09-21T22:58:14Z"),
        ("Mon, 21 Sep 2020 22:58:14 GMT", "2020-09-21T22:58:14Z"),
        ("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44Z"),
        ("Sep 21, 2020 22:58:14", "2020-09-21T22:58:14Z"),
        ("Sep 21 22:58:14", "2023-09-21T22:58:14Z"),
        ("Mar  1 11:59:59.5", "2024-03-01T11:59:59.5Z"),
        ("Mar  2 11:59:59", "2024-03-02T11:59:59Z"),
        ("Mar  2 12:00:01", "2023-03-02T12:00:01Z"),
        ("Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
        ("081109 203615", "2008-11-09T20:36:15Z"),
        ("990101 000000", "1999-01-01T00:00:00Z"),
        ("1521911720", "2018-03-24T17:15:20Z"),
        ("1521911720.615923", "2018-03-24T17:15:20.615923Z"),
        ("1521911720615", "2018-03-24T17:15:20.615Z"),
        ("1521911720615923", "2018-03-24T17:15:20.615923Z"),
        ("1521911720615923123", "2018-03-24T17:15:20.615923123Z"),
        ("-1.5", "1969-12-31T23:59:58.5Z"),
    ] {
        assert_eq!(of_text(text, RECEIVED), Some(Timestamp(ns(time))), "{text}");
    }
}

#[test]
fn what_is_no_time_is_not_read() {
    for text in [
        "",
        " ",
        "-",
        ".",
        "1.",
        ".5",
        "1e9",
        "now",
        "12:30:00",
        "2020-13-01",
        "2020-02-30",
        "2021-02-29T00:00:00Z",
        "2020-09-21T24:00:00Z",
        "2020-09-21T22:60:00Z",
        "2020-09-21T22:58:61Z",
        "2020-09-21T22:58:14Zx",
        "2020-09-21x",
        "2020-09-2",
        "Foo 21 22:58:14",
        "Sep 31 22:58:14",
        "Sep 21",
        "Mon, 21 Sep",
        "10/Oct/2000",
        "2020-09-21T22:58:14+",
        "+1",
        "2020-09-21T22:58:14.041.Z",
        "123456789012345678901",
        "0x10",
        "é",
        "2020-09-21T22:58:1é",
    ] {
        assert_eq!(of_text(text, RECEIVED), None, "{text}");
    }
}

#[test]
fn times_that_do_not_fit_become_the_nearest() {
    for (text, time) in [
        ("0001-01-01T00:00:00Z", i64::MIN),
        ("9999-12-31T23:59:59Z", i64::MAX),
        ("2262-04-11T23:47:16.854775807Z", i64::MAX),
        ("1677-09-21T00:12:43.145224192Z", i64::MIN),
    ] {
        assert_eq!(of_text(text, RECEIVED), Some(Timestamp(time)), "{text}");
    }
    assert_eq!(of_float(f64::MAX), Some(Timestamp(i64::MAX)));
    assert_eq!(of_float(-1e30), Some(Timestamp(i64::MIN)));
    assert_eq!(of_float(f64::NAN), None);
}

#[test]
fn numbers_are_told_apart_by_their_size() {
    for (number, time) in [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (1_521_911_720, "2018-03-24T17:15:20Z"),
        (1_521_911_720_615, "2018-03-24T17:15:20.615Z"),
        (1_521_911_720_615_923, "2018-03-24T17:15:20.615923Z"),
        (1_521_911_720_615_923_123, "2018-03-24T17:15:20.615923123Z"),
    ] {
        assert_eq!(of_integer(number), Timestamp(ns(time)), "{number}");
    }
    assert_eq!(of_integer(i64::MIN), Timestamp(i64::MIN));
    let zeek = of_float(1_521_911_720.615_923);
    assert_eq!(zeek, Some(Timestamp(ns("2018-03-24T17:15:20.615923Z"))));
    let milliseconds = of_float(1_521_911_720_615.5);
    assert_eq!(milliseconds, Some(Timestamp(ns("2018-03-24T17:15:20.6155Z"))));
}

#[test]
fn a_time_at_the_start_of_a_text_ends_where_it_ends() {
    for (text, end) in [
        ("2015-10-18 18:01:47,978 INFO", 23),
        ("2017-05-16 00:00:00.008 25746 INFO", 23),
        ("2015-10-18T18:01:47Z: x", 20),
        ("Jun 14 15:16:01 combo", 15),
        ("Sun Dec 04 04:47:44 2005] [notice]", 24),
        ("10/Oct/2000:13:55:36 -0700] \"GET", 26),
        ("081109 203615 148 INFO", 13),
    ] {
        assert_eq!(of_prefix(text.as_bytes(), RECEIVED).map(|(_, end)| end), Some(end), "{text}");
    }
}

proptest! {
    #[test]
    fn every_time_is_read_as_chrono_wrote_it(
        seconds in -9_000_000_000_i64..9_000_000_000,
        nanosecond in 0_u32..1_000_000_000,
        offset in -14_i32 * 60..14 * 60,
    ) {
        let utc = chrono::DateTime::from_timestamp(seconds, nanosecond).expect("in range");
        let zone = chrono::FixedOffset::east_opt(offset * 60).expect("less than a day");
        let time = Some(Timestamp(utc.timestamp_nanos_opt().expect("in range")));
        for text in [
            utc.to_rfc3339(),
            utc.with_timezone(&zone).to_rfc3339(),
            utc.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
            utc.format("%Y-%m-%d %H:%M:%S%.9f").to_string(),
        ] {
            prop_assert_eq!(of_text(&text, RECEIVED), time, "{}", text);
        }
    }

    #[test]
    fn the_year_of_a_time_is_that_of_chrono(time in any::<i64>()) {
        use chrono::Datelike;
        let year = chrono::DateTime::from_timestamp_nanos(time).year();
        prop_assert_eq!(year_of(Timestamp(time)), i64::from(year));
    }

    #[test]
    fn foreign_texts_never_panic(text in any::<String>(), dated in "[0-9A-Za-z:.,/ +-]{0,40}") {
        for text in [text, dated] {
            of_text(&text, RECEIVED);
            if let Some((_, end)) = of_prefix(text.as_bytes(), RECEIVED) {
                prop_assert!(text.is_char_boundary(end));
            }
        }
    }
}

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> i64 {
    Moment::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).at().0
}

#[test]
fn times_with_an_offset_are_read() {
    for (text, nanoseconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", 1_000_000_000),
        ("1970-01-01 00:00:00+00:00", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:29:59.999999999-00:30", -1),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.0000000019Z", 1),
        ("1970-01-01T23:59:60Z", 86_400_000_000_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
        ("2026-01-31T12:00:00-23:59", 1_769_947_140_000_000_000),
        ("1677-09-21T00:12:43.145224192Z", i64::MIN),
        ("2262-04-11T23:47:16.854775807Z", i64::MAX),
    ] {
        assert_eq!(at(text), nanoseconds, "{text}");
        assert_eq!(Moment::parse(text).expect("a time").as_str(), text);
    }
}

#[test]
fn other_texts_are_none() {
    for text in [
        "",
        "2026",
        "2026-01-31",
        "2026-01-31T12:00Z",
        "2026/01-31T12:00:00Z",
        "2026-01/31T12:00:00Z",
        "2026-01-31_12:00:00Z",
        "2026-01-31T12.00:00Z",
        "2026-01-31T12:00.00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00Z ",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+001:00",
        "2026-01-31T12:00:00*01:00",
        "2026-01-31T12:00:00+0x:00",
        "2026-01-31T12:00:00+01:0x",
        "x026-01-31T12:00:00Z",
        "2026-x1-31T12:00:00Z",
        "2026-01-3xT12:00:00Z",
        "2026-01-31Tx2:00:00Z",
        "2026-01-31T12:x0:00Z",
        "2026-01-31T12:00:x0Z",
        "2026-01-31T12:00:00é",
        "é026-01-31T12:00:00Z",
    ] {
        assert_eq!(Moment::parse(text), Err(MomentError::Format), "{text}");
    }
    for text in ["2026-01-31T12:00:00", "2026-01-31T12:00:00.25"] {
        assert_eq!(Moment::parse(text), Err(MomentError::Offset), "{text}");
    }
    for text in ["1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z"] {
        assert_eq!(Moment::parse(text), Err(MomentError::Range), "{text}");
    }
    assert_eq!(MomentError::Format.code(), "bad_time");
    assert_eq!(MomentError::Offset.code(), "bad_time");
    assert_eq!(MomentError::Range.code(), "time_out_of_range");
}

#[test]
fn a_long_fraction_is_read_and_an_endless_one_is_not() {
    let longest = format!("2026-01-31T12:00:00.{}Z", "1".repeat(MOMENT_BYTES_MAX - 21));
    assert_eq!(longest.len(), MOMENT_BYTES_MAX);
    assert_eq!(at(&longest), 1_769_860_800_111_111_111);
    let longer = longest.replace('Z', "1Z");
    assert_eq!(Moment::parse(&longer), Err(MomentError::Format));
}

#[test]
fn a_time_is_written_in_one_form() {
    assert_eq!(written(Timestamp(0)), "1970-01-01T00:00:00.000000000Z");
    assert_eq!(written(Timestamp(-1)), "1969-12-31T23:59:59.999999999Z");
    assert_eq!(written(Timestamp(i64::MIN)), "1677-09-21T00:12:43.145224192Z");
    assert_eq!(written(Timestamp(i64::MAX)), "2262-04-11T23:47:16.854775807Z");
    assert_eq!(written(Timestamp(951_825_661_000_000_000)), "2000-02-29T12:01:01.000000000Z");
    assert_eq!(Moment::from(Timestamp(0)).to_string(), "1970-01-01T00:00:00.000000000Z");
}

proptest! {
    #[test]
    fn what_is_written_is_read(nanoseconds: i64) {
        let moment = Moment::from(Timestamp(nanoseconds));
        prop_assert_eq!(Moment::parse(moment.as_str()), Ok(moment.clone()));
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}", near in "[0-9TZ:. +-]{10,40}") {
        drop(Moment::parse(&text));
        drop(Moment::parse(&near));
    }
}

use super::*;

fn codes<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Vec<(&'static str, String)> {
    let faults = result.expect_err("faults").into_faults();
    faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

#[test]
fn a_retirement_is_read_as_it_is_written() {
    let body = br#"{"before":"2026-01-31T12:00:00Z","filter":"action:view","reason":"old"}"#;
    let retirement = Retirement::parse(body).expect("a retirement");
    assert_eq!(retirement.before.as_str(), "2026-01-31T12:00:00Z");
    let retired_by = Author { id: "retention".to_owned(), kind: "system".to_owned() };
    let retires = Ranges::of([0, 1, 2]);
    let payload = retirement.payload("r1", &retires, &retired_by, Timestamp(0));
    let expected = concat!(
        r#"{"id":"r1","kind":"retirement","retires":[[0,2]],"before":"2026-01-31T12:00:00Z","#,
        r#""filter":"action:view","reason":"old","#,
        r#""retired_by":{"id":"retention","type":"system"},"#,
        r#""occurred_at":"1970-01-01T00:00:00.000000000Z"}"#,
    );
    assert_eq!(String::from_utf8_lossy(&payload), expected);
    let stored = StoredRetirement { retires, retirement, retired_by };
    assert_eq!(StoredRetirement::from_payload(&payload), Ok(stored));
}

#[test]
fn the_filter_may_be_absent() {
    let body = br#"{"before":"2026-01-31T12:00:00Z","reason":"old"}"#;
    let retirement = Retirement::parse(body).expect("a retirement");
    assert_eq!(retirement.filter, None);
    let by = Author { id: "u".to_owned(), kind: "user".to_owned() };
    let payload = retirement.payload("r1", &Ranges::of([5]), &by, Timestamp(0));
    assert!(!String::from_utf8_lossy(&payload).contains("filter"));
    let stored = StoredRetirement::from_payload(&payload).expect("stored");
    assert_eq!(stored.retirement, retirement);
}

#[test]
fn every_fault_is_named() {
    let expected = [("missing", "/before"), ("missing", "/reason")];
    let expected = expected.map(|(code, pointer)| (code, pointer.to_owned()));
    assert_eq!(codes(Retirement::parse(b"{}")), expected);
    let expected = [
        ("unknown_field", "/x"),
        ("bad_time", "/before"),
        ("empty", "/filter"),
        ("empty", "/reason"),
    ];
    let expected = expected.map(|(code, pointer)| (code, pointer.to_owned()));
    let body = br#"{"x":1,"before":"2026","filter":"","reason":""}"#;
    assert_eq!(codes(Retirement::parse(body)), expected);
    let expected = [
        ("bad_value", "/kind"),
        ("missing", "/retires"),
        ("missing", "/before"),
        ("missing", "/reason"),
        ("missing", "/retired_by"),
    ];
    let expected = expected.map(|(code, pointer)| (code, pointer.to_owned()));
    assert_eq!(codes(StoredRetirement::from_payload(b"{}")), expected);
}

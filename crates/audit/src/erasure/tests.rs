use super::*;

fn codes<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Vec<(&'static str, String)> {
    let faults = result.expect_err("faults").into_faults();
    faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

fn by() -> Author {
    Author { id: "u9".to_owned(), kind: "user".to_owned() }
}

#[test]
fn an_erasure_is_read_as_it_is_written() {
    let erasure = Erasure::parse(br#"{"reason":"asked by mail"}"#).expect("an erasure");
    assert_eq!((erasure.reason(), erasure.subject()), ("asked by mail", None));
    let erases = Ranges::of([4, 5, 9]);
    let payload = erasure.payload("x1", &erases, &by(), Timestamp(0));
    let expected = concat!(
        r#"{"id":"x1","kind":"erasure","erases":[[4,5],[9,9]],"reason":"asked by mail","#,
        r#""erased_by":{"id":"u9","type":"user"},"#,
        r#""occurred_at":"1970-01-01T00:00:00.000000000Z"}"#,
    );
    assert_eq!(String::from_utf8_lossy(&payload), expected);
    let stored = StoredErasure { erases, reason: "asked by mail".to_owned(), erased_by: by() };
    assert_eq!(StoredErasure::from_payload(&payload), Ok(stored));
}

#[test]
fn the_record_never_names_the_subject() {
    let body = br#"{"actor":"ann@example.com","reason":"request 17"}"#;
    let erasure = Erasure::parse_subject(body).expect("an erasure");
    assert_eq!((erasure.reason(), erasure.subject()), ("request 17", Some("ann@example.com")));
    let payload = erasure.payload("x1", &Ranges::of([1]), &by(), Timestamp(0));
    assert!(!String::from_utf8_lossy(&payload).contains("ann"));
    for (actor, reason, is_named) in [
        ("u1", "forget u1", true),
        ("u1", "forget U1.", true),
        ("u1", "u1", true),
        ("u1", "(u1)", true),
        ("u1", "forget u12, not au1", false),
        ("u1", "forget u12 and u1", true),
        ("Ann", "forget ann", true),
        ("1", "request 17", false),
    ] {
        let body = serde_json::json!({"actor": actor, "reason": reason}).to_string();
        let parsed = Erasure::parse_subject(body.as_bytes());
        if is_named {
            assert_eq!(codes(parsed), [("personal_data", "/reason".to_owned())], "{reason}");
        } else {
            assert!(parsed.is_ok(), "{reason}");
        }
    }
}

#[test]
fn every_fault_is_named() {
    assert_eq!(codes(Erasure::parse(b"[]")), [("not_an_object", String::new())]);
    let both = [("unknown_field", "/actor".to_owned()), ("missing", "/reason".to_owned())];
    assert_eq!(codes(Erasure::parse(br#"{"actor":"u"}"#)), both);
    let both = [("missing", "/actor".to_owned()), ("missing", "/reason".to_owned())];
    assert_eq!(codes(Erasure::parse_subject(b"{}")), both);
    let stored = codes(StoredErasure::from_payload(br#"{"erases":[],"erased_by":{"id":"u"}}"#));
    let expected = [
        ("bad_value", "/kind"),
        ("bad_value", "/erases"),
        ("missing", "/reason"),
        ("missing", "/erased_by/type"),
    ];
    assert_eq!(stored, expected.map(|(code, pointer)| (code, pointer.to_owned())));
    let stored =
        codes(StoredErasure::from_payload(br#"{"kind":"erasure","reason":"r","erased_by":1}"#));
    let expected = [("missing", "/erases"), ("wrong_type", "/erased_by")];
    assert_eq!(stored, expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn a_reason_has_some_characters() {
    let parse = |reason: &str| {
        let body = serde_json::json!({ "reason": reason }).to_string();
        Erasure::parse(body.as_bytes())
    };
    assert!(parse(&"é".repeat(1_000)).is_ok());
    assert!(parse(&"😀".repeat(1_000)).is_ok());
    assert!(parse("a\nb").is_ok());
    for (reason, code) in [
        (String::new(), "empty"),
        (" \n".to_owned(), "empty"),
        ("é".repeat(1_001), "too_long"),
        ("😀".repeat(1_001), "too_long"),
    ] {
        assert_eq!(codes(parse(&reason)), [(code, "/reason".to_owned())]);
    }
}

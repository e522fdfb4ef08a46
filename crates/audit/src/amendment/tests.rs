use proptest::prelude::*;

use super::*;
use crate::json::tests::any_json;

fn faults(body: &str) -> Vec<(&'static str, String)> {
    let refusal = Amendment::parse(body.as_bytes()).expect_err(body);
    refusal.into_faults().into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

fn amended() -> Amended {
    Amended { id: "e1".to_owned(), seq: 7 }
}

fn by() -> Author {
    Author { id: "u9".to_owned(), kind: "user".to_owned() }
}

fn payload(body: &str) -> Vec<u8> {
    let amendment = Amendment::parse(body.as_bytes()).expect(body);
    amendment.payload("a1", &amended(), &by(), Timestamp(0))
}

#[test]
fn an_amendment_is_read_as_it_is_written() {
    let body = r#"{"note":"seen","metadata":{"k":1.0,"old":null},"severity":"critical"}"#;
    let amendment = Amendment::parse(body.as_bytes()).expect("an amendment");
    assert_eq!(amendment.severity(), Some(Severity::Critical));
    assert_eq!(amendment.metadata().map(Json::as_str), Some(r#"{"k":1.0,"old":null}"#));
    assert_eq!(amendment.note(), Some("seen"));
    let payload = amendment.payload("a1", &amended(), &by(), Timestamp(0));
    let expected = concat!(
        r#"{"id":"a1","kind":"amendment","amends":"e1","amends_seq":7,"severity":"CRITICAL","#,
        r#""metadata":{"k":1.0,"old":null},"note":"seen","#,
        r#""amended_by":{"id":"u9","type":"user"},"#,
        r#""occurred_at":"1970-01-01T00:00:00.000000000Z"}"#,
    );
    assert_eq!(String::from_utf8_lossy(&payload), expected);
    assert_eq!(Amendment::from_payload(&payload), Ok((amendment, amended())));
}

#[test]
fn one_member_is_enough() {
    for body in [r#"{"severity":"INFO"}"#, r#"{"metadata":{"a":null}}"#, r#"{"note":""}"#] {
        let amendment = Amendment::parse(body.as_bytes()).expect(body);
        let payload = amendment.payload("a1", &amended(), &by(), Timestamp(0));
        assert_eq!(Amendment::from_payload(&payload), Ok((amendment, amended())));
    }
    for body in ["{}", r#"{"note":null}"#, r#"{"metadata":{}}"#, r#"{"severity":null}"#] {
        assert_eq!(faults(body), [("nothing_to_amend", String::new())], "{body}");
    }
}

#[test]
fn what_happened_never_changes() {
    for name in event::MEMBERS {
        if !MEMBERS.contains(&name) {
            let body = format!("{{\"{name}\":\"x\",\"note\":\"n\"}}");
            assert_eq!(faults(&body), [("field_fixed", format!("/{name}"))]);
        }
    }
    let body = r#"{"actor":{},"Severity":"INFO","notes":"x","severity":"loud"}"#;
    let expected = [
        ("field_fixed", "/actor"),
        ("unknown_field", "/Severity"),
        ("unknown_field", "/notes"),
        ("bad_value", "/severity"),
    ];
    assert_eq!(faults(body), expected.map(|(code, pointer)| (code, pointer.to_owned())));
    assert_eq!(faults("[]"), [("not_an_object", String::new())]);
    assert_eq!(faults("x"), [("invalid_json", String::new())]);
    let large = format!("{{\"note\":\"n\"{}}}", " ".repeat(limits::EVENT_BYTES_MAX));
    assert_eq!(faults(&large), [("too_large", String::new())]);
    let largest = format!("{{\"note\":\"n\"{}}}", " ".repeat(limits::EVENT_BYTES_MAX - 12));
    assert_eq!(largest.len(), limits::EVENT_BYTES_MAX);
    assert!(Amendment::parse(largest.as_bytes()).is_ok());
}

#[test]
fn other_payloads_are_no_amendments() {
    let refusal = Amendment::from_payload(br#"{"id":"x","amends_seq":"7"}"#).expect_err("faults");
    let codes: Vec<&str> = refusal.faults().iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["bad_value", "missing", "wrong_type"]);
    assert!(Amendment::from_payload(b"7").is_err());
}

fn overlaid(event: &str, amendments: &[(u64, &str)]) -> String {
    let payloads: Vec<(u64, Vec<u8>)> =
        amendments.iter().map(|(seq, body)| (*seq, payload(body))).collect();
    let payloads: Vec<(u64, &[u8])> =
        payloads.iter().map(|(seq, payload)| (*seq, &payload[..])).collect();
    let text = overlay(event.as_bytes(), &payloads).expect("an overlay");
    String::from_utf8(text).expect("text")
}

#[test]
fn amendments_lie_over_the_event_in_their_order() {
    let event = r#"{"id":"e1","severity":"INFO","metadata":{"a":1.0,"b":null,"\u0063":2},"x":[1]}"#;
    assert_eq!(overlaid(event, &[]), event);
    assert_eq!(
        overlaid(event, &[(3, r#"{"severity":"ERROR"}"#), (2, r#"{"severity":"CRITICAL"}"#)]),
        event.replace("INFO", "ERROR")
    );
    assert_eq!(
        overlaid(
            event,
            &[(2, r#"{"note":"one"}"#), (3, r#"{"note":"two"}"#), (4, r#"{"severity":"INFO"}"#)]
        ),
        format!("{},\"note\":\"two\"}}", &event[..event.len() - 1])
    );
    assert_eq!(
        overlaid(event, &[(2, r#"{"metadata":{"c":3,"d":4,"a":null,"e":null}}"#)]),
        r#"{"id":"e1","severity":"INFO","x":[1],"metadata":{"b":null,"c":3,"d":4}}"#
    );
    assert_eq!(
        overlaid(event, &[(9, r#"{"metadata":{"a":5}}"#), (8, r#"{"metadata":{"a":null}}"#)]),
        r#"{"id":"e1","severity":"INFO","x":[1],"metadata":{"b":null,"\u0063":2,"a":5}}"#
    );
    let removed = overlaid(event, &[(2, r#"{"metadata":{"a":null,"b":null,"c":null}}"#)]);
    assert_eq!(removed, r#"{"id":"e1","severity":"INFO","x":[1]}"#);
    assert_eq!(
        overlaid(r#"{"id":"e1"}"#, &[(2, r#"{"metadata":{"a":1},"note":"n"}"#)]),
        r#"{"id":"e1","metadata":{"a":1},"note":"n"}"#
    );
    let empty = r#"{"id":"e1","metadata":{}}"#;
    assert_eq!(
        overlaid(empty, &[(2, r#"{"note":"n"}"#)]),
        r#"{"id":"e1","metadata":{},"note":"n"}"#
    );
}

#[test]
fn only_the_events_own_amendments_are_laid_over_it() {
    let amendment = payload(r#"{"note":"n"}"#);
    for event in [r#"{"id":"e2"}"#, r#"{"id":7}"#, "{}"] {
        let refusal = overlay(event.as_bytes(), &[(1, &amendment)]).expect_err(event);
        assert_eq!(refusal.faults()[0].code, "other_event");
    }
    assert!(overlay(b"[]", &[]).is_err());
    assert!(overlay(br#"{"id":"e1"}"#, &[(1, b"{}")]).is_err());
}

fn any_amendment() -> impl Strategy<Value = String> {
    let key = "[a-c]";
    let metadata = prop::collection::btree_map(key, any_json(), 0..3);
    (0..4_usize, "[a-z]{1,3}", metadata).prop_map(|(severity, note, metadata)| {
        let severity = Severity::ALL[severity].as_str();
        serde_json::json!({"severity": severity, "note": note, "metadata": metadata}).to_string()
    })
}

proptest! {
    #[test]
    fn amending_twice_is_amending_with_both(
        first in any_amendment(),
        second in any_amendment(),
        metadata in prop::collection::btree_map("[a-c]", any_json(), 0..3),
    ) {
        let event = serde_json::json!({"id": "e1", "severity": "INFO", "metadata": metadata}).to_string();
        let both = overlaid(&event, &[(1, &first), (2, &second)]);
        prop_assert_eq!(&overlaid(&event, &[(2, &second), (1, &first)]), &both);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        let mut step = value(&overlaid(&event, &[(1, &first)]));
        step.as_object_mut().expect("an object").remove("note");
        prop_assert_eq!(value(&overlaid(&step.to_string(), &[(2, &second)])), value(&both));
        // The same amendment again changes nothing.
        prop_assert_eq!(overlaid(&event, &[(1, &first), (2, &second), (3, &second)]), both);
    }

    #[test]
    fn no_body_is_a_panic(bytes: Vec<u8>, value in any_json()) {
        drop(Amendment::parse(&bytes));
        drop(Amendment::from_payload(value.to_string().as_bytes()));
        let body = serde_json::json!({"metadata": &value, "note": &value, "severity": &value});
        drop(Amendment::parse(body.to_string().as_bytes()));
        drop(overlay(value.to_string().as_bytes(), &[(0, &bytes)]));
    }
}

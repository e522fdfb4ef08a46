use ledgerline_model::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::tests::any_json;

fn body() -> serde_json::Value {
    json!({
        "organization_id": "org_1",
        "event": {
            "action": "user.signed_in",
            "occurred_at": "2026-01-31T12:00:00.000Z",
            "version": 2,
            "actor": {"type": "user", "id": "user_1", "name": "Ann", "metadata": {"role": "admin"}},
            "targets": [
                {"type": "team", "id": "team_1", "name": "Core"},
                {"type": "user", "id": "user_2", "metadata": {"x": "y"}},
            ],
            "context": {"location": "203.0.113.7", "user_agent": "Firefox"},
            "metadata": {"extra": 1},
        },
    })
}

fn mapped(body: &serde_json::Value) -> Mapped {
    parse(body.to_string().as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn faults(body: &serde_json::Value) -> Vec<String> {
    let refusal = parse(body.to_string().as_bytes()).expect_err("faults");
    refusal.faults().iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect()
}

#[test]
fn a_body_becomes_an_event() {
    let mapped = mapped(&body());
    assert_eq!((&*mapped.organization_id, mapped.version), ("org_1", Some(2)));
    let payload = mapped.event.payload("e1", Timestamp(0));
    let expected = concat!(
        r#"{"id":"e1","action":"user.signed_in","actor":{"id":"user_1","type":"user","#,
        r#""name":"Ann","metadata":{"role":"admin"}},"#,
        r#""resource":{"type":"team","id":"team_1","name":"Core"},"#,
        r#""targets":[{"type":"user","id":"user_2","metadata":{"x":"y"}}],"#,
        r#""occurred_at":"2026-01-31T12:00:00.000Z","severity":"INFO","outcome":"success","#,
        r#""ip":"203.0.113.7","user_agent":"Firefox","metadata":{"extra":1,"schema_version":2}}"#,
    );
    assert_eq!(String::from_utf8_lossy(&payload), expected);
}

#[test]
fn nothing_is_lost_that_has_no_place() {
    let mut with = body();
    with["event"]["targets"][0]["metadata"] = json!({"k": 1});
    with["event"]["context"] = json!({"location": "Bern"});
    with["event"]["version"] = json!(null);
    let mapped = mapped(&with);
    assert_eq!(mapped.version, None);
    assert_eq!((mapped.event.ip(), mapped.event.location()), (None, Some("Bern")));
    assert_eq!(mapped.event.user_agent(), None);
    let ids: Vec<&str> = mapped.event.targets().iter().map(|target| &*target.id).collect();
    assert_eq!(ids, ["team_1", "user_2"]);
    assert_eq!(mapped.event.resource().id, "team_1");
    assert_eq!(mapped.event.metadata().map(Json::as_str), Some(r#"{"extra":1}"#));
    with["event"]["version"] = json!(1);
    with["event"]["metadata"] = json!(null);
    let metadata = super::tests::mapped(&with).event.metadata().cloned();
    assert_eq!(metadata.as_ref().map(Json::as_str), Some(r#"{"schema_version":1}"#));
}

#[test]
fn every_fault_is_named_in_the_body_that_was_sent() {
    assert_eq!(faults(&json!({})), ["missing /organization_id", "missing /event"]);
    assert_eq!(faults(&json!([])), ["not_an_object "]);
    assert_eq!(
        faults(&json!({"organization_id": "", "event": 1, "x": 1})),
        ["unknown_field /x", "empty /organization_id", "wrong_type /event",]
    );
    let empty = json!({"organization_id": "o", "event": {"id": "x"}});
    assert_eq!(
        faults(&empty),
        [
            "unknown_field /event/id",
            "missing /event/action",
            "missing /event/occurred_at",
            "missing /event/actor",
            "missing /event/targets",
            "missing /event/context",
        ]
    );
    let mut wrong = body();
    wrong["event"]["version"] = json!(0);
    wrong["event"]["occurred_at"] = json!("2026");
    wrong["event"]["actor"] = json!({"type": "user"});
    wrong["event"]["targets"] = json!([{"id": "x"}, {"type": "t", "id": "i", "y": 1}]);
    wrong["event"]["context"] = json!({"location": 1, "user_agent": "x".repeat(1025), "z": 1});
    wrong["event"]["metadata"] = json!([]);
    assert_eq!(
        faults(&wrong),
        [
            "bad_time /event/occurred_at",
            "bad_value /event/version",
            "missing /event/actor/id",
            "missing /event/targets/0/type",
            "unknown_field /event/targets/1/y",
            "unknown_field /event/context/z",
            "wrong_type /event/context/location",
            "too_long /event/context/user_agent",
            "wrong_type /event/metadata",
        ]
    );
    let mut ambiguous = body();
    ambiguous["event"]["metadata"] = json!({"a.b": 1, "a": {"b": 1}});
    assert_eq!(faults(&ambiguous), ["ambiguous_key /event/metadata/a.b"]);
    for (count, fine) in [(0, false), (1, true), (50, true), (51, false)] {
        let mut many = body();
        many["event"]["targets"] = json!(vec![json!({"type": "t", "id": "i"}); count]);
        assert_eq!(parse(many.to_string().as_bytes()).is_ok(), fine, "{count}");
    }
    let mut other = body();
    other["event"]["targets"] = json!({});
    assert_eq!(faults(&other), ["wrong_type /event/targets"]);
    let large = format!("{}{}", body(), " ".repeat(limits::EVENT_BYTES_MAX));
    assert_eq!(parse(large.as_bytes()).expect_err("large").faults()[0].code, "too_large");
    let text = body().to_string();
    let largest = format!("{text}{}", " ".repeat(limits::EVENT_BYTES_MAX - text.len()));
    assert!(parse(largest.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn no_body_is_a_panic(bytes: Vec<u8>, value in any_json()) {
        drop(parse(&bytes));
        for member in ["actor", "targets", "context", "version", "metadata"] {
            let mut body = body();
            body["event"][member] = value.clone();
            drop(parse(body.to_string().as_bytes()));
        }
    }
}

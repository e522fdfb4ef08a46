use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::tests::any_json;

fn parse(schema: &serde_json::Value) -> Result<Schema, Refusal> {
    let body = json!({"action": "a.b", "version": 1, "mode": "strict", "json_schema": schema});
    Schema::parse(body.to_string().as_bytes())
}

fn refused(schema: &serde_json::Value) -> (&'static str, String) {
    let refusal = parse(schema).map(|_| ()).expect_err("a schema that is refused");
    assert_eq!(refusal.faults().len(), 1, "{refusal}");
    let fault = refusal.into_faults().remove(0);
    (fault.code, fault.pointer)
}

fn registered(action: &str, version: u32, mode: &str) -> Schema {
    let body = json!({
        "action": action, "version": version, "mode": mode,
        "json_schema": {"properties": {"metadata": {"required": [format!("v{version}")]}}},
    });
    Schema::parse(body.to_string().as_bytes()).expect("a schema")
}

#[test]
fn a_schema_is_read() {
    let schema = registered("doc.update", 3, "warn");
    assert_eq!((schema.action(), schema.version(), schema.mode()), ("doc.update", 3, Mode::Warn));
    let text = r#"{"properties":{"metadata":{"required":["v3"]}}}"#;
    assert_eq!(schema.json_schema().map(Json::as_str), Some(text));
    assert!(format!("{schema:?}").contains("doc.update"));
    let plain = Schema::parse(br#"{"action":"a","version":1,"mode":"off"}"#).expect("a schema");
    assert_eq!(plain.json_schema(), None);
    assert_eq!(plain.faults(b"{}"), []);
    for mode in Mode::ALL {
        assert_eq!(Mode::from_text(mode.as_str()), Some(mode));
    }
}

#[test]
fn every_fault_of_a_schema_is_named() {
    let body = br#"{"action":"a b","version":0,"mode":"loud","json_schema":[],"x":1}"#;
    let refusal = Schema::parse(body).map(|_| ()).expect_err("faults");
    let faults: Vec<(&str, &str)> =
        refusal.faults().iter().map(|fault| (fault.code, &*fault.pointer)).collect();
    let expected = [
        ("unknown_field", "/x"),
        ("bad_characters", "/action"),
        ("bad_value", "/version"),
        ("bad_value", "/mode"),
        ("wrong_type", "/json_schema"),
    ];
    assert_eq!(faults, expected);
    let refusal = Schema::parse(br#"{"version":"1"}"#).map(|_| ()).expect_err("faults");
    let codes: Vec<&str> = refusal.faults().iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["missing", "bad_value", "missing"]);
    for version in ["1.0", "-1", "4294967296"] {
        let body = format!(r#"{{"action":"a","version":{version},"mode":"off"}}"#);
        assert!(Schema::parse(body.as_bytes()).is_err(), "{version}");
    }
}

#[test]
fn payloads_are_held_against_the_schema() {
    let schema = parse(&json!({
        "$schema": concat!("https:", "//json-schema.org/draft/2020-12/schema"),
        "$id": "urn:example:schema",
        "required": ["metadata"],
        "properties": {"metadata": {"$ref": "#/$defs/metadata"}},
        "$defs": {
            "metadata": {
                "additionalProperties": false,
                "required": ["plan"],
                "properties": {
                    "plan": {"enum": ["free", "paid"]},
                    "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
                    "when": {"format": "date-time"},
                    "expression": {"format": "regex"},
                    "large": {"minimum": 1},
                },
            },
        },
    }))
    .expect("a schema");
    let faults = |payload: &str| {
        let faults = schema.faults(payload.as_bytes()).into_iter();
        faults.map(|fault| (fault.code, fault.pointer)).collect::<Vec<_>>()
    };
    let none = Vec::<(&str, String)>::new();
    assert_eq!(faults(r#"{"id":"1","metadata":{"plan":"free","code":"ABC"}}"#), none);
    assert_eq!(faults(r#"{"metadata":{"plan":"free","large":1e400}}"#), none);
    assert_eq!(faults(r#"{"metadata":{"plan":"free","expression":"("}}"#), none);
    assert_eq!(faults("{}"), [("schema_mismatch", String::new())]);
    let mut found = faults(r#"{"metadata":{"plan":"gold","code":"abc","when":"now"}}"#);
    found.sort();
    assert_eq!(
        found,
        ["code", "plan", "when"].map(|name| ("schema_mismatch", format!("/metadata/{name}")))
    );
    assert_eq!(faults("["), [("invalid_json", String::new())]);
    // The sender's values are not repeated.
    let details = schema.faults(br#"{"metadata":{"plan":"hush","code":"hush"}}"#);
    assert!(details.len() == 2 && details.iter().all(|fault| !fault.detail.contains("hush")));
}

#[test]
fn no_more_than_twenty_mismatches_are_named() {
    let schema = parse(&json!({"additionalProperties": {"type": "string"}})).expect("a schema");
    let payload: serde_json::Map<_, _> = (0..30).map(|key| (key.to_string(), json!(1))).collect();
    let faults = schema.faults(serde_json::Value::Object(payload).to_string().as_bytes());
    assert_eq!(faults.len(), 20);
    assert!(faults.iter().all(|fault| fault.detail.chars().count() <= 301));
}

#[test]
fn schemas_that_cannot_be_used_are_refused_with_their_place() {
    for (schema, pointer) in [
        (json!({"type": "nothing"}), "/json_schema/type"),
        (json!({"properties": {"a": {"minLength": -1}}}), "/json_schema/properties/a/minLength"),
        (json!({"pattern": "("}), "/json_schema/pattern"),
        (json!({"pattern": "(?=a)b"}), "/json_schema/pattern"),
        (json!({"$ref": "https://schemas.example/x"}), "/json_schema/$ref"),
        (json!({"$ref": "other"}), "/json_schema/$ref"),
        (json!({"$ref": "#/$defs/none"}), "/json_schema/$ref"),
        (json!({"$ref": "#/%24defs/none"}), "/json_schema/$ref"),
        (json!({"items": {"$id": "urn:example:x"}}), "/json_schema/items/$id"),
        (json!({"items": {"$anchor": "x"}}), "/json_schema/items/$anchor"),
        (json!({"$dynamicRef": "#x"}), "/json_schema/$dynamicRef"),
        (json!({"$schema": "urn:example:draft"}), "/json_schema/$schema"),
        (json!({"$schema": 7}), "/json_schema/$schema"),
    ] {
        assert_eq!(refused(&schema), ("bad_schema", pointer.to_owned()), "{schema}");
    }
    // A property may be called as a keyword is.
    assert!(parse(&json!({"properties": {"$anchor": {}, "$id": {}, "$ref": {}}})).is_ok());
    let huge = json!({"pattern": "(?:a{100}){100}b{1000}c{1000}".repeat(4)});
    assert_eq!(refused(&huge).0, "bad_schema");
    let large = json!({"description": "x".repeat(SCHEMA_BYTES_MAX)});
    assert_eq!(refused(&large), ("too_large", "/json_schema".to_owned()));
}

#[test]
fn circles_and_references_that_multiply_are_refused() {
    for (schema, pointer) in [
        (json!({"$ref": "#"}), "/json_schema"),
        (json!({"properties": {"a": {"$ref": "#"}}}), "/json_schema"),
        (
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}}),
            "/json_schema/$defs/a",
        ),
    ] {
        assert_eq!(refused(&schema), ("schema_too_complex", pointer.to_owned()), "{schema}");
    }
    // Each definition refers to the next one twice.
    let doubling = |count: usize| {
        let mut definitions = serde_json::Map::new();
        for number in 0..count {
            let next = json!({"$ref": format!("#/$defs/d{}", number + 1)});
            definitions.insert(format!("d{number}"), json!({"allOf": [next, next]}));
        }
        definitions.insert(format!("d{count}"), json!({"type": "object"}));
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    assert!(parse(&doubling(8)).is_ok());
    assert_eq!(refused(&doubling(40)), ("schema_too_complex", "/json_schema".to_owned()));
    let chain = |count: usize| {
        let mut definitions = serde_json::Map::new();
        for number in 0..count {
            let next = json!({"$ref": format!("#/$defs/d{}", number + 1)});
            definitions.insert(format!("d{number}"), next);
        }
        definitions.insert(format!("d{count}"), json!({}));
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    assert!(parse(&chain(60)).is_ok());
    assert_eq!(refused(&chain(400)).0, "schema_too_complex");
}

#[test]
fn patterns_are_counted_as_often_as_they_are_referred_to() {
    let with = |count: u64| {
        let properties: serde_json::Map<_, _> =
            (0..count).map(|key| (key.to_string(), json!({"pattern": "a"}))).collect();
        json!({ "properties": properties })
    };
    assert!(parse(&with(SCHEMA_PATTERNS_MAX)).is_ok());
    assert_eq!(refused(&with(SCHEMA_PATTERNS_MAX + 1)).0, "schema_too_complex");
    let named = |count: u64| {
        let patterns: serde_json::Map<_, _> =
            (0..count).map(|key| (format!("a{key}"), json!({}))).collect();
        json!({ "patternProperties": patterns })
    };
    assert!(parse(&named(SCHEMA_PATTERNS_MAX)).is_ok());
    assert_eq!(refused(&named(SCHEMA_PATTERNS_MAX + 1)).0, "schema_too_complex");
    let twice = json!({
        "$defs": {"p": with(SCHEMA_PATTERNS_MAX / 2)},
        "items": {"$ref": "#/$defs/p"},
        "not": {"$ref": "#/$defs/p"},
    });
    assert_eq!(refused(&twice).0, "schema_too_complex");
    let parts = json!({"enum": vec![json!({}); 9_998]});
    assert!(parse(&parts).is_ok());
    let more = json!({"enum": vec![json!({}); 10_000]});
    assert_eq!(refused(&more).0, "schema_too_complex");
}

#[test]
fn the_registry_says_what_becomes_of_an_event() {
    let mut registry = Registry::new(Mode::Strict);
    registry.insert(registered("s", 1, "strict"));
    registry.insert(registered("s", 2, "strict"));
    registry.insert(registered("w", 1, "warn"));
    registry.insert(registered("o", 1, "off"));
    assert_eq!(registry.schemas().count(), 4);
    assert_eq!(registry.get("s", None).map(Schema::version), Some(2));
    assert_eq!(registry.get("s", Some(1)).map(Schema::version), Some(1));
    assert!(registry.get("s", Some(3)).is_none() && registry.get("x", None).is_none());
    let verdict = |action: &str, version: Option<u32>, key: &str| {
        let payload = format!("{{\"metadata\":{{\"{key}\":1}}}}");
        match registry.check(action, version, payload.as_bytes()) {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Warn(faults) => format!("warn {}", faults[0].code),
            Verdict::Refuse(faults) => format!("refuse {} {}", faults[0].code, faults[0].pointer),
        }
    };
    assert_eq!(verdict("s", None, "v2"), "accept");
    assert_eq!(verdict("s", None, "v1"), "refuse schema_mismatch /metadata");
    assert_eq!(verdict("s", Some(1), "v1"), "accept");
    assert_eq!(verdict("s", Some(3), "v1"), "refuse action_unknown /action");
    assert_eq!(verdict("w", None, "v1"), "accept");
    assert_eq!(verdict("w", None, "x"), "warn schema_mismatch");
    assert_eq!(verdict("w", Some(2), "v1"), "warn action_unknown");
    assert_eq!(verdict("o", None, "x"), "accept");
    assert_eq!(verdict("o", Some(2), "x"), "accept");
    assert_eq!(verdict("x", None, "x"), "refuse action_unknown /action");
    assert_eq!(verdict("x", Some(1), "x"), "refuse action_unknown /action");
    let unknown = |mode| Registry::new(mode).check("x", None, b"{}");
    assert!(matches!(unknown(Mode::Warn), Verdict::Warn(_)));
    assert_eq!(unknown(Mode::Off), Verdict::Accept);
}

#[test]
fn a_schema_is_replaced_and_taken_out() {
    let mut registry = Registry::new(Mode::Off);
    registry.insert(registered("s", 1, "strict"));
    registry.insert(registered("s", 1, "warn"));
    assert_eq!(registry.get("s", None).map(Schema::mode), Some(Mode::Warn));
    assert!(registry.remove("s"));
    assert!(!registry.remove("s"));
    assert_eq!(registry.schemas().count(), 0);
}

#[test]
fn long_sentences_of_others_are_cut() {
    assert_eq!(shortened_detail(&"é".repeat(300)), "é".repeat(300));
    assert_eq!(shortened_detail(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
}

proptest! {
    #[test]
    fn no_schema_is_a_panic(schema in any_json(), payload in any_json()) {
        if let Ok(schema) = parse(&schema) {
            drop(schema.faults(payload.to_string().as_bytes()));
        }
        let within = json!({"properties": {"a": schema}, "not": schema});
        drop(parse(&within).map(|schema| schema.faults(payload.to_string().as_bytes())));
    }
}

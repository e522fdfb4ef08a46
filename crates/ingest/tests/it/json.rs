//! One JSON object to the fields of an event.

use std::fmt::Write;

use ledgerline_ingest::{Encoding, Format, Reception};
use ledgerline_model::batch::Flags;
use ledgerline_model::convention::Conventions;
use ledgerline_model::event::Value;
use ledgerline_model::limits;
use ledgerline_model::severity::Severity;
use proptest::prelude::*;

use crate::support::*;

#[test]
fn values_keep_their_types_and_nested_keys_are_joined_by_dots() {
    let event = event(
        r#"{"text":"a\u00e9\n","whole":-5,"float":1.50,"true":true,"none":null,"empty":{},
            "list":[1, {"a" : [ ]}, "x\"\u0001", 2.0, null, false, -0.5e3],
            "a":{"b":{"c":1,"d":{}},"e.f":[{}]},"a.b":2,"":{"":3}}"#,
    );
    let expected = fields([
        ("text", str("aé\n")),
        ("whole", Value::I64(-5)),
        ("float", Value::F64(1.5)),
        ("true", Value::Bool(true)),
        ("none", json("null")),
        ("empty", json("{}")),
        ("list", json(r#"[1,{"a":[]},"x\"\u0001",2.0,null,false,-500.0]"#)),
        ("a.b.c", Value::I64(1)),
        ("a.b.d", json("{}")),
        ("a.e.f", json("[{}]")),
        ("a.b", Value::I64(2)),
        (".", Value::I64(3)),
    ]);
    assert_eq!(event, expected);
}

#[test]
fn no_digit_of_a_number_is_lost() {
    let event = event(
        r#"{"min":-9223372036854775808,"max":9223372036854775807,"u64":18446744073709551615,
            "big":123456789012345678901234567890,"low":-9223372036854775809,"huge":1e400,
            "list":[1,"2\"3",99999999999999999999,{"1e999":-1E999}],"tiny":1e-400,
            "nested":{"n":28446744073709551615,"m":7},"text":"99999999999999999999"}"#,
    );
    let expected = fields([
        ("min", Value::I64(i64::MIN)),
        ("max", Value::I64(i64::MAX)),
        ("u64", json("18446744073709551615")),
        ("big", json("123456789012345678901234567890")),
        ("low", json("-9223372036854775809")),
        ("huge", json("1e400")),
        ("list", json(r#"[1,"2\"3",99999999999999999999,{"1e999":-1E999}]"#)),
        ("tiny", Value::F64(0.0)),
        ("nested.n", json("28446744073709551615")),
        ("nested.m", Value::I64(7)),
        ("text", str("99999999999999999999")),
    ]);
    assert_eq!(event, expected);
}

#[test]
fn an_event_that_cannot_be_taken_is_named_by_its_line_and_the_others_are_taken() {
    let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|key| format!("\"{key}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let long_key = |length: usize| format!("{{\"{}\":1}}", "k".repeat(length));
    let long = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    let cases: Vec<(String, Option<&str>)> = vec![
        (r#"{"ok":1}"#.into(), None),
        (r#"{"a":1"#.into(), Some("invalid_json")),
        (r#"{"a":1} {"b":2}"#.into(), Some("invalid_json")),
        (r#"{"a":01}"#.into(), Some("invalid_json")),
        (r#"{"a":1e}"#.into(), Some("invalid_json")),
        (r#"{"a":"\ud800"}"#.into(), Some("invalid_json")),
        (r#"{"a":"\x"}"#.into(), Some("invalid_json")),
        ("{\"a\":\"\t\"}".into(), Some("invalid_json")),
        ("{\"a\":\0}".into(), Some("invalid_json")),
        ("nonsense".into(), Some("invalid_json")),
        ("[1]".into(), Some("not_an_object")),
        ("17".into(), Some("not_an_object")),
        ("\"text\"".into(), Some("not_an_object")),
        (r#"{"a":1,"a":2}"#.into(), Some("duplicate_key")),
        (r#"{"a":1,"a":{"b":2}}"#.into(), Some("duplicate_key")),
        (r#"{"a":{"b":1},"a":{"c":2}}"#.into(), Some("duplicate_key")),
        (r#"{"x":{"a":{"b":1},"a":{"c":2}}}"#.into(), Some("duplicate_key")),
        (r#"{"a.b":1,"a":{"b":2}}"#.into(), Some("duplicate_key")),
        (r#"{"a.b":{"c":1},"a":{"b":{"d":2}}}"#.into(), None),
        (deep(limits::EVENT_DEPTH_MAX), None),
        (deep(limits::EVENT_DEPTH_MAX + 1), Some("too_deep")),
        (deep(100_000), Some("too_deep")),
        ("[".repeat(100_000), Some("too_deep")),
        (keys(limits::EVENT_KEYS_MAX), None),
        (keys(limits::EVENT_KEYS_MAX + 1), Some("too_many_keys")),
        (long_key(limits::KEY_BYTES_MAX), None),
        (long_key(limits::KEY_BYTES_MAX + 1), Some("key_too_long")),
        (long(limits::EVENT_BYTES_MAX), None),
        (long(limits::EVENT_BYTES_MAX + 1), Some("event_too_large")),
        (r#"{"_id":{"$oid":"1"}}"#.into(), None),
        (r#"{"_id":null}"#.into(), Some("invalid_id")),
        (r#"{"_id":""}"#.into(), Some("invalid_id")),
        (r#"{"_id":true}"#.into(), Some("invalid_id")),
        (format!(r#"{{"_id":"{}"}}"#, "i".repeat(256)), Some("invalid_id")),
        (r#"{"ok":2}"#.into(), None),
    ];
    for (line, code) in &cases {
        let body = format!("{{\"first\":0}}\r\n\n{line}\n{{\"last\":0}}");
        let admitted = admit_json(&body);
        let expected: Vec<_> = code.iter().map(|code| (3, *code)).collect();
        let named = &line[..line.len().min(40)];
        assert_eq!(rejects(&admitted), expected, "{named}");
        assert_eq!(admitted.batch.rows() + expected.len(), 3, "{named}");
        assert_eq!(admitted.rejected, expected.len() as u64, "{named}");
    }
}

#[test]
fn an_event_that_is_not_utf_8_is_named() {
    let admitted = admit_json(b"{\"a\":1}\n{\"a\":\"\xFF\"}\n{\"a\":\"\xC3\xA9\"}\n");
    assert_eq!(rejects(&admitted), [(2, "invalid_utf8")]);
    assert_eq!(admitted.batch.rows(), 2);
}

#[test]
fn rejected_events_are_all_counted_but_few_are_named() {
    let admitted = admit_json("{}\n".to_owned() + &"x\n".repeat(1000));
    assert_eq!(admitted.rejected, 1000);
    assert_eq!(admitted.rejects.len(), limits::REJECTS_NAMED_MAX);
    assert_eq!(admitted.rejects[19].line, 21);
    assert_eq!(admitted.batch.rows(), 1);
}

#[test]
fn a_reason_does_not_repeat_all_that_was_sent() {
    let key = "é".repeat(400);
    let admitted = admit_json(format!("{{\"{key}\":1,\"{key}\":2}}"));
    assert_eq!(rejects(&admitted), [(1, "duplicate_key")]);
    let detail = &admitted.rejects[0].detail;
    assert!(detail.starts_with("an object has the key `éé") && detail.len() < 310, "{detail}");
}

#[test]
fn a_rejected_event_leaves_nothing_behind() {
    let admitted = admit_json("{\"a\":1,\"b\":2,\"a\":3}\n{\"b\":\"x\",\"ts\":5}\n");
    assert_eq!(events(&admitted.batch), [fields([("b", str("x")), ("ts", Value::I64(5))])]);
    assert_eq!(admitted.batch.bytes_in(), 16);
}

#[test]
fn ids_are_texts() {
    let body = "{\"_id\":\"a\"}\n{\"_id\":17}\n{\"_id\":1.5}\n{\"_id\":99999999999999999999}\n{}\n";
    let admitted = admit_json(body);
    let (rows, ids) = admitted.batch.ids().expect("there are ids");
    assert_eq!(rows, [0, 1, 2, 3]);
    assert_eq!(ids.bytes(), b"a171.599999999999999999999");
}

#[test]
fn times_and_severities_are_found_by_convention() {
    let second = RECEIVED.0 / 1_000_000_000;
    let cases = [
        (r#"{"@timestamp":"2024-03-01T12:00:00Z"}"#.to_owned(), second, Flags::default(), 0),
        (
            r#"{"ts":1,"timestamp":"2024-03-01T11:00:00Z"}"#.into(),
            second - 3600,
            Flags::default(),
            0,
        ),
        (
            r#"{"timestamp":null,"ts":"x","date":"2024-03-01"}"#.into(),
            second - 43_200,
            Flags::default(),
            0,
        ),
        (r#"{"time":"soon","level":"Warning"}"#.into(), second, Flags::TIME_MISSING, 13),
        (r#"{"level":"error","severity":"info"}"#.into(), second, Flags::TIME_MISSING, 9),
        (r#"{"level":"error","severity":"?"}"#.into(), second, Flags::TIME_MISSING, 17),
        (r#"{"log":{"level":"DEBUG"}}"#.into(), second, Flags::TIME_MISSING, 5),
        (r#"{"PRIORITY":"4"}"#.into(), second, Flags::TIME_MISSING, 13),
        (r#"{"level":30}"#.into(), second, Flags::TIME_MISSING, 0),
        (format!("{{\"ts\":{}}}", second + 86_400), second + 86_400, Flags::default(), 0),
        (format!("{{\"ts\":{}}}", second + 86_401), second + 86_401, Flags::FAR_FUTURE, 0),
        (r#"{"eventTime":"1970-01-01T00:00:01Z"}"#.into(), 1, Flags::FAR_PAST, 0),
        (r#"{"ts":0.5e9}"#.into(), 500_000_000, Flags::FAR_PAST, 0),
    ];
    for (body, time, flags, severity) in cases {
        let batch = admit_json(&body).batch;
        assert_eq!(batch.times(), [time * 1_000_000_000], "{body}");
        assert_eq!(batch.flags(), [flags.0], "{body}");
        assert_eq!(batch.severities(), [severity], "{body}");
    }
}

#[test]
fn a_datasets_own_keys_come_first() {
    let conventions = Conventions::with(Some("when"), None, Some("severity_number"));
    let reception = Reception { received: RECEIVED, conventions, digest: false };
    let mut admission =
        ledgerline_ingest::Admission::new(Format::Json, Encoding::Identity, reception);
    let body = br#"{"time":1,"severity":"info","when":1700000000000,"severity_number":17}"#;
    admission.push(body).expect("a good body");
    let admitted = admission.finish().expect("a good body");
    assert_eq!(admitted.batch.times(), [1_700_000_000_000_000_000]);
    assert_eq!(admitted.batch.severities(), [Severity::ERROR.number()]);
    assert_eq!(admitted.digest, None);
}

#[test]
fn a_batch_of_too_many_different_keys_keeps_what_it_can() {
    let mut body = String::new();
    for number in 0..limits::BATCH_KEYS_MAX + 2 {
        writeln!(body, "{{\"k{number}\":1}}").expect("writing to a string");
    }
    body.push_str("{\"k1\":2}\n");
    let admitted = admit_json(body);
    let line = limits::BATCH_KEYS_MAX as u64 + 1;
    assert_eq!(rejects(&admitted), [(line, "too_many_keys"), (line + 1, "too_many_keys")]);
    assert_eq!(admitted.batch.rows(), limits::BATCH_KEYS_MAX + 1);
}

/// Any JSON without numbers that are too large.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>()
            .prop_filter("JSON has no others", |value| value.is_finite())
            .prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[a-z\\\\\"\u{0}-\u{20}]{0,80}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-f]{1,2}|\\PC{0,4}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    prop::collection::btree_map("[a-f]{1,2}|\\PC{1,4}", value(), 0..8)
        .prop_map(|map| map.into_iter().collect())
}

/// What flattening should give; nothing when two keys become one.
pub(crate) fn flatten(
    prefix: &str,
    object: &serde_json::Map<String, serde_json::Value>,
    flat: &mut Fields,
) -> Option<()> {
    for (key, value) in object {
        let key = format!("{prefix}{key}");
        let value = match value {
            serde_json::Value::Object(object) if !object.is_empty() => {
                flatten(&format!("{key}."), object, flat)?;
                continue;
            }
            serde_json::Value::String(text) => Value::Str(text.clone()),
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match (number.as_i64(), number.is_u64()) {
                (Some(number), _) => Value::I64(number),
                (None, true) => Value::Json(number.to_string()),
                (None, false) => Value::F64(number.as_f64()?),
            },
            other => Value::Json(other.to_string()),
        };
        if flat.insert(key, value).is_some() {
            return None;
        }
    }
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn flattening_agrees_with_serde(objects in prop::collection::vec(object(), 1..4)) {
        let mut body = String::new();
        let mut expected = Vec::new();
        for object in &objects {
            let mut flat = Fields::new();
            expected.extend(flatten("", object, &mut flat).map(|()| flat));
            body.push_str(&serde_json::Value::Object(object.clone()).to_string());
            body.push('\n');
        }
        let admitted = admit_json(&body);
        prop_assert_eq!(events(&admitted.batch), expected);
        prop_assert_eq!(admitted.rejected as usize, objects.len() - admitted.batch.rows());
    }

    #[test]
    fn foreign_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        jsonlike in "[\\[\\]{}\",:\\\\u0-9eE.+\\-a-f \n\r]{0,200}",
    ) {
        for body in [&bytes[..], jsonlike.as_bytes()] {
            for format in [Format::Json, Format::Text] {
                let admitted = admit(body, format, Encoding::Identity, 7);
                prop_assert!(admitted.is_ok());
            }
        }
    }

    #[test]
    fn a_line_is_taken_just_when_serde_takes_it_as_an_object(
        line in "\\{\"[ab]\":[\\[\\]{}\",:\\\\u0-9eE.+\\-a-f]{0,12}\\}"
    ) {
        let body = format!("{{}}\n{line}\n");
        let admitted = admit_json(&body);
        let parsed: Result<std::collections::HashMap<String, &serde_json::value::RawValue>, _> =
            serde_json::from_str(&line);
        let taken = admitted.batch.rows() == 2;
        if taken {
            prop_assert!(parsed.is_ok(), "{} {:?}", line, parsed);
        } else if parsed.is_ok() {
            // Keys may occur twice for serde; texts within a raw value are not looked at.
            let code = admitted.rejects[0].code;
            let is_escape = line.contains("\\u");
            prop_assert!(code == "duplicate_key" || is_escape, "{} {:?}", line, admitted.rejects);
        }
    }
}

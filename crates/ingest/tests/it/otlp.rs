//! OTLP requests.

use ledgerline_ingest::{Admitted, ErrorKind, OtlpFormat, admit_otlp, otlp_answer, otlp_status};
use ledgerline_model::batch::Flags;
use ledgerline_model::event::Value as FieldValue;
use ledgerline_model::limits;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use prost::Message;

use crate::support::*;

const TIME: u64 = 1_700_000_000_123_456_789;

fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any_value(value)), ..KeyValue::default() }
}

fn request(records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let resource =
        Resource { attributes: vec![pair("service.name", text("web"))], ..Resource::default() };
    let scope = InstrumentationScope {
        name: "lib".to_owned(),
        version: "1.0".to_owned(),
        ..InstrumentationScope::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records: records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

fn admit_records(records: Vec<LogRecord>) -> Admitted {
    let body = request(records).encode_to_vec();
    admit_otlp(&body, OtlpFormat::Protobuf, &reception()).expect("a good request")
}

fn admit_text(body: &str) -> Admitted {
    admit_otlp(body.as_bytes(), OtlpFormat::Json, &reception()).expect("a good request")
}

fn full_record() -> LogRecord {
    let list = Value::ArrayValue(ArrayValue {
        values: vec![
            any_value(Value::IntValue(1)),
            any_value(text("x")),
            AnyValue { value: None },
            any_value(Value::KvlistValue(KeyValueList {
                values: vec![
                    pair("k", Value::DoubleValue(0.5)),
                    pair("b", Value::BytesValue(vec![1])),
                ],
            })),
        ],
    });
    LogRecord {
        time_unix_nano: TIME,
        observed_time_unix_nano: TIME + 1_000_000_000,
        severity_number: 17,
        severity_text: "bad".to_owned(),
        body: Some(any_value(text("out of disk"))),
        attributes: vec![
            pair("http.status", Value::IntValue(-7)),
            pair("ok", Value::BoolValue(false)),
            pair("ratio", Value::DoubleValue(1.5)),
            pair("nan", Value::DoubleValue(f64::NAN)),
            pair("raw", Value::BytesValue(vec![0xFF, 0])),
            pair("list", list),
            pair("none", Value::ArrayValue(ArrayValue::default())),
            KeyValue { key: "null".to_owned(), ..KeyValue::default() },
            pair("map", Value::KvlistValue(KeyValueList { values: vec![pair("a.b", text("c"))] })),
            pair("body", text("mine")),
            pair("twice", Value::IntValue(1)),
            pair("twice", Value::IntValue(2)),
            pair("twice", Value::IntValue(3)),
        ],
        dropped_attributes_count: 3,
        flags: 0x101,
        trace_id: (0..16).collect(),
        span_id: vec![0xAB; 8],
        event_name: "disk.full".to_owned(),
    }
}

fn full_fields() -> Fields {
    fields([
        ("body", str("out of disk")),
        ("severity_text", str("bad")),
        ("event_name", str("disk.full")),
        ("trace_id", str("000102030405060708090a0b0c0d0e0f")),
        ("span_id", str("abababababababab")),
        ("observed_time", str("2023-11-14T22:13:21.123456789Z")),
        ("trace_flags", FieldValue::I64(1)),
        ("dropped_attributes_count", FieldValue::I64(3)),
        ("http.status", FieldValue::I64(-7)),
        ("ok", FieldValue::Bool(false)),
        ("ratio", FieldValue::F64(1.5)),
        ("nan", str("NaN")),
        ("raw", str("/wA=")),
        ("list", json(r#"[1,"x",null,{"k":0.5,"b":"AQ=="}]"#)),
        ("none", json("[]")),
        ("null", json("null")),
        ("map.a.b", str("c")),
        ("attributes.body", str("mine")),
        ("twice", FieldValue::I64(1)),
        ("attributes.twice", FieldValue::I64(2)),
        ("scope.name", str("lib")),
        ("scope.version", str("1.0")),
        ("resource.service.name", str("web")),
    ])
}

#[test]
fn a_record_of_protobuf_becomes_an_event() {
    let admitted = admit_records(vec![full_record()]);
    assert_eq!(admitted.rejects, []);
    assert_eq!(events(&admitted.batch), [full_fields()]);
    assert_eq!(admitted.batch.times(), [1_700_000_000_123_456_789]);
    assert_eq!(admitted.batch.severities(), [17]);
    assert!(admitted.digest.is_some());
}

#[test]
fn a_record_of_json_becomes_the_same_event() {
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{
        "timeUnixNano":"1700000000123456789","observedTimeUnixNano":1700000001123456789,
        "severityNumber":17,"severityText":"bad","body":{"stringValue":"out of disk"},
        "attributes":[
            {"key":"http.status","value":{"intValue":"-7"}},
            {"key":"ok","value":{"boolValue":false}},
            {"key":"ratio","value":{"doubleValue":1.5,"unknown":{"x":[1]}}},
            {"key":"nan","value":{"doubleValue":"NaN"}},
            {"key":"raw","value":{"bytesValue":"/wA="}},
            {"key":"list","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"x"},{},
                {"kvlistValue":{"values":[{"key":"k","value":{"doubleValue":0.5}},
                    {"key":"b","value":{"bytesValue":"AQ=="}}]}}]}}},
            {"key":"none","value":{"arrayValue":{}}},{"key":"null"},
            {"key":"map","value":{"kvlistValue":{"values":[
                {"key":"a.b","value":{"stringValue":"c"}}]}}},
            {"key":"body","value":{"stringValue":"mine"}},
            {"key":"twice","value":{"intValue":1}},{"key":"twice","value":{"intValue":2}},
            {"key":"twice","value":{"intValue":3}}],
        "droppedAttributesCount":3,"flags":257,"traceId":"000102030405060708090A0B0c0d0e0f",
        "spanId":"ABABABABabababab","eventName":"disk.full","unknown":null}],
        "scope":{"name":"lib","version":"1.0","x":1}}],
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
        "schemaUrl":"https://example.com"}],"unknown":[]}"#;
    let admitted = admit_text(body);
    assert_eq!(admitted.rejects, []);
    assert_eq!(events(&admitted.batch), [full_fields()]);
    assert_eq!(admitted.batch.times(), [1_700_000_000_123_456_789]);
    assert_eq!(admitted.batch.severities(), [17]);
}

#[test]
fn an_object_as_body_is_flattened() {
    let body = Value::KvlistValue(KeyValueList {
        values: vec![
            pair("msg", text("hi")),
            pair(
                "deep",
                Value::KvlistValue(KeyValueList { values: vec![pair("n", Value::IntValue(1))] }),
            ),
            pair("empty", Value::KvlistValue(KeyValueList::default())),
        ],
    });
    let record = LogRecord { body: Some(any_value(body)), ..LogRecord::default() };
    let fields = &events(&admit_records(vec![record]).batch)[0];
    assert_eq!(fields["body.msg"], str("hi"));
    assert_eq!(fields["body.deep.n"], FieldValue::I64(1));
    assert_eq!(fields["body.empty"], json("{}"));
}

#[test]
fn the_time_is_that_of_the_event_or_its_observation_or_the_receipt() {
    let record = |time, observed| LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: observed,
        ..LogRecord::default()
    };
    let records =
        vec![record(TIME, 1), record(0, TIME + 1), record(0, 0), record(u64::MAX, u64::MAX)];
    let batch = admit_records(records).batch;
    assert_eq!(
        batch.times(),
        [1_700_000_000_123_456_789, 1_700_000_000_123_456_790, RECEIVED.0, i64::MAX,]
    );
    let flags = [Flags::default(), Flags::default(), Flags::TIME_MISSING, Flags::FAR_FUTURE];
    assert_eq!(batch.flags(), flags.map(|flags| flags.0));
}

#[test]
fn the_severity_is_the_number_or_else_the_text() {
    let record = |severity_number, severity_text: &str| LogRecord {
        severity_number,
        severity_text: severity_text.to_owned(),
        ..LogRecord::default()
    };
    let records = vec![
        record(9, "error"),
        record(0, "error"),
        record(25, "?"),
        record(-1, ""),
        record(24, ""),
    ];
    assert_eq!(admit_records(records).batch.severities(), [9, 17, 0, 0, 24]);
}

#[test]
fn records_that_cannot_be_taken_are_counted_and_the_others_are_taken() {
    let deep = |depth| {
        (0..depth).fold(text("x"), |value, _| {
            Value::ArrayValue(ArrayValue { values: vec![any_value(value)] })
        })
    };
    let with =
        |key: &str, value| LogRecord { attributes: vec![pair(key, value)], ..LogRecord::default() };
    let admitted = admit_records(vec![
        with("a", text("x")),
        with("a", text(&"x".repeat(limits::EVENT_BYTES_MAX))),
        with("a", deep(70)),
        with(&"k".repeat(limits::KEY_BYTES_MAX + 1), text("x")),
        with("_id", Value::BoolValue(true)),
        with("_id", Value::IntValue(5)),
        with("a", deep(45)),
    ]);
    let expected =
        [(2, "event_too_large"), (3, "too_deep"), (4, "key_too_long"), (5, "invalid_id")];
    assert_eq!(rejects(&admitted), expected);
    assert_eq!(admitted.rejected, 4);
    assert_eq!(admitted.batch.rows(), 3);

    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"},{"traceId":"abc"},
        {"timeUnixNano":"-1"},{"body":7},{"body":{"bytesValue":"?"}},
        {"severityText":"info"}]}]}]}"#;
    let admitted = admit_text(body);
    let expected: Vec<_> = (1..=5).map(|line| (line, "invalid_json")).collect();
    assert_eq!(rejects(&admitted), expected);
    assert_eq!(admitted.batch.rows(), 1);

    let deep = |depth| {
        let (open, close) = (r#"{"arrayValue":{"values":["#, "]}}");
        let value = format!("{}{{}}{}", open.repeat(depth), close.repeat(depth));
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}"#)
    };
    assert_eq!(admit_text(&deep(40)).batch.rows(), 1);
    for depth in [70, 30_000] {
        assert_eq!(rejects(&admit_text(&deep(depth))), [(1, "too_deep")]);
    }
}

#[test]
fn parts_may_stand_in_any_order_and_be_missing() {
    let encoded = request(vec![LogRecord::default()]).encode_to_vec();
    let inner = &ResourceLogs::decode(&encoded[2..]).expect("it was just encoded");
    let scope_logs = ResourceLogs { resource: None, ..inner.clone() }.encode_to_vec();
    let resource = ResourceLogs { scope_logs: vec![], ..inner.clone() }.encode_to_vec();
    let turned = [scope_logs, resource].concat();
    let body = [&[0x0A, u8::try_from(turned.len()).expect("it is short")][..], &turned].concat();
    let admitted = admit_otlp(&body, OtlpFormat::Protobuf, &reception()).expect("a good request");
    assert_eq!(events(&admitted.batch)[0]["resource.service.name"], str("web"));

    for body in ["{}", r#"{"resourceLogs":null}"#, r#"{"resourceLogs":[{"scopeLogs":[{}]}]}"#] {
        assert_eq!(admit_text(body).batch.rows(), 0, "{body}");
    }
    let empty = admit_otlp(b"", OtlpFormat::Protobuf, &reception()).expect("nothing is fine");
    assert_eq!(empty.batch.rows(), 0);
}

#[test]
fn malformed_requests_are_refused() {
    for (body, format, code) in [
        (&b"\xFF"[..], OtlpFormat::Protobuf, "invalid_protobuf"),
        (b"\x0A\x05abc", OtlpFormat::Protobuf, "invalid_protobuf"),
        (b"", OtlpFormat::Json, "invalid_json"),
        (b"[", OtlpFormat::Json, "invalid_json"),
        (b"{\"resourceLogs\":{}}", OtlpFormat::Json, "invalid_json"),
        (b"{\"resourceLogs\":[7]}", OtlpFormat::Json, "invalid_json"),
        (b"{\"resourceLogs\":\"\xFF\"}", OtlpFormat::Json, "invalid_json"),
    ] {
        let error = admit_otlp(body, format, &reception()).expect_err("it is malformed");
        assert_eq!((error.kind, error.code), (ErrorKind::Invalid, code), "{body:?}");
    }
}

#[test]
fn requests_that_grow_in_memory_are_refused() {
    // A resource of 200 KiB for each of many records of two bytes.
    let mut request = request(vec![LogRecord::default(); 100_000]);
    let long = pair("long", text(&"x".repeat(200 << 10)));
    if let Some(resource) = &mut request.resource_logs[0].resource {
        resource.attributes.push(long);
    }
    let body = request.encode_to_vec();
    let error = admit_otlp(&body, OtlpFormat::Protobuf, &reception()).expect_err("too much");
    assert_eq!((error.kind, error.code), (ErrorKind::TooLarge, "batch_too_large"));

    if let Some(resource) = &mut request.resource_logs[0].resource {
        resource.attributes.push(pair("longer", text(&"x".repeat(limits::EVENT_BYTES_MAX))));
    }
    let body = request.encode_to_vec();
    let error = admit_otlp(&body, OtlpFormat::Protobuf, &reception()).expect_err("too much");
    assert_eq!((error.kind, error.code), (ErrorKind::TooLarge, "event_too_large"));
}

#[test]
fn answers_are_those_of_the_protocol() {
    assert_eq!(otlp_answer(OtlpFormat::Protobuf, 0, ""), b"");
    assert_eq!(otlp_answer(OtlpFormat::Json, 0, ""), b"{}");
    let partial = otlp_answer(OtlpFormat::Protobuf, 3, "why");
    let partial = ExportLogsServiceResponse::decode(&partial[..]).expect("a response");
    let partial = partial.partial_success.expect("some were rejected");
    assert_eq!((partial.rejected_log_records, &*partial.error_message), (3, "why"));
    let partial = otlp_answer(OtlpFormat::Json, 3, "a \"why\"");
    let expected = br#"{"partialSuccess":{"errorMessage":"a \"why\"","rejectedLogRecords":"3"}}"#;
    assert_eq!(partial, expected);

    assert_eq!(otlp_status(OtlpFormat::Protobuf, 3, "bad"), b"\x08\x03\x12\x03bad");
    assert_eq!(otlp_status(OtlpFormat::Json, 3, "bad"), br#"{"code":3,"message":"bad"}"#);
    let long = otlp_status(OtlpFormat::Json, 3, &"é".repeat(1 << 20));
    assert!(long.len() < 8 << 10, "messages are cut");
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        flip in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut broken = request(vec![full_record()]).encode_to_vec();
        let at = flip.index(broken.len());
        broken[at] = byte;
        for body in [&bytes, &broken] {
            for format in [OtlpFormat::Protobuf, OtlpFormat::Json] {
                drop(admit_otlp(body, format, &reception()));
            }
        }
    }
}

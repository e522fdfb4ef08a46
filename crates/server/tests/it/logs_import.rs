//! Records of AWS CloudTrail come in and become audit events.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::node::{Answer, Node, Tenant};

const PATH: &str = "/api/v1/logs/import/cloudtrail";

fn record(id: u32) -> Value {
    json!({
        "eventID": format!("00000000-0000-4000-8000-{id:012}"),
        "eventTime": "2026-01-31T12:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"},
        "requestParameters": {"bucketName": "plans"},
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

struct Import<'a> {
    node: &'a Node,
    tenant: &'a Tenant,
}

impl Import<'_> {
    fn ask(&self, media: &str, encoding: &str, body: impl Into<Vec<u8>>) -> Answer {
        let ask = self.node.ask("POST", PATH).by(&self.tenant.ingest).body(media, body);
        let ask = if encoding.is_empty() { ask } else { ask.header("content-encoding", encoding) };
        ask.send()
    }
}

fn outcomes(answer: &Value) -> Vec<(u64, Option<u64>)> {
    let results = answer["results"].as_array().expect("a list").iter();
    results.map(|one| (one["status"].as_u64().expect("a number"), one["seq"].as_u64())).collect()
}

#[test]
fn records_come_as_they_are_delivered_or_a_line_each() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let import = Import { node: &node, tenant: &acme };
    let delivery = json!({"Records": [record(1), {"eventName": 7}, record(2)]}).to_string();
    let first = import.ask("application/json", "", delivery.clone()).expect(200).json();
    assert_eq!(outcomes(&first), [(201, Some(0)), (400, None), (201, Some(1))]);
    let counts = |answer: &Value| {
        ["accepted", "duplicates", "rejected"].map(|name| answer[name].as_u64().expect("a count"))
    };
    assert_eq!(counts(&first), [2, 0, 1]);
    let fault = &first["results"][1]["error"];
    assert_eq!(
        (&fault["code"], &fault["errors"][0]["pointer"]),
        (&json!("event_invalid"), &json!("/eventTime"))
    );

    // A second import stores nothing twice, however the records come.
    let lines = format!("{}\n{}\n", record(2), record(3));
    let second = import.ask("application/x-ndjson", "", lines).expect(200).json();
    assert_eq!(outcomes(&second), [(200, Some(1)), (201, Some(2))]);
    assert_eq!(counts(&second), [2, 1, 0]);
    for (media, encoding) in [("application/gzip", ""), ("application/json", "gzip")] {
        let third = import.ask(media, encoding, gzip(&delivery)).expect(200).json();
        assert_eq!(outcomes(&third), [(200, Some(0)), (400, None), (200, Some(1))], "{media}");
        assert_eq!(counts(&third), [2, 2, 1]);
    }
    let path = format!("/api/v1/logs/{}?proof=true", record(3)["eventID"].as_str().expect("an id"));
    let event = node.ask("GET", &path).by(&acme.auditor).send().expect(200).json();
    assert_eq!(event["action"], "s3.GetObject");
    assert_eq!(event["resource"], json!({"type": "AWS::S3::Bucket", "id": "plans"}));
}

#[test]
fn what_is_no_import_is_refused() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let import = Import { node: &node, tenant: &acme };
    let most = |count| json!({"Records": (0..count).map(record).collect::<Vec<_>>()}).to_string();
    for (media, encoding, body, (status, code)) in [
        ("text/plain", "", b"{}".to_vec(), (415, "unsupported_media_type")),
        ("application/gzip", "gzip", gzip("{}"), (415, "unsupported_media_type")),
        ("application/json", "br", b"{}".to_vec(), (415, "unsupported_encoding")),
        ("application/gzip", "", b"{}".to_vec(), (400, "invalid_body")),
        ("application/json", "", b"{\"Records\":[".to_vec(), (400, "invalid_json")),
        ("application/json", "", most(1_001).into_bytes(), (400, "invalid_request")),
        ("application/gzip", "", gzip(&" ".repeat(70 << 20)), (413, "body_too_large")),
    ] {
        let answer = import.ask(media, encoding, body);
        assert_eq!((answer.status, &*answer.code()), (status, code), "{media} {encoding}");
    }
    let whole = import.ask("application/json", "", most(1_000)).expect(200).json();
    assert_eq!(whole["accepted"], 1_000);
    let none = import.ask("application/json", "", "").expect(200).json();
    assert_eq!(none["results"], json!([]));
    let path = format!("{PATH}?dataset=other");
    let ask = node.ask("POST", &path).by(&acme.auditor).body("application/json", "{}");
    assert_eq!(ask.send().expect(403).code(), "forbidden");
}

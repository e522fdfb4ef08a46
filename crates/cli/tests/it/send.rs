//! `ledgerline send`.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;

use crate::stand_in::{Answer, Request, StandIn, json};
use crate::{ledgerline, run};

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file is written");
    path.to_str().expect("a plain path").to_owned()
}

fn accept_all(request: &Request) -> Answer {
    let events = request.body.lines().count();
    json(200, format!(r#"{{"accepted":{events},"rejected":0,"errors":[],"duplicates":0}}"#))
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("{{\"n\":{number}}}\n")).collect()
}

#[test]
fn every_line_arrives_once_whatever_the_server_does() {
    // Each batch is refused once, then cut off once, then taken.
    let tries: Mutex<HashMap<String, u32>> = Mutex::default();
    let server = StandIn::start(move |request| {
        let mut tries = tries.lock().expect("no panic before");
        let tried = tries.entry(request.header("idempotency-key").to_owned()).or_default();
        *tried += 1;
        match *tried {
            1 => Some((429, vec![("retry-after", "0".to_owned())], "{}".to_owned())),
            2 => None,
            _ => accept_all(request),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let text = lines(2_000);
    let plain = file(&folder, "a.ndjson", text.as_bytes());
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("compressible");
    let packed = file(&folder, "b.zst", &zstd);
    let arguments = ["send", "--dataset", "web", "--batch-bytes", "8kB", &plain, &packed];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.starts_with("4,000 events, "), "{}", ended.err);
    assert!(ended.err.ends_with(" acknowledged\n"), "{}", ended.err);

    let mut batches: HashMap<String, Vec<String>> = HashMap::new();
    for request in server.requests() {
        assert_eq!(request.path, "/api/v1/ingest/web");
        assert_eq!(request.header("authorization"), "Bearer ll_test");
        assert_eq!(request.header("content-type"), "application/x-ndjson");
        let key = request.header("idempotency-key").to_owned();
        batches.entry(key).or_default().push(request.body);
    }
    let mut sent: Vec<String> = Vec::new();
    for bodies in batches.values() {
        assert_eq!(bodies.len(), 3, "two failures, then taken");
        assert!(bodies.iter().all(|body| *body == bodies[0]), "a key means one body");
        sent.extend(bodies[0].lines().map(str::to_owned));
    }
    let mut expected: Vec<String> = text.lines().chain(text.lines()).map(str::to_owned).collect();
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
}

#[test]
fn rejects_are_printed_with_their_line_in_the_file() {
    let server = StandIn::start(|request| {
        let bad = request.body.lines().position(|line| line == "bad");
        let errors = match bad {
            Some(at) => format!(r#"{{"line":{},"code":"invalid_json","detail":"no"}}"#, at + 1),
            None => String::new(),
        };
        let rejected = u64::from(bad.is_some());
        json(200, format!(r#"{{"accepted":1,"rejected":{rejected},"errors":[{errors}]}}"#))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("{}bad\n{}", lines(500), lines(3));
    let path = file(&folder, "a.ndjson", text.as_bytes());
    let arguments = ["send", "--dataset", "web", "--batch-bytes", "1kB", &path];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains(&format!("rejected: {path}:501: invalid_json: no\n")),
        "{}",
        ended.err
    );
    assert!(ended.err.ends_with(" acknowledged, 1 rejected\n"), "{}", ended.err);
}

#[test]
fn a_batch_without_one_good_event_does_not_stop_the_others() {
    let server = StandIn::start(|request| match request.body.contains("bad") {
        true => json(
            400,
            r#"{"code":"events_rejected","detail":"every event was rejected","accepted":0,
                "rejected":2,"errors":[{"line":1,"code":"invalid_json","detail":"no"}]}"#,
        ),
        false => accept_all(request),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let bad = file(&folder, "bad.ndjson", b"{bad\n{bad\n");
    let good = file(&folder, "good.ndjson", lines(5).as_bytes());
    let ended = run(ledgerline(&server, &["send", "--dataset", "web", &bad, &good]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("bad.ndjson:1: invalid_json"), "{}", ended.err);
    assert!(ended.err.contains("5 events, "), "{}", ended.err);
}

#[test]
fn a_refusal_that_cannot_pass_ends_it_at_once() {
    let server = StandIn::start(|_| {
        json(401, r#"{"detail":"the key is not known","code":"unauthenticated"}"#)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder, "a.ndjson", lines(5).as_bytes());
    let ended = run(ledgerline(&server, &["send", "--dataset", "web", &path]));
    assert_eq!(ended.code, Some(1));
    assert_eq!(server.requests().len(), 1);
    let error = "error: the key is not known (401, unauthenticated)\nhint: is --key";
    assert!(ended.err.contains(error), "{}", ended.err);
}

#[test]
fn it_gives_up_after_a_while() {
    let server = StandIn::start(|_| {
        Some((503, vec![("retry-after", "9".to_owned())], r#"{"detail":"full"}"#.to_owned()))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder, "a.ndjson", lines(5).as_bytes());
    let arguments = ["send", "--dataset", "web", "--give-up-after", "1", &path];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("error: full (503)"), "{}", ended.err);
    assert!(ended.err.contains("0 events"), "{}", ended.err);
}

#[test]
fn standard_input_is_read() {
    let server = StandIn::start(accept_all);
    let mut command = ledgerline(&server, &["send", "--dataset", "web", "-"]);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"Jun 14 15:16:01 combo sshd: failed\nsecond\n").expect("it reads");
    drop(stdin);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    let requests = server.requests();
    assert_eq!(requests[0].header("content-type"), "text/plain");
    assert_eq!(requests[0].body, "Jun 14 15:16:01 combo sshd: failed\nsecond\n");
}

#[test]
fn an_array_is_sent_as_arrays() {
    let server = StandIn::start(|_| json(200, r#"{"accepted":2,"rejected":0,"errors":[]}"#));
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder, "a.json", b"[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n");
    let ended = run(ledgerline(&server, &["send", "--dataset", "web", &path]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(server.requests()[0].body, "[{\"a\": 1},{\"a\": 2}]");
    assert_eq!(server.requests()[0].header("content-type"), "application/json");
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let server = StandIn::start(accept_all);
    let ended = run(ledgerline(&server, &["send", "--dataset", "web", "/nowhere/at/all"]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("error: /nowhere/at/all cannot be read"), "{}", ended.err);

    let folder = tempfile::tempdir().expect("a folder");
    let zstd = zstd::encode_all(lines(50_000).as_bytes(), 1).expect("compressible");
    let cut = file(&folder, "cut.zst", &zstd[..zstd.len() / 2]);
    let ended = run(ledgerline(&server, &["send", "--dataset", "web", &cut]));
    assert_eq!(ended.code, Some(1), "a cut file is not sent as if it were whole");
    assert!(ended.err.contains("cut.zst cannot be read"), "{}", ended.err);
}

#[test]
fn a_dataset_cannot_leave_its_path() {
    let server = StandIn::start(accept_all);
    for name in ["../../x", "a/b", "..", "a?b", ""] {
        let ended = run(ledgerline(&server, &["send", "--dataset", name, "-"]));
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(ended.err.contains("is not the name of a dataset"), "{}", ended.err);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn records_of_cloudtrail_go_where_they_become_audit_events() {
    let server = StandIn::start(|request| {
        let records = request.json()["Records"].as_array().map_or(0, Vec::len);
        let refused = r#"{"status":400,"error":{"code":"event_invalid","detail":"no time"}}"#;
        let results = [vec![r#"{"status":200}"#; records - 1], vec![refused]].concat().join(",");
        let accepted = records - 1;
        json(
            200,
            format!(
                r#"{{"accepted":{accepted},"duplicates":1,"rejected":1,"results":[{results}]}}"#
            ),
        )
    });
    let folder = tempfile::tempdir().expect("a folder");
    let records = vec![r#"{"eventID":"a"}"#; 1_500].join(",");
    let delivered = format!("{{\"Records\":[{records}]}}");
    let packed =
        file(&folder, "a.json.zst", &zstd::encode_all(delivered.as_bytes(), 1).expect("it"));
    let lines = file(&folder, "b.ndjson", b"{\"eventID\":\"a\"}\n{\"eventID\":\"b\"}\n");
    let arguments = ["send", "--format", "cloudtrail", "--dataset", "trail", &packed, &lines];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("3 of them stored before, 3 rejected"), "{}", ended.err);
    assert!(ended.err.contains("b.ndjson:2: event_invalid: no time"), "{}", ended.err);
    let mut sent: Vec<usize> = Vec::new();
    for request in server.requests() {
        assert_eq!(request.path, "/api/v1/logs/import/cloudtrail?dataset=trail");
        assert_eq!(request.header("content-type"), "application/json");
        sent.push(request.json()["Records"].as_array().expect("a list").len());
    }
    sent.sort_unstable();
    assert_eq!(sent, [2, 500, 1_000]);
}

//! `ledgerline bench`.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::stand_in::{self, StandIn};
use crate::{ledgerline, run};

#[test]
fn every_answer_is_counted() {
    let asked = AtomicU64::new(0);
    let server = StandIn::start(move |request| match asked.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => Some((429, vec![("retry-after", "1".to_owned())], "{}".to_owned())),
        1 => Some((503, Vec::new(), "{}".to_owned())),
        _ => {
            let events = request.body.lines().count();
            let answer = format!(r#"{{"accepted":{events},"rejected":0,"errors":[]}}"#);
            stand_in::json(200, answer)
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.ndjson");
    std::fs::write(&path, "{\"a\":1}\n".repeat(100)).expect("a file is written");
    let path = path.to_str().expect("a plain path");
    let arguments = [
        "bench",
        "--dataset",
        "load",
        "--connections",
        "2",
        "--seconds",
        "1",
        "--rate",
        "3000",
        "--json",
        path,
    ];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    let requests = server.requests();
    let taken = |number: &str| report[number].as_u64().expect("a number");
    let answered = taken("batches_accepted") + taken("status_429") + taken("status_503");
    assert_eq!(answered, requests.len() as u64);
    assert!(answered <= 30, "100 events a batch, 3,000 a second: {answered}");
    assert_eq!(taken("events_accepted"), taken("batches_accepted") * 100);
    assert_eq!(taken("without_retry_after"), taken("status_503"));
    let mut keys: Vec<&str> =
        requests.iter().map(|request| request.header("idempotency-key")).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), requests.len(), "nothing is sent twice");
}

#[test]
fn people_get_a_table_and_a_failure_is_named() {
    let server = StandIn::start(|_| stand_in::json(404, r#"{"detail":"no such dataset"}"#));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    std::fs::write(&path, "a line\n").expect("a file is written");
    let path = path.to_str().expect("a plain path");
    let arguments = ["bench", "--dataset", "load", "--seconds", "1", "--rate", "1", path];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(1));
    assert!(ended.out.contains("batches failed        1\n"), "{}", ended.out);
    assert!(ended.out.contains("first failure         error: no such dataset"), "{}", ended.out);
}

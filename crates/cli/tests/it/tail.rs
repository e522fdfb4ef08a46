//! `ledgerline tail`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::stand_in::{self, StandIn};
use crate::{ledgerline, run};

#[test]
fn only_new_events_are_printed_in_the_order_they_came() {
    let asked = AtomicU64::new(0);
    let server = StandIn::start(move |request| {
        if request.path == "/api/v1/analytics/query" {
            let stats = json!({ "scanned_bytes": 0, "elapsed_ms": 0, "complete": true });
            let answer = json!({ "columns": ["max"], "rows": [[41]], "stats": stats });
            return stand_in::json(200, answer.to_string());
        }
        let events = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => json!([
                { "_time": "t1", "_seq": 43, "_message": "late" },
                { "_time": "t2", "_seq": 42, "_message": "first" },
            ]),
            1 => json!([{ "_time": "t3", "_seq": 44, "_message": "third" }]),
            _ => json!([]),
        };
        let answer = json!({
            "data": events,
            "page": { "next_cursor": null, "has_more": false },
            "stats": { "scanned_bytes": 0, "elapsed_ms": 0, "complete": true },
        });
        stand_in::json(200, answer.to_string())
    });
    let mut command = ledgerline(&server, &["tail", "--dataset", "web", "a OR b"]);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    let lines: Vec<String> = stdout.lines().take(3).map(|line| line.expect("a line")).collect();
    assert_eq!(lines, ["t2       first", "t1       late", "t3       third"]);

    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status().expect("kill starts");
    assert!(killed.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let queries: Vec<String> = server.requests()[1..3]
        .iter()
        .map(|request| request.json()["query"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(queries, ["(a OR b) _seq:>41", "(a OR b) _seq:>43"]);
}

#[test]
fn csv_is_not_for_tail() {
    let server = StandIn::start(|_| stand_in::json(500, "{}"));
    let ended = run(ledgerline(&server, &["tail", "--dataset", "web", "--output", "csv"]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("tail cannot print CSV"), "{}", ended.err);
}

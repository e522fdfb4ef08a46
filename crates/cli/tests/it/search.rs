//! `ledgerline search`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::stand_in::{self, Answer, Request, StandIn};
use crate::{ledgerline, run};

fn event(number: u64) -> Value {
    json!({
        "_time": format!("2023-07-10T11:42:{:02}.000000000Z", number % 60),
        "_seq": number, "_id": "x", "_severity": "INFO", "_message": format!("event {number}"),
    })
}

/// 2,500 events, a page at a time; the cursor is the next number.
fn pages(request: &Request) -> Answer {
    assert_eq!(request.path, "/api/v1/search");
    let question = request.json();
    let start: u64 = question["cursor"].as_str().map_or(0, |cursor| cursor.parse().expect("ours"));
    let end = (start + question["limit"].as_u64().expect("a limit")).min(2_500);
    let next = (end < 2_500).then(|| end.to_string());
    let answer = json!({
        "data": (start..end).map(event).collect::<Vec<_>>(),
        "page": { "next_cursor": next, "has_more": next.is_some() },
        "stats": { "scanned_bytes": 10, "elapsed_ms": 1, "complete": true },
    });
    stand_in::json(200, answer.to_string())
}

#[test]
fn lines_come_until_the_limit() {
    let server = StandIn::start(pages);
    let arguments = ["search", "--dataset", "web", "*", "--limit", "1500", "--from", "-1h"];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), 1_500);
    assert_eq!(lines[1_499], "2023-07-10T11:42:59.000Z INFO  event 1499");
    assert_eq!(ended.err, "", "a script is told nothing when all is well");
    let requests = server.requests();
    let limits: Vec<Value> =
        requests.iter().map(|request| request.json()["limit"].take()).collect();
    assert_eq!(limits, [1_000, 500]);
    assert_eq!(requests[0].json()["from"], "-1h");
    assert_eq!(requests[0].json()["order"], "newest");
}

#[test]
fn every_page_is_followed_when_there_is_no_limit() {
    let server = StandIn::start(pages);
    let arguments =
        ["search", "--dataset", "web", "*", "--limit", "0", "--oldest", "--output", "json"];
    let ended = run(ledgerline(&server, &arguments));
    let numbers: Vec<u64> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["_seq"].as_u64())
        .map(|seq| seq.expect("a number"))
        .collect();
    assert_eq!(numbers, (0..2_500).collect::<Vec<_>>());
    assert_eq!(server.requests()[0].json()["order"], "oldest");
}

#[test]
fn json_is_what_the_server_wrote() {
    let number = "123456789012345678901234567890.5";
    let data = format!(r#"[{{"_seq":1,"n":{number},"t":"a\u001b[2J","z":1,"a":"\u202e"}}]"#);
    let server = StandIn::start(move |_| {
        let stats = r#"{"scanned_bytes":0,"elapsed_ms":0,"complete":false}"#;
        let page = r#"{"next_cursor":null,"has_more":false}"#;
        stand_in::json(200, format!(r#"{{"data":{data},"page":{page},"stats":{stats}}}"#))
    });
    let arguments = ["search", "--dataset", "web", "*", "--output", "json"];
    let ended = run(ledgerline(&server, &arguments));
    let expected = format!(r#"{{"_seq":1,"n":{number},"t":"a\u001b[2J","z":1,"a":"\u202e"}}"#);
    assert_eq!(ended.out, format!("{expected}\n"));
    assert!(ended.err.contains("NOT complete"), "{}", ended.err);
}

#[test]
fn csv_has_the_named_fields() {
    let server = StandIn::start(pages);
    let fields = "_seq,_message";
    let arguments =
        ["search", "--dataset", "web", "*", "--limit", "2", "--fields", fields, "--output", "csv"];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.out, "_seq,_message\n0,event 0\n1,event 1\n");
    assert_eq!(server.requests()[0].json()["fields"], json!(["_seq", "_message"]));
}

fn table(request: &Request) -> Answer {
    assert_eq!(request.path, "/api/v1/analytics/query");
    let answer = json!({
        "columns": ["Channel", "n"],
        "rows": [["Security", 12], ["Sysmon", 1_234]],
        "stats": { "scanned_bytes": 0, "elapsed_ms": 0, "complete": true },
    });
    stand_in::json(200, answer.to_string())
}

#[test]
fn pipes_make_a_table() {
    let server = StandIn::start(table);
    let query = "* | stats count() as n by Channel";
    let ended = run(ledgerline(&server, &["search", "--dataset", "web", query]));
    assert_eq!(ended.out, "Channel      n\nSecurity    12\nSysmon    1234\n");
    assert_eq!(server.requests()[0].json(), json!({ "dataset": "web", "query": query }));

    let arguments = ["search", "--dataset", "web", query, "--output", "csv"];
    assert_eq!(run(ledgerline(&server, &arguments)).out, "Channel,n\nSecurity,12\nSysmon,1234\n");
    let arguments = ["search", "--dataset", "web", query, "--output", "json"];
    let ended = run(ledgerline(&server, &arguments));
    assert_eq!(ended.out.lines().next(), Some(r#"{"Channel":"Security","n":12}"#));
}

#[test]
fn a_fault_in_the_query_is_pointed_at() {
    let server = StandIn::start(|_| {
        let problem = json!({
            "detail": "expected a value", "code": "query_syntax",
            "position": { "start": 7, "end": 8 }, "hint": "quote it",
        });
        stand_in::json(400, problem.to_string())
    });
    let ended = run(ledgerline(&server, &["search", "--dataset", "web", "status:)"]));
    assert_eq!(ended.code, Some(1));
    let expected =
        "error: expected a value (400, query_syntax)\n  status:)\n         ^\nhint: quote it\n";
    assert_eq!(ended.err, expected);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let server = StandIn::start(pages);
    let arguments = ["search", "--dataset", "web", "*", "--limit", "0"];
    let mut command = ledgerline(&server, &arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::with_capacity(16, stdout).read_line(&mut line).expect("a line");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()));
}

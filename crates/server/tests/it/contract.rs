//! The contract that scripts lean on.

use serde_json::{Value, json};

use crate::node::{Node, PASSWORD};

fn rows(answer: &Value) -> Vec<Vec<Value>> {
    serde_json::from_value(answer["rows"].clone()).expect("rows are lists")
}

#[test]
fn events_go_in_and_are_found_again_in_every_way() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let events = json!([
        {"@timestamp": "2026-01-31T12:00:00Z", "level": "info", "message": "first light", "n": 1},
        {"@timestamp": "2026-01-31T12:01:00Z", "level": "error", "message": "second light", "n": 2},
        {"@timestamp": "2026-01-31T13:00:00Z", "level": "error", "message": "third", "a": {"b": 3}},
    ]);
    let answer =
        node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest).json(&events).send().expect(200);
    let sent = answer.json();
    assert_eq!((&sent["accepted"], &sent["rejected"]), (&json!(3), &json!(0)));
    assert_eq!(sent["errors"], json!([]));

    let found = node.search(&acme.query, "app", "light").expect(200).json();
    let messages: Vec<&str> = found["data"]
        .as_array()
        .expect("a list of events")
        .iter()
        .filter_map(|event| event["_message"].as_str())
        .collect();
    assert_eq!(messages, ["second light", "first light"], "newest first");
    assert_eq!(found["page"], json!({"next_cursor": null, "has_more": false}));
    assert_eq!(found["stats"]["complete"], true);
    let event = &found["data"][0];
    assert_eq!(event["_time"], "2026-01-31T12:01:00.000000000Z");
    assert_eq!((&event["_seq"], &event["_severity"]), (&json!(1), &json!("ERROR")));
    assert_eq!((&event["n"], &event["level"]), (&json!(2), &json!("error")));

    let query = json!({"dataset": "app", "query": "* | stats count() as n by level | sort level"});
    let table = node.ask("POST", "/api/v1/analytics/query").by(&acme.query).json(&query).send();
    let table = table.expect(200).json();
    assert_eq!(table["columns"], json!(["level", "n"]));
    assert_eq!(rows(&table), [[json!("error"), json!(2)], [json!("info"), json!(1)]]);

    let sql = json!({"sql": "SELECT level, count(*) AS n FROM app GROUP BY level ORDER BY level"});
    let same = node.ask("POST", "/api/v1/analytics/sql").by(&acme.query).json(&sql).send();
    let same = same.expect(200).json();
    assert_eq!((&same["columns"], rows(&same)), (&table["columns"], rows(&table)));
}

#[test]
fn all_that_was_stored_is_there_after_a_restart() {
    let node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!([{"message": "before"}]));
    let node = node.restart();
    node.send(&acme.ingest, "app", &json!({"message": "after"}));
    let found = node.search(&acme.query, "app", "before OR after").expect(200).json();
    let seqs: Vec<&Value> =
        found["data"].as_array().expect("events").iter().map(|event| &event["_seq"]).collect();
    assert_eq!(seqs, [&json!(1), &json!(0)]);
}

#[test]
fn around_a_search_there_are_bars_fields_values_and_neighbours() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let event = |minute: u32| {
        json!({
            "time": format!("2026-01-31T12:{minute:02}:00Z"),
            "level": if minute % 2 == 0 { "info" } else { "warn" },
            "minute": minute,
        })
    };
    let events: Vec<Value> = (0..10).map(event).collect();
    node.send(&acme.ingest, "app", &json!(events));
    let ask = |path: &str, request: Value| {
        node.ask("POST", path).by(&acme.query).json(&request).send().expect(200).json()
    };
    let bars = ask("/api/v1/search/histogram", json!({"dataset": "app", "width": "5m"}));
    assert_eq!(bars["width"], "5m");
    let counts: Vec<&Value> =
        bars["data"].as_array().expect("bars").iter().map(|bar| &bar["count"]).collect();
    assert_eq!(counts, [&json!(5), &json!(5)]);
    assert_eq!(bars["data"][0]["severities"], json!({"INFO": 3, "WARN": 2}));

    let fields = ask("/api/v1/search/fields", json!({"dataset": "app"}));
    let fields = fields["data"].as_array().expect("fields").clone();
    let minute = fields.iter().find(|field| field["name"] == "minute").expect("the field");
    assert_eq!((&minute["types"], &minute["share"]), (&json!({"integer": 10}), &json!(1.0)));

    let request = json!({"dataset": "app", "field": "level", "limit": 1});
    let values = ask("/api/v1/search/values", request);
    assert_eq!(values["data"], json!([{"value": "info", "count": 5}]));
    assert_eq!((&values["distinct"], &values["found"]), (&json!(2), &json!(10)));

    let request = json!({"dataset": "app", "seq": 5, "before": 1, "after": 2});
    let around = ask("/api/v1/search/context", request);
    let minutes: Vec<&Value> =
        around["data"].as_array().expect("events").iter().map(|event| &event["minute"]).collect();
    assert_eq!(minutes, [&json!(4), &json!(5), &json!(6), &json!(7)]);
}

#[test]
fn answers_come_as_lines_and_as_csv_too() {
    let node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!([{"message": "=cmd()", "n": 1}, {"message": "b"}]));
    let request = json!({"dataset": "app", "order": "oldest"});
    let ask = |format: &str, accept: &str| {
        let path = format!("/api/v1/search{format}");
        let ask = node.ask("POST", &path).by(&acme.query).header("accept", accept);
        ask.json(&request).send().expect(200)
    };
    let lines = ask("?format=ndjson", "*/*");
    assert_eq!(lines.text().lines().count(), 2);
    let csv = ask("", "text/csv");
    let text = csv.text();
    let mut rows = text.lines();
    let header = rows.next().expect("a header");
    assert!(header.starts_with("_time,_received,_id,_seq,"), "{header}");
    assert!(rows.next().expect("a row").contains("'=cmd()"), "{text}");
    assert_eq!(csv.header("x-ledgerline-complete"), "true");
}

#[test]
fn otlp_is_answered_in_its_own_shape() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let record = json!({
        "timeUnixNano": "1769860800000000000",
        "severityNumber": 17,
        "body": {"stringValue": "otlp light"}
    });
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]});
    let ask = || node.ask("POST", "/v1/logs");
    let answer = ask().by(&acme.ingest).json(&logs).send().expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), json!({}));
    let found = node.search(&acme.query, "otel", "\"otlp light\"").expect(200).json();
    assert_eq!(found["data"][0]["_severity_number"], 17);

    let refused = ask().json(&logs).send().expect(401);
    assert_eq!(refused.header("content-type"), "application/json");
    assert!(refused.json()["message"].as_str().expect("a message").starts_with("unauthenticated"));
    let media = "application/x-protobuf";
    let broken = ask().by(&acme.ingest).body(media, b"\xff\xff".to_vec()).send().expect(400);
    assert_eq!(broken.header("content-type"), media);
    let query_key = ask().by(&acme.query).json(&logs).send();
    assert_eq!(query_key.status, 403);
}

#[test]
fn a_tenant_may_say_that_events_make_no_dataset() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let off = json!({"makes_datasets": false});
    node.ask("PATCH", "/api/v1/tenant").by(&acme.admin).json(&off).send().expect(200);
    let event = json!({"message": "x"});
    let answer = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest).json(&event).send();
    assert_eq!((answer.status, answer.code().as_str()), (404, "dataset_not_found"));
    let made = json!({"name": "app", "settings": {"message_key": "what"}});
    node.ask("POST", "/api/v1/datasets").by(&acme.admin).json(&made).send().expect(201);
    node.send(&acme.ingest, "app", &json!({"what": "it is here", "message": "not this"}));
    let found = node.search(&acme.query, "app", "here").expect(200).json();
    assert_eq!(found["data"][0]["_message"], "it is here");
}

#[test]
fn a_login_is_refreshed_once_and_ended() {
    let node = Node::start();
    node.tenant("acme");
    let login = json!({"email": "admin@acme.example", "password": PASSWORD, "tenant": "acme"});
    let first = node.ask("POST", "/api/v1/auth/login").json(&login).send().expect(200).json();
    assert_eq!(first["token_type"], "Bearer");
    let refresh = |token: &Value| {
        let request = json!({"refresh_token": token});
        node.ask("POST", "/api/v1/auth/refresh").json(&request).send()
    };
    let second = refresh(&first["refresh_token"]).expect(200).json();
    let access = second["access_token"].as_str().expect("a token");
    let me = node.ask("GET", "/api/v1/auth/me").by(access).send().expect(200).json();
    assert_eq!((&me["role"], &me["tenant"]["name"]), (&json!("admin"), &json!("acme")));
    let request = json!({"refresh_token": second["refresh_token"]});
    node.ask("POST", "/api/v1/auth/logout").json(&request).send().expect(204);
    assert_eq!(refresh(&second["refresh_token"]).code(), "unauthenticated");
}

#[test]
fn a_key_is_rotated_and_revoked_at_once() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let (id, old) = node.key(&acme.admin, "query:*");
    let path = format!("/api/v1/keys/{id}/rotate");
    let rotated = node.ask("POST", &path).by(&acme.admin).send().expect(200).json();
    let new = rotated["key"].as_str().expect("a key").to_owned();
    let status = |key: &str| node.ask("GET", "/api/v1/datasets").by(key).send().status;
    assert_eq!((status(&old), status(&new)), (200, 200), "both are good for some time");
    let path = format!("/api/v1/keys/{id}");
    node.ask("DELETE", &path).by(&acme.admin).send().expect(204);
    assert_eq!((status(&old), status(&new)), (401, 401));
}

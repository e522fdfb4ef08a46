//! Bad input is answered by a problem with a stable code, and loses nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::node::{Answer, Node};

#[test]
fn a_bad_line_does_not_lose_the_good_ones() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let body = "{\"message\":\"good\"}\n{broken\n{\"message\":\"good too\"}\n";
    let ask = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest);
    let answer = ask.body("application/x-ndjson", body).send().expect(200).json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(answer["errors"][0]["line"], 2);
    assert_eq!(answer["errors"][0]["code"], "invalid_json");

    let ask = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest);
    let answer = ask.body("application/x-ndjson", "{a\n{b\n").send().expect(400);
    assert_eq!(answer.code(), "events_rejected");
    let answer = answer.json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(0), &json!(2)));
    assert_eq!(answer["errors"][1]["line"], 2);
}

#[test]
fn a_body_without_a_good_event_makes_no_dataset() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let send = |body: &str| {
        let ask = node.ask("POST", "/api/v1/ingest/never").by(&acme.ingest);
        ask.body("application/x-ndjson", body).send().status
    };
    assert_eq!([send("{a\n{b\n"), send(""), send("\n")], [400, 200, 200]);
    let ask = node.ask("POST", "/v1/logs").by(&acme.ingest);
    ask.json(&json!({"resourceLogs": []})).send().expect(200);
    let listed = node.ask("GET", "/api/v1/datasets").by(&acme.query).send().expect(200).json();
    assert_eq!(listed["data"], json!([]));
    assert_eq!(send("{a\n{}\n"), 200);
    node.search(&acme.query, "never", "*").expect(200);
}

#[test]
fn every_mistake_has_its_code() {
    let node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!({"message": "x"}));
    let post = |path: &str, credential: &str, media: &str, body: &str| {
        node.ask("POST", path).by(credential).body(media, body).send()
    };
    let json = "application/json";
    let search = |body: &str| post("/api/v1/search", &acme.query, json, body);
    let ingest = |media: &str, body: &str| post("/api/v1/ingest/app", &acme.ingest, media, body);
    let encoded = |encoding: &str| {
        let ask = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest);
        ask.header("content-encoding", encoding).body(json, "{}").send()
    };
    let long = format!("{{\"dataset\":\"app\",\"query\":\"{}\"}}", "a ".repeat(40_000));
    let table: Vec<(Answer, u16, &str)> = vec![
        (search("{"), 400, "invalid_json"),
        (search("[]"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"unknown\":1}"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"dataset\":\"app\"}"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"limit\":0}"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"limit\":10001}"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"from\":\"noon-ish\"}"), 400, "invalid_request"),
        (search("{\"dataset\":\"app\",\"query\":\"(a\"}"), 400, "query_syntax"),
        (search("{\"dataset\":\"app\",\"cursor\":\"abc\"}"), 400, "cursor_mismatch"),
        (search(&long), 400, "query_too_big"),
        (search("{\"dataset\":\"absent\"}"), 404, "dataset_not_found"),
        (search("{\"dataset\":\"../app\"}"), 404, "dataset_not_found"),
        (post("/api/v1/search", &acme.query, "text/plain", "{}"), 415, "unsupported_media_type"),
        (
            post("/api/v1/search?format=xml", &acme.query, json, "{\"dataset\":\"app\"}"),
            400,
            "invalid_request",
        ),
        (
            post("/api/v1/search", &acme.query, json, &" ".repeat((1 << 20) + 1)),
            413,
            "body_too_large",
        ),
        (post("/api/v1/ingest/Bad%2FName", &acme.ingest, json, "{}"), 400, "invalid_request"),
        (post("/api/v1/ingest/_audit", &acme.admin, json, "{}"), 403, "forbidden"),
        (ingest("application/msgpack", "x"), 415, "unsupported_media_type"),
        (encoded("br"), 415, "unsupported_encoding"),
        (encoded("gzip"), 400, "invalid_body"),
        (post("/api/v1/nothing", &acme.admin, json, "{}"), 404, "route_not_found"),
        (node.ask("GET", "/api/v1/search").by(&acme.query).send(), 405, "method_not_allowed"),
        (node.ask("DELETE", "/api/v1/users/not-an-id").by(&acme.admin).send(), 404, "not_found"),
        (post("/api/v1/search", "ll_wrong", json, "{}"), 401, "unauthenticated"),
        (
            post("/api/v1/analytics/sql", &acme.query, json, "{\"sql\":\"DROP TABLE app\"}"),
            400,
            "query_invalid",
        ),
        (
            post("/api/v1/analytics/sql", &acme.query, json, "{\"sql\":\"SELECT * FROM absent\"}"),
            404,
            "dataset_not_found",
        ),
    ];
    for (index, (answer, status, code)) in table.iter().enumerate() {
        assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "row {index}");
        let problem = answer.json();
        assert_eq!(problem["status"], *status);
        assert_eq!(problem["request_id"], answer.header("x-request-id").as_str());
        assert_eq!(problem["type"], format!("/docs/errors/{code}"));
    }
    let found = node.search(&acme.query, "app", "*").expect(200).json();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "nothing was lost or added");
}

#[test]
fn a_query_error_points_at_the_character() {
    let node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!({"message": "x"}));
    let answer = node.search(&acme.query, "app", "größe:1 )").expect(400);
    assert_eq!(answer.code(), "query_syntax");
    assert_eq!(answer.json()["position"]["start"], 8);
}

#[test]
fn a_wrong_password_says_no_more_than_an_unknown_address() {
    let node = Node::start();
    node.tenant("acme");
    let login = |email: &str| {
        let request = json!({"email": email, "password": "not the password at all"});
        node.ask("POST", "/api/v1/auth/login").json(&request).send()
    };
    let known = login("admin@acme.example");
    let unknown = login("nobody@acme.example");
    assert_eq!((known.status, unknown.status), (401, 401));
    assert!(!known.header("www-authenticate").is_empty());
    let without_id = |answer: &Answer| answer.text().replace(&answer.header("x-request-id"), "");
    assert_eq!(without_id(&known), without_id(&unknown));
}

#[test]
fn a_password_that_is_too_short_is_named() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let request = json!({"email": "b@acme.example", "password": "short", "role": "user"});
    let answer = node.ask("POST", "/api/v1/users").by(&acme.admin).json(&request).send();
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_request"));
    assert_eq!(answer.json()["errors"][0]["pointer"], "/password");
    for role in ["operator", "root", ""] {
        let request =
            json!({"email": "b@acme.example", "password": "long enough it is", "role": role});
        let answer = node.ask("POST", "/api/v1/users").by(&acme.admin).json(&request).send();
        assert_eq!(answer.status, 400, "{role}");
    }
}

#[test]
fn heads_that_are_too_large_are_refused_and_the_next_connection_is_served() {
    let node = Node::start();
    let answer = |head: &str| {
        let mut stream = TcpStream::connect(node.address()).expect("a connection");
        stream.write_all(head.as_bytes()).expect("the head is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    assert!(answer(&many).contains(" 431 "), "{}", answer(&many));
    assert!(answer("nonsense\r\n\r\n").contains(" 400 "));
    node.ask("GET", "/healthz").send().expect(200);
}

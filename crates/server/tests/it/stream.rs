//! Audit events are watched live.

use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Response;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::node::{Node, unique};

type Socket = WebSocket<TcpStream>;

fn connect(node: &Node, by: &str, query: &str) -> Result<(Socket, Response), Box<Error>> {
    let url = format!("ws://{}/api/v1/logs/stream?{query}", node.address());
    let mut request = url.into_client_request().expect("an address");
    let value = format!("Bearer {by}").parse().expect("a header's value");
    request.headers_mut().insert("authorization", value);
    let stream = TcpStream::connect(node.address()).expect("the server listens");
    tungstenite::client(request, stream).map_err(|error| match error {
        HandshakeError::Failure(error) => Box::new(error),
        HandshakeError::Interrupted(_) => unreachable!("the connection waits"),
    })
}

fn open(node: &Node, by: &str, query: &str) -> Socket {
    connect(node, by, query).expect("a stream").0
}

fn refused(node: &Node, by: &str, query: &str) -> (u16, Value) {
    match connect(node, by, query).map_err(|error| *error) {
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            (answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default())
        }
        other => panic!("it was not refused: {other:?}"),
    }
}

/// The next frame that tells something.
fn frame(socket: &mut Socket) -> Value {
    loop {
        match socket.read().expect("a message") {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).expect("a frame");
                if frame["type"] != "heartbeat" {
                    return frame;
                }
            }
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("no frame: {other:?}"),
        }
    }
}

/// Events of the next frames, until there are so many, and the last cursor.
fn rows(socket: &mut Socket, count: usize) -> (Vec<u64>, String) {
    let mut seqs = Vec::new();
    loop {
        let frame = frame(socket);
        assert_eq!(frame["type"], "rows", "{frame}");
        let rows = frame["rows"].as_array().expect("rows").iter();
        seqs.extend(rows.map(|row| row["seq"].as_u64().expect("a number")));
        if seqs.len() >= count {
            return (seqs, frame["cursor"].as_str().expect("a cursor").to_owned());
        }
    }
}

fn event(action: &str, actor: &str) -> Value {
    json!({
        "action": action,
        "actor": {"id": actor, "name": "Ada"},
        "resource": {"type": "document", "id": "d1"},
    })
}

fn store(node: &Node, by: &str, event: &Value) -> u64 {
    let stored = node.ask("POST", "/api/v1/logs").by(by).json(event).send().expect(201);
    stored.json()["seq"].as_u64().expect("a number")
}

#[test]
fn events_are_told_as_they_are_stored_and_only_those_that_are_meant() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let other = node.tenant("other");
    store(&node, &acme.admin, &event("old", "u1"));
    store(&node, &other.admin, &event("a", "u1"));
    let mut all = open(&node, &acme.auditor, "");
    let mut some = open(&node, &acme.user, "actor=u2&q=ada");
    let mut theirs = open(&node, &other.admin, "");
    let first = store(&node, &acme.admin, &event("a", "u1"));
    let second = store(&node, &acme.admin, &event("b", "u2"));
    assert_eq!(rows(&mut all, 2).0, [first, second]);
    let told = frame(&mut some);
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(
        (&told["rows"][0]["seq"], &told["rows"][0]["action"]),
        (&json!(second), &json!("b"))
    );
    assert!(told["rows"][0]["received_at"].is_string() && told["rows"][0]["id"].is_string());
    let mark = unique("theirs");
    store(&node, &other.admin, &event(&mark, "u3"));
    let told = frame(&mut theirs);
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["rows"][0]["action"], json!(mark));
    node.settle();
    let reads = "/api/v1/logs?dataset=_audit&action=audit.stream";
    let reads = node.ask("GET", reads).by(&acme.admin).send().expect(200).json();
    assert_eq!(reads["data"].as_array().map(Vec::len), Some(2), "{reads}");
}

#[test]
fn a_stream_goes_on_where_it_ended_without_gap_or_repeat() {
    let node = Node::start();
    let acme = node.tenant("acme");
    store(&node, &acme.admin, &event("a", "u1"));
    let mut socket = open(&node, &acme.admin, "action=a");
    let told = store(&node, &acme.admin, &event("a", "u1"));
    let (seqs, cursor) = rows(&mut socket, 1);
    assert_eq!(seqs, [told]);
    drop(socket);
    let events: Vec<Value> = (0..700).map(|n| event(["a", "b"][n % 2], "u1")).collect();
    let bulk = node.ask("POST", "/api/v1/logs/bulk").by(&acme.admin);
    bulk.json(&json!({"events": events})).send().expect(200);
    let node = node.restart();
    let mut socket = open(&node, &acme.admin, &format!("action=a&cursor={cursor}"));
    let more = store(&node, &acme.admin, &event("a", "u1"));
    let (seqs, last) = rows(&mut socket, 351);
    let expected: Vec<u64> = (0..350).map(|n| told + 1 + 2 * n).chain([more]).collect();
    assert_eq!(seqs, expected);
    // A cursor is of one question, and of one tenant.
    for query in [format!("action=b&cursor={last}"), "cursor=x".to_owned()] {
        let (status, problem) = refused(&node, &acme.admin, &query);
        assert_eq!((status, &problem["code"]), (400, &json!("cursor_mismatch")), "{query}");
    }
    let list = format!("/api/v1/logs?action=a&order=oldest&cursor={last}");
    node.ask("GET", &list).by(&acme.admin).send().expect(400);
}

#[test]
fn who_may_not_read_is_told_nothing() {
    let node = Node::start();
    let acme = node.tenant("acme");
    store(&node, &acme.admin, &event("a", "u1"));
    let stranger = node.tenant("stranger");
    for (by, query, status) in [
        ("nothing", "", 401),
        (&*acme.ingest, "", 403),
        (&*stranger.admin, "", 404),
        (&*acme.user, "dataset=_audit", 404),
        (&*acme.admin, "dataset=none", 404),
        (&*acme.admin, "colour=red", 400),
    ] {
        assert_eq!(refused(&node, by, query).0, status, "{query}");
    }
    let plain = node.ask("GET", "/api/v1/logs/stream").by(&acme.admin).send().expect(426);
    assert_eq!(plain.code(), "upgrade_required");
}

#[test]
fn a_stream_ends_with_the_right_to_it_and_with_the_server() {
    let node = Node::start();
    let acme = node.tenant("acme");
    store(&node, &acme.admin, &event("a", "u1"));
    let (id, key) = node.key(&acme.admin, "query:*");
    let mut revoked = open(&node, &key, "");
    let mut open_still = open(&node, &acme.admin, "");
    node.ask("DELETE", &format!("/api/v1/keys/{id}")).by(&acme.admin).send().expect(204);
    let end = frame(&mut revoked);
    assert_eq!(
        (&end["type"], &end["problem"]["code"]),
        (&json!("error"), &json!("unauthenticated"))
    );
    assert!(
        matches!(revoked.read(), Ok(Message::Close(Some(close))) if u16::from(close.code) == 1008)
    );
    drop(node);
    loop {
        match open_still.read() {
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
}

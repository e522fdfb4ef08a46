//! A request that is repeated is stored once.

use serde_json::{Value, json};

use crate::node::{Answer, Node, Tenant};

fn send(node: &Node, tenant: &Tenant, dataset: &str, key: &str, events: &Value) -> Answer {
    let path = format!("/api/v1/ingest/{dataset}");
    let ask = node.ask("POST", &path).by(&tenant.ingest);
    ask.header("idempotency-key", key).json(events).send()
}

fn count(node: &Node, tenant: &Tenant) -> usize {
    let found = node.search(&tenant.query, "app", "*").expect(200).json();
    found["data"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_repeated_request_is_answered_again_and_stored_once() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let events = json!([{"n": 1}, {"n": 2}]);
    let first = send(&node, &acme, "app", "k1", &events).expect(200);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = send(&node, &acme, "app", "k1", &events).expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json(), first.json());
    let other = send(&node, &acme, "app", "k1", &json!([{"n": 3}]));
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_conflict"));
    assert_eq!(count(&node, &acme), 2);

    let node = node.restart();
    let again = send(&node, &acme, "app", "k1", &events).expect(200);
    assert_eq!(again.json(), first.json(), "also after a restart");
    assert_eq!(count(&node, &acme), 2);
}

#[test]
fn a_key_is_one_tenants() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let events = json!([{"n": 1}]);
    for tenant in [&acme, &other] {
        let answer = send(&node, tenant, "app", "same", &events).expect(200);
        assert_eq!(answer.header("idempotency-replayed"), "");
        assert_eq!(count(&node, tenant), 1);
    }
}

#[test]
fn an_event_with_an_id_is_stored_once() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let events = json!([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]);
    node.send(&acme.ingest, "app", &events);
    let ask = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest);
    let events = json!([{"_id": "b", "n": 2}, {"_id": "c", "n": 3}]);
    let answer = ask.json(&events).send().expect(200).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(answer["receipt"]["stored"], 1);
    assert_eq!(count(&node, &acme), 3);
}

#[test]
fn a_key_that_cannot_be_one_is_refused() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for key in [String::new(), "k".repeat(256)] {
        let answer = send(&node, &acme, "app", &key, &json!([{"n": 1}]));
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_request"), "{key}");
    }
}

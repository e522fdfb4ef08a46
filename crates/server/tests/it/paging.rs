//! Pages of one answer hold together, whatever comes in meanwhile.

use serde_json::{Value, json};

use crate::node::Node;

#[test]
fn pages_hold_every_event_once_and_none_that_came_later() {
    let node = Node::start();
    let acme = node.tenant("acme");
    // Many events share a time, so that pages end between equals.
    let event = |n: usize| json!({"ts": 1_769_860_800 + (n / 10) as u64, "n": n});
    let events: Vec<Value> = (0..95).map(event).collect();
    node.send(&acme.ingest, "app", &json!(events));
    for order in ["newest", "oldest"] {
        let mut request = json!({"dataset": "app", "order": order, "limit": 10});
        let mut seen: Vec<u64> = Vec::new();
        loop {
            let page = node.ask("POST", "/api/v1/search").by(&acme.query).json(&request).send();
            let page = page.expect(200).json();
            let data = page["data"].as_array().expect("events");
            seen.extend(data.iter().filter_map(|event| event["n"].as_u64()));
            node.send(&acme.ingest, "app", &json!({"ts": 1_769_860_803, "late": true}));
            let cursor = page["page"]["next_cursor"].clone();
            assert_eq!(page["page"]["has_more"], !cursor.is_null());
            if cursor.is_null() {
                break;
            }
            request["cursor"] = cursor;
        }
        let late = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), late), (95, 95), "{order}");
    }
}

#[test]
fn a_cursor_is_good_for_its_own_question_alone() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    for tenant in [&acme, &other] {
        node.send(&tenant.ingest, "app", &json!([{"n": 1}, {"n": 2}]));
    }
    let ask = |credential: &str, request: Value| {
        node.ask("POST", "/api/v1/search").by(credential).json(&request).send()
    };
    let first = ask(&acme.query, json!({"dataset": "app", "limit": 1})).expect(200).json();
    let cursor = &first["page"]["next_cursor"];
    let same = json!({"dataset": "app", "limit": 5, "cursor": cursor});
    ask(&acme.query, same.clone()).expect(200);
    assert_eq!(ask(&other.query, same).code(), "cursor_mismatch");
    let differing = [
        json!({"dataset": "app", "query": "n:1", "cursor": cursor}),
        json!({"dataset": "app", "order": "oldest", "cursor": cursor}),
        json!({"dataset": "app", "from": "-1h", "cursor": cursor}),
    ];
    for request in differing {
        assert_eq!(ask(&acme.query, request).code(), "cursor_mismatch");
    }
}

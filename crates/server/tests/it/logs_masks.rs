//! What is masked in audit events: when they come in, and for readers who may not see all.

use ledgerline_ledger::policy::Policy;
use ledgerline_verify as verify;
use serde_json::{Value, json};

use crate::node::{Answer, Node, Tenant, unique};

fn event(action: &str, metadata: &Value) -> Value {
    json!({
        "action": action,
        "actor": {"id": "u1", "type": "user"},
        "resource": {"type": "document", "id": "doc_1"},
        "metadata": metadata,
    })
}

fn post(node: &Node, tenant: &Tenant, event: &Value) -> Answer {
    node.ask("POST", "/api/v1/logs").by(&tenant.admin).json(event).send()
}

fn get(node: &Node, by: &str, path: &str) -> Answer {
    node.ask("GET", path).by(by).send()
}

fn put(node: &Node, tenant: &Tenant, path: &str, body: &Value) -> Answer {
    node.ask("PUT", path).by(&tenant.admin).json(body).send()
}

fn policy(node: &Node, tenant: &Tenant) -> Policy {
    let text = get(node, &tenant.auditor, "/api/v1/ledger/policy").expect(200).text();
    Policy::parse(text.as_bytes()).expect("a policy")
}

fn proof(node: &Node, tenant: &Tenant, id: &Value) -> String {
    let path = format!("/api/v1/logs/{}?proof=true", id.as_str().expect("an id"));
    get(node, &tenant.auditor, &path).expect(200).text()
}

#[test]
fn what_is_masked_at_ingest_is_nowhere() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let masks = json!({"ingest": [
        {"detector": "email", "action": "hash"},
        {"detector": "card", "action": "last4", "fields": ["metadata.*"]},
        {"detector": "custom", "name": "badge", "pattern": "B-[0-9]{6}", "action": "drop"},
    ]});
    assert_eq!(
        get(&node, &acme.user, "/api/v1/audit/masks").expect(200).json(),
        json!({"ingest": [], "reading": []})
    );
    let set = put(&node, &acme, "/api/v1/audit/masks", &masks).expect(200).json();
    assert_eq!(set["ingest"], masks["ingest"]);
    let name = unique("ada");
    let mail = format!("{name}@example.com");
    let mut told =
        event("a", &json!({"card": "4111 1111 1111 1111", "note": "badge B-123456", "mail": mail}));
    told["actor"]["id"] = json!(mail);
    let recorded = post(&node, &acme, &told).expect(201).json();
    let path = format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id"));
    let one = get(&node, &acme.admin, &path).expect(200).json();
    let hash = one["actor"]["id"].as_str().expect("an id").to_owned();
    assert!(hash.starts_with("[hash:"), "{one}");
    assert_eq!(
        (&one["metadata"]["mail"], &one["metadata"]["card"]),
        (&json!(hash), &json!("[…1111]"))
    );
    assert_eq!(one["metadata"]["note"], "badge [masked:badge]");
    // What is proven is what is stored.
    let body = proof(&node, &acme, &recorded["id"]);
    assert!(!body.contains(&name), "{body}");
    assert_eq!(verify::event(body.as_bytes(), &policy(&node, &acme)).code, 0);
    // Amendments are masked as well.
    let note = json!({"note": format!("asked by {mail}")});
    let amended = node.ask("PATCH", &path).by(&acme.admin).json(&note).send().expect(200).json();
    assert_eq!(amended["note"], format!("asked by {hash}"));
    let found = node.search(&acme.admin, "audit", &format!("*:{name}*")).expect(200).json();
    assert_eq!(found["data"], json!([]));
    // Equal values stay equal: after a change of the rules, and after a restart.
    put(&node, &acme, "/api/v1/audit/masks", &json!({"ingest": [masks["ingest"][0]]})).expect(200);
    let node = node.restart();
    post(&node, &acme, &told).expect(201);
    let listed = get(&node, &acme.admin, "/api/v1/logs").expect(200).json();
    assert_eq!(
        (&listed["data"][0]["actor"]["id"], &listed["data"][1]["actor"]["id"]),
        (&json!(hash), &json!(hash))
    );
    assert_eq!(listed["data"][0]["metadata"]["card"], "4111 1111 1111 1111");
    // Another tenant has another key, and no masks until it sets some.
    let other = node.tenant("other");
    put(&node, &other, "/api/v1/audit/masks", &masks).expect(200);
    post(&node, &other, &told).expect(201);
    let theirs = get(&node, &other.admin, "/api/v1/logs").expect(200).json();
    let theirs = theirs["data"][0]["actor"]["id"].as_str().expect("an id").to_owned();
    assert!(theirs.starts_with("[hash:") && theirs != hash, "{theirs}");
}

#[test]
fn masks_of_no_sense_are_refused() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let rule = json!({"detector": "email", "action": "hash"});
    let hide = json!({"detector": "email", "action": "hide"});
    let custom = json!({"detector": "custom", "name": "x", "pattern": "(", "action": "drop"});
    for (bad, pointer) in [
        (json!({"ingest": [{"detector": "nose", "action": "hash"}]}), "/ingest/0/detector"),
        (json!({"ingest": [rule, custom]}), "/ingest/1"),
        (json!({"reading": [{"roles": ["user"], "rules": [hide]}]}), "/reading/0/rules/0/action"),
        (json!({"reading": [{"roles": ["operator"], "rules": [rule]}]}), "/reading/0/roles"),
        (json!({"reading": [{"roles": [], "rules": [rule]}]}), "/reading/0/roles"),
    ] {
        let refused = put(&node, &acme, "/api/v1/audit/masks", &bad).expect(400);
        let place = refused.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(place.starts_with(pointer), "{bad}: {}", refused.text());
    }
    put(&node, &acme, "/api/v1/audit/masks", &json!({"masks": []})).expect(400);
    for by in [&acme.user, &acme.auditor, &acme.ingest] {
        node.ask("PUT", "/api/v1/audit/masks").by(by).json(&json!({})).send().expect(403);
    }
}

/// A tenant whose users see no addresses; two events about `bob`, and the id of the newer.
fn watched(node: &Node, bob: &str) -> (Tenant, String) {
    let acme = node.tenant("acme");
    let masks = json!({"reading": [
        {"roles": ["user", "key"], "rules": [{"detector": "email", "action": "drop"}]},
        {"roles": ["user"], "rules": [{"detector": "ip", "action": "hash"}]},
    ]});
    put(node, &acme, "/api/v1/audit/masks", &masks).expect(200);
    let address = format!("{bob}@example.com");
    for number in 0..2 {
        let mut told = event("a", &json!({"mail": address, "n": number}));
        told["actor"]["id"] = json!(format!("{bob}-{number}@example.com"));
        told["actor"]["type"] = json!(bob);
        told["ip"] = json!("203.0.113.7");
        told["before"] = json!({"owner": address});
        told["after"] = json!({"owner": "x"});
        told["request_id"] = json!("req_9");
        told["message"] = json!(format!("told to {address}"));
        post(node, &acme, &told).expect(201);
    }
    let all = get(node, &acme.admin, "/api/v1/logs").expect(200);
    assert!(all.text().contains(&address));
    let id = all.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    let amend = node.ask("PATCH", &format!("/api/v1/logs/{id}")).by(&acme.admin);
    amend.json(&json!({"note": format!("from {address}")})).send().expect(200);
    (acme, id)
}

#[test]
fn a_reader_sees_what_its_role_may_see_wherever_it_looks() {
    let node = Node::start();
    let name = unique("bob");
    let (acme, id) = watched(&node, &name);
    let address = format!("{name}@example.com");
    let other = format!("{name}-0@example.com");
    let is_masked = |answer: &Answer, what: &str| {
        let text = answer.text();
        assert!(!text.contains(&address) && !text.contains(&other), "{what}: {text}");
        assert!(text.contains("[masked:email]"), "{what}: {text}");
    };
    for path in [
        "/api/v1/logs".to_owned(),
        format!("/api/v1/logs/{id}"),
        format!("/api/v1/logs/{id}?history=true"),
        "/api/v1/logs?fields=actor,note".to_owned(),
        "/api/v1/logs/stats?by=actor".to_owned(),
        "/api/v1/logs/export?format=json".to_owned(),
        "/api/v1/logs/export?format=ndjson".to_owned(),
        "/api/v1/logs/export?format=csv".to_owned(),
        "/api/v1/logs/correlated/req_9".to_owned(),
    ] {
        is_masked(&get(&node, &acme.user, &path).expect(200), &path);
        is_masked(&get(&node, &acme.query, &path).expect(200), &path);
        let seen = get(&node, &acme.auditor, &path).expect(200).text();
        assert!(seen.contains(&name) && !seen.contains("[masked"), "{path}: {seen}");
    }
    is_masked(&node.search(&acme.user, "audit", "*").expect(200), "search");
    let csv = node.ask("POST", "/api/v1/search?format=csv").by(&acme.user);
    is_masked(&csv.json(&json!({"dataset": "audit", "query": "*"})).send().expect(200), "csv");
    let around = json!({"dataset": "audit", "seq": 0});
    let around = node.ask("POST", "/api/v1/search/context").by(&acme.user).json(&around).send();
    is_masked(&around.expect(200), "context");
    let text = get(&node, &acme.user, "/api/v1/logs").expect(200).text();
    assert!(!text.contains("203.0.113.7") && text.contains("\"ip\":\"[hash:"), "{text}");
    assert!(get(&node, &acme.query, "/api/v1/logs").expect(200).text().contains("203.0.113.7"));
    // Both actors look the same, so they are one group.
    let stats = get(&node, &acme.user, "/api/v1/logs/stats?by=actor").expect(200).json();
    assert_eq!(stats["groups"][0]["count"], 2);

    node.settle();
    let reads =
        get(&node, &acme.auditor, "/api/v1/logs?dataset=_audit&action=audit.list&order=oldest");
    let reads = reads.expect(200).json();
    let reads: Vec<&Value> = reads["data"].as_array().expect("a list").iter().collect();
    let masked: Vec<&Value> = reads.iter().map(|one| &one["metadata"]["masked"]).collect();
    assert_eq!(masked[0], &Value::Null, "the admin saw all: {reads:?}");
    assert!(masked[1]["email"].as_u64().is_some_and(|count| count >= 4), "{reads:?}");
    assert_eq!(masked[1]["ip"], 2);
}

#[test]
fn what_cannot_be_masked_is_not_answered() {
    let node = Node::start();
    let name = unique("bob");
    let (acme, id) = watched(&node, &name);
    for (path, body) in [
        ("/api/v1/search/values", json!({"dataset": "audit", "field": "actor.id"})),
        (
            "/api/v1/analytics/query",
            json!({"dataset": "audit", "query": "* | stats count() by actor.id"}),
        ),
        ("/api/v1/analytics/sql", json!({"sql": "SELECT * FROM audit"})),
    ] {
        let refused = node.ask("POST", path).by(&acme.user).json(&body).send().expect(403);
        assert!(refused.text().contains("masked"), "{path}: {}", refused.text());
        node.ask("POST", path).by(&acme.auditor).json(&body).send().expect(200);
    }
    for path in
        [format!("/api/v1/logs/{id}?proof=true"), "/api/v1/logs/export?format=bundle".to_owned()]
    {
        assert_eq!(get(&node, &acme.user, &path).expect(403).code(), "forbidden");
        get(&node, &acme.auditor, &path).expect(200);
    }
    for (path, body) in [
        ("/api/v1/search/fields", json!({"dataset": "audit"})),
        ("/api/v1/search/histogram", json!({"dataset": "audit"})),
    ] {
        node.ask("POST", path).by(&acme.user).json(&body).send().expect(200);
    }
    // Logs are nobody's business here.
    let address = format!("{name}@example.com");
    node.send(&acme.ingest, "app", &json!({"message": address}));
    assert!(node.search(&acme.user, "app", "*").expect(200).text().contains(&address));
}

//! What is done, read and refused is in the tenant's `_audit`, and no secret is.

use serde_json::{Value, json};

use crate::node::{Node, PASSWORD, unique};

fn records(node: &Node, credential: &str) -> Vec<Value> {
    node.settle();
    let request = json!({"dataset": "_audit", "limit": 10_000, "order": "oldest"});
    let found = node.ask("POST", "/api/v1/search").by(credential).json(&request).send().expect(200);
    found.json()["data"].as_array().expect("events").clone()
}

fn find<'a>(records: &'a [Value], action: &str, outcome: &str) -> &'a Value {
    let is = |record: &&Value| record["action"] == action && record["outcome"] == outcome;
    let found = records.iter().rfind(is);
    found.unwrap_or_else(|| panic!("no record of {action} {outcome} in {records:#?}"))
}

#[test]
fn acts_reads_and_refusals_are_told_to_the_tenant() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let needle = unique("needle");
    node.send(&acme.ingest, "app", &json!({"message": needle}));
    node.search(&acme.user, "app", &needle).expect(200);
    node.search(&acme.user, "_audit", "*").expect(404);
    node.search(&acme.ingest, "app", "*").expect(403);
    let login = json!({"email": "admin@acme.example", "password": "wrong wrong wrong"});
    node.ask("POST", "/api/v1/auth/login").json(&login).send().expect(401);
    let (id, secret) = node.key(&acme.admin, "query:app");
    let path = format!("/api/v1/keys/{id}");
    let ask = node.ask("DELETE", &path).by(&acme.admin).header("x-request-id", "mine-1");
    ask.send().expect(204);

    let records = records(&node, &acme.auditor);
    let search = find(&records, "search", "success");
    assert_eq!(search["metadata.query"], needle.as_str());
    assert_eq!((&search["metadata.rows"], &search["resource.id"]), (&json!(1), &json!("app")));
    assert_eq!((&search["actor.type"], &search["ip"]), (&json!("user"), &json!("127.0.0.1")));
    let refused: Vec<&Value> =
        records.iter().filter(|record| record["action"] == "access.refused").collect();
    assert_eq!(refused[0]["resource.id"], "_audit");
    assert_eq!(refused[1]["actor.type"], "key");
    assert_eq!(
        find(&records, "auth.login", "failure")["metadata.user.email"],
        "admin@acme.example"
    );
    assert_eq!(find(&records, "tenant.created", "success")["resource.id"], acme.id.as_str());
    assert_eq!(find(&records, "key.created", "success")["resource.id"], id.as_str());
    let revoked = find(&records, "key.revoked", "success");
    assert_eq!(revoked["request_id"], "mine-1");
    let text = json!(records).to_string();
    for hidden in [secret.as_str(), PASSWORD, "wrong wrong wrong", acme.ingest.as_str()] {
        assert!(!text.contains(hidden), "a secret is in _audit");
    }
}

#[test]
fn nobody_writes_or_cuts_the_audit_trail() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let (_, all) = node.key(&acme.admin, "admin:*");
    for credential in [&acme.admin, &acme.ingest, &all] {
        let ask = node.ask("POST", "/api/v1/ingest/_audit").by(credential);
        assert_eq!(ask.json(&json!({"forged": true})).send().code(), "forbidden");
        let ask = node.ask("PUT", "/api/v1/datasets/_audit").by(credential);
        let answer = ask.json(&json!({"retention_days": 1})).send();
        assert!(matches!(answer.status, 400 | 403 | 404), "{}", answer.text());
    }
    let records = records(&node, &acme.auditor);
    let refused = records.iter().filter(|record| record["action"] == "access.refused");
    assert!(refused.count() >= 3, "the attempts are told");
}

#[test]
fn the_server_counts_without_naming_tenants() {
    let node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!([{"n": 1}, {"n": 2}]));
    node.ask("GET", "/api/v1/datasets").send().expect(401);
    let metrics = node.metrics();
    for line in [
        "ledgerline_ingest_events_total 2",
        "ledgerline_refusals_total{code=\"unauthenticated\"} 1",
        "route=\"/api/v1/ingest/{dataset}\",status=\"200\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("acme") && !metrics.contains(&acme.id));
    let main = node.ask("GET", "/metrics").send();
    assert_eq!(main.status, 404, "not on the port of the tenants");
}

//! Two tenants with everything named alike never touch.

use serde_json::{Value, json};

use crate::node::{Answer, Node, unique};

fn without_id(answer: &Answer) -> String {
    answer.text().replace(&answer.header("x-request-id"), "ID")
}

#[test]
fn what_may_not_be_seen_is_answered_as_if_it_did_not_exist() {
    let node = Node::start();
    let (ours, theirs) = (node.tenant("ours"), node.tenant("theirs"));
    node.send(&ours.ingest, "secret", &json!({"message": "x"}));
    let (_, narrow) = node.key(&ours.admin, "query:public");
    let requests: [(&str, fn(&str) -> Value); 4] = [
        ("/api/v1/search", |name| json!({"dataset": name})),
        ("/api/v1/search/fields", |name| json!({"dataset": name})),
        ("/api/v1/analytics/query", |name| json!({"dataset": name, "query": "* | stats count()"})),
        ("/api/v1/analytics/sql", |name| json!({"sql": format!("SELECT 1 FROM {name}")})),
    ];
    for (path, request) in requests {
        let ask = |credential: &str, name: &str| {
            node.ask("POST", path).by(credential).json(&request(name)).send().expect(404)
        };
        let absent = without_id(&ask(&narrow, "absent"));
        assert_eq!(without_id(&ask(&narrow, "secret")), absent, "{path}: out of the key's reach");
        assert_eq!(without_id(&ask(&theirs.admin, "secret")), absent, "{path}: another tenant's");
        assert_eq!(without_id(&ask(&ours.query, "_audit")), absent, "{path}: an auditor's");
    }
    let get = |credential: &str, name: &str| {
        let path = format!("/api/v1/datasets/{name}");
        without_id(&node.ask("GET", &path).by(credential).send().expect(404))
    };
    assert_eq!(get(&narrow, "secret"), get(&narrow, "absent"));
    assert_eq!(get(&theirs.admin, "secret"), get(&theirs.admin, "absent"));
}

#[test]
fn ids_of_another_tenant_are_nobodys() {
    let node = Node::start();
    let (ours, theirs) = (node.tenant("ours"), node.tenant("theirs"));
    let user = node.user(&ours.admin, "one@ours.example", "user");
    let (key, secret) = node.key(&ours.admin, "query:*");
    let nobody = "0123456789abcdef0123456789abcdef";
    let requests: [(&str, &str, &str, Value); 4] = [
        ("PATCH", "/api/v1/users/", &user, json!({"disabled": true})),
        ("DELETE", "/api/v1/users/", &user, Value::Null),
        ("DELETE", "/api/v1/keys/", &key, Value::Null),
        ("DELETE", "/api/v1/tenants/", &ours.id, Value::Null),
    ];
    for (method, path, id, body) in requests {
        let ask = |id: &str| {
            let path = format!("{path}{id}");
            without_id(&node.ask(method, &path).by(&theirs.admin).json(&body).send())
        };
        assert_eq!(ask(id), ask(nobody), "{method} {path}");
    }
    node.ask("GET", "/api/v1/datasets").by(&secret).send().expect(200);
}

#[test]
fn no_header_chooses_a_tenant() {
    let node = Node::start();
    let (ours, theirs) = (node.tenant("ours"), node.tenant("theirs"));
    node.send(&ours.ingest, "app", &json!({"message": "ours"}));
    node.send(&theirs.ingest, "app", &json!({"message": "theirs"}));
    for header in ["x-tenant", "x-tenant-id", "x-scope-orgid", "x-ledgerline-tenant", "host"] {
        let ask = node.ask("POST", "/api/v1/search").by(&theirs.query).header(header, &ours.id);
        let found = ask.json(&json!({"dataset": "app"})).send();
        assert!(!found.text().contains("ours"), "{header}");
    }
}

#[test]
fn no_word_of_one_tenant_is_in_an_answer_to_the_other() {
    let node = Node::start();
    let tenants = [("a", node.tenant("alpha")), ("b", node.tenant("beta"))];
    let canaries = tenants.each_ref().map(|(name, tenant)| {
        let canary = unique(&format!("canary{name}"));
        let events: Vec<Value> =
            (0..50).map(|n| json!({"message": format!("{canary} {n}"), "n": n})).collect();
        node.send(&tenant.ingest, "app", &json!(events));
        canary
    });
    let queries = ["*", "canary*", "n:>10", "_message:*canary*"];
    for round in 0..40 {
        let own = round % 2;
        let (tenant, foreign) = (&tenants[own].1, &canaries[1 - own]);
        let query = queries[round / 2 % queries.len()];
        let found = node.search(&tenant.query, "app", query).expect(200);
        assert!(!found.text().contains(foreign.as_str()), "{query}");
        let sql = json!({"sql": "SELECT message FROM app"});
        let rows = node.ask("POST", "/api/v1/analytics/sql").by(&tenant.query).json(&sql).send();
        assert!(!rows.text().contains(foreign.as_str()), "sql");
        let values = json!({"dataset": "app", "field": "message", "limit": 1000});
        let top = node.ask("POST", "/api/v1/search/values").by(&tenant.query).json(&values).send();
        assert!(!top.text().contains(foreign.as_str()), "values");
    }
}

#[test]
fn a_tenant_that_is_deleted_is_gone_and_its_name_is_free() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    node.send(&acme.ingest, "app", &json!({"message": "x"}));
    node.send(&other.ingest, "app", &json!({"message": "y"}));
    let path = format!("/api/v1/tenants/{}", acme.id);
    node.ask("DELETE", &path).by(&node.operator).send().expect(204);
    for credential in [&acme.admin, &acme.ingest, &acme.query] {
        node.ask("GET", "/api/v1/datasets").by(credential).send().expect(401);
    }
    node.ask("DELETE", &path).by(&node.operator).send().expect(404);
    let again = node.tenant("acme");
    assert_ne!(again.id, acme.id);
    assert_eq!(node.search(&again.query, "app", "*").code(), "dataset_not_found");
    node.search(&other.query, "app", "y").expect(200);
}

//! When something is damaged or full.

use std::path::Path;

use serde_json::json;

use crate::node::Node;

#[test]
fn a_tenant_that_does_not_open_is_no_outage_for_the_others() {
    let node = Node::start();
    let (broken, sound) = (node.tenant("broken"), node.tenant("sound"));
    for tenant in [&broken, &sound] {
        node.send(&tenant.ingest, "app", &json!({"message": "x"}));
    }
    let node = node.restart_after(|data| damage(&data.join("tenants").join(&broken.id)));
    let search = node.search(&broken.query, "app", "*");
    assert_eq!((search.status, search.code().as_str()), (503, "tenant_unavailable"));
    assert!(!search.header("retry-after").is_empty());
    let sent = node.ask("POST", "/api/v1/ingest/app").by(&broken.ingest).json(&json!({})).send();
    assert_eq!(sent.code(), "tenant_unavailable");
    node.search(&sound.query, "app", "x").expect(200);
    let ready = node.ask("GET", "/readyz").send().expect(200);
    let said = json!({"status": "degraded", "tenants_open": 1, "tenants_unavailable": 1});
    assert_eq!(ready.json(), said, "and no names");
}

/// Damages what lists the tenant's segments.
fn damage(folder: &Path) {
    let catalog = folder.join("catalog.db");
    assert!(catalog.exists(), "{:?}", std::fs::read_dir(folder));
    std::fs::write(&catalog, b"this is no catalog").expect("the file is written");
}

#[test]
fn what_does_not_fit_in_memory_is_to_come_again() {
    let node = Node::start_with(|config| config.ingest_inflight_bytes = 1 << 20);
    let acme = node.tenant("acme");
    // Just too large: who still sends when the answer comes may see a broken pipe instead of it.
    let large: Vec<_> = (0..9_200).map(|n| json!({"message": format!("{n:0>100}")})).collect();
    let ask = node.ask("POST", "/api/v1/ingest/app").by(&acme.ingest);
    let answer = ask.json(&json!(large)).send();
    assert_eq!((answer.status, answer.code().as_str()), (429, "ingest_busy"));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("ratelimit-policy"), "\"ingest\";q=1048576;qu=\"content-bytes\"");
    node.send(&acme.ingest, "app", &json!([{"message": "small"}]));
    let found = node.search(&acme.query, "app", "*").expect(200).json();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "nothing of the large body");
}

#[test]
fn a_key_stops_when_it_was_to() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let key = |expires_at: &str| {
        let request = json!({"name": "k", "scopes": ["query:*"], "expires_at": expires_at});
        node.ask("POST", "/api/v1/keys").by(&acme.admin).json(&request).send()
    };
    let good = key("2100-01-01T00:00:00Z").expect(201).json();
    assert_eq!(good["expires_at"], "2100-01-01T00:00:00.000000000Z");
    for bad in ["2001-01-01T00:00:00Z", "tomorrow"] {
        assert_eq!(key(bad).code(), "invalid_request", "{bad}");
    }
}

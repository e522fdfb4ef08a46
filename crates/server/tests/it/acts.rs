//! Changes, and the records of them: neither is without the other.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use ledgerline_policy::upkeep_of_tenants;
use ledgerline_server::config::Config;
use ledgerline_world::{Chance, DataDir, SystemClock};
use serde_json::{Value, json};

use crate::node::{Node, PASSWORD, Tenant};

fn records(node: &Node, tenant: &Tenant, action: &str) -> Vec<(String, Value)> {
    node.settle();
    let request = json!({"dataset": "_audit", "query": format!("action:{action}"), "limit": 1000,
        "order": "oldest"});
    let found = node.ask("POST", "/api/v1/search").by(&tenant.auditor).json(&request).send();
    let found = found.expect(200).json();
    let events = found["data"].as_array().expect("events");
    let outcome = |event: &Value| {
        let told = event["metadata.phase"].as_str().or(event["outcome"].as_str());
        told.unwrap_or_default().to_owned()
    };
    events.iter().map(|event| (outcome(event), event.clone())).collect()
}

fn outcomes(node: &Node, tenant: &Tenant, action: &str) -> Vec<String> {
    records(node, tenant, action).into_iter().map(|(outcome, _)| outcome).collect()
}

fn keys(node: &Node, tenant: &Tenant) -> usize {
    let keys = node.ask("GET", "/api/v1/keys").by(&tenant.admin).send().expect(200).json();
    keys["data"].as_array().expect("keys").len()
}

/// No disk is so large that this much of it is free.
fn full(config: &mut Config) {
    config.journal_reserve_bytes = u64::MAX / 2;
}

#[test]
fn an_attempt_and_its_outcome_are_records() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let create = |name: &str| {
        let ask = node.ask("POST", "/api/v1/datasets").by(&acme.admin);
        ask.json(&json!({"name": name})).send()
    };
    create("app").expect(201);
    create("app").expect(409);
    let found = records(&node, &acme, "dataset.created");
    let told: Vec<&str> = found.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!(told, ["attempt", "success", "attempt", "failure"]);
    for (_, record) in &found {
        assert_eq!(
            (&record["resource.id"], &record["actor.type"]),
            (&json!("app"), &json!("user"))
        );
    }
    assert_eq!(found[3].1["metadata.reason"], "conflict");

    // Whatever somebody writes can be told.
    for email in ["\u{0}\n\u{202e}\u{10ffff}", "", "not an address", &"é".repeat(9_000)] {
        let new = json!({"email": email, "password": PASSWORD, "role": "user"});
        let answer = node.ask("POST", "/api/v1/users").by(&acme.admin).json(&new).send();
        assert_eq!(answer.code(), "invalid_request");
    }
    let told = outcomes(&node, &acme, "user.created");
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert!(told.ends_with(&["attempt", "failure"].repeat(4)), "{told:?}");
}

#[test]
fn what_cannot_be_recorded_is_not_done_and_people_can_log_in() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let before = keys(&node, &acme);
    let node = node.restart_with(full);
    node.login("admin@acme.example", PASSWORD);
    let post = |path: &str, body: Value| {
        let answer = node.ask("POST", path).by(&acme.admin).json(&body).send();
        assert_eq!((answer.status, answer.code().as_str()), (503, "disk_full"), "{path}");
    };
    post("/api/v1/keys", json!({"name": "k", "scopes": ["query:*"]}));
    post(
        "/api/v1/users",
        json!({"email": "new@acme.example", "password": PASSWORD, "role": "user"}),
    );
    post("/api/v1/datasets", json!({"name": "new"}));
    let ask = node.ask("PATCH", "/api/v1/tenant").by(&acme.admin);
    assert_eq!(ask.json(&json!({"makes_datasets": false})).send().code(), "disk_full");
    let made = json!({"name": "late", "admin": {"email": "a@late.example", "password": PASSWORD}});
    let make =
        |node: &Node| node.ask("POST", "/api/v1/tenants").by(&node.operator).json(&made).send();
    assert_eq!(make(&node).code(), "disk_full");
    let tenants = node.ask("GET", "/api/v1/tenants").by(&node.operator).send().expect(200).json();
    assert_eq!(tenants["data"].as_array().map(Vec::len), Some(1), "{tenants}");

    let node = node.restart();
    assert_eq!(keys(&node, &acme), before);
    let tenant = node.ask("GET", "/api/v1/tenant").by(&acme.admin).send().expect(200).json();
    assert_eq!(tenant["makes_datasets"], true);
    assert_eq!(outcomes(&node, &acme, "user.created"), ["attempt", "success"].repeat(2));
    make(&node).expect(201);
}

#[test]
fn a_client_that_hangs_up_stops_no_act_halfway() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let before = keys(&node, &acme);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(node.address()).expect("a connection");
        let body = json!({"name": "k", "scopes": ["query:*"]}).to_string();
        let head = format!(
            "POST /api/v1/keys HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            acme.admin,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("the request is sent");
        stream.shutdown(Shutdown::Both).ok();
    }
    // The end of the server waits for the acts that are under way.
    let node = node.restart();
    let made = keys(&node, &acme) - before;
    let outcomes = outcomes(&node, &acme, "key.created");
    let count = |wanted: &str| outcomes.iter().filter(|outcome| *outcome == wanted).count();
    assert_eq!(count("success"), made + before, "each key has its record");
    assert_eq!(count("attempt"), count("success"), "and each attempt its outcome");
}

#[test]
fn a_deletion_that_was_cut_short_is_finished_at_the_next_start() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let folder = |data: &Path, tenant: &Tenant| data.join("tenants").join(&tenant.id);
    let id = acme.id.parse().expect("an id");
    let node = node.restart_after(|data| {
        let folders = DataDir::open(data, Chance::system(), Default::default()).expect("it opens");
        let clock = std::sync::Arc::new(SystemClock::new());
        let tenancy = ledgerline_tenancy::Tenancy::open(&folders, clock, Default::default());
        tenancy.expect("it opens").delete_tenant(&upkeep_of_tenants(), id).expect("deleted");
        assert!(folder(data, &acme).exists(), "as if the process had ended here");
    });
    assert!(!folder(&node.data(), &acme).exists());
    assert!(folder(&node.data(), &other).exists());
    let ready = node.ask("GET", "/readyz").send().expect(200).json();
    assert_eq!(ready["status"], "ready", "{ready}");
}

#[test]
fn a_tenant_that_was_only_out_of_reach_comes_back_by_itself() {
    let mut node = Node::start();
    let acme = node.tenant("acme");
    node.send(&acme.ingest, "app", &json!({"message": "here"}));
    for file in ["records.db", "catalog.db"] {
        let path = |data: &Path| data.join("tenants").join(&acme.id).join(file);
        let hide = |data: &Path| {
            let (file, away) = (path(data), path(data).with_extension("away"));
            fs::rename(&file, away).expect("it is there");
            // A folder in a file's place does not open, and is no damage. As a link, it can be
            // replaced in one step.
            symlink(data, file).expect("a link");
        };
        let soon = |config: &mut Config| config.intervals.revive = Duration::from_millis(10);
        node = node.restart_as(hide, soon);
        let is_ready = || {
            let ready = node.ask("GET", "/readyz").send().expect(200).json();
            ready["tenants_unavailable"] == 0
        };
        assert!(!is_ready(), "{file}");
        let away = path(&node.data()).with_extension("away");
        fs::rename(away, path(&node.data())).expect("it is back");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_ready() {
            assert!(Instant::now() < deadline, "{file}: it stays away");
        }
        let found = node.search(&acme.query, "app", "here").expect(200).json();
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{file}");
    }
}

#[test]
fn what_a_body_may_take_is_asked_for_while_it_comes() {
    let node = Node::start_with(|config| config.ingest_inflight_bytes = 1 << 20);
    let acme = node.tenant("acme");
    let mut stream = TcpStream::connect(node.address()).expect("a connection");
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        acme.ingest,
        8 << 20
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    // The server may answer, and close, before it has read all of it.
    drop(stream.write_all(&vec![b' '; 2 << 20]));
    drop(stream.shutdown(Shutdown::Write));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
}

#[test]
fn a_tenant_that_is_full_can_be_read_and_recorded_and_the_others_can_write() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let noise = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let large: Vec<Value> = (0..20_000).map(|n| json!({"n": n, "noise": noise(n)})).collect();
    node.send(&acme.ingest, "app", &json!(large));
    // The end of the server moves all of it into segments.
    let node = node.restart_with(|config| config.tenant_bytes = 64 << 10);
    let send = |path: &str, tenant: &Tenant| {
        node.ask("POST", path).by(&tenant.ingest).json(&json!({"resourceLogs": []})).send()
    };
    let refused = send("/api/v1/ingest/app", &acme);
    assert_eq!((refused.status, refused.code().as_str()), (507, "tenant_full"));
    assert!(refused.header("retry-after").is_empty());
    assert_eq!(send("/v1/logs", &acme).status, 507);
    node.search(&acme.query, "app", "n:7").expect(200);
    node.key(&acme.admin, "query:*");
    send("/v1/logs", &other).expect(200);
}

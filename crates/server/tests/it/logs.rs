//! Audit events through their whole life: recorded, found, amended, erased, exported and proven.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use ledgerline_ledger::policy::Policy;
use ledgerline_verify as verify;
use serde_json::{Value, json};

use crate::node::{Answer, Node, Tenant, unique};

fn event(actor: &str, action: &str) -> Value {
    json!({
        "action": action,
        "actor": {"id": actor, "type": "user", "name": "Ada"},
        "resource": {"type": "document", "id": "doc_1"},
        "ip": "203.0.113.7",
        "request_id": "req_1",
        "message": "she changed the title",
        "before": {"title": "Draft", "pages": 3},
        "after": {"title": "Final", "pages": 3},
        "metadata": {"tier": "gold", "big": 12345678901234567890123_u128.to_string()},
    })
}

fn record(node: &Node, tenant: &Tenant, event: &Value) -> Value {
    let ask = node.ask("POST", "/api/v1/logs").by(&tenant.admin).json(event);
    ask.send().expect(201).json()
}

fn get(node: &Node, tenant: &Tenant, path: &str) -> Answer {
    node.ask("GET", path).by(&tenant.auditor).send()
}

fn policy(node: &Node, tenant: &Tenant) -> Policy {
    let text = get(node, tenant, "/api/v1/ledger/policy").expect(200).text();
    Policy::parse(text.as_bytes()).expect("a policy")
}

fn code(outcome: verify::Outcome) -> (u8, String) {
    (outcome.code, outcome.text)
}

#[test]
fn an_event_is_recorded_found_and_proven() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let recorded = record(&node, &acme, &event("u1", "document.update"));
    assert_eq!(recorded["seq"], 0);
    assert_eq!(recorded["receipt"]["seq"], 0);
    assert!(recorded["receipt"]["leaf_hash"].as_str().is_some_and(|hash| hash.len() == 44));
    let id = recorded["id"].as_str().expect("an id").to_owned();

    let one = get(&node, &acme, &format!("/api/v1/logs/{id}")).expect(200).json();
    assert_eq!((&one["id"], &one["seq"]), (&json!(id), &json!(0)));
    assert_eq!((&one["severity"], &one["outcome"]), (&json!("INFO"), &json!("success")));
    assert_eq!(one["changes"], json!([{"path": "/title", "before": "Draft", "after": "Final"}]));
    assert_eq!(one["received_at"], recorded["received_at"]);

    let listed = get(&node, &acme, "/api/v1/logs?actor=u1&metadata.tier=gold").expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0], one);
    for none in ["actor=u2", "severity=ERROR", "metadata.tier=silver", "q=nothing", "ip=::1"] {
        let found = get(&node, &acme, &format!("/api/v1/logs?{none}")).expect(200).json();
        assert_eq!(found["data"], json!([]), "{none}");
    }
    for some in
        ["q=title", "q=gold", "action=document.*", "resource_type=document", "severity=info"]
    {
        let found = get(&node, &acme, &format!("/api/v1/logs?{some}")).expect(200).json();
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{some}");
    }
    let narrow = get(&node, &acme, "/api/v1/logs?fields=actor.id,action").expect(200).json();
    let narrowed = json!({"id": id, "action": "document.update", "actor": {"id": "u1"}, "seq": 0});
    assert_eq!(narrow["data"][0], narrowed);

    let proof = get(&node, &acme, &format!("/api/v1/logs/{id}?proof=true")).expect(200).text();
    let trusted = policy(&node, &acme);
    assert_eq!(code(verify::event(proof.as_bytes(), &trusted)).0, 0, "{proof}");
    let forged = proof.replacen("u1", "u2", 1);
    assert_eq!(code(verify::event(forged.as_bytes(), &trusted)).0, 3);
    let leaf = recorded["receipt"]["leaf_hash"].as_str().expect("a hash").to_owned();
    let inclusion = get(&node, &acme, "/api/v1/ledger/proof/inclusion?seq=0").expect(200).text();
    assert!(inclusion.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n"), "{inclusion}");
    let checkpoint = get(&node, &acme, "/api/v1/ledger/checkpoint").expect(200).text();
    assert!(checkpoint.contains(&format!("\n1\n{leaf}\n")), "the root of one leaf: {checkpoint}");
    // Its fields are an ordinary dataset's, and its evidence is not.
    let found = node.search(&acme.auditor, "audit", "actor.id:u1").expect(200).json();
    assert_eq!(found["data"][0]["action"], "document.update");
    let names: Vec<&String> = found["data"][0].as_object().expect("an event").keys().collect();
    assert!(names.iter().all(|name| name.is_ascii()), "{names:?}");
}

#[test]
fn each_of_many_is_answered_by_itself() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let mut own = event("u1", "a.b");
    own["id"] = json!("mine-1");
    let events = json!({"events": [event("u1", "x"), {"action": "y"}, own, event("u2", "z")]});
    let bulk = |key: &str, events: &Value| {
        let ask = node.ask("POST", "/api/v1/logs/bulk").by(&acme.ingest);
        let ask = if key.is_empty() { ask } else { ask.header("idempotency-key", key) };
        ask.json(events).send()
    };
    let first = bulk("k1", &events).expect(200);
    let answer = first.json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(3), &json!(1)));
    let statuses: Vec<&Value> =
        answer["results"].as_array().expect("a list").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [&json!(201), &json!(400), &json!(201), &json!(201)]);
    let pointers: Vec<&Value> = answer["results"][1]["error"]["errors"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|fault| &fault["pointer"])
        .collect();
    assert_eq!(pointers, [&json!("/actor"), &json!("/resource")]);
    assert_eq!(answer["results"][2]["id"], "mine-1");

    let again = bulk("k1", &events).expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let replayed = again.json();
    for at in [0, 2, 3] {
        let of = |answer: &Value| {
            let one = &answer["results"][at];
            (one["id"].clone(), one["seq"].clone(), one["receipt"]["leaf_hash"].clone())
        };
        assert_eq!(of(&answer), of(&replayed), "{at}");
    }
    // The sender's own id is stored once, whatever the request's key.
    let fourth = json!({"events": [own, event("u9", "w")]});
    let mixed = bulk("", &fourth).expect(200).json();
    assert_eq!(
        (&mixed["results"][0]["status"], &mixed["results"][0]["seq"]),
        (&json!(200), &json!(1))
    );
    assert_eq!(
        (&mixed["results"][1]["status"], &mixed["results"][1]["seq"]),
        (&json!(201), &json!(3))
    );
    assert_eq!(bulk("k1", &fourth).expect(422).code(), "idempotency_conflict");
    let many: Vec<Value> = (0..1_001).map(|_| event("u", "a")).collect();
    assert_eq!(bulk("", &json!({"events": many})).expect(400).code(), "invalid_request");
}

#[test]
fn an_amendment_keeps_the_original_and_both_are_proven() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let recorded = record(&node, &acme, &event("u1", "document.update"));
    let path = format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id"));
    let amend = |by: &str, body: &Value| node.ask("PATCH", &path).by(by).json(body).send();
    let body =
        json!({"severity": "CRITICAL", "metadata": {"tier": null, "case": 7}, "note": "seen"});
    amend(&acme.auditor, &body).expect(403);
    amend(&acme.user, &body).expect(403);
    let amended = amend(&acme.admin, &body).expect(200).json();
    assert_eq!((&amended["severity"], &amended["note"]), (&json!("CRITICAL"), &json!("seen")));
    assert_eq!(amended["metadata"]["case"], 7);
    assert_eq!(amended["metadata"].get("tier"), None);
    assert_eq!(amended["history"].as_array().map(Vec::len), Some(1));
    let fixed = amend(&acme.admin, &json!({"actor": {"id": "x"}})).expect(422);
    assert_eq!(fixed.code(), "amendment_invalid");
    assert_eq!(fixed.json()["errors"][0]["code"], "field_fixed");
    amend(&acme.admin, &json!({"note": "again"})).expect(200);
    let listed = get(&node, &acme, "/api/v1/logs").expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "amendments are no events");
    assert_eq!(listed["data"][0]["note"], "again");
    let proof = get(&node, &acme, &format!("{path}?proof=true&history=true")).expect(200).text();
    assert!(proof.contains("\"severity\":\"INFO\""), "the original stands: {proof}");
    let trusted = policy(&node, &acme);
    assert_eq!(code(verify::event(proof.as_bytes(), &trusted)).0, 0);
    let forged = proof.replacen("\"note\":\"seen\"", "\"note\":\"sean\"", 1);
    assert_eq!(code(verify::event(forged.as_bytes(), &trusted)).0, 3);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn an_erased_event_is_gone_and_still_proven() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let secret = unique("secret");
    record(&node, &acme, &event("u0", "before"));
    let mut told = event(&secret, "document.update");
    told["message"] = json!(format!("about {secret}"));
    let recorded = record(&node, &acme, &told);
    record(&node, &acme, &event("u2", "after"));
    let path = format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id"));
    let trusted = policy(&node, &acme);
    let old_proof = get(&node, &acme, &format!("{path}?proof=true")).expect(200).text();

    let erase = |by: &str, body: &Value| node.ask("DELETE", &path).by(by).json(body).send();
    erase(&acme.auditor, &json!({"reason": "asked"})).expect(403);
    assert_eq!(erase(&acme.admin, &json!({})).expect(400).code(), "invalid_request");
    let hold =
        json!({"name": "h", "query": format!("actor.id:{secret}"), "reason": "r", "owner": "o"});
    let hold = node.ask("POST", "/api/v1/holds").by(&acme.admin).json(&hold).send().expect(201);
    let hold = hold.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(erase(&acme.admin, &json!({"reason": "asked"})).expect(409).code(), "held");
    let release = node.ask("DELETE", &format!("/api/v1/holds/{hold}")).by(&acme.admin);
    release.json(&json!({"reason": "over"})).send().expect(200);

    let erased = erase(&acme.admin, &json!({"reason": "asked"})).expect(200).json();
    assert_eq!((&erased["events"], &erased["erasure"]["erases"]), (&json!(1), &json!([[1, 1]])));
    let gone = get(&node, &acme, &path).expect(410);
    assert_eq!(gone.code(), "event_erased");
    let (status, text) = code(verify::event(gone.text().as_bytes(), &trusted));
    assert_eq!(status, 5, "{text}\n{}", gone.text());
    assert!(!gone.text().contains(&secret));
    // What was proven once stays proven by what its owner kept.
    assert_eq!(code(verify::event(old_proof.as_bytes(), &trusted)).0, 0);
    assert_eq!(erase(&acme.admin, &json!({"reason": "again"})).expect(410).code(), "event_erased");
    let listed = get(&node, &acme, "/api/v1/logs?order=oldest").expect(200).json();
    let actors: Vec<&Value> =
        listed["data"].as_array().expect("a list").iter().map(|one| &one["actor"]["id"]).collect();
    assert_eq!(actors, [&json!("u0"), &json!("u2")]);
    assert_eq!(node.search(&acme.auditor, "audit", &secret).expect(200).json()["data"], json!([]));
    assert_eq!(
        node.search(&acme.auditor, "audit", "*").expect(200).json()["data"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );

    let node = node.restart();
    get(&node, &acme, &path).expect(410);
}

#[test]
fn what_events_say_of_a_person_is_erased() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let person = unique("person");
    for action in ["a", "b"] {
        record(&node, &acme, &event(&person, action));
        record(&node, &acme, &event("other", action));
    }
    get(&node, &acme, &format!("/api/v1/logs?actor={person}")).expect(200);
    node.settle();
    let body = json!({"actor": person, "reason": "asked"});
    let ask = |by: &str| node.ask("POST", "/api/v1/erasures").by(by).json(&body).send();
    ask(&acme.user).expect(403);
    let erased = ask(&acme.admin).expect(200).json();
    assert!(erased["events"].as_u64().is_some_and(|events| events >= 3), "{erased}");
    let left = get(&node, &acme, "/api/v1/logs").expect(200).json();
    assert_eq!(left["data"].as_array().map(Vec::len), Some(2));
    node.settle();
    let data = node.data();
    let shutdown = node.restart();
    for dataset in ["audit", "_audit"] {
        let found = shutdown.search(&acme.auditor, dataset, &format!("*:{person}"));
        let found = found.expect(200).json();
        assert_eq!(found["data"], json!([]), "{dataset}");
    }
    assert!(!files(&data).is_empty());
}

#[test]
fn events_are_counted_and_put_together() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for (actor, action) in [("u1", "a"), ("u1", "b"), ("u2", "a")] {
        record(&node, &acme, &event(actor, action));
    }
    node.send(&acme.ingest, "app", &json!({"message": "a log line", "requestId": "req_1"}));
    let by =
        |by: &str| get(&node, &acme, &format!("/api/v1/logs/stats?by={by}")).expect(200).json();
    let groups = |counted: &Value| -> Vec<(String, u64)> {
        let groups = counted["groups"].as_array().expect("a list").iter();
        let group = |group: &Value| {
            let key = group["key"].as_str().unwrap_or_default().to_owned();
            (key, group["count"].as_u64().unwrap_or(0))
        };
        groups.map(group).collect()
    };
    let actions = by("action");
    assert_eq!(actions["total"], 3);
    assert_eq!(groups(&actions), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(groups(&by("actor")), [("u1".to_owned(), 2), ("u2".to_owned(), 1)]);
    assert_eq!(groups(&by("severity")), [("INFO".to_owned(), 3)]);
    assert_eq!(groups(&by("day")).iter().map(|(_, count)| count).sum::<u64>(), 3);
    assert!(actions["groups"][0]["first_at"].is_string(), "{actions}");
    get(&node, &acme, "/api/v1/logs/stats?by=mood").expect(400);
    let together = get(&node, &acme, "/api/v1/logs/correlated/req_1").expect(200).json();
    let datasets: Vec<&Value> =
        together["data"].as_array().expect("a list").iter().map(|one| &one["dataset"]).collect();
    assert_eq!(datasets.len(), 4);
    assert!(datasets.contains(&&json!("app")) && datasets.contains(&&json!("audit")));
}

#[test]
fn exports_are_whole_and_bundles_prove_themselves() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for number in 0..20 {
        record(&node, &acme, &event("u1", &format!("=a{}", number).replace('=', "a")));
    }
    let lines = get(&node, &acme, "/api/v1/logs/export?format=ndjson").expect(200).text();
    assert_eq!(lines.lines().count(), 20);
    let third: Value = serde_json::from_str(lines.lines().nth(2).expect("a line")).expect("JSON");
    let rest = format!(
        "/api/v1/logs/export?format=ndjson&cursor={}",
        third["id"].as_str().expect("an id")
    );
    let rest = get(&node, &acme, &rest).expect(200).text();
    assert_eq!(rest, lines.lines().skip(3).map(|line| format!("{line}\n")).collect::<String>());
    let all = get(&node, &acme, "/api/v1/logs/export").expect(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(20));
    let table = get(&node, &acme, "/api/v1/logs/export?format=csv").expect(200).text();
    assert_eq!(table.lines().count(), 21);
    assert!(table.starts_with("id,seq,received_at,"));
    let bad = get(&node, &acme, "/api/v1/logs/export?format=ndjson&cursor=none");
    assert_eq!(bad.expect(400).code(), "cursor_mismatch");

    let id = third["id"].as_str().expect("an id");
    let erase = node.ask("DELETE", &format!("/api/v1/logs/{id}")).by(&acme.admin);
    erase.json(&json!({"reason": "asked"})).send().expect(200);
    let trusted = policy(&node, &acme);
    for query in ["", "&from_seq=0&to_seq=20", "&from_seq=2&to_seq=2", "&action=aa1*"] {
        let path = format!("/api/v1/logs/export?format=bundle{query}");
        let bundle = node.ask("GET", &path).by(&acme.auditor).send().expect(200).body;
        let (status, text) = code(verify::export(Cursor::new(bundle.clone()), &trusted));
        assert_eq!(status, 0, "{query}: {text}");
        let mut cut = bundle;
        let at = cut.len() / 2;
        cut[at] ^= 1;
        assert_ne!(code(verify::export(Cursor::new(cut), &trusted)).0, 0, "{query}");
    }
    get(&node, &acme, "/api/v1/logs/export?format=bundle&from_seq=0&to_seq=99").expect(400);
}

#[test]
fn old_events_are_removed_but_not_those_that_are_held_or_needed() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for (actor, day) in [("u1", "01"), ("held", "02"), ("u2", "03"), ("u3", "20")] {
        let mut event = event(actor, "a");
        event["occurred_at"] = json!(format!("2026-01-{day}T00:00:00Z"));
        record(&node, &acme, &event);
    }
    let hold = json!({"name": "h", "query": "actor.id:held", "reason": "r", "owner": "o"});
    node.ask("POST", "/api/v1/holds").by(&acme.admin).json(&hold).send().expect(201);
    let clean = |query: &str| {
        let path = format!("/api/v1/logs/cleanup?before=2026-01-10T00:00:00Z{query}");
        let ask = node.ask("DELETE", &path).by(&acme.admin);
        ask.json(&json!({"reason": "policy"})).send()
    };
    let dry = clean("&dry_run=true").expect(202).json();
    assert_eq!((&dry["state"], &dry["events"]), (&json!("ready"), &json!(2)));
    let kept = json!({"retention_presets": ["hipaa"], "unknown_actions": "off"});
    let put = |body: &Value| {
        node.ask("PUT", "/api/v1/audit/settings").by(&acme.admin).json(body).send().expect(200)
    };
    put(&kept);
    assert_eq!(clean("").expect(409).code(), "retention_minimum");
    put(&json!({"retention_presets": [], "unknown_actions": "off"}));
    let job = clean("").expect(202);
    let place = job.header("location");
    let mut state = job.json();
    for _ in 0..2_000 {
        if state["state"] != "running" {
            break;
        }
        std::thread::yield_now();
        state = node.ask("GET", &place).by(&acme.admin).send().expect(200).json();
    }
    assert_eq!(state["state"], "ready", "{state}");
    let left = get(&node, &acme, "/api/v1/logs?order=oldest").expect(200).json();
    let actors: Vec<&Value> =
        left["data"].as_array().expect("a list").iter().map(|one| &one["actor"]["id"]).collect();
    assert_eq!(actors, [&json!("held"), &json!("u3")]);
}

#[test]
fn the_ledger_is_served_as_tiles_and_only_to_its_tenant() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let events: Vec<Value> = (0..300).map(|number| event(&format!("u{number}"), "a")).collect();
    let bulk = node.ask("POST", "/api/v1/logs/bulk").by(&acme.ingest);
    bulk.json(&json!({"events": events})).send().expect(200);
    get(&node, &acme, "/api/v1/ledger/proof/inclusion?seq=299").expect(200);
    let checkpoint = get(&node, &acme, "/api/v1/ledger/checkpoint").expect(200).text();
    assert_eq!(checkpoint.lines().nth(1), Some("300"));
    let raw = |path: &str| node.ask("GET", path).by(&acme.auditor).send().expect(200).body;
    assert_eq!(raw("/api/v1/ledger/tile/0/000").len(), 256 * 32);
    assert_eq!(raw("/api/v1/ledger/tile/0/001.p/44").len(), 44 * 32);
    assert_eq!(raw("/api/v1/ledger/tile/1/000.p/1").len(), 32);
    assert!(raw("/api/v1/ledger/tile/entries/001.p/44").len() > 44 * 117);
    for absent in ["0/002", "0/001.p/45", "9/000", "entries/005", "0/001", "x", "../0/000"] {
        let ask = node.ask("GET", &format!("/api/v1/ledger/tile/{absent}")).by(&acme.auditor);
        assert_eq!(ask.send().status, 404, "{absent}");
    }
    let consistency = get(&node, &acme, "/api/v1/ledger/proof/consistency?from=7&to=300");
    assert!(consistency.expect(200).text().lines().count() > 3);
    get(&node, &acme, "/api/v1/ledger/proof/consistency?from=7&to=301").expect(400);
    get(&node, &other, "/api/v1/ledger/checkpoint").expect(404);
    for path in ["/api/v1/ledger/checkpoint", "/api/v1/logs"] {
        node.ask("GET", path).by(&acme.ingest).send().expect(403);
        node.ask("GET", path).send().expect(401);
    }
    // Ledgerline's own records are a ledger too.
    let own = get(&node, &acme, "/api/v1/ledger/policy?dataset=_audit").expect(200).text();
    assert!(own.contains("quorum none"), "{own}");
}

//! What a tenant demands of its audit events: schemas and retention; WorkOS's events; and new keys
//! for ledgers.

use std::fs;
use std::path::{Path, PathBuf};

use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::policy::Policy;
use ledgerline_store::signer::Signer;
use ledgerline_verify as verify;
use ledgerline_world::{Chance, DataDir, Options};
use serde_json::{Value, json};

use crate::node::{Answer, Node, Tenant};

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

fn codes(faults: &Value) -> Vec<&str> {
    let faults = faults.as_array().expect("a list of faults").iter();
    faults.map(|fault| fault["code"].as_str().unwrap_or_default()).collect()
}

/// A schema whose events name a plan.
fn with_plan() -> Value {
    json!({
        "type": "object",
        "properties": {"metadata": {
            "type": "object",
            "properties": {"plan": {"enum": ["free", "paid"]}},
            "required": ["plan"]
        }},
        "required": ["metadata"]
    })
}

#[test]
fn events_are_held_against_the_schema_of_their_action() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let (good, bad) =
        (event("user.upgrade", &json!({"plan": "paid"})), event("user.upgrade", &json!({})));
    post(&node, &acme, &bad).expect(201);
    let path = "/api/v1/schemas/user.upgrade";
    let schema = json!({"mode": "strict", "json_schema": with_plan()});
    let made = put(&node, &acme, path, &schema).expect(201).json();
    assert_eq!((&made["version"], &made["newest"]), (&json!(1), &json!(true)));
    assert_eq!(made["json_schema"], with_plan());

    let refused = post(&node, &acme, &bad).expect(422);
    assert_eq!(refused.code(), "schema_violation");
    let faults = &refused.json()["errors"];
    assert_eq!(
        (codes(faults), &faults[0]["pointer"]),
        (vec!["schema_mismatch"], &json!("/metadata"))
    );
    let wrong = event("user.upgrade", &json!({"plan": "gold"}));
    let refused = post(&node, &acme, &wrong).expect(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/metadata/plan");
    assert!(!refused.text().contains("gold"), "no value is repeated: {}", refused.text());
    let taken = post(&node, &acme, &good).expect(201).json();
    assert_eq!(taken.get("warnings"), None);
    // What is refused takes no place.
    assert_eq!(taken["seq"], 1);

    let events = json!({"events": [good, bad, event("other", &json!({}))]});
    let bulk = node.ask("POST", "/api/v1/logs/bulk").by(&acme.ingest).json(&events).send();
    let bulk = bulk.expect(200).json();
    assert_eq!((&bulk["accepted"], &bulk["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&bulk["results"][1]["status"], &bulk["results"][1]["error"]["code"]),
        (&json!(422), &json!("schema_violation"))
    );
    assert_eq!((&bulk["results"][0]["seq"], &bulk["results"][2]["seq"]), (&json!(2), &json!(3)));

    // Version 2 only warns.
    let schema = json!({"mode": "warn", "json_schema": with_plan(), "version": 2});
    assert_eq!(put(&node, &acme, path, &schema).expect(201).json()["version"], 2);
    let warned = post(&node, &acme, &bad).expect(201).json();
    assert_eq!(codes(&warned["warnings"]), ["schema_mismatch"]);
    let bulk = node.ask("POST", "/api/v1/logs/bulk").by(&acme.ingest).json(&events).send();
    let bulk = bulk.expect(200).json();
    assert_eq!(bulk["rejected"], 0);
    assert_eq!(codes(&bulk["results"][1]["warnings"]), ["schema_mismatch"]);
    assert_eq!(bulk["results"][0].get("warnings"), None);

    // After a restart it is as before.
    let node = node.restart();
    assert_eq!(
        codes(&post(&node, &acme, &bad).expect(201).json()["warnings"]),
        ["schema_mismatch"]
    );
    node.ask("DELETE", path).by(&acme.admin).send().expect(204);
    assert_eq!(post(&node, &acme, &bad).expect(201).json().get("warnings"), None);
    node.ask("DELETE", path).by(&acme.admin).send().expect(404);
}

#[test]
fn versions_of_schemas_count_up_and_stay() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let path = "/api/v1/schemas/doc/update:v1";
    let first = json!({"mode": "off"});
    put(&node, &acme, path, &first).expect(201);
    assert_eq!(put(&node, &acme, path, &first).expect(200).json()["version"], 1);
    let conflict = json!({"mode": "warn", "version": 3});
    assert_eq!(put(&node, &acme, path, &conflict).expect(409).code(), "conflict");
    put(&node, &acme, path, &json!({"mode": "warn", "version": 2})).expect(201);
    put(&node, &acme, path, &json!({"mode": "warn", "version": 2})).expect(200);
    put(&node, &acme, "/api/v1/schemas/doc", &json!({"mode": "strict"})).expect(201);
    let old = get(&node, &acme.user, &format!("{path}?version=1")).expect(200).json();
    assert_eq!(
        (&old["mode"], &old["newest"], old.get("json_schema")),
        (&json!("off"), &json!(false), None)
    );
    assert_eq!(get(&node, &acme.user, path).expect(200).json()["version"], 2);
    let list = get(&node, &acme.auditor, "/api/v1/schemas").expect(200).json();
    let names: Vec<(&Value, &Value)> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["action"], &one["version"]))
        .collect();
    assert_eq!(names, [(&json!("doc"), &json!(1)), (&json!("doc/update:v1"), &json!(2))]);
    for wrong in ["?version=0", "?version=x", "?versions=1"] {
        get(&node, &acme.user, &format!("{path}{wrong}")).expect(400);
    }
    get(&node, &acme.user, &format!("{path}?version=9")).expect(404);
    // Another tenant sees and feels none of it.
    get(&node, &other.user, path).expect(404);
    assert_eq!(get(&node, &other.user, "/api/v1/schemas").expect(200).json()["data"], json!([]));

    for (bad, pointer) in [
        (json!({"mode": "hard"}), "/mode"),
        (json!({"mode": "warn", "version": 0}), "/version"),
        (json!({"mode": "warn", "json_schema": {"type": 7}}), "/json_schema"),
        (json!({"mode": "warn", "json_schema": {"$ref": "https://example.com/x"}}), "/json_schema"),
    ] {
        let refused = put(&node, &acme, path, &bad).expect(400);
        let place = refused.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(place.starts_with(pointer), "{bad}: {}", refused.text());
    }
    put(&node, &acme, path, &json!({"mode": "warn", "more": 1})).expect(400);
    put(&node, &acme, "/api/v1/schemas/a%20b", &json!({"mode": "warn"})).expect(400);
    for by in [&acme.user, &acme.auditor, &acme.ingest] {
        node.ask("PUT", path).by(by).json(&first).send().expect(403);
        node.ask("DELETE", path).by(by).send().expect(403);
    }
}

#[test]
fn a_tenant_can_want_a_schema_for_every_action() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let settings = |mode: &str| {
        let body = json!({"unknown_actions": mode});
        put(&node, &acme, "/api/v1/audit/settings", &body).expect(200);
    };
    let unknown = event("never.seen", &json!({}));
    settings("warn");
    assert_eq!(
        codes(&post(&node, &acme, &unknown).expect(201).json()["warnings"]),
        ["action_unknown"]
    );
    settings("strict");
    let refused = post(&node, &acme, &unknown).expect(422);
    assert_eq!(refused.code(), "schema_violation");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/action");
    put(&node, &acme, "/api/v1/schemas/never.seen", &json!({"mode": "strict"})).expect(201);
    post(&node, &acme, &unknown).expect(201);
    settings("off");
    post(&node, &acme, &event("another", &json!({}))).expect(201);
}

#[test]
fn a_replay_after_a_change_of_rules_is_no_lie() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let events = [event("a", &json!({"n": 1})), event("b", &json!({})), event("a", &json!({}))];
    let events = json!({"events": events});
    let bulk = |status: u16| {
        let ask = node.ask("POST", "/api/v1/logs/bulk").by(&acme.ingest);
        ask.header("idempotency-key", "k").json(&events).send().expect(status)
    };
    bulk(200);
    put(&node, &acme, "/api/v1/schemas/b", &json!({"mode": "strict", "json_schema": false}))
        .expect(400);
    let never = json!({"mode": "strict", "json_schema": {"not": {}}});
    put(&node, &acme, "/api/v1/schemas/b", &never).expect(201);
    assert_eq!(bulk(422).code(), "idempotency_conflict");
    node.ask("DELETE", "/api/v1/schemas/b").by(&acme.admin).send().expect(204);
    assert_eq!(bulk(200).header("idempotency-replayed"), "true");
}

#[test]
fn a_new_key_signs_and_what_the_old_one_signed_stays_proven() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let rotate =
        |by: &str, body: &Value| node.ask("POST", "/api/v1/ledger/rotate").by(by).json(body).send();
    let reason = json!({"reason": "yearly"});
    rotate(&acme.admin, &reason).expect(404);
    let before = post(&node, &acme, &event("a", &json!({}))).expect(201).json();
    let (old_policy, old_proof) = (policy(&node, &acme), proof(&node, &acme, &before["id"]));
    for by in [&acme.user, &acme.auditor, &acme.ingest] {
        rotate(by, &reason).expect(403);
    }
    rotate(&acme.admin, &json!({})).expect(400);
    rotate(&acme.admin, &json!({"reason": ""})).expect(400);
    let rotated = rotate(&acme.admin, &reason).expect(200).json();
    assert_eq!((&rotated["seq"], &rotated["since"]), (&json!(1), &json!(2)));
    assert_ne!(rotated["old_key"], rotated["new_key"]);
    let keys = get(&node, &acme.auditor, "/api/v1/ledger/keys").expect(200).json();
    assert_eq!(keys["keys"][0]["until"], 2);
    assert_eq!(
        (&keys["keys"][1]["vkey"], &keys["keys"][1]["since"]),
        (&rotated["new_key"], &json!(2))
    );

    let after = post(&node, &acme, &event("b", &json!({}))).expect(201).json();
    let new_policy = policy(&node, &acme);
    let check = |proof: &str, policy: &Policy| verify::event(proof.as_bytes(), policy).code;
    let new_proof = proof(&node, &acme, &after["id"]);
    assert_eq!(check(&old_proof, &old_policy), 0);
    assert_eq!(check(&old_proof, &new_policy), 0, "what was signed stays signed");
    assert_eq!(check(&new_proof, &new_policy), 0);
    assert_eq!(check(&new_proof, &old_policy), 2, "a policy trusts the keys that it names");
    assert_eq!(check(&proof(&node, &acme, &before["id"]), &new_policy), 0);
    // The entry that tells it is proven like any other, and is no event in lists.
    let told = proof(&node, &acme, &rotated["id"]);
    assert!(told.contains("\"kind\":\"key_rotation\""), "{told}");
    assert_eq!(check(&told, &new_policy), 0);
    let listed = get(&node, &acme.auditor, "/api/v1/logs").expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));
    // A bundle over the rotation.
    let bundle = get(&node, &acme.auditor, "/api/v1/logs/export?format=bundle&from_seq=0&to_seq=2");
    let bundle = std::io::Cursor::new(bundle.expect(200).body);
    let outcome = verify::export(bundle, &new_policy);
    assert_eq!(outcome.code, 0, "{}", outcome.text);

    let node = node.restart();
    let again = node.ask("POST", "/api/v1/ledger/rotate").by(&acme.admin).json(&reason).send();
    let again = again.expect(200).json();
    assert_eq!(
        (&again["old_key"], &again["seq"], &again["since"]),
        (&rotated["new_key"], &json!(3), &json!(4))
    );
    let third = policy(&node, &acme);
    for one in [&before["id"], &after["id"]] {
        assert_eq!(check(&proof(&node, &acme, one), &third), 0);
    }
    node.settle();
    let told = get(&node, &acme.auditor, "/api/v1/logs?dataset=_audit&action=ledger.key_rotated");
    let told = told.expect(200).json();
    let outcomes: Vec<&Value> =
        told["data"].as_array().expect("a list").iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes.len(), 4, "each has its attempt: {told}");
    assert_eq!(told["data"][0]["metadata"]["reason"], "yearly");
}

/// The file of the signer, with what SQLite keeps beside it.
fn signer_files(data: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(data.join("control")).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    let is_one = |file: &PathBuf| {
        file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("signer.db"))
    };
    files.filter(is_one).collect()
}

#[test]
fn a_rotation_that_was_cut_short_is_gone_on_with() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let before = post(&node, &acme, &event("a", &json!({}))).expect(201).json();
    let first = proof(&node, &acme, &before["id"]);
    let keys = get(&node, &acme.auditor, "/api/v1/ledger/keys").expect(200).json();
    let log_id: LogId = keys["log_id"].as_str().unwrap_or_default().parse().expect("an id");
    let origin = keys["origin"].as_str().expect("an origin").to_owned();
    let host = origin.trim_start_matches("logs.").split('/').next().expect("a host").to_owned();

    // The process ends when the new key is kept, and the ledger does not tell of it yet.
    let mut prepared = String::new();
    let cut = tempfile::tempdir().expect("a folder");
    let node = node.restart_after(|data| {
        let folder =
            DataDir::open(data, Chance::system(), Options::default()).expect("the data folder");
        let signer = Signer::open(&folder, &host).expect("the signer");
        let (rotation, _) = signer.prepare_rotation(log_id).expect("a new key");
        let (again, _) = signer.prepare_rotation(log_id).expect("a new key");
        assert_eq!(rotation, again, "there is one new key at a time");
        prepared = rotation.new_key.to_string();
        drop(signer);
        for file in signer_files(data) {
            let name = file.file_name().expect("a name");
            fs::copy(&file, cut.path().join(name)).expect("copied");
        }
    });
    let keys = get(&node, &acme.auditor, "/api/v1/ledger/keys").expect(200).json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1), "it does not sign: {keys}");
    let reason = json!({"reason": "again"});
    let rotate = node.ask("POST", "/api/v1/ledger/rotate").by(&acme.admin);
    let rotated = rotate.json(&reason).send().expect(200).json();
    assert_eq!((&rotated["new_key"], &rotated["seq"]), (&json!(prepared), &json!(1)));

    // The process ends when the ledger tells of the new key, and it does not sign yet.
    let node = node.restart_after(|data| {
        for file in signer_files(data) {
            fs::remove_file(file).expect("removed");
        }
        for file in fs::read_dir(cut.path()).expect("a folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), data.join("control").join(file.file_name())).expect("copied");
        }
    });
    let mut keys = Value::Null;
    for _ in 0..10_000 {
        keys = get(&node, &acme.auditor, "/api/v1/ledger/keys").expect(200).json();
        if keys["keys"].as_array().is_some_and(|keys| keys.len() == 2) {
            break;
        }
    }
    assert_eq!(keys["keys"][1]["vkey"], json!(prepared), "{keys}");
    assert!(keys["keys"][1]["since"].as_u64().is_some_and(|since| since >= 2), "{keys}");
    let after = post(&node, &acme, &event("b", &json!({}))).expect(201).json();
    let policy = policy(&node, &acme);
    for text in [first, proof(&node, &acme, &before["id"]), proof(&node, &acme, &after["id"])] {
        assert_eq!(verify::event(text.as_bytes(), &policy).code, 0, "{text}");
    }
    let told = format!("/api/v1/logs/{}", rotated["id"].as_str().expect("an id"));
    get(&node, &acme.auditor, &told).expect(200);
}

#[test]
fn the_plan_tells_what_goes_and_what_keeps_it() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for number in 0..3 {
        post(&node, &acme, &event("a", &json!({"n": number}))).expect(201);
    }
    node.send(&acme.ingest, "app", &json!({"message": "a line"}));
    let node = node.restart();
    let keep = |dataset: &str, days: &Value| {
        let path = format!("/api/v1/datasets/{dataset}");
        put(&node, &acme, &path, &json!({"retention_days": days})).expect(200);
    };
    let plan = |days: u32| {
        let path = format!("/api/v1/audit/retention/plan?days={days}");
        get(&node, &acme.auditor, &path).expect(200).json()
    };
    assert_eq!(plan(3_650)["data"], json!([]), "for ever is the usual");
    keep("audit", &json!(10));
    keep("app", &json!(5));
    assert_eq!(plan(4)["data"], json!([]));
    let names = |plan: &Value| -> Vec<String> {
        let items = plan["data"].as_array().expect("a list").iter();
        items.map(|item| item["dataset"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&plan(7)), ["app"]);
    let both = plan(11);
    assert_eq!(names(&both), ["app", "audit"]);
    let audit = &both["data"][1];
    assert_eq!(
        (&audit["first_seq"], &audit["last_seq"], &audit["events"]),
        (&json!(0), &json!(2), &json!(3))
    );
    assert_eq!((&audit["due"], &audit["blocked_by"]), (&json!(false), &json!([])));

    let hold = json!({"name": "h", "query": "actor.id:u1", "reason": "r", "owner": "o"});
    let hold = node.ask("POST", "/api/v1/holds").by(&acme.admin).json(&hold).send().expect(201);
    let hold = hold.json()["id"].clone();
    let held = plan(11);
    assert_eq!(held["data"][0]["blocked_by"], json!([]), "logs are not held");
    assert_eq!(held["data"][1]["blocked_by"], json!([hold]));
    // Presets are longer than what the dataset says.
    let presets = json!({"retention_presets": ["soc2"]});
    put(&node, &acme, "/api/v1/audit/settings", &presets).expect(200);
    assert_eq!(names(&plan(364)), ["app"]);
    assert_eq!(names(&plan(366)), ["app", "audit"]);
    for wrong in ["days=-1", "days=x", "days=3651", "until=1"] {
        get(&node, &acme.auditor, &format!("/api/v1/audit/retention/plan?{wrong}")).expect(400);
    }
    get(&node, &acme.ingest, "/api/v1/audit/retention/plan").expect(403);
}

#[test]
fn events_are_taken_as_workos_has_them() {
    let node = Node::start();
    let (acme, other) = (node.tenant("acme"), node.tenant("other"));
    let body = |organization: &str| {
        json!({
            "organization_id": organization,
            "event": {
                "action": "user.signed_in", "occurred_at": "2026-01-31T12:00:00.000Z", "version": 1,
                "actor": {"id": "user_1", "type": "user", "metadata": {"role": "owner"}},
                "targets": [{"id": "team_1", "type": "team"}],
                "context": {"location": "203.0.113.9", "user_agent": "Chrome/1"},
                "metadata": {"extra": "x"}
            }
        })
    };
    let send = |by: &str, key: &str, body: &Value| {
        let ask = node.ask("POST", "/audit_logs/events").by(by);
        let ask = if key.is_empty() { ask } else { ask.header("idempotency-key", key) };
        ask.json(body).send()
    };
    let made = send(&acme.ingest, "k1", &body("acme")).expect(201);
    assert_eq!(made.json(), json!({"success": true}));
    let again = send(&acme.ingest, "k1", &body("acme")).expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    send(&acme.ingest, "", &body(&acme.id)).expect(201);
    let listed = get(&node, &acme.auditor, "/api/v1/logs?action=user.signed_in").expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));
    let one = &listed["data"][0];
    assert_eq!((&one["ip"], &one["user_agent"]), (&json!("203.0.113.9"), &json!("Chrome/1")));
    assert_eq!(
        (&one["resource"]["id"], &one["metadata"]["extra"]),
        (&json!("team_1"), &json!("x"))
    );

    let refused = |answer: Answer, code: &str| {
        assert_eq!(answer.header("content-type"), "application/json");
        let json = answer.json();
        assert_eq!(json["code"], code, "{json}");
        assert!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{json}");
        json
    };
    // Whether there is such an organization elsewhere is not told.
    let theirs = refused(send(&acme.ingest, "", &body("other")).expect(404), "not_found");
    let nobodys = refused(send(&acme.ingest, "", &body("nobody")).expect(404), "not_found");
    assert_eq!(theirs, nobodys);
    refused(send(&acme.ingest, "", &body(&other.id)).expect(404), "not_found");
    refused(send("", "", &body("acme")).expect(401), "unauthenticated");
    refused(send(&acme.query, "", &body("acme")).expect(403), "forbidden");
    let mut bad = body("acme");
    bad["event"]["targets"] = json!([]);
    bad["event"]["actor"] = json!({"id": "x"});
    let faults = refused(send(&acme.ingest, "", &bad).expect(400), "event_invalid");
    assert!(
        faults["errors"][0]["field"].as_str().is_some_and(|at| at.starts_with("/event/")),
        "{faults}"
    );
    let mut another = body("acme");
    another["event"]["action"] = json!("user.signed_out");
    refused(send(&acme.ingest, "k1", &another).expect(422), "idempotency_conflict");
    // The version is that of the schema.
    let schema = |mode: &str| json!({"mode": mode, "json_schema": {"not": {}}});
    put(&node, &acme, "/api/v1/schemas/user.signed_in", &schema("off")).expect(201);
    put(&node, &acme, "/api/v1/schemas/user.signed_in", &schema("strict")).expect(201);
    send(&acme.ingest, "", &body("acme")).expect(201);
    let mut second = body("acme");
    second["event"]["version"] = json!(2);
    refused(send(&acme.ingest, "", &second).expect(422), "schema_violation");
    get(&node, &acme.ingest, "/audit_logs/events").expect(405);
}

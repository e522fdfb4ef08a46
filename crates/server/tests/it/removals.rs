//! What removes audit events, and what happens to them at the same time: holds, amendments, the end
//! of the process, and time that passes.

use std::io::Cursor;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use ledgerline_ledger::policy::Policy;
use ledgerline_model::time::Timestamp;
use ledgerline_verify as verify;
use ledgerline_world::ManualClock;
use serde_json::{Value, json};

use crate::node::{Answer, Node, PASSWORD, Tenant, unique};
use crate::traces::traces;

/// How often what races is tried.
const ROUNDS: usize = 24;
/// How often it is looked whether something is done by now.
const LOOKS_MAX: usize = 20_000;
const DAY: Duration = Duration::from_hours(24);

fn event(actor: &str) -> Value {
    json!({
        "action": "document.update",
        "occurred_at": "2026-01-03T04:05:06Z",
        "actor": {"id": actor, "type": "user"},
        "resource": {"type": "document", "id": "doc_1"},
    })
}

fn post(node: &Node, tenant: &Tenant, path: &str, body: &Value) -> Answer {
    node.ask("POST", path).by(&tenant.admin).json(body).send()
}

fn get(node: &Node, tenant: &Tenant, path: &str) -> Answer {
    node.ask("GET", path).by(&tenant.admin).send()
}

fn erase(node: &Node, tenant: &Tenant, path: &str) -> Answer {
    node.ask("DELETE", path).by(&tenant.admin).json(&json!({"reason": "asked"})).send()
}

/// Records an event; where it is.
fn record(node: &Node, tenant: &Tenant, actor: &str) -> String {
    let recorded = post(node, tenant, "/api/v1/logs", &event(actor)).expect(201).json();
    format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id"))
}

/// Does two things at once.
fn both<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let gate = Barrier::new(2);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| {
            gate.wait();
            one()
        });
        gate.wait();
        let other = other();
        (one.join().expect("it ends"), other)
    })
}

#[test]
fn an_amendment_beside_an_erasure_goes_with_it_or_is_refused() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let value = unique("zqx");
    for _ in 0..ROUNDS {
        let path = record(&node, &acme, "somebody");
        let note = json!({"note": value});
        let (amended, erased) = both(
            || node.ask("PATCH", &path).by(&acme.admin).json(&note).send(),
            || erase(&node, &acme, &path),
        );
        erased.expect(200);
        assert!(matches!(amended.status, 200 | 409 | 410), "{}", amended.text());
        get(&node, &acme, &path).expect(410);
        node.ask("PATCH", &path).by(&acme.admin).json(&note).send().expect(410);
    }
    // Before anybody asks for the value: the record of the question has it.
    let traces = traces(&node.data(), &acme.id, &value);
    assert!(traces.found.is_empty() && traces.opened > 1, "{traces:?}");
    let found = node.search(&acme.auditor, "audit", &value).expect(200).json();
    assert_eq!(found["data"], json!([]), "said of events that were erased");
}

#[test]
fn a_hold_beside_an_erasure_comes_before_it_or_after() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let times = |answer: &Value, name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    for round in 0..ROUNDS {
        let actor = unique("held");
        let path = record(&node, &acme, &actor);
        let hold = json!({
            "name": "Case", "query": format!("actor.id:{actor}"), "reason": "r", "owner": "o",
        });
        let clean = format!("/api/v1/logs/cleanup?before=2026-01-10&actor={actor}");
        let (placed, removed) = both(
            || post(&node, &acme, "/api/v1/holds", &hold),
            || erase(&node, &acme, if round % 2 == 0 { &path } else { &clean }),
        );
        assert!(matches!(placed.status, 201 | 409), "{}", placed.text());
        assert!(matches!(removed.status, 200 | 202 | 409), "{}", removed.text());
        if removed.status == 202 {
            await_job(&node, &acme, &removed.json());
        }
        let is_there = get(&node, &acme, &path).status == 200;
        if placed.status == 201 && removed.status == 200 {
            let (hold, erasure) = (placed.json(), removed.json());
            let (held, told) =
                (times(&hold, "created_at"), times(&erasure["erasure"], "received_at"));
            assert!(told <= held, "{path} was erased at {told}, and held at {held}");
        }
        assert!(removed.status == 200 || removed.status == 202 || is_there, "{path} is gone");
    }
}

fn await_job(node: &Node, tenant: &Tenant, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().expect("an id"));
    for _ in 0..LOOKS_MAX {
        let job = get(node, tenant, &path).expect(200).json();
        if job["state"] != "running" {
            return job;
        }
    }
    panic!("{path} runs and runs");
}

#[test]
fn a_persons_id_may_have_any_characters() {
    let node = Node::start();
    let acme = node.tenant("acme");
    for id in ["a\"b", "a\\b", "a\\\"b*c", "ü\"b'"] {
        let actor = format!("{}{id}", unique("zqx"));
        record(&node, &acme, &actor);
        // Who looks for a person leaves a record that names the person.
        let query: String = actor.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = get(&node, &acme, &format!("/api/v1/logs?actor={query}")).expect(200).json();
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{actor}: {found}");
        node.settle();
        let erased =
            post(&node, &acme, "/api/v1/erasures", &json!({"actor": actor, "reason": "asked"}));
        let erased = erased.expect(200).json();
        assert!(erased["events"].as_u64() >= Some(2), "{actor}: {erased}");
        let word = &actor[..actor.find(|one: char| !one.is_alphanumeric()).expect("it has one")];
        let traces = traces(&node.data(), &acme.id, word);
        assert!(traces.found.is_empty() && traces.opened > 1, "{actor}: {traces:?}");
    }
}

#[test]
fn a_job_is_known_after_the_end_of_the_process() {
    let node = Node::start();
    let acme = node.tenant("acme");
    let path = record(&node, &acme, "somebody");
    let clean = "/api/v1/logs/cleanup?before=2026-01-10";
    let dry = erase(&node, &acme, &format!("{clean}&dry_run=true")).expect(202).json();
    let job = erase(&node, &acme, clean).expect(202).json();
    assert_eq!((&job["kind"], &job["events"]), (&json!("cleanup"), &json!(1)));
    let node = node.restart();
    for job in [&dry, &job] {
        let known = await_job(&node, &acme, job);
        assert_eq!((&known["state"], &known["error"]), (&json!("ready"), &Value::Null), "{known}");
        assert_eq!(known["created_at"], job["created_at"]);
        assert!(known["ended_at"].is_string(), "{known}");
    }
    get(&node, &acme, &path).expect(404);
    get(&node, &acme, "/api/v1/jobs/job_of_nobody").expect(404);
}

/// A server at which time only passes when it is told to.
fn at_a_time(clock: &Arc<ManualClock>) -> Node {
    Node::start_at(clock, |config| {
        config.intervals.expire = Duration::from_millis(50);
        config.intervals.flush = Duration::from_millis(20);
    })
}

#[test]
fn the_ledger_tells_of_what_retention_removes() {
    let start = Timestamp(1_767_225_600 * Timestamp::SECOND);
    let clock = Arc::new(ManualClock::new(start));
    let node = at_a_time(&clock);
    let mut acme = node.tenant("acme");
    let old = [record(&node, &acme, "first"), record(&node, &acme, "second")];
    let erased = record(&node, &acme, "third");
    erase(&node, &acme, &erased).expect(200);
    let settings = json!({"retention_days": 30});
    let put = node.ask("PUT", "/api/v1/datasets/audit").by(&acme.admin).json(&settings);
    put.send().expect(200);
    for days in [20, 21] {
        clock.advance(DAY * days);
        acme.admin = node.login("admin@acme.example", PASSWORD);
        // What is said of an old event is not old, and goes with it.
        if days == 20 {
            let note = json!({"note": "said later"});
            node.ask("PATCH", &old[0]).by(&acme.admin).json(&note).send().expect(200);
        }
        record(&node, &acme, "later");
    }
    // One segment goes after the other.
    for path in [&old[0], &old[1], &erased] {
        let is_gone = |_| get(&node, &acme, path).status == 404;
        assert!((0..LOOKS_MAX).any(is_gone), "{path} stays");
    }
    let said = |_| node.search(&acme.admin, "audit", "kind:amendment").expect(200).json();
    let is_none = |found: Value| found["data"] == json!([]);
    assert!((0..LOOKS_MAX).map(said).any(is_none), "said of what is gone");
    let left = get(&node, &acme, "/api/v1/logs").expect(200).json();
    assert_eq!(left["data"].as_array().map(Vec::len), Some(2), "{left}");
    let found = node.search(&acme.admin, "audit", "kind:retirement").expect(200).json();
    let told = &found["data"][0];
    assert_eq!(told["retired_by.id"], "ledgerline", "{found}");

    // Every entry of the ledger is there, or told to be removed.
    let policy = get(&node, &acme, "/api/v1/ledger/policy").expect(200).text();
    let policy = Policy::parse(policy.as_bytes()).expect("a policy");
    let last = told["_seq"].as_u64().or(told["seq"].as_u64()).expect("a number");
    get(&node, &acme, &format!("/api/v1/ledger/proof/inclusion?seq={last}")).expect(200);
    let range = format!("/api/v1/logs/export?format=bundle&from_seq=0&to_seq={last}");
    let bundle = get(&node, &acme, &range).expect(200).body;
    let outcome = verify::export(Cursor::new(bundle), &policy);
    assert_eq!(outcome.code, 0, "{}", outcome.text);
}

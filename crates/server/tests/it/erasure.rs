//! What is erased is gone from every file, whichever it was in, and no old copy of the folder
//! brings it back.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::node::{Node, Tenant, unique};
use crate::traces::{
    Traces, archive, compact, copy, files, folder, move_to_archive, object_id, object_ids, open,
    read, traces,
};

/// How many other events are recorded around the one that is erased.
const OTHERS: usize = 200;

/// Where events are when they are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Memory,
    Segments,
    Merged,
    Archived,
}

/// How they are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `DELETE /logs/{id}`.
    Event,
    /// `POST /erasures`.
    Subject,
}

/// An event of some day of January, so that there are windows that are over.
fn event(actor: &str, number: usize) -> Value {
    json!({
        "action": "document.update",
        "occurred_at": format!("2026-01-{:02}T{:02}:30:00Z", 3 + number % 2, number % 3),
        "actor": {"id": actor, "type": "user", "name": "Ada"},
        "resource": {"type": "document", "id": format!("doc_{number}")},
        "message": format!("event {number} of {actor}"),
        "before": {"title": "Draft", "by": actor},
        "after": {"title": "Final", "by": actor},
        "metadata": {"owner": actor, "tier": "gold"},
    })
}

fn record_others(node: &Node, tenant: &Tenant, from: usize, to: usize) {
    let events: Vec<Value> = (from..to).map(|number| event("somebody", number)).collect();
    let bulk = node.ask("POST", "/api/v1/logs/bulk").by(&tenant.ingest);
    let answer = bulk.json(&json!({"events": events})).send().expect(200).json();
    assert_eq!(answer["accepted"], events.len());
}

/// A tenant with many events, of which one, and what was said of it, holds a value that is nowhere
/// else.
struct Story {
    node: Node,
    tenant: Tenant,
    value: String,
    path: String,
}

impl Story {
    fn begin(place: Where) -> Self {
        let node = Node::start_with(|config| {
            config.archive = (place == Where::Archived).then(|| archive(&config.data));
        });
        let tenant = node.tenant("acme");
        let value = format!("{}end", unique("zqx"));
        let is_merged = matches!(place, Where::Merged | Where::Archived);
        record_others(&node, &tenant, 0, OTHERS / 2);
        let node = if is_merged { node.restart() } else { node };
        let mut told = event(&value, 1);
        told["metadata"][&value] = json!("as a name");
        told["after"]["list"] = json!([{"deep": value}]);
        let ask = node.ask("POST", "/api/v1/logs").by(&tenant.admin).json(&told);
        let recorded = ask.send().expect(201).json();
        let path = format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id"));
        let note = json!({"note": format!("said of {value}")});
        node.ask("PATCH", &path).by(&tenant.admin).json(&note).send().expect(200);
        let node = if is_merged { node.restart() } else { node };
        record_others(&node, &tenant, OTHERS / 2, OTHERS);
        let node = match place {
            Where::Memory => node,
            Where::Segments => node.restart(),
            Where::Merged | Where::Archived => node.restart().restart_after(|data| {
                let merged = compact(data, &tenant.id);
                assert!(merged.merged > merged.written, "{merged:?}");
                if place == Where::Archived {
                    assert!(move_to_archive(data, &tenant.id) > 0);
                }
            }),
        };
        Self { node, tenant, value, path }
    }

    fn traces(&self) -> Traces {
        traces(&self.node.data(), &self.tenant.id, &self.value)
    }

    fn erase(&self, way: Way) {
        let body = match way {
            Way::Event => json!({"reason": "asked"}),
            Way::Subject => json!({"reason": "asked", "actor": self.value}),
        };
        let ask = match way {
            Way::Event => self.node.ask("DELETE", &self.path),
            Way::Subject => {
                // Who looks for a person leaves a record that names the person.
                let search = format!("/api/v1/logs?actor={}", self.value);
                self.node.ask("GET", &search).by(&self.tenant.auditor).send().expect(200);
                self.node.ask("POST", "/api/v1/erasures")
            }
        };
        let erased = ask.by(&self.tenant.admin).json(&body).send().expect(200).json();
        assert!(erased["events"].as_u64().is_some_and(|events| events >= 2), "{erased}");
    }

    /// The others are there and prove themselves; the erased one is told to be.
    fn check(&self) {
        let get = |path: &str| self.node.ask("GET", path).by(&self.tenant.auditor).send();
        let gone = get(&self.path).expect(410);
        assert!(!gone.text().contains(&self.value));
        let counted = get("/api/v1/logs/stats?by=actor").expect(200).json();
        assert_eq!(counted["total"], OTHERS, "{counted}");
        let found = self.node.search(&self.tenant.auditor, "audit", &self.value);
        assert_eq!(found.expect(200).json()["data"], json!([]));
        let other = get("/api/v1/logs?actor=somebody&limit=1").expect(200).json();
        let id = other["data"][0]["id"].as_str().expect("an id");
        get(&format!("/api/v1/logs/{id}?proof=true")).expect(200);
    }
}

fn gone_from(place: Where, way: Way) {
    let story = Story::begin(place);
    let before = story.traces();
    assert!(before.closed.is_empty(), "{before:?}");
    assert!(before.found.len() >= 2, "it must be found as long as it is there: {before:?}");
    story.erase(way);
    // At once, while the server runs, and after it has stopped.
    let Story { node, tenant, value, path } = story;
    let now = traces(&node.data(), &tenant.id, &value);
    let mut stopped = Traces::default();
    let node = node.restart_after(|data| stopped = traces(data, &tenant.id, &value));
    for after in [now, stopped] {
        assert!(after.closed.is_empty() && after.opened > 1, "{after:?}");
        assert_eq!(after.found, [""; 0], "{place:?}, {way:?}");
    }
    let story = Story { node, tenant, value, path };
    story.check();
}

#[test]
fn an_event_in_memory_is_erased_from_every_file() {
    gone_from(Where::Memory, Way::Event);
    gone_from(Where::Memory, Way::Subject);
}

#[test]
fn an_event_in_segments_is_erased_from_every_file() {
    gone_from(Where::Segments, Way::Event);
    gone_from(Where::Segments, Way::Subject);
}

#[test]
fn an_event_in_merged_segments_is_erased_from_every_file() {
    gone_from(Where::Merged, Way::Event);
    gone_from(Where::Merged, Way::Subject);
}

#[test]
fn an_event_in_the_archive_is_found_and_erased_from_every_file() {
    gone_from(Where::Archived, Way::Event);
    gone_from(Where::Archived, Way::Subject);
}

/// An old copy of the tenant's folder in its place, and what can be read of it.
fn put_back(place: Where, way: Way) {
    let story = Story::begin(place);
    let backup = tempfile::tempdir().expect("a folder");
    copy(&folder(&story.node.data(), &story.tenant.id), backup.path());
    story.erase(way);
    let Story { node, tenant, value, path } = story;
    let mut old = Traces::default();
    let node = node.restart_after(|data| {
        let kept = object_ids(&folder(data, &tenant.id));
        let place = folder(data, &tenant.id);
        fs::remove_dir_all(&place).expect("removed");
        copy(backup.path(), &place);
        old = traces(data, &tenant.id, &value);
        closed(data, &tenant.id, |id| kept.contains(id));
    });
    assert_eq!(old.found, [""; 0], "{place:?}, {way:?}");
    assert!(!old.closed.is_empty(), "what was erased must not open: {old:?}");
    let answer = node.ask("GET", &path).by(&tenant.auditor).send();
    assert_ne!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains(&value));
    let found = node.search(&tenant.auditor, "audit", &format!("actor.id:{value}"));
    assert!(found.status != 200 || found.json()["data"] == json!([]), "{}", found.text());
    let restarted = node.restart();
    let answer = restarted.ask("GET", &path).by(&tenant.auditor).send();
    assert_ne!(answer.status, 200, "{}", answer.text());
}

/// None of the sealed files opens that are not `kept`, and there are such.
fn closed(data: &Path, tenant: &str, is_kept: impl Fn(&Vec<u8>) -> bool) {
    let (blobs, _) = open(data, tenant).expect("its key opens");
    let place = folder(data, tenant);
    let mut gone = 0;
    for file in files(&place) {
        let Some(id) = object_id(&file).filter(|id| !is_kept(id)) else { continue };
        let name = file.strip_prefix(&place).expect("below it").display().to_string();
        let opened = read(&blobs, &name, fs::read(&file).expect("a file").starts_with(b"LLO1"));
        assert!(opened.is_err(), "{name}, {id:02x?}");
        gone += 1;
    }
    assert!(gone > 0, "nothing was destroyed");
}

#[test]
fn an_old_copy_of_a_journal_does_not_open() {
    put_back(Where::Memory, Way::Event);
}

#[test]
fn an_old_copy_of_segments_does_not_open() {
    put_back(Where::Segments, Way::Subject);
}

#[test]
fn an_old_copy_of_merged_segments_does_not_open() {
    put_back(Where::Merged, Way::Event);
}

/// Others append all the while: what is durable and not in memory yet must not keep the file.
#[test]
fn what_is_erased_while_others_append_is_gone_at_once() {
    let story = Story::begin(Where::Memory);
    let values: Vec<(String, String)> = (0..8)
        .map(|_| {
            let value = format!("{}end", unique("zqx"));
            let ask = story.node.ask("POST", "/api/v1/logs").by(&story.tenant.admin);
            let recorded = ask.json(&event(&value, 1)).send().expect(201).json();
            (value, format!("/api/v1/logs/{}", recorded["id"].as_str().expect("an id")))
        })
        .collect();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(relaxed) {
                    let ask = story.node.ask("POST", "/api/v1/logs").by(&story.tenant.admin);
                    ask.json(&event("somebody", 7)).send().expect(201);
                }
            });
        }
        for (value, path) in &values {
            let ask = story.node.ask("DELETE", path).by(&story.tenant.admin);
            ask.json(&json!({"reason": "asked"})).send().expect(200);
            let after = traces(&story.node.data(), &story.tenant.id, value);
            assert_eq!(after.found, [""; 0]);
        }
        is_over.store(true, relaxed);
    });
}

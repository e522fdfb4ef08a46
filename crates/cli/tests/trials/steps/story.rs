//! What happens to a tenant's audit events, the same every time: each act is asked for until it is
//! answered, by whichever server is there.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ledgerline_bench::{Node, Reply};
use serde_json::{Value, json};

use crate::ledger::told::Told;
use crate::traces::traces;

/// How long a loop may take until it has moved events into segments and merged them.
const LOOP_WAIT: Duration = Duration::from_millis(1_300);
const JOB_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_WAIT: Duration = Duration::from_millis(20);

/// What only one event, or what was said of it, has.
const VALUE: &str = "zqxvaluezqx";
/// A person of whom some events speak.
const PERSON: &str = "zqxpersonzqx";

type Act = fn(&mut Story, &Node) -> Result<Answered>;

/// Whether an act was answered; if not, nobody knows what became of it.
type Answered = Option<()>;

const ACTS: [Act; 15] = [
    Story::append_one,
    Story::append_many,
    Story::prove,
    Story::amend,
    Story::wait,
    Story::erase,
    Story::append_more,
    Story::erase_person,
    Story::hold,
    Story::release,
    Story::clean_up,
    Story::rotate,
    Story::append_last,
    Story::wait,
    Story::prove,
];

/// The acts, and what was told of them.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) told: Told,
    key: String,
    next: usize,
    /// The jobs that were answered with.
    jobs: Vec<String>,
    is_person_erased: bool,
}

impl Story {
    pub(super) fn new(key: &str) -> Self {
        let told = Told::default();
        Self { told, key: key.to_owned(), next: 0, jobs: Vec::new(), is_person_erased: false }
    }

    /// Goes on to the end, or until a server does not answer. Whether that was the end.
    pub(super) fn play(&mut self, node: &Node) -> Result<bool> {
        while let Some(act) = ACTS.get(self.next) {
            match act(self, node).with_context(|| format!("act {}", self.next))? {
                Some(()) => self.next += 1,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn is_over(&self) -> bool {
        self.next == ACTS.len()
    }

    /// What was erased is in no file, and every job that was answered with is known.
    pub(super) fn check(&self, node: &Node, (data, tenant): (&Path, &str)) -> Result<()> {
        let is_erased = self.told.erased.contains("steps-value");
        for (value, is_erased) in [(VALUE, is_erased), (PERSON, self.is_person_erased)] {
            if is_erased {
                is_in_no_file((data, tenant), value)?;
            }
        }
        for job in &self.jobs {
            self.await_job(node, job)?.context("the server ended")?;
        }
        Ok(())
    }

    fn ask(&self, node: &Node, method: &str, path: &str, body: &Value) -> Result<Option<Reply>> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let authorization = format!("Bearer {}", self.key);
        let headers =
            [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let began = Instant::now();
        while began.elapsed() < JOB_TIME_MAX {
            match node.client().request(method, path, &headers, &body) {
                // An erasure of before the end may go on just now.
                Ok(reply) if reply.status == 503 => thread::sleep(LOOK_WAIT),
                Ok(reply) => return Ok(Some(reply)),
                Err(_) => return Ok(None),
            }
        }
        bail!("{method} {path} is answered with 503 again and again")
    }

    fn append(&mut self, node: &Node, events: &[Value]) -> Result<Answered> {
        let body = json!({"events": events});
        let Some(reply) = self.ask(node, "POST", "/api/v1/logs/bulk", &body)? else {
            return Ok(None);
        };
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        let answer = reply.json()?;
        let results = answer["results"].as_array().context("no results")?;
        results.iter().try_for_each(|result| self.told.store(result))?;
        Ok(Some(()))
    }

    fn append_one(&mut self, node: &Node) -> Result<Answered> {
        let event = event("steps-value", VALUE, 1);
        let Some(reply) = self.ask(node, "POST", "/api/v1/logs", &event)? else { return Ok(None) };
        ensure!(matches!(reply.status, 200 | 201), "{} {}", reply.status, reply.body);
        self.told.store(&reply.json()?)?;
        Ok(Some(()))
    }

    fn append_many(&mut self, node: &Node) -> Result<Answered> {
        let person = (0..2).map(|number| event(&format!("steps-person-{number}"), PERSON, number));
        let others = (0..4).map(|number| event(&format!("steps-other-{number}"), "other", number));
        self.append(node, &person.chain(others).collect::<Vec<_>>())
    }

    fn append_more(&mut self, node: &Node) -> Result<Answered> {
        let person = event("steps-person-2", PERSON, 3);
        let old = (0..3).map(|number| {
            let mut old = event(&format!("steps-old-{number}"), "old", number);
            old["occurred_at"] = format!("2019-01-0{}T00:00:00Z", number + 1).into();
            old
        });
        self.append(node, &std::iter::once(person).chain(old).collect::<Vec<_>>())
    }

    fn append_last(&mut self, node: &Node) -> Result<Answered> {
        self.append(node, &[event("steps-last-0", "other", 1), event("steps-last-1", "other", 2)])
    }

    /// Fetches a checkpoint over all that was told, and a proof of an event.
    fn prove(&mut self, node: &Node) -> Result<Answered> {
        let last = self.told.stored.values().map(|stored| stored.seq).max().unwrap_or(0);
        let path = format!("/api/v1/ledger/proof/inclusion?seq={last}");
        let Some(reply) = self.ask(node, "GET", &path, &Value::Null)? else { return Ok(None) };
        ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        let path = "/api/v1/ledger/checkpoint";
        let Some(reply) = self.ask(node, "GET", path, &Value::Null)? else { return Ok(None) };
        ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        self.told.keep_checkpoint(reply.body);
        let path = "/api/v1/logs/steps-other-0?proof=true";
        let Some(reply) = self.ask(node, "GET", path, &Value::Null)? else { return Ok(None) };
        ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        self.told.keep_proof(reply.body);
        Ok(Some(()))
    }

    fn amend(&mut self, node: &Node) -> Result<Answered> {
        for (id, note) in [("steps-value", VALUE), ("steps-other-0", "a note")] {
            let body = json!({"note": format!("said of {note}")});
            let path = format!("/api/v1/logs/{id}");
            let Some(reply) = self.ask(node, "PATCH", &path, &body)? else { return Ok(None) };
            ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        }
        Ok(Some(()))
    }

    /// Events go into segments, and segments into larger ones.
    fn wait(&mut self, node: &Node) -> Result<Answered> {
        thread::sleep(LOOP_WAIT);
        Ok(self.ask(node, "GET", "/api/v1/holds", &Value::Null)?.map(drop))
    }

    fn erase(&mut self, node: &Node) -> Result<Answered> {
        let id = "steps-value";
        self.told.begun.insert(id.to_owned());
        let body = json!({"reason": "asked"});
        let path = format!("/api/v1/logs/{id}");
        let Some(reply) = self.ask(node, "DELETE", &path, &body)? else { return Ok(None) };
        ensure!(matches!(reply.status, 200 | 410), "{} {}", reply.status, reply.body);
        self.told.begun.remove(id);
        self.told.erased.insert(id.to_owned());
        Ok(Some(()))
    }

    fn erase_person(&mut self, node: &Node) -> Result<Answered> {
        let ids: Vec<String> = (0..3).map(|number| format!("steps-person-{number}")).collect();
        self.told.begun.extend(ids.iter().cloned());
        let body = json!({"actor": PERSON, "reason": "asked"});
        let reply = self.ask(node, "POST", "/api/v1/erasures", &body)?;
        let Some(reply) = reply else { return Ok(None) };
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        for id in ids {
            self.told.begun.remove(&id);
            self.told.erased.insert(id);
        }
        self.is_person_erased = true;
        Ok(Some(()))
    }

    /// Places a hold, which forbids an erasure.
    fn hold(&mut self, node: &Node) -> Result<Answered> {
        let hold = json!({
            "name": "Case 7", "query": "resource.id:thing-1", "reason": "court",
            "owner": "legal@alpha.example",
        });
        let Some(reply) = self.ask(node, "POST", "/api/v1/holds", &hold)? else { return Ok(None) };
        ensure!(reply.status == 201, "{} {}", reply.status, reply.body);
        let (path, body) = ("/api/v1/logs/steps-other-1", json!({"reason": "asked"}));
        let Some(reply) = self.ask(node, "DELETE", path, &body)? else { return Ok(None) };
        ensure!(reply.status == 409, "{} {}", reply.status, reply.body);
        Ok(Some(()))
    }

    /// Releases every hold.
    fn release(&mut self, node: &Node) -> Result<Answered> {
        let Some(reply) = self.ask(node, "GET", "/api/v1/holds", &Value::Null)? else {
            return Ok(None);
        };
        let holds = reply.json()?;
        for hold in holds["data"].as_array().context("no holds")? {
            if !hold["released"].is_null() {
                continue;
            }
            let path = format!("/api/v1/holds/{}", hold["id"].as_str().context("no id")?);
            let body = json!({"reason": "closed"});
            let Some(reply) = self.ask(node, "DELETE", &path, &body)? else { return Ok(None) };
            ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        }
        Ok(Some(()))
    }

    fn clean_up(&mut self, node: &Node) -> Result<Answered> {
        let ids: Vec<String> = (0..3).map(|number| format!("steps-old-{number}")).collect();
        self.told.begun.extend(ids.iter().cloned());
        let (path, body) = ("/api/v1/logs/cleanup?before=2020-01-01", json!({"reason": "old"}));
        let Some(reply) = self.ask(node, "DELETE", path, &body)? else { return Ok(None) };
        ensure!(reply.status == 202, "{} {}", reply.status, reply.body);
        let job = reply.json()?["id"].as_str().context("no id")?.to_owned();
        self.jobs.push(job.clone());
        let ended = self.await_job(node, &job)?;
        if ended.is_some() {
            for id in ids {
                self.told.begun.remove(&id);
                self.told.retired.insert(id);
            }
        }
        Ok(ended)
    }

    fn await_job(&self, node: &Node, job: &str) -> Result<Answered> {
        let path = format!("/api/v1/jobs/{job}");
        let began = Instant::now();
        while began.elapsed() < JOB_TIME_MAX {
            let Some(reply) = self.ask(node, "GET", &path, &Value::Null)? else { return Ok(None) };
            ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
            match reply.json()?["state"].as_str() {
                Some("ready") => return Ok(Some(())),
                Some("running") => thread::sleep(LOOK_WAIT),
                _ => bail!("{path}: {}", reply.body),
            }
        }
        bail!("{path} is not done")
    }

    fn rotate(&mut self, node: &Node) -> Result<Answered> {
        let body = json!({"reason": "a trial"});
        let Some(reply) = self.ask(node, "POST", "/api/v1/ledger/rotate", &body)? else {
            return Ok(None);
        };
        ensure!(matches!(reply.status, 200 | 201), "{} {}", reply.status, reply.body);
        self.told.rotations += 1;
        Ok(Some(()))
    }
}

/// Looks into every file, each of which opens, unless it is just being written.
fn is_in_no_file((data, tenant): (&Path, &str), value: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let traces = traces(data, tenant, value);
        ensure!(traces.found.is_empty(), "{value} was erased: {traces:?}");
        if traces.closed.is_empty() {
            return Ok(());
        }
        ensure!(began.elapsed() < JOB_TIME_MAX, "{traces:?}");
        thread::sleep(LOOK_WAIT);
    }
}

fn event(id: &str, actor: &str, number: usize) -> Value {
    json!({
        "id": id,
        "action": "thing.changed",
        "actor": {"id": actor, "type": "user"},
        "resource": {"type": "thing", "id": format!("thing-{number}")},
        "occurred_at": format!("2026-01-0{}T0{}:00:00Z", 1 + number % 2, number),
        "message": format!("{actor} changed thing {number}"),
        "metadata": {"by": actor},
    })
}

/// Copies a folder that no server has open.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    crate::traces::copy(from, to);
    Ok(())
}

//! Those who use the ledger at once: they record events, alone and many at a time, erase some, and
//! fetch proofs. Whoever is not answered asks again until there is an answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ledgerline_bench::{Client, Reply, Tenant};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::told::Told;

const RECORDERS: u64 = 3;
const BULK_EVENTS_MAX: u64 = 40;
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
const TRIES_MAX: usize = 20_000;

/// What was told, while nobody asks for more.
pub(super) struct Known<'a> {
    told: MutexGuard<'a, Told>,
    server: Option<RwLockWriteGuard<'a, Server>>,
}

impl std::ops::Deref for Known<'_> {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.told
    }
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { stored, erased, proofs, checkpoints, rotations, unanswered, .. } = &*self.told;
        write!(f, "{} events, {} erasures and ", stored.len(), erased.len())?;
        write!(f, "{rotations} new keys acknowledged ")?;
        write!(f, "({unanswered} requests unanswered and asked again), {} proofs ", proofs.len())?;
        write!(f, "and {} checkpoints fetched", checkpoints.len())
    }
}

impl Known<'_> {
    /// Lets everybody ask this server.
    pub(super) fn go_on(mut self, url: &str, token: &str) {
        if let Some(server) = &mut self.server {
            **server = Server { url: url.to_owned(), token: token.to_owned() };
        }
    }
}

/// Whom everybody asks, and as whom.
#[derive(Debug, Clone)]
struct Server {
    url: String,
    token: String,
}

#[derive(Debug)]
struct Shared {
    /// Read by each request for as long as it runs.
    server: RwLock<Server>,
    told: Mutex<Told>,
    is_over: AtomicBool,
    numbers: AtomicU64,
    faults: Mutex<Vec<String>>,
}

/// People at work.
pub(super) struct People {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl People {
    pub(super) fn start(url: &str, tenant: &Tenant) -> Self {
        let token = tenant.token.clone();
        let shared = Arc::new(Shared {
            server: RwLock::new(Server { url: url.to_owned(), token }),
            told: Mutex::default(),
            is_over: AtomicBool::new(false),
            numbers: AtomicU64::new(0),
            faults: Mutex::default(),
        });
        let person = |number: u64, work: fn(&Person, &mut StdRng) -> Result<()>| {
            let person = Person { shared: Arc::clone(&shared) };
            thread::spawn(move || {
                let mut random = StdRng::seed_from_u64(number);
                while !person.shared.is_over.load(Ordering::Relaxed) {
                    if let Err(why) = work(&person, &mut random) {
                        lock(&person.shared.faults).push(format!("person {number}: {why:#}"));
                        break;
                    }
                }
            })
        };
        let mut threads: Vec<_> =
            (0..RECORDERS).map(|number| person(number, Person::record)).collect();
        threads.push(person(100, Person::erase));
        threads.push(person(101, Person::erase));
        threads.push(person(200, Person::prove));
        threads.push(person(300, Person::rotate));
        Self { shared, threads: Mutex::new(threads) }
    }

    /// Waits until no request runs any more, and keeps everybody from asking until it is let go on.
    pub(super) fn pause(&self) -> Known<'_> {
        let server = self.shared.server.write().unwrap_or_else(PoisonError::into_inner);
        Known { told: lock(&self.shared.told), server: Some(server) }
    }

    /// Lets everybody end what was begun: the server must be running.
    pub(super) fn finish(&self) -> Result<Known<'_>> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            ensure!(thread.join().is_ok(), "somebody panicked");
        }
        let faults = std::mem::take(&mut *lock(&self.shared.faults));
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(Known { told: lock(&self.shared.told), server: None })
    }
}

struct Person {
    shared: Arc<Shared>,
}

impl Person {
    /// Asks until there is an answer that settles it.
    fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> Result<Reply> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        for _ in 0..TRIES_MAX {
            {
                let server = self.shared.server.read().unwrap_or_else(PoisonError::into_inner);
                let client = Client::new(&server.url, ANSWER_TIME_MAX);
                let authorization = format!("Bearer {}", server.token);
                let mut headers = vec![("authorization", authorization.as_str())];
                if !body.is_empty() {
                    headers.push(("content-type", "application/json"));
                }
                if !key.is_empty() {
                    headers.push(("idempotency-key", key));
                }
                match client.request(method, path, &headers, &body) {
                    Ok(reply) if matches!(reply.status, 408 | 409 | 429 | 503) => {}
                    Ok(reply) => return Ok(reply),
                    Err(_) => lock(&self.shared.told).unanswered += 1,
                }
            }
            thread::sleep(PAUSE);
        }
        bail!("{method} {path} was not answered in {TRIES_MAX} tries")
    }

    /// Records one event, or many.
    fn record(&self, random: &mut StdRng) -> Result<()> {
        let count =
            if random.random_bool(0.5) { 1 } else { random.random_range(2..BULK_EVENTS_MAX) };
        let first = self.shared.numbers.fetch_add(count, Ordering::Relaxed);
        let mut events: Vec<Value> = (first..first + count).map(event).collect();
        let key = format!("request-{first}");
        if count == 1 {
            let reply = self.ask("POST", "/api/v1/logs", &key, &events.remove(0))?;
            ensure!(matches!(reply.status, 200 | 201), "{} {}", reply.status, reply.body);
            return self.stored(first, &reply.json()?);
        }
        let body = json!({"events": events});
        let reply = self.ask("POST", "/api/v1/logs/bulk", &key, &body)?;
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        let answer = reply.json()?;
        let results = answer["results"].as_array().context("no results")?;
        ensure!(results.len() as u64 == count, "{} results of {count}", results.len());
        (first..).zip(results).try_for_each(|(number, result)| self.stored(number, result))
    }

    fn stored(&self, number: u64, answer: &Value) -> Result<()> {
        let id = id(number);
        ensure!(answer["id"] == id.as_str(), "{id} is answered {answer}");
        lock(&self.shared.told).store(answer)
    }

    /// Erases some event.
    fn erase(&self, random: &mut StdRng) -> Result<()> {
        let Some(id) = self.choose(random) else {
            thread::sleep(PAUSE);
            return Ok(());
        };
        if !lock(&self.shared.told).begun.insert(id.clone()) {
            return Ok(());
        }
        let path = format!("/api/v1/logs/{id}");
        let reply = self.ask("DELETE", &path, "", &json!({"reason": "asked"}))?;
        // Gone already when a try was cut short that a start ended.
        ensure!(matches!(reply.status, 200 | 410), "{id}: {} {}", reply.status, reply.body);
        let mut told = lock(&self.shared.told);
        told.begun.remove(&id);
        told.erased.insert(id);
        drop(told);
        thread::sleep(PAUSE * random.random_range(1..20));
        Ok(())
    }

    /// Fetches the proof of some event, or the newest checkpoint.
    fn prove(&self, random: &mut StdRng) -> Result<()> {
        thread::sleep(PAUSE * 4);
        let Some(id) = self.choose(random) else { return Ok(()) };
        if random.random_bool(0.3) {
            let reply = self.ask("GET", "/api/v1/ledger/checkpoint", "", &Value::Null)?;
            if reply.status == 200 {
                lock(&self.shared.told).keep_checkpoint(reply.body);
            }
            return Ok(());
        }
        let path = format!("/api/v1/logs/{id}?proof=true");
        let reply = self.ask("GET", &path, "", &Value::Null)?;
        ensure!(matches!(reply.status, 200 | 410), "{id}: {} {}", reply.status, reply.body);
        if reply.status == 200 {
            lock(&self.shared.told).keep_proof(reply.body);
        }
        Ok(())
    }

    /// Gives the ledger a new key.
    fn rotate(&self, random: &mut StdRng) -> Result<()> {
        let wait = PAUSE * random.random_range(100..500);
        let from = Instant::now();
        while from.elapsed() < wait && !self.shared.is_over.load(Ordering::Relaxed) {
            thread::sleep(PAUSE);
        }
        let reason = json!({"reason": "a trial"});
        let reply = self.ask("POST", "/api/v1/ledger/rotate", "", &reason)?;
        // There is no ledger before the first event.
        ensure!(matches!(reply.status, 200 | 201 | 404), "{} {}", reply.status, reply.body);
        lock(&self.shared.told).rotations += u64::from(reply.status != 404);
        Ok(())
    }

    /// Some event that nobody erases.
    fn choose(&self, random: &mut StdRng) -> Option<String> {
        let told = lock(&self.shared.told);
        let from = id(random.random_range(0..=self.shared.numbers.load(Ordering::Relaxed)));
        let is_free = |id: &&String| !told.begun.contains(*id) && !told.erased.contains(*id);
        told.stored.range(from..).map(|(id, _)| id).find(is_free).cloned()
    }
}

fn id(number: u64) -> String {
    format!("trial-{number:08}")
}

fn event(number: u64) -> Value {
    json!({
        "id": id(number),
        "action": "trial.done",
        "actor": {"id": format!("actor-{}", number % 7), "type": "user"},
        "resource": {"type": "thing", "id": format!("thing-{number}")},
        "occurred_at": format!("2026-01-{:02}T{:02}:00:00Z", 1 + number % 28, number % 24),
        "message": format!("what happened as number {number}"),
        "metadata": {"number": number},
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Senders that never give up: each event has a number of its own, each batch a key under which it
//! is sent until it is acknowledged.

use std::io::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use ledgerline_bench::{Client, Reply};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// The dataset that events are sent to.
pub(crate) const DATASET: &str = "trial";
const SENDERS: u64 = 4;
/// How many numbers each sender has to give out.
const NUMBERS_PER_SENDER: u64 = 1 << 32;
const BATCH_EVENTS_MAX: u64 = 300;
/// Nobody waits longer for an answer; then the batch is sent again.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// After this many tries of one batch the server is not coming back.
const TRIES_MAX: usize = 20_000;

/// What senders know of each other.
struct Shared {
    address: Mutex<String>,
    key: String,
    is_over: AtomicBool,
    acknowledged: Mutex<Vec<Range<u64>>>,
    faults: Mutex<Vec<String>>,
    counts: Counts,
}

/// What happened to requests.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Answered 200, and not asked before.
    pub(crate) batches: AtomicU64,
    /// Sent again though it was acknowledged.
    pub(crate) repeated: AtomicU64,
    /// Not answered at all, so sent again.
    pub(crate) unanswered: AtomicU64,
    /// Answered that it should come back later.
    pub(crate) deferred: AtomicU64,
}

/// Senders at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<()>>,
}

/// What senders were told.
pub(crate) struct Ledger {
    /// The numbers of the events that were acknowledged, each once.
    pub(crate) acknowledged: Vec<Range<u64>>,
    /// What happened to requests.
    pub(crate) counts: Counts,
}

impl Ledger {
    /// How many events were acknowledged.
    pub(crate) fn events(&self) -> u64 {
        self.acknowledged.iter().map(|range| range.end - range.start).sum()
    }
}

impl Load {
    /// Begins to send with this key. Numbers are given out from `first`, and the same seed sends
    /// the same events.
    pub(crate) fn start(url: &str, key: &str, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            address: Mutex::new(url.to_owned()),
            key: key.to_owned(),
            is_over: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            faults: Mutex::default(),
            counts: Counts::default(),
        });
        let sender = |number| {
            let mut sender = Sender {
                shared: Arc::clone(&shared),
                random: StdRng::seed_from_u64(seed * SENDERS + number),
                name: format!("trial-{seed}-{number}"),
                next: (seed * SENDERS + number) * NUMBERS_PER_SENDER,
            };
            thread::spawn(move || {
                if let Err(fault) = sender.run() {
                    lock(&sender.shared.faults).push(format!("{}: {fault:#}", sender.name));
                }
            })
        };
        let senders = (0..SENDERS).map(sender).collect();
        Self { shared, senders }
    }

    /// The server has another address from now on.
    pub(crate) fn turn_to(&self, url: &str) {
        url.clone_into(&mut lock(&self.shared.address));
    }

    /// Lets every sender end what it has begun: the server must be running.
    pub(crate) fn finish(self) -> Result<Ledger> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for sender in self.senders {
            ensure!(sender.join().is_ok(), "a sender panicked");
        }
        let faults = std::mem::take(&mut *lock(&self.shared.faults));
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        let Ok(shared) = Arc::try_unwrap(self.shared).map_err(drop) else {
            bail!("a sender still sends")
        };
        let acknowledged = shared.acknowledged.into_inner();
        Ok(Ledger {
            acknowledged: acknowledged.unwrap_or_else(PoisonError::into_inner),
            counts: shared.counts,
        })
    }
}

struct Sender {
    shared: Arc<Shared>,
    random: StdRng,
    name: String,
    next: u64,
}

/// One request's worth of events.
struct Batch {
    numbers: Range<u64>,
    has_ids: bool,
    encoding: &'static str,
    body: Vec<u8>,
}

impl Sender {
    fn run(&mut self) -> Result<()> {
        while !self.shared.is_over.load(Ordering::Relaxed) {
            let batch = self.batch()?;
            let key = format!("{}-{}", self.name, batch.numbers.start);
            let reply = self.deliver(&batch, &key)?;
            let length = batch.numbers.end - batch.numbers.start;
            let (accepted, body) = (reply.json()?["accepted"].as_u64(), &reply.body);
            ensure!(accepted == Some(length), "{length} events were answered with {body}");
            lock(&self.shared.acknowledged).push(batch.numbers.clone());
            self.shared.counts.batches.fetch_add(1, Ordering::Relaxed);
            if self.random.random_bool(0.2) {
                self.repeat(&batch, &key)?;
            }
        }
        Ok(())
    }

    /// Sends a batch that was acknowledged again: under the same key or, where its events have ids,
    /// under another.
    fn repeat(&mut self, batch: &Batch, key: &str) -> Result<()> {
        let other = format!("{key}-other");
        let key = if batch.has_ids { &other } else { key };
        let reply = self.deliver(batch, key)?;
        let (answer, length) = (reply.json()?, batch.numbers.end - batch.numbers.start);
        ensure!(answer["accepted"].as_u64() == Some(length), "a repetition is answered {answer}");
        if batch.has_ids {
            let duplicates = answer["duplicates"].as_u64();
            ensure!(duplicates == Some(length), "known ids are answered {answer}");
        }
        self.shared.counts.repeated.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Sends until there is an answer that settles it.
    fn deliver(&self, batch: &Batch, key: &str) -> Result<Reply> {
        let path = format!("/api/v1/ingest/{DATASET}");
        let headers = [
            ("content-type", "application/x-ndjson"),
            ("content-encoding", batch.encoding),
            ("idempotency-key", key),
        ];
        let mut client = self.client();
        for _ in 0..TRIES_MAX {
            if client.url() != *lock(&self.shared.address) {
                client = self.client();
            }
            let counts = &self.shared.counts;
            match client.post_bytes(&path, &self.shared.key, &headers, &batch.body) {
                Ok(reply) if reply.status == 200 => return Ok(reply),
                Ok(reply) if matches!(reply.status, 408 | 409 | 429 | 503) => {
                    counts.deferred.fetch_add(1, Ordering::Relaxed);
                }
                Ok(reply) => bail!("answered {} {}", reply.status, reply.body),
                Err(_) => {
                    counts.unanswered.fetch_add(1, Ordering::Relaxed);
                }
            }
            thread::sleep(PAUSE);
        }
        bail!("a batch was not taken in {TRIES_MAX} tries")
    }

    fn client(&self) -> Client {
        Client::new(&lock(&self.shared.address), ANSWER_TIME_MAX)
    }

    fn batch(&mut self) -> Result<Batch> {
        let length = self.random.random_range(1..=BATCH_EVENTS_MAX);
        let numbers = self.next..self.next + length;
        self.next = numbers.end;
        let has_ids = self.random.random_bool(0.3);
        let mut body = Vec::new();
        for number in numbers.clone() {
            self.event(number, has_ids, &mut body)?;
        }
        if self.random.random_bool(0.3) {
            let body = zstd::encode_all(body.as_slice(), 1)?;
            return Ok(Batch { numbers, has_ids, encoding: "zstd", body });
        }
        Ok(Batch { numbers, has_ids, encoding: "identity", body })
    }

    /// An event of the last days, or of now when it says no time.
    fn event(&mut self, number: u64, has_id: bool, body: &mut Vec<u8>) -> Result<()> {
        write!(body, r#"{{"n":{number},"sender":"{}""#, self.name)?;
        if has_id {
            write!(body, r#","_id":"event-{number}""#)?;
        }
        if self.random.random_bool(0.2) {
            let (day, hour) = (self.random.random_range(1..=28), self.random.random_range(0..24));
            write!(body, r#","@timestamp":"2026-01-{day:02}T{hour:02}:00:00Z""#)?;
        }
        let noise: u64 = self.random.random();
        let width = self.random.random_range(1..200);
        writeln!(body, r#","message":"event {number} says {noise:x}","pad":"{noise:0width$}"}}"#)?;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

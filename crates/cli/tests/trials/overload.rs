//! More events than the machine can take, in little memory: the excess is told to come back, nobody
//! is killed, and what was acknowledged is what is stored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Client, peak_bytes};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::cgroup::MemoryGroup;
use crate::place::{Place, cannot, launch, number, report, tail};

const DATASET: &str = "flood";
const SECONDS: u64 = 5;
const LIMIT_BYTES: u64 = 1 << 30;
const CONNECTIONS: u64 = 48;
const BATCH_EVENTS: u64 = 4_000;
/// Where in an event the number of its batch stands, and how wide it is.
const BATCH_DIGITS: usize = 12;
const BATCH_AT: usize = r#"{"batch":""#.len();
/// Nobody is so patient as to wait longer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// After a refusal; far less than the server asks for.
const PAUSE: Duration = Duration::from_millis(20);

/// What the senders saw.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    next_batch: AtomicU64,
    acknowledged: AtomicU64,
    statuses: Mutex<BTreeMap<u16, u64>>,
    faults: Mutex<Vec<String>>,
    unanswered: Mutex<BTreeMap<String, u64>>,
    /// Batches that nobody answered for: they may be stored or not, but whole.
    unknown: AtomicU64,
}

#[test]
fn too_much_is_refused_and_nothing_is_lost() -> Result<()> {
    let seconds = number("LEDGERLINE_OVERLOAD_SECONDS").unwrap_or(SECONDS);
    let place = Place::new()?;
    let group = match MemoryGroup::new(LIMIT_BYTES) {
        Ok(group) => group,
        Err(why) => {
            return cannot("overload", format_args!("memory cannot be limited here: {why:#}"));
        }
    };
    let launch = launch(&place.join("data")).behind(group.front());
    let launch = launch.with("LEDGERLINE_LOG_LEVEL", "warn");
    let mut node = launch.start()?;
    let tenant = node.tenant("alpha")?;
    let seen = Arc::new(Seen::default());
    let started = Instant::now();
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|sender| {
            let (seen, key) = (Arc::clone(&seen), tenant.key.clone());
            let client = Client::new(node.url(), ANSWER_TIME_MAX);
            thread::spawn(move || seen.flood(&client, &key, sender))
        })
        .collect();
    while started.elapsed() < Duration::from_secs(seconds) && node.is_running()? {
        thread::sleep(Duration::from_millis(100));
    }
    seen.is_over.store(true, Ordering::Relaxed);
    let took = started.elapsed();
    ensure!(senders.into_iter().all(|sender| sender.join().is_ok()), "a sender panicked");
    ensure!(node.is_running()?, "the server ended: {}", tail(&launch.log()));

    let by_batch =
        node.analyse(&tenant, DATASET, "* | stats count() as n by batch | limit 100000")?;
    let rows = by_batch["rows"].as_array().context("no rows")?;
    ensure!(rows.iter().all(|row| row[1] == BATCH_EVENTS), "a batch is stored in part");
    let (stored, acknowledged) = (rows.len() as u64, seen.acknowledged.load(Ordering::Relaxed));
    let unknown = seen.unknown.load(Ordering::Relaxed);
    let statuses = seen.statuses.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mib = |bytes: u64| bytes >> 20;
    let events_per_second = acknowledged * BATCH_EVENTS * 1000 / took.as_millis().max(1) as u64;
    report(format_args!(
        "overload: {seconds} s, {CONNECTIONS} connections, answers {statuses:?}, unanswered {:?}; \
         {acknowledged} batches of {BATCH_EVENTS} acknowledged ({events_per_second} events/s), \
         {stored} stored; peak {} MiB of its own, {} MiB with files, limit hit {} times",
        seen.unanswered.lock().unwrap_or_else(PoisonError::into_inner),
        mib(peak_bytes(node.pid())?),
        mib(group.peak_bytes()?),
        group.limit_hits()?,
    ));
    let faults = seen.faults.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(faults.is_empty(), "{} wrong answers, such as {}", faults.len(), faults[0]);
    ensure!(
        (acknowledged..=acknowledged + unknown).contains(&stored),
        "{acknowledged} batches were acknowledged, {stored} are stored, {unknown} not answered for"
    );
    ensure!(unknown == 0, "{unknown} requests got no answer");
    let refused: u64 = statuses.iter().filter(|(status, _)| **status != 200).map(|(_, n)| n).sum();
    ensure!(refused > 0, "it was not too much: nothing was refused");
    node.stop().map(drop)
}

impl Seen {
    fn flood(&self, client: &Client, key: &str, sender: u64) {
        let mut body = body(sender);
        let path = format!("/api/v1/ingest/{DATASET}");
        let headers = [("content-type", "application/x-ndjson")];
        while !self.is_over.load(Ordering::Relaxed) {
            let batch = self.next_batch.fetch_add(1, Ordering::Relaxed);
            stamp(&mut body, batch);
            match client.post_bytes(&path, key, &headers, &body) {
                Ok(reply) => {
                    let status = reply.status;
                    *lock(&self.statuses).entry(status).or_default() += 1;
                    let is_deferred = matches!(status, 429 | 503);
                    let says_when = reply.headers.contains_key("retry-after");
                    let is_taken = status == 200 && is_whole(&reply.body);
                    if !(is_taken || is_deferred && says_when) {
                        let fault = format!("{status} {:?} {}", reply.headers, reply.body);
                        lock(&self.faults).push(fault);
                    }
                    self.acknowledged.fetch_add(u64::from(is_taken), Ordering::Relaxed);
                    if !is_taken {
                        thread::sleep(PAUSE);
                    }
                }
                Err(error) => {
                    self.unknown.fetch_add(1, Ordering::Relaxed);
                    *lock(&self.unanswered).entry(format!("{error:#}")).or_default() += 1;
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}

fn is_whole(answer: &str) -> bool {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
    answer["accepted"] == BATCH_EVENTS && answer["rejected"] == 0
}

/// Events, a line each, that say which batch they are of in a place of fixed width.
fn body(sender: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(sender);
    let mut line = |n| {
        let [noise, user]: [u64; 2] = [random.random(), random.random_range(0..1000)];
        format!(
            "{{\"batch\":\"{:0BATCH_DIGITS$}\",\"n\":{n},\"user\":\"user-{user}\",\"level\":\"info\",\
             \"message\":\"GET /api/v1/orders/{noise:x} took {user} ms\",\"trace\":\"{noise:032x}\",\
             \"agent\":\"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\"}}\n",
            0
        )
    };
    (0..BATCH_EVENTS).map(&mut line).collect::<String>().into_bytes()
}

fn stamp(body: &mut [u8], batch: u64) {
    let digits = format!("{batch:0BATCH_DIGITS$}");
    for line in body.split_inclusive_mut(|byte| *byte == b'\n') {
        line[BATCH_AT..BATCH_AT + BATCH_DIGITS].copy_from_slice(digits.as_bytes());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The load itself: batches that are ready, and connections that send them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bench::Arguments;
use crate::bench::latency::Latencies;
use crate::client::{Answer, Client, Upload};
use crate::clock::{self, Watch};
use crate::failure::Failure;
use crate::send::{self, Ready};
use crate::stop::Stop;

/// Everything that a run needs.
#[derive(Debug)]
pub(super) struct Load {
    client: Client,
    path: String,
    /// A name that no other run has, for the batches' `Idempotency-Key`.
    run: String,
    batches: Vec<Ready>,
    connections: u16,
    rate: Option<u64>,
    stop: Arc<Stop>,
}

/// What the server did with the load.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) batches_accepted: u64,
    pub(super) events_accepted: u64,
    pub(super) events_rejected: u64,
    /// Of accepted batches, before compression.
    pub(super) bytes_accepted: u64,
    /// 429.
    pub(super) busy: u64,
    /// 503.
    pub(super) unavailable: u64,
    /// Of those two, how many did not say when to come back.
    pub(super) without_retry_after: u64,
    /// Any other status, or no answer.
    pub(super) failed: u64,
    pub(super) first_failure: Option<String>,
    pub(super) latencies: Latencies,
}

impl Load {
    /// Cuts and compresses the file.
    pub(super) fn read(
        arguments: &Arguments,
        client: Client,
        stop: &Arc<Stop>,
    ) -> Result<Self, Failure> {
        let (file, batch_bytes) = (&arguments.file, arguments.batch_bytes);
        let batches = send::ready_batches(file, batch_bytes, arguments.file_bytes, stop)?;
        if batches.is_empty() {
            return Err(Failure::new(format!("{} has no events", file.display())));
        }
        Ok(Self {
            client,
            path: send::ingest_path(&arguments.dataset)?,
            run: clock::random_name(),
            batches,
            connections: arguments.connections,
            rate: arguments.rate,
            stop: Arc::clone(stop),
        })
    }

    /// Sends for so long.
    pub(super) fn run(&self, duration: Duration) -> (Tally, Duration) {
        let watch = Watch::start();
        let next = AtomicU64::new(0);
        let mut tally = Tally::default();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| self.connection(&next, watch, duration)))
                .collect();
            for thread in threads {
                match thread.join() {
                    Ok((one, latencies)) => tally.join(one, latencies),
                    Err(_) => tally.fail("a sending thread panicked".into()),
                }
            }
        });
        (tally, watch.elapsed())
    }

    fn connection(
        &self,
        next: &AtomicU64,
        watch: Watch,
        duration: Duration,
    ) -> (Tally, Vec<Duration>) {
        let mut tally = Tally::default();
        let mut latencies = Vec::new();
        while watch.elapsed() < duration && !self.stop.is_asked() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = self.due(number);
            if due >= duration || self.stop.wait(due.saturating_sub(watch.elapsed())) {
                break;
            }
            let at = usize::try_from(number % self.batches.len() as u64).unwrap_or(0);
            let batch = &self.batches[at];
            let key = format!("bench-{}-{number}", self.run);
            let upload = Upload {
                bytes: &batch.packed.bytes,
                content_type: batch.content_type,
                encoding: batch.packed.encoding,
                idempotency_key: Some(&key),
            };
            let sent = watch.elapsed();
            match self.client.post(&self.path, &upload) {
                Ok(answer) if answer.status.is_success() => {
                    latencies.push(watch.elapsed().saturating_sub(sent));
                    tally.accept(batch, &answer);
                }
                Ok(answer) => tally.refuse(&answer),
                Err(error) => tally.fail(error.to_string()),
            }
        }
        (tally, latencies)
    }

    /// When batch `number` is due, so that events come at the wanted rate. Late batches are sent
    /// at once, so that a slow server does not lower the load.
    fn due(&self, number: u64) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let events: u64 = self.batches.iter().map(|batch| batch.events).sum();
        let rounds = u128::from(number) * u128::from(events) / self.batches.len() as u128;
        let due_us = rounds * 1_000_000 / u128::from(rate);
        Duration::from_micros(u64::try_from(due_us).unwrap_or(u64::MAX))
    }
}

impl Tally {
    fn accept(&mut self, batch: &Ready, answer: &Answer) {
        match send::Receipt::read(answer) {
            Ok(receipt) => {
                self.batches_accepted += 1;
                self.events_accepted += receipt.accepted;
                self.events_rejected += receipt.rejected;
                self.bytes_accepted += batch.size_bytes;
            }
            Err(_) => self.fail("a receipt is not understood".into()),
        }
    }

    fn refuse(&mut self, answer: &Answer) {
        match answer.status.as_u16() {
            429 => self.busy += 1,
            503 => self.unavailable += 1,
            _ => return self.fail(answer.refusal().text().trim_end().replace('\n', "; ")),
        }
        self.without_retry_after += u64::from(answer.retry_after.is_none());
    }

    fn fail(&mut self, failure: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(failure);
    }

    fn join(&mut self, other: Self, latencies: Vec<Duration>) {
        self.batches_accepted += other.batches_accepted;
        self.events_accepted += other.events_accepted;
        self.events_rejected += other.events_rejected;
        self.bytes_accepted += other.bytes_accepted;
        self.busy += other.busy;
        self.unavailable += other.unavailable;
        self.without_retry_after += other.without_retry_after;
        self.failed += other.failed;
        if let Some(failure) = other.first_failure {
            self.first_failure.get_or_insert(failure);
        }
        self.latencies.add_all(latencies);
    }
}

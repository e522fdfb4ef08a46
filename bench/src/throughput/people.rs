//! Those who ask a server at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::acknowledged::Acknowledged;
use super::connection::{Connection, request};
use super::events::{Requests, search};
use crate::node::Tenant;

/// How long the searcher reads what was found before the next search.
const READING: Duration = Duration::from_millis(30);
/// How often is looked for a checkpoint.
const LOOK_WAIT: Duration = Duration::from_millis(50);
/// How long a sender waits who is told to come later.
const LATER: Duration = Duration::from_millis(100);

/// What everybody knows.
#[derive(Debug)]
pub(super) struct Everybody<'a> {
    pub(super) url: &'a str,
    pub(super) tenant: &'a Tenant,
    pub(super) requests: &'a Requests,
    pub(super) acknowledged: &'a Acknowledged,
    pub(super) refused: &'a AtomicU64,
    pub(super) is_over: &'a AtomicBool,
}

/// How far a checkpoint is behind what was acknowledged.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Behind {
    pub(super) events: u64,
    pub(super) seconds: f64,
}

impl Everybody<'_> {
    /// Sends events over one connection for so long.
    pub(super) fn send(&self, number: usize, time: Duration) -> Result<()> {
        let start = Instant::now();
        let mut connection = Connection::open(self.url)?;
        // Prime to the number of requests, so that the senders send different ones.
        for request in self.requests.all.iter().cycle().skip(number * 127) {
            if start.elapsed() >= time {
                break;
            }
            let (status, answer) = connection.ask(request)?;
            match status {
                200 | 201 => {
                    let is_whole = self.requests.events == 1 || starts_whole(answer);
                    let seq = last_number(answer).filter(|_| is_whole);
                    let answered = || String::from_utf8_lossy(answer).into_owned();
                    self.acknowledged.note(seq.with_context(answered)?, self.requests.events);
                }
                429 | 503 => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(LATER);
                }
                _ => bail!("{status} {}", String::from_utf8_lossy(answer)),
            }
        }
        Ok(())
    }

    /// Searches with changing filters until it is over; answers how long each search took, in
    /// milliseconds.
    pub(super) fn search(&self) -> Result<Vec<f64>> {
        let mut connection = Connection::open(self.url)?;
        let mut took = Vec::new();
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let request = search(self.tenant, number);
            let start = Instant::now();
            let (status, answer) = connection.ask(&request)?;
            // There is no dataset before its first event.
            if status != 404 {
                took.push(start.elapsed().as_secs_f64() * 1000.0);
                ensure!(status == 200, "{status} {}", String::from_utf8_lossy(answer));
            }
            thread::sleep(READING);
        }
        Ok(took)
    }

    /// Looks at the checkpoint until it is over; answers how far it was behind at most.
    pub(super) fn observe(&self) -> Result<Behind> {
        let mut connection = Connection::open(self.url)?;
        let ask = request("GET", "/api/v1/ledger/checkpoint", &self.tenant.key, "");
        let mut most = Behind::default();
        while !self.is_over.load(Ordering::Relaxed) {
            let (status, answer) = connection.ask(&ask)?;
            let size = match status {
                // There is none before the first event.
                404 => 0,
                200 => size(answer).context("a checkpoint has no size")?,
                _ => bail!("{status} {}", String::from_utf8_lossy(answer)),
            };
            let behind = self.acknowledged.behind(size);
            most.events = most.events.max(behind.events);
            most.seconds = most.seconds.max(behind.seconds);
            thread::sleep(LOOK_WAIT);
        }
        Ok(most)
    }
}

/// Whether an answer to many events says that none was refused.
fn starts_whole(answer: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&answer[..answer.len().min(100)]).into_owned();
    start.contains("\"rejected\":0,")
}

/// The number of the last event of an answer.
fn last_number(answer: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"seq\":";
    let start = answer.windows(NAME.len()).rposition(|bytes| bytes == NAME)? + NAME.len();
    let digits = answer[start..].iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(&answer[start..start + digits.count()]).ok()?.parse().ok()
}

/// How many entries a checkpoint is over.
fn size(checkpoint: &[u8]) -> Option<u64> {
    std::str::from_utf8(checkpoint).ok()?.lines().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_without_understanding_them() {
        let answer = br#"{"accepted":2,"rejected":0,"results":[{"seq":7},{"seq":12,"a":"b"}]}"#;
        assert!(starts_whole(answer));
        assert_eq!(last_number(answer), Some(12));
        assert!(!starts_whole(br#"{"accepted":1,"rejected":1}"#));
        assert_eq!(last_number(b"{}"), None);
        assert_eq!(size(b"origin\n42\nroot\n\nsignature\n"), Some(42));
    }
}

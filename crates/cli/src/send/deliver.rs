//! One batch on its way: compressed once, sent until the server has answered for it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::StatusCode;
use zstd::bulk::Compressor;

use crate::client::{Answer, Client, Upload};
use crate::clock::{self, Watch};
use crate::failure::Failure;
use crate::send::cut::Batch;
use crate::stop::Stop;

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// What a worker needs to send batches.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) client: Client,
    pub(super) path: String,
    /// A name that no other run has: the first part of every batch's `Idempotency-Key`.
    pub(super) run: String,
    pub(super) patience: Patience,
    pub(super) stop: Arc<Stop>,
}

/// How long a batch is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    give_up_after: Duration,
}

/// What the server says of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// How many events it took.
    pub(crate) accepted: u64,
    /// How many of those it had before.
    pub(crate) duplicates: u64,
    /// How many it did not take.
    pub(crate) rejected: u64,
    /// The first of those.
    pub(crate) errors: Vec<Reject>,
}

/// How the server says it: it names the first rejects of logs, and what became of each of some
/// audit events.
#[derive(Deserialize)]
struct Told {
    accepted: u64,
    #[serde(default)]
    duplicates: u64,
    rejected: u64,
    #[serde(default)]
    errors: Vec<Reject>,
    #[serde(default)]
    results: Vec<ToldOfOne>,
}

#[derive(Deserialize)]
struct ToldOfOne {
    error: Option<ToldReject>,
}

#[derive(Deserialize)]
struct ToldReject {
    code: String,
    detail: String,
}

/// An event that was not taken.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Reject {
    /// Its line in the batch, or its number in the array, from 1.
    pub(crate) line: u64,
    /// A stable name of the reason.
    pub(crate) code: String,
    /// The reason in words.
    #[serde(default)]
    pub(crate) detail: String,
}

impl Patience {
    pub(super) fn new(give_up_after: Duration) -> Self {
        Self { give_up_after }
    }

    /// How long to wait before try `attempt` (from 1), after so much time: at least as long as the
    /// server asks for, and spread, so that clients do not come back all at once. Nothing when it
    /// would be too long.
    fn wait(
        self,
        attempt: u32,
        passed: Duration,
        retry_after: Option<Duration>,
        share: f64,
    ) -> Option<Duration> {
        let longest = FIRST_WAIT.saturating_mul(1 << attempt.min(10)).min(LONGEST_WAIT);
        let spread = longest.mul_f64(share);
        let wait = match retry_after {
            Some(least) => least + spread.min(least.max(FIRST_WAIT)),
            None => FIRST_WAIT / 2 + spread,
        };
        (passed + wait <= self.give_up_after).then_some(wait)
    }
}

/// A compressor at level 1: the network is seldom slower than that.
pub(super) fn compressor() -> Result<Compressor<'static>, Failure> {
    Compressor::new(1).map_err(|error| Failure::caused("no compressor can be made", &error))
}

/// A server refuses a body that grows by more than 200 times, as bombs do; some logs are that
/// repetitive, and go as they are.
const RATIO_MAX: usize = 150;

/// A batch as it goes over the network.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The body.
    pub(crate) bytes: Vec<u8>,
    /// Its `Content-Encoding`.
    pub(crate) encoding: Option<&'static str>,
}

/// Compresses a batch, unless that would make it too small.
pub(super) fn pack(compressor: &mut Compressor<'_>, bytes: &[u8]) -> Result<Packed, Failure> {
    let packed = compressor.compress(bytes);
    let packed = packed.map_err(|error| Failure::caused("a batch cannot be compressed", &error))?;
    Ok(if packed.len().saturating_mul(RATIO_MAX) < bytes.len() {
        Packed { bytes: bytes.to_vec(), encoding: None }
    } else {
        Packed { bytes: packed, encoding: Some("zstd") }
    })
}

impl Receipt {
    /// Reads the answer to a batch.
    pub(crate) fn read(answer: &Answer) -> Result<Self, Failure> {
        let Told { accepted, duplicates, rejected, mut errors, results } = answer.json()?;
        let refused = (1..).zip(results).filter_map(|(line, told)| Some((line, told.error?)));
        errors.extend(refused.map(|(line, ToldReject { code, detail })| Reject {
            line,
            code,
            detail,
        }));
        Ok(Self { accepted, duplicates, rejected, errors })
    }
}

impl Courier {
    /// Sends the batch until there is an answer for it. Nothing when the command is stopped first.
    pub(super) fn deliver(
        &self,
        batch: &Batch,
        compressor: &mut Compressor<'_>,
    ) -> Result<Option<Receipt>, Failure> {
        let packed = pack(compressor, &batch.bytes)?;
        let key = format!("send-{}-{}", self.run, batch.number);
        let upload = Upload {
            bytes: &packed.bytes,
            content_type: batch.layout.content_type(),
            encoding: packed.encoding,
            idempotency_key: Some(&key),
        };
        let watch = Watch::start();
        for attempt in 1.. {
            if self.stop.is_asked() {
                return Ok(None);
            }
            let (failure, retry_after) = match self.client.post(&self.path, &upload) {
                Ok(answer) if answer.status == StatusCode::OK => {
                    return Receipt::read(&answer).map(Some);
                }
                Ok(answer) if is_temporary(answer.status) => (answer.refusal(), answer.retry_after),
                Ok(answer) => {
                    return all_rejected(&answer).map(Some).ok_or_else(|| answer.refusal());
                }
                Err(error) if is_lasting(&error) => return Err(self.client.unreachable(&error)),
                Err(error) => (self.client.unreachable(&error), None),
            };
            let share = clock::random_share();
            let wait = self.patience.wait(attempt, watch.elapsed(), retry_after, share);
            let Some(wait) = wait else { return Err(failure) };
            if self.stop.wait(wait) {
                return Ok(None);
            }
        }
        unreachable!("the tries are ended by a return")
    }

    /// Ends the whole command because a batch failed.
    pub(super) fn stop_for_failure(&self) {
        self.stop.ask();
    }
}

/// The receipt of a batch of which no event was taken: a refusal with the code `events_rejected`.
fn all_rejected(answer: &Answer) -> Option<Receipt> {
    let problem = answer.problem();
    if problem.code.as_deref() != Some("events_rejected") {
        return None;
    }
    let errors = problem.errors.into_iter();
    let errors = errors.filter_map(|fault| {
        Some(Reject { line: fault.line?, code: fault.code, detail: fault.detail })
    });
    let rejected = problem.rejected?;
    Some(Receipt { accepted: 0, duplicates: 0, rejected, errors: errors.collect() })
}

/// Whether the same request may be answered otherwise later. 409 is a try of ours that the server
/// is still at work on.
fn is_temporary(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 409 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Whether no further try can succeed: the address itself is wrong.
fn is_lasting(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_obey_the_server() {
        let patience = Patience::new(Duration::from_secs(300));
        let wait = |attempt, asked: Option<u64>, share| {
            patience.wait(attempt, Duration::ZERO, asked.map(Duration::from_secs), share)
        };
        assert_eq!(wait(1, None, 0.0), Some(Duration::from_millis(125)));
        assert_eq!(wait(1, None, 1.0), Some(Duration::from_millis(625)));
        assert_eq!(wait(9, None, 1.0), Some(LONGEST_WAIT + FIRST_WAIT / 2));
        assert_eq!(wait(u32::MAX, None, 1.0), Some(LONGEST_WAIT + FIRST_WAIT / 2));
        assert_eq!(wait(1, Some(7), 0.0), Some(Duration::from_secs(7)));
        assert!(wait(5, Some(7), 1.0) <= Some(Duration::from_secs(14)));
        assert_eq!(wait(1, Some(0), 1.0), Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_would_look_like_a_bomb_goes_as_it_is() {
        let mut compressor = compressor().expect("level 1 exists");
        let packed = pack(&mut compressor, &[b'a'; 1 << 20]).expect("packed");
        assert_eq!((packed.bytes.len(), packed.encoding), (1 << 20, None));
        let packed = pack(&mut compressor, b"a line of text, and not very long").expect("packed");
        assert_eq!(packed.encoding, Some("zstd"));
    }

    #[test]
    fn patience_ends() {
        let patience = Patience::new(Duration::from_secs(10));
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(patience.wait(1, Duration::ZERO, hour, 0.0), None);
        assert_eq!(patience.wait(1, Duration::from_secs(10), None, 0.0), None);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [429, 503, 500, 409] {
            assert!(is_temporary(StatusCode::from_u16(status).expect("a status")), "{status}");
        }
        for status in [400, 401, 403, 404, 413, 422] {
            assert!(!is_temporary(StatusCode::from_u16(status).expect("a status")), "{status}");
        }
    }
}

//! How many audit events become durable in a second, with the ledger on, while somebody searches
//! and somebody looks how far the signed checkpoint is behind.

mod acknowledged;
mod connection;
mod events;
mod people;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use self::acknowledged::Acknowledged;
use self::events::Requests;
use self::people::{Behind, Everybody};
use crate::node::{Node, Tenant};
use crate::process::running_seconds;

/// How events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Many in a request, from a few connections.
    Bulk,
    /// One in a request, from many connections.
    Single,
}

impl Way {
    fn connections(self) -> usize {
        match self {
            Self::Bulk => 4,
            Self::Single => 64,
        }
    }

    /// How many events a request has.
    fn events(self) -> u64 {
        match self {
            Self::Bulk => 500,
            Self::Single => 1,
        }
    }
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Throughput {
    /// How many events were acknowledged, each on stable storage and in the ledger.
    pub events: u64,
    /// In how many seconds.
    pub seconds: f64,
    /// How often a sender was told to come later.
    pub refused: u64,
    /// How long each search took, in milliseconds, the quickest first.
    pub searches_ms: Vec<f64>,
    /// How many acknowledged events were not under the checkpoint, at most.
    pub behind_events: u64,
    /// How long the oldest of those had been acknowledged, at most, in seconds.
    pub behind_seconds: f64,
    /// CPU time of the server, in seconds.
    pub server_seconds: f64,
    /// CPU time of everybody who asked it, in seconds.
    pub client_seconds: f64,
}

impl Throughput {
    /// How many events were acknowledged in a second.
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    /// How long a search took at most, of so many in a hundred, in milliseconds.
    #[must_use]
    pub fn search_ms(&self, percent: usize) -> Option<f64> {
        let rank = (self.searches_ms.len() * percent).div_ceil(100);
        self.searches_ms.get(rank.checked_sub(1)?).copied()
    }
}

/// Sends events for so long, and searches and looks meanwhile.
///
/// # Errors
/// When anything is answered that is no answer to it, or what was acknowledged is not found.
pub fn measure(node: &Node, tenant: &Tenant, way: Way, time: Duration) -> Result<Throughput> {
    let before = stored(node, tenant)?;
    let requests = Requests::new(tenant, way.events());
    let (acknowledged, refused) = (Acknowledged::default(), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let everybody = Everybody {
        url: node.url(),
        tenant,
        requests: &requests,
        acknowledged: &acknowledged,
        refused: &refused,
        is_over: &is_over,
    };
    let cpu = || Ok::<_, std::io::Error>((running_seconds(node.pid())?, running_seconds(own())?));
    let (start, cpu_before) = (Instant::now(), cpu()?);
    let (sent, searched, looked) = thread::scope(|scope| {
        let everybody = &everybody;
        let senders: Vec<_> = (0..way.connections())
            .map(|number| scope.spawn(move || everybody.send(number, time)))
            .collect();
        let searcher = scope.spawn(|| everybody.search());
        let observer = scope.spawn(|| everybody.observe());
        let sent: Vec<_> = senders.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        (sent, searcher.join(), observer.join())
    });
    let (seconds, cpu_after) = (start.elapsed().as_secs_f64(), cpu()?);
    let joined = |ended: thread::Result<Result<()>>| ended.ok().context("a sender panicked")?;
    sent.into_iter().try_for_each(joined)?;
    let mut searches_ms: Vec<f64> = searched.ok().context("the searcher panicked")??;
    searches_ms.sort_by(f64::total_cmp);
    let Behind { events, seconds: behind_seconds } =
        looked.ok().context("the observer panicked")??;
    let (found, told) = (stored(node, tenant)? - before, acknowledged.events());
    ensure!(found == told, "{told} events were acknowledged, and {found} are found");
    Ok(Throughput {
        events: told,
        seconds,
        refused: refused.load(Ordering::Relaxed),
        searches_ms,
        behind_events: events,
        behind_seconds,
        server_seconds: cpu_after.0 - cpu_before.0,
        client_seconds: cpu_after.1 - cpu_before.1,
    })
}

fn own() -> u32 {
    std::process::id()
}

/// How many audit events there are.
fn stored(node: &Node, tenant: &Tenant) -> Result<u64> {
    let reply = node.get("/api/v1/logs/stats?by=outcome", Some(&tenant.token))?;
    if reply.status == 404 {
        return Ok(0);
    }
    let stats = reply.json()?;
    stats["total"].as_u64().with_context(|| format!("no total in {stats}"))
}

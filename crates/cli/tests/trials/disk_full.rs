//! A disk that is full: writes are refused, reads are served, and when there is room again writes
//! are taken again by themselves. What was acknowledged is stored, and nothing else.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use ledgerline_bench::{Node, Reply, Tenant};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::audit::first_number;
use crate::image::Mount;
use crate::place::{Place, cannot, launch, report};

const DATASET: &str = "full";
const DISK_BYTES: u64 = 256 << 20;
const BALLAST_BYTES: usize = 100 << 20;
const RESERVE_BYTES: u64 = 32 << 20;
const BATCH_EVENTS: u64 = 200;
const BATCHES_MAX: u64 = 2_000;
/// How often, and how far apart, it is tried whether writes are taken again.
const TRIES: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

#[test]
fn a_full_disk_refuses_writes_and_recovers() -> Result<()> {
    let place = Place::new()?;
    let disk = match Mount::in_memory(place.join("disk"), DISK_BYTES) {
        Ok(disk) => disk,
        Err(why) => {
            return cannot("disk_full", format_args!("no small disk can be mounted: {why:#}"));
        }
    };
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![1; BALLAST_BYTES])?;
    let launch = launch(&disk.path().join("data"))
        .with("LEDGERLINE_JOURNAL_RESERVE_BYTES", RESERVE_BYTES.to_string())
        .with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "1");
    let node = launch.start()?;
    let tenant = node.tenant("alpha")?;
    let mut sender = Sender { random: StdRng::seed_from_u64(7), next: 0, acknowledged: 0 };

    let refusal = sender.until_refused(&node, &tenant)?;
    let code = refusal.code();
    ensure!(code == "disk_full", "refused with {} {}", refusal.status, refusal.body);
    ensure!(refusal.headers.contains_key("retry-after"), "refused without Retry-After");
    let before = sender.acknowledged;
    // What is there is served. A flush makes room now and then, and then a write is taken.
    for _ in 0..20 {
        let reply = sender.send(&node, &tenant)?;
        let is_known = reply.status == refusal.status || reply.status == 200;
        ensure!(is_known, "full, and answered {} {}", reply.status, reply.body);
        let count = count(&node, &tenant)?;
        ensure!(count == sender.acknowledged, "not everything is served while it is full");
        thread::sleep(PAUSE);
    }
    fs::remove_file(&ballast)?;
    let tries = sender.until_taken(&node, &tenant)?;
    for _ in 0..10 {
        let reply = sender.send(&node, &tenant)?;
        ensure!(reply.status == 200, "recovered, and answered {} {}", reply.status, reply.body);
    }
    let acknowledged = sender.acknowledged;
    ensure!(count(&node, &tenant)? == acknowledged, "stored is not what was acknowledged");
    node.kill()?;
    let node = launch.start()?;
    ensure!(count(&node, &tenant)? == acknowledged, "after a restart something else is stored");
    report(format_args!(
        "disk_full: refused with {} {code} after {before} events, reads served, taken again at try \
         {tries} ({PAUSE:?} apart), {acknowledged} acknowledged = stored",
        refusal.status
    ));
    File::open(disk.path()).context("the disk").map(drop)
}

struct Sender {
    random: StdRng,
    next: u64,
    acknowledged: u64,
}

impl Sender {
    /// Sends events that no compression makes small.
    fn send(&mut self, node: &Node, tenant: &Tenant) -> Result<Reply> {
        let event = |n| {
            let noise: String =
                (0..64).map(|_| format!("{:016x}", self.random.random::<u64>())).collect();
            json!({"n": n, "noise": noise})
        };
        let events: Value = (self.next..self.next + BATCH_EVENTS).map(event).collect();
        self.next += BATCH_EVENTS;
        let reply = node.post(&format!("/api/v1/ingest/{DATASET}"), &tenant.key, &events)?;
        self.acknowledged += if reply.status == 200 { BATCH_EVENTS } else { 0 };
        Ok(reply)
    }

    fn until_refused(&mut self, node: &Node, tenant: &Tenant) -> Result<Reply> {
        for _ in 0..BATCHES_MAX {
            let reply = self.send(node, tenant)?;
            match reply.status {
                200 => {}
                // Full is the disk, not the memory.
                429 => thread::sleep(PAUSE),
                _ => return Ok(reply),
            }
        }
        bail!("the disk takes more than it holds")
    }

    fn until_taken(&mut self, node: &Node, tenant: &Tenant) -> Result<usize> {
        for tries in 1..=TRIES {
            if self.send(node, tenant)?.status == 200 {
                return Ok(tries);
            }
            thread::sleep(PAUSE);
        }
        bail!("there is room again, and nothing is taken")
    }
}

fn count(node: &Node, tenant: &Tenant) -> Result<u64> {
    let counted = first_number(&node.analyse(tenant, DATASET, "* | stats count()")?)?;
    let distinct = first_number(&node.analyse(tenant, DATASET, "* | stats distinct(n)")?)?;
    ensure!(counted == distinct, "{counted} events, {distinct} distinct ones");
    Ok(counted)
}

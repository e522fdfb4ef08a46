//! `kill -9` at random, under load: nothing that was acknowledged is lost, nothing is there twice.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::audit::Audit;
use crate::load::Load;
use crate::place::{Place, admin, number, report, restless};

const ROUNDS: u64 = 4;
/// What the full form asserts: how long a start may take.
const READY_TIME_MAX: Duration = Duration::from_secs(5);

#[test]
fn nothing_acknowledged_is_lost_to_kill_9() -> Result<()> {
    let full = number("LEDGERLINE_KILLS");
    let rounds = full.unwrap_or(ROUNDS);
    let place = Place::new()?;
    let launch = restless(&place.join("data"));
    let mut node = launch.start()?;
    let tenant = node.tenant("alpha")?;
    let load = Load::start(node.url(), &tenant.key, 1);
    let mut random = StdRng::seed_from_u64(rounds);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(random.random_range(200..2_000)));
        node.kill()?;
        node = launch.start()?;
        slowest = slowest.max(node.ready_after());
        load.turn_to(node.url());
    }
    let ledger = load.finish()?;
    let audit = Audit::of(&node, &tenant, &ledger)?;
    node.stop()?;
    let check = admin("fsck", launch.data())?;

    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    report(format_args!(
        "kill: {rounds} kills, {} events in {} batches acknowledged ({} sent again, {} unanswered, \
         {} deferred); {audit}; ready again after at most {slowest:.2?}",
        ledger.events(),
        of(&ledger.counts.batches),
        of(&ledger.counts.repeated),
        of(&ledger.counts.unanswered),
        of(&ledger.counts.deferred),
    ));
    ensure!(audit.is_clean(), "{audit}");
    ensure!(check.status.success(), "fsck: {check:?}");
    ensure!(full.is_none() || slowest < READY_TIME_MAX, "ready only after {slowest:.2?}");
    Ok(())
}

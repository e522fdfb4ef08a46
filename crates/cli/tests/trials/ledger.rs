//! `kill -9` at random while audit events are recorded, signed, proven and erased: no receipt, no
//! checkpoint and no proof that anybody holds is ever contradicted, and what was erased stays so.

pub(crate) mod auditor;
mod people;
pub(crate) mod served;
pub(crate) mod told;

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use self::auditor::Auditor;
use self::people::People;
use crate::place::{Place, admin, number, report, restless};

const ROUNDS: u64 = 3;
const TENANT: &str = "alpha";
const ADMIN: &str = "admin@alpha.example";

#[test]
fn nothing_that_the_ledger_told_is_contradicted_after_kill_9() -> Result<()> {
    let rounds = number("LEDGERLINE_LEDGER_KILLS").unwrap_or(ROUNDS);
    let place = Place::new()?;
    let launch = restless(&place.join("data"));
    let mut node = launch.start()?;
    let tenant = node.tenant(TENANT)?;
    let people = People::start(node.url(), &tenant);
    let mut random = StdRng::seed_from_u64(rounds);
    let mut auditor = Auditor::default();
    for round in 0..rounds {
        thread::sleep(Duration::from_millis(random.random_range(200..1_500)));
        node.kill()?;
        node = launch.start()?;
        let token = node.login(ADMIN, Some(TENANT))?;
        // Nobody asks for anything while what is there is compared with what was told.
        let known = people.pause();
        auditor
            .audit(&node, &token, &known)
            .map_err(|why| why.context(format!("round {round}")))?;
        known.go_on(node.url(), &token);
    }
    let known = people.finish()?;
    let token = node.login(ADMIN, Some(TENANT))?;
    auditor.audit(&node, &token, &known)?;
    ensure!(known.begun.is_empty(), "an erasure was never answered");
    let keys = served::keys(&node, &token)?;
    ensure!(keys > known.rotations, "{keys} keys after {} rotations", known.rotations);
    report(format_args!("ledger: {rounds} kills, {known}; {auditor}"));
    node.stop()?;
    let check = admin("fsck", launch.data())?;
    ensure!(check.status.success(), "fsck: {check:?}");
    Ok(())
}

//! `kill -9` at random while audit events are recorded, signed, proven and erased: no receipt, no
//! checkpoint and no proof that anybody holds is ever contradicted, and what was erased stays so.

mod people;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ledgerline_bench::{Node, Tenant};
use ledgerline_ledger::hash::Hash;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use self::people::{Known, People};
use self::served::{Served, removed, verify};
use crate::place::{Place, admin, number, report, restless};

const ROUNDS: u64 = 3;
const TENANT: &str = "alpha";
const ADMIN: &str = "admin@alpha.example";
/// The datasets that have a ledger: that of the tenant's events, and that of the server's records.
const LEDGERS: [&str; 2] = ["audit", "_audit"];
/// How long a start may take to end what was cut short.
const RESUME_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_WAIT: Duration = Duration::from_millis(20);
/// Of so many erased events each is asked for again in a round.
const ERASED_ASKED: usize = 60;

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

/// What was seen of the ledgers so far, against which what is seen now is held.
#[derive(Debug, Default)]
struct Auditor {
    /// The leaves of each ledger.
    leaves: BTreeMap<&'static str, Vec<Hash>>,
    /// The sizes of all trees that were signed, of each ledger, with their roots.
    signed: BTreeMap<&'static str, BTreeMap<u64, Hash>>,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Figures {
    entries: u64,
    receipts: u64,
    checkpoints: u64,
    proofs: u64,
    erased: u64,
    resumed: u64,
}

impl fmt::Display for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { entries, receipts, checkpoints, proofs, erased, resumed } = self.figures;
        write!(f, "at the end {entries} entries recomputed; checked over all rounds: {receipts} ")?;
        write!(f, "receipts, {checkpoints} checkpoints, {proofs} proofs, {erased} proofs of ")?;
        write!(f, "erasure; {resumed} erasures cut short were ended by a start; no contradiction")
    }
}

impl Auditor {
    /// Compares all that is there with all that was told.
    fn audit(&mut self, node: &Node, token: &str, known: &Known) -> Result<()> {
        self.await_erasures(node, token, known)?;
        let last = known.stored.values().map(|stored| stored.seq).max();
        for (ledger, through) in [(LEDGERS[0], last.unwrap_or(0)), (LEDGERS[1], 0)] {
            let served = Served::read(node, token, (ledger, through))?;
            self.compare(ledger, &served, node, token)?;
            if ledger == LEDGERS[0] {
                self.check_receipts(&served, known)?;
                self.check_events(&served, node, token, known)?;
                self.check_proofs(&served, node, token, known)?;
            }
        }
        Ok(())
    }

    /// Waits until every erasure that is told of in the ledger is done, as far as a start goes on
    /// with it: nobody asks for it again meanwhile.
    fn await_erasures(&mut self, node: &Node, token: &str, known: &Known) -> Result<()> {
        let mut waiting = removed(node, token)?;
        let of_begun = known.begun.iter().filter_map(|id| known.stored.get(id));
        let cut: BTreeSet<u64> = of_begun.map(|stored| stored.seq).collect();
        waiting.retain(|seq| cut.contains(seq));
        self.figures.resumed += waiting.len() as u64;
        let ids: BTreeMap<u64, &String> =
            known.stored.iter().map(|(id, stored)| (stored.seq, id)).collect();
        let began = Instant::now();
        for seq in waiting {
            let Some(id) = ids.get(&seq) else { continue };
            while node.get(&format!("/api/v1/logs/{id}"), Some(token))?.status != 410 {
                let waited = began.elapsed();
                ensure!(waited < RESUME_TIME_MAX, "the erasure of {seq} is told, and not done");
                thread::sleep(LOOK_WAIT);
            }
        }
        Ok(())
    }

    /// The ledger holds everything that it held, entry by entry, and so says every proof.
    fn compare(
        &mut self,
        ledger: &'static str,
        served: &Served,
        node: &Node,
        token: &str,
    ) -> Result<()> {
        let before = self.leaves.entry(ledger).or_default();
        let (was, is) = (before.len(), served.leaves.len());
        ensure!(was <= is, "{ledger} had {was} entries, and has {is}");
        let changed = before.iter().zip(&served.leaves).position(|(before, now)| before != now);
        ensure!(changed.is_none(), "{ledger}: entry {changed:?} is another than it was");
        before.clone_from(&served.leaves);
        self.figures.entries = self.leaves.values().map(|leaves| leaves.len() as u64).sum();
        let signed = self.signed.entry(ledger).or_default();
        for head in &served.heads {
            let known = signed.insert(head.size, head.root);
            let is_same = known.is_none_or(|root| root == head.root);
            ensure!(is_same, "{ledger}: two checkpoints of size {} differ", head.size);
        }
        for (size, root) in signed {
            served.check_consistency(node, token, (*size, *root))?;
            self.figures.checkpoints += 1;
        }
        Ok(())
    }

    /// Every receipt is that of the entry, and no number was given twice.
    fn check_receipts(&mut self, served: &Served, known: &Known) -> Result<()> {
        let mut seqs = BTreeMap::new();
        for (id, stored) in &known.stored {
            let entry = served.leaves.get(stored.seq as usize);
            ensure!(entry.is_some(), "{id} was stored as {}, and has no entry", stored.seq);
            let is_same = stored.leaf.is_none_or(|leaf| entry == Some(&leaf));
            ensure!(is_same, "the receipt of {id} is not that of entry {}", stored.seq);
            let other = seqs.insert(stored.seq, id);
            ensure!(other.is_none(), "{id} and {other:?} have one number");
            self.figures.receipts += u64::from(stored.leaf.is_some());
        }
        Ok(())
    }

    /// Every event that was acknowledged is there, once, unless its erasure was begun; and none
    /// whose erasure was acknowledged.
    fn check_events(
        &mut self,
        served: &Served,
        node: &Node,
        token: &str,
        known: &Known,
    ) -> Result<()> {
        let listed = served::listed(node, token)?;
        for (id, stored) in &known.stored {
            let there = listed.get(id);
            if known.erased.contains(id) {
                ensure!(there.is_none(), "{id} was erased, and is listed");
            } else if !known.begun.contains(id) {
                ensure!(there == Some(&stored.seq), "{id} is {there:?}, not {}", stored.seq);
            }
        }
        for id in known.erased.iter().rev().take(ERASED_ASKED) {
            let reply = node.get(&format!("/api/v1/logs/{id}"), Some(token))?;
            ensure!(reply.status == 410, "{id} was erased, and answers {}", reply.status);
            verify(&reply.body, &served.policy, 5)?;
            self.figures.erased += 1;
        }
        Ok(())
    }

    /// Every proof that anybody fetched is still one.
    fn check_proofs(
        &mut self,
        served: &Served,
        node: &Node,
        token: &str,
        known: &Known,
    ) -> Result<()> {
        for proof in &known.proofs {
            verify(proof, &served.policy, 0)?;
            self.figures.proofs += 1;
        }
        let signed = self.signed.entry(LEDGERS[0]).or_default();
        for note in &known.checkpoints {
            let head = served::head(note)?;
            let other = signed.insert(head.size, head.root);
            ensure!(other.is_none_or(|root| root == head.root), "two of size {}", head.size);
            served.check_consistency(node, token, (head.size, head.root))?;
            self.figures.checkpoints += 1;
        }
        Ok(())
    }
}

/// Who records and erases.
pub(crate) fn credential(tenant: &Tenant) -> &str {
    &tenant.token
}

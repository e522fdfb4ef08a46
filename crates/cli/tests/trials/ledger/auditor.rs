//! What was seen of the ledgers of a server, held against what is seen after its next start.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ledgerline_bench::Node;
use ledgerline_ledger::hash::Hash;

use super::served::{self, Served, removed, verify};
use super::told::Told;

/// The datasets that have a ledger: that of the tenant's events, and that of the server's records.
const LEDGERS: [&str; 2] = ["audit", "_audit"];
/// How long a start may take to end what was cut short.
const RESUME_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_WAIT: Duration = Duration::from_millis(20);
/// Of so many erased events each is asked for again in a round.
const ERASED_ASKED: usize = 60;

/// What was seen of the ledgers so far, against which what is seen now is held.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
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
    pub(crate) fn audit(&mut self, node: &Node, token: &str, known: &Told) -> Result<()> {
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

    /// Waits until every erasure and removal that is told of in the ledger is done, as far as a
    /// start goes on with it: nobody asks for it again meanwhile.
    fn await_erasures(&mut self, node: &Node, token: &str, known: &Told) -> Result<()> {
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
            let path = format!("/api/v1/logs/{id}");
            while !matches!(node.get(&path, Some(token))?.status, 404 | 410) {
                let waited = began.elapsed();
                ensure!(waited < RESUME_TIME_MAX, "the removal of {seq} is told, and not done");
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
    fn check_receipts(&mut self, served: &Served, known: &Told) -> Result<()> {
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
        known: &Told,
    ) -> Result<()> {
        let listed = served::listed(node, token)?;
        for (id, stored) in &known.stored {
            let there = listed.get(id);
            if known.erased.contains(id) || known.retired.contains(id) {
                ensure!(there.is_none(), "{id} was removed, and is listed");
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
        known: &Told,
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

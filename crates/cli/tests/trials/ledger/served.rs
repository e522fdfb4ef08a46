//! A ledger as a server serves it, recomputed from its entries.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::Node;
use ledgerline_ledger::checkpoint::Checkpoint;
use ledgerline_ledger::entry::Entry;
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::policy::Policy;
use ledgerline_ledger::tile::{bundles_written, entries};
use ledgerline_ledger::tree::{Frontier, Head, check_consistency};
use serde_json::{Value, json};

const PAGE_EVENTS: u64 = 10_000;

/// A ledger.
#[derive(Debug)]
pub(crate) struct Served {
    dataset: &'static str,
    pub(crate) policy: Policy,
    pub(crate) leaves: Vec<Hash>,
    /// The heads that were signed and are still kept, the newest last.
    pub(crate) heads: Vec<Head>,
}

impl Served {
    /// Reads a ledger, whole, and checks it against its newest checkpoint, which has the entry of
    /// this number at least.
    pub(crate) fn read(
        node: &Node,
        token: &str,
        (dataset, through): (&'static str, u64),
    ) -> Result<Self> {
        let get = |path: &str| -> Result<String> {
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = format!("/api/v1/ledger/{path}{joint}dataset={dataset}");
            let reply = node.get(&path, Some(token))?;
            ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
            Ok(reply.body)
        };
        let policy = Policy::parse(get("policy")?.as_bytes())?;
        // To ask for a proof has the ledger signed as far as that.
        get(&format!("proof/inclusion?seq={through}"))?;
        let note = get("checkpoint")?;
        let opened = policy.open(&SignedNote::parse(note.as_bytes())?)?;
        let newest = opened.checkpoint.head;
        let mut leaves = Vec::new();
        let mut frontier = Frontier::new();
        for bundle in bundles_written(0, newest.size) {
            let path = format!("/api/v1/ledger/{}?dataset={dataset}", bundle.path());
            for bytes in entries(&node.client().get_bytes(&path, token)?)? {
                let entry = Entry::decode(bytes)?;
                let next = leaves.len() as u64;
                ensure!(entry.seq == next, "{dataset}: entry {} follows {next}", entry.seq);
                frontier.append(entry.leaf());
                leaves.push(entry.leaf());
            }
        }
        let head = frontier.head();
        ensure!(head == newest, "{dataset}: {head:?} was recomputed, {newest:?} is signed");
        let heads = heads(node, token, dataset, &policy)?;
        Ok(Self { dataset, policy, leaves, heads })
    }

    fn newest(&self) -> Result<Head> {
        self.heads.last().copied().context("nothing is signed")
    }

    /// The ledger proves that it holds the tree of this size and root.
    pub(crate) fn check_consistency(
        &self,
        node: &Node,
        token: &str,
        (size, root): (u64, Hash),
    ) -> Result<()> {
        let newest = self.newest()?;
        let (to, dataset) = (newest.size, self.dataset);
        let path =
            format!("/api/v1/ledger/proof/consistency?from={size}&to={to}&dataset={dataset}");
        let reply = node.get(&path, Some(token))?;
        ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        let hashes = reply.body.lines().map(Hash::from_base64);
        let proof = hashes.collect::<ledgerline_ledger::Result<Vec<_>>>()?;
        check_consistency(&Head { size, root }, &newest, &proof)
            .with_context(|| format!("{dataset}: from {size} to {to}"))
    }
}

/// The signed heads of a ledger, each of which the policy trusts.
fn heads(node: &Node, token: &str, dataset: &str, policy: &Policy) -> Result<Vec<Head>> {
    let mut heads: Vec<Head> = Vec::new();
    loop {
        let since = heads.last().map_or(0, |head| head.size);
        let path = format!("/api/v1/ledger/checkpoints?since={since}&dataset={dataset}");
        let reply = node.get(&path, Some(token))?.json()?;
        let notes = reply["data"].as_array().context("no checkpoints")?;
        if notes.is_empty() {
            return Ok(heads);
        }
        for note in notes {
            let note = SignedNote::parse(note.as_str().context("no text")?.as_bytes())?;
            heads.push(policy.open(&note)?.checkpoint.head);
        }
    }
}

/// How many keys the ledger of events had.
pub(crate) fn keys(node: &Node, token: &str) -> Result<u64> {
    let reply = node.get("/api/v1/ledger/keys", Some(token))?.json()?;
    Ok(reply["keys"].as_array().context("no keys")?.len() as u64)
}

/// The head that a checkpoint tells.
pub(crate) fn head(note: &str) -> Result<Head> {
    Ok(Checkpoint::parse(SignedNote::parse(note.as_bytes())?.text())?.head)
}

/// Checks an event's body as anybody can, who has the policy.
pub(crate) fn verify(body: &str, policy: &Policy, code: u8) -> Result<()> {
    let outcome = ledgerline_verify::event(body.as_bytes(), policy);
    ensure!(outcome.code == code, "{}, not {code}: {}\n{body}", outcome.code, outcome.text);
    Ok(())
}

/// The ids and numbers of all events that are listed.
pub(crate) fn listed(node: &Node, token: &str) -> Result<BTreeMap<String, u64>> {
    let mut listed = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/logs?order=oldest&limit=1000&fields=action{cursor}");
        let reply = node.get(&path, Some(token))?;
        ensure!(reply.status == 200, "{path}: {} {}", reply.status, reply.body);
        let answer = reply.json()?;
        for event in answer["data"].as_array().context("no data")? {
            let id = event["id"].as_str().with_context(|| format!("no id in {event}"))?;
            let seq = event["seq"].as_u64().with_context(|| format!("no number in {event}"))?;
            let before = listed.insert(id.to_owned(), seq);
            ensure!(before.is_none(), "{id} is listed twice");
        }
        if answer["page"]["has_more"] != true {
            return Ok(listed);
        }
        let next = answer["page"]["next_cursor"].as_str().context("more, and no cursor")?;
        cursor = format!("&cursor={next}");
    }
}

/// The numbers of the events that entries of erasures and of retirements name.
pub(crate) fn removed(node: &Node, token: &str) -> Result<BTreeSet<u64>> {
    let body = json!({
        "dataset": "audit", "query": "kind:erasure OR kind:retirement", "limit": PAGE_EVENTS,
        "fields": ["erases", "retires"]
    });
    let found = node.posted("/api/v1/search", token, &body)?;
    ensure!(found["page"]["has_more"] != true, "too many removals to look at");
    let mut removed = BTreeSet::new();
    for event in found["data"].as_array().context("no data")? {
        let spans = ["erases", "retires"].map(|name| &event[name]);
        let spans = spans.into_iter().find(|spans| !spans.is_null()).context("no spans")?;
        let spans = match spans {
            Value::String(text) => serde_json::from_str(text)?,
            other => other.clone(),
        };
        for span in spans.as_array().with_context(|| format!("no spans in {event}"))? {
            let end = |at: usize| span[at].as_u64().context("no number");
            removed.extend(end(0)?..=end(1)?);
        }
    }
    Ok(removed)
}

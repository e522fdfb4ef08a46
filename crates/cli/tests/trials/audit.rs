//! What a server has, against what senders were told.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Node, Tenant};
use serde_json::{Value, json};

use crate::load::{DATASET, Ledger};

const PAGE_EVENTS: u64 = 10_000;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// How many events are stored.
    pub(crate) stored: u64,
    /// How many of the acknowledged ones are not.
    pub(crate) lost: u64,
    /// How many events are stored more than once, counting each further time.
    pub(crate) duplicated: u64,
    /// How many are stored that were not acknowledged. When every batch was sent until it was,
    /// there must be none.
    pub(crate) unknown: u64,
    /// Whether the events' numbers are dense.
    pub(crate) is_dense: bool,
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, lost, duplicated, unknown, is_dense } = self;
        let dense = if *is_dense { "dense" } else { "NOT dense" };
        write!(f, "{stored} stored, {lost} lost, {duplicated} duplicated, ")?;
        write!(f, "{unknown} never acknowledged, numbers {dense}")
    }
}

impl Audit {
    /// Compares all of a dataset, and its counts, with what was acknowledged.
    pub(crate) fn of(node: &Node, tenant: &Tenant, ledger: &Ledger) -> Result<Self> {
        let stored = stored(node, tenant)?;
        let counted = first_number(&node.analyse(tenant, DATASET, "* | stats count()")?)?;
        let distinct = first_number(&node.analyse(tenant, DATASET, "* | stats distinct(n)")?)?;
        let mut times = HashMap::with_capacity(stored.len());
        for (number, _) in &stored {
            *times.entry(*number).or_insert(0_u64) += 1;
        }
        ensure!(counted == stored.len() as u64, "count() is {counted} of {}", stored.len());
        ensure!(distinct == times.len() as u64, "distinct() is {distinct} of {}", times.len());

        let acknowledged = ledger.acknowledged.iter().cloned().flatten();
        let lost = acknowledged.filter(|number| !times.contains_key(number)).count() as u64;
        let kept = ledger.events() - lost;
        Ok(Self {
            stored: stored.len() as u64,
            lost,
            duplicated: (stored.len() - times.len()) as u64,
            unknown: times.len() as u64 - kept,
            is_dense: is_dense(stored.iter().map(|(_, seq)| *seq)),
        })
    }

    /// Whether exactly what was acknowledged is stored.
    pub(crate) fn is_clean(&self) -> bool {
        let Self { lost, duplicated, unknown, is_dense, .. } = *self;
        lost == 0 && duplicated == 0 && unknown == 0 && is_dense
    }
}

/// The number and the seq of every event, page by page.
fn stored(node: &Node, tenant: &Tenant) -> Result<Vec<(u64, u64)>> {
    let mut events = Vec::new();
    let mut body = json!({
        "dataset": DATASET, "query": "*", "limit": PAGE_EVENTS, "order": "oldest",
        "fields": ["n", "_seq"]
    });
    loop {
        let answer = node.posted("/api/v1/search", &tenant.key, &body)?;
        ensure!(answer["stats"]["complete"] == true, "not complete: {}", answer["stats"]);
        for event in answer["data"].as_array().context("no data")? {
            let number = event["n"].as_u64().with_context(|| format!("no number in {event}"))?;
            events.push((number, event["_seq"].as_u64().context("no _seq")?));
        }
        if answer["page"]["has_more"] != true {
            return Ok(events);
        }
        body["cursor"] = answer["page"]["next_cursor"].clone();
        ensure!(body["cursor"].is_string(), "more, and no cursor: {}", answer["page"]);
    }
}

/// The first value of the first row.
pub(crate) fn first_number(answer: &Value) -> Result<u64> {
    answer["rows"][0][0].as_u64().with_context(|| format!("no number in {answer}"))
}

fn is_dense(seqs: impl Iterator<Item = u64>) -> bool {
    let mut seqs: Vec<u64> = seqs.collect();
    seqs.sort_unstable();
    seqs.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

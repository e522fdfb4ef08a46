//! An object moved from one tenant's folder to the other's does not open there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Node, Tenant};
use serde_json::{Value, json};

use crate::place::{Place, launch, report, tail};
use crate::torn::copy;

const DATASET: &str = "app";
const EVENTS: u64 = 50;
/// What only beta's events say.
const BETA_WORD: &str = "canarybeta5f1c9e";

/// What is replaced by the other tenant's.
#[derive(Debug)]
enum Move {
    /// Files of one kind, each by the other tenant's file of the same rank.
    Files(&'static str, Vec<(PathBuf, PathBuf)>),
    /// All that the folder holds.
    Folder,
}

#[test]
fn an_object_of_another_tenant_does_not_open() -> Result<()> {
    let place = Place::new()?;
    let data = place.join("data");
    let (alpha, beta) = lived_in(&data)?;
    let folders = |data: &Path| {
        let of = |tenant: &Tenant| data.join("tenants").join(&tenant.id);
        (of(&alpha), of(&beta))
    };
    for step in moves(&folders(&data).0, &folders(&data).1)? {
        let target = copy(&data, &place.join("moved"))?;
        let (alphas, betas) = folders(&target);
        match &step {
            Move::Files(_, pairs) => {
                for (to, from) in pairs {
                    fs::copy(betas.join(from), alphas.join(to))?;
                }
            }
            Move::Folder => drop(copy(&betas, &alphas)?),
        }
        let launch = launch(&target).with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "86400");
        let node = launch.start().with_context(|| format!("{step:?}: {}", tail(&launch.log())))?;
        refuses(&node, &alpha).with_context(|| format!("{step:?}"))?;
        let whole = answer(&node, &beta)?;
        ensure!(whole.contains(BETA_WORD), "{step:?}: beta is not served: {whole}");
        node.kill()?;
        let what = match step {
            Move::Files(kind, pairs) => format!("{} files of {kind}", pairs.len()),
            Move::Folder => "the whole folder".to_owned(),
        };
        report(format_args!("moved: {what} of another tenant: not opened"));
    }
    Ok(())
}

/// Makes two tenants that have both segments and a journal.
fn lived_in(data: &Path) -> Result<(Tenant, Tenant)> {
    let node = launch(data).start()?;
    let tenants = (node.tenant("alpha")?, node.tenant("beta")?);
    post(&node, &tenants)?;
    // What is stopped writes its events into segments.
    node.stop()?;
    let node = launch(data).with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "86400").start()?;
    post(&node, &tenants)?;
    node.kill()?;
    Ok(tenants)
}

fn post(node: &Node, (alpha, beta): &(Tenant, Tenant)) -> Result<()> {
    for (tenant, word) in [(alpha, "canaryalpha"), (beta, BETA_WORD)] {
        let event = |n| json!({"n": n, "message": format!("{word} says {n}")});
        let events: Value = (0..EVENTS).map(event).collect();
        node.posted(&format!("/api/v1/ingest/{DATASET}"), &tenant.key, &events)?;
    }
    Ok(())
}

/// Each kind of object alone, and everything at once.
fn moves(alphas: &Path, betas: &Path) -> Result<Vec<Move>> {
    let (ours, theirs) = (by_kind(alphas)?, by_kind(betas)?);
    let mut moves = vec![Move::Folder];
    for kind in ["segment", "journal", "key"] {
        let files = |of: &BTreeMap<_, Vec<PathBuf>>| {
            of.get(kind).cloned().with_context(|| format!("no {kind} in {of:?}"))
        };
        let pairs: Vec<_> = files(&ours)?.into_iter().zip(files(&theirs)?).collect();
        moves.push(Move::Files(kind, pairs));
    }
    Ok(moves)
}

/// The files of a tenant's folder, within it, by what they are.
fn by_kind(folder: &Path) -> Result<BTreeMap<&'static str, Vec<PathBuf>>> {
    let mut kinds = BTreeMap::<_, Vec<PathBuf>>::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.strip_prefix(folder)?.to_owned();
            let kind = match within.to_string_lossy() {
                name if name.starts_with("seg") => "segment",
                name if name.starts_with("journal/") && name.ends_with(".log") => "journal",
                name if name.ends_with(".key") => "key",
                _ => "other",
            };
            kinds.entry(kind).or_default().push(within);
        }
    }
    kinds.values_mut().for_each(|files| files.sort());
    Ok(kinds)
}

/// Nothing is served that the tenant does not have, and no answer pretends to be whole.
fn refuses(node: &Node, alpha: &Tenant) -> Result<()> {
    let said = answer(node, alpha)?;
    ensure!(!said.contains(BETA_WORD), "the other tenant's events are served: {said}");
    let reply = node.post("/api/v1/search", &alpha.key, &json!({"dataset": DATASET}))?;
    ensure!(reply.status != 200, "served as if it were whole: {}", reply.body);
    Ok(())
}

/// Everything that a tenant is told, by every way to ask.
fn answer(node: &Node, tenant: &Tenant) -> Result<String> {
    let mut said = String::new();
    for (path, body) in [
        ("search", json!({"dataset": DATASET, "query": "*", "limit": 10_000})),
        ("search/fields", json!({"dataset": DATASET})),
        ("search/values", json!({"dataset": DATASET, "field": "message", "limit": 1_000})),
        ("search", json!({"dataset": "_audit", "query": "*", "limit": 10_000})),
        ("analytics/query", json!({"dataset": DATASET, "query": "* | stats count() by message"})),
        ("analytics/sql", json!({"sql": format!("SELECT * FROM {DATASET}")})),
    ] {
        // A connection that breaks off in the middle of an answer says nothing either.
        if let Ok(reply) = node.post(&format!("/api/v1/{path}"), &tenant.key, &body) {
            said.push_str(&reply.body);
        }
    }
    Ok(said)
}

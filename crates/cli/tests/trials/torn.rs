//! Damage to the newest file of a journal, through a real data folder: a torn last group is trimmed
//! and nothing else; a changed byte before it is named, and its tenant refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Launch, Node, Tenant};
use serde_json::{Value, json};

use crate::audit::first_number;
use crate::place::{Place, admin, launch, number, report};

const DATASET: &str = "torn";
const BATCHES: u64 = 6;
const BATCH_EVENTS: u64 = 20;
/// The last batch is short, so that every byte of it can be tried.
const LAST_EVENTS: u64 = 2;
const CUTS: u64 = 12;
const FLIPS: u64 = 8;

/// A data folder whose server was killed, and what is known of it.
struct Killed {
    data: PathBuf,
    alpha: Tenant,
    beta: Tenant,
    /// The newest file of alpha's journal, within the data folder.
    journal: PathBuf,
    /// Where the group of the last batch lies in it.
    last_group: std::ops::Range<u64>,
}

#[test]
fn a_torn_last_group_is_trimmed_and_nothing_else() -> Result<()> {
    let place = Place::new()?;
    let killed = killed(&place)?;
    let std::ops::Range { start, end } = killed.last_group;
    let places = if number("LEDGERLINE_TORN_ALL").is_some() { end - start } else { CUTS };
    let mut kept = 0;
    for step in 0..=places {
        let length = start + (end - start) * step / places;
        let folder = killed.copy(&place)?;
        let file = fs::File::options().write(true).open(folder.join(&killed.journal))?;
        file.set_len(length)?;
        drop(file);
        let node = undisturbed(&folder).start().with_context(|| format!("cut at {length}"))?;
        let before = BATCHES * BATCH_EVENTS;
        let stored = first_number(&node.analyse(&killed.alpha, DATASET, "* | stats count()")?)?;
        let is_whole = stored == before + LAST_EVENTS;
        ensure!(stored == before || is_whole, "cut at {length} of {end}: {stored} of {before}");
        ensure!(is_whole || length < end, "nothing is cut off, and the last batch is gone");
        killed.beta_is_served(&node)?;
        // What is sent now goes on after what was kept.
        post(&node, &killed.alpha, 1)?;
        kept += u64::from(is_whole);
        node.kill()?;
    }
    report(format_args!(
        "torn: {} places of the last group ({} bytes) cut, all recovered ({kept} with the group)",
        places + 1,
        end - start
    ));
    Ok(())
}

#[test]
fn a_flipped_byte_before_the_last_group_is_refused_and_named() -> Result<()> {
    let place = Place::new()?;
    let killed = killed(&place)?;
    let end = killed.last_group.start;
    for step in 0..FLIPS {
        let at = end * (2 * step + 1) / (2 * FLIPS);
        let folder = killed.copy(&place)?;
        let path = folder.join(&killed.journal);
        let mut bytes = fs::read(&path)?;
        bytes[usize::try_from(at)?] ^= 0x10;
        fs::write(&path, bytes)?;
        let launch = undisturbed(&folder);
        let node = launch.start().with_context(|| format!("a byte flipped at {at}"))?;
        let body = json!({"dataset": DATASET, "query": "* | stats count()"});
        let reply = node.post("/api/v1/analytics/query", &killed.alpha.key, &body)?;
        ensure!(
            reply.status >= 500,
            "flipped at {at}, and served: {} {}",
            reply.status,
            reply.body
        );
        let ready: Value = node.get("/readyz", None)?.json()?;
        ensure!(ready["tenants_unavailable"] == 1, "not seen as unavailable: {ready}");
        killed.beta_is_served(&node)?;
        node.kill()?;
        let name = path.file_name().context("a file name")?.to_string_lossy().into_owned();
        let log = fs::read_to_string(launch.log())?;
        ensure!(log.contains(&name), "flipped at {at}: the log does not name {name}:\n{log}");
        let check = admin("fsck", &folder)?;
        let said = [check.stdout.as_slice(), &check.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(!check.status.success(), "flipped at {at}, and fsck is content: {said}");
        ensure!(said.contains(&name), "flipped at {at}: fsck does not name {name}: {said}");
    }
    report(format_args!("torn: {FLIPS} flipped bytes refused and named, the other tenant served"));
    Ok(())
}

impl Killed {
    /// A fresh copy of the folder.
    fn copy(&self, place: &Place) -> Result<PathBuf> {
        copy(&self.data, &place.join("copy"))
    }

    fn beta_is_served(&self, node: &Node) -> Result<()> {
        let stored = first_number(&node.analyse(&self.beta, DATASET, "* | stats count()")?)?;
        ensure!(stored == BATCH_EVENTS, "the other tenant has {stored} of {BATCH_EVENTS} events");
        Ok(())
    }
}

/// Copies a folder, replacing what was there.
pub(crate) fn copy(source: &Path, target: &Path) -> Result<PathBuf> {
    if target.exists() {
        fs::remove_dir_all(target)?;
    }
    let status = Command::new("cp").arg("-a").args([source, target]).status()?;
    ensure!(status.success(), "copying {}", source.display());
    Ok(target.to_owned())
}

/// A server that writes no segments, so that all events stay in the journal.
fn undisturbed(data: &Path) -> Launch {
    launch(data).with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "86400")
}

fn killed(place: &Place) -> Result<Killed> {
    let data = place.join("data");
    let node = undisturbed(&data).start()?;
    let (alpha, beta) = (node.tenant("alpha")?, node.tenant("beta")?);
    post(&node, &beta, BATCH_EVENTS)?;
    for _ in 0..BATCHES {
        post(&node, &alpha, BATCH_EVENTS)?;
    }
    let path = newest_journal(&data, &alpha)?;
    let start = fs::metadata(&path)?.len();
    post(&node, &alpha, LAST_EVENTS)?;
    node.kill()?;
    let end = fs::metadata(&path)?.len();
    ensure!(start < end, "{} did not grow", path.display());
    let journal = path.strip_prefix(&data)?.to_owned();
    Ok(Killed { data, alpha, beta, journal, last_group: start..end })
}

fn post(node: &Node, tenant: &Tenant, events: u64) -> Result<()> {
    let events: Vec<Value> =
        (0..events).map(|n| json!({"n": n, "message": format!("event {n} of many")})).collect();
    let path = format!("/api/v1/ingest/{DATASET}");
    node.posted(&path, &tenant.key, &Value::from(events)).map(drop)
}

fn newest_journal(data: &Path, tenant: &Tenant) -> Result<PathBuf> {
    let folder = data.join("tenants").join(&tenant.id).join("journal");
    let files = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let logs = paths.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
    logs.max().with_context(|| format!("no journal in {}", folder.display()))
}

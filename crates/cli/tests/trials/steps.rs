//! `kill -9` just before or just after any step by which something on the disk becomes durable or
//! visible: what was acknowledged is there or erased as acknowledged, the ledger contradicts
//! nothing that it told, and what was cut short is ended by the next start, which may be killed
//! itself.

mod shim;
mod story;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::Node;
use serde_json::json;

use self::shim::{End, Shim};
use self::story::{Story, copy};
use crate::ledger::auditor::Auditor;
use crate::ledger::served;
use crate::place::{Place, admin, number, report, restless};

/// At so many steps of a life the process is ended, without [`STEPS`].
const LIVES: u64 = 12;
/// At so many of a first start, and of a start after an end.
const STARTS: u64 = 6;
/// At so many steps, at most, of each start after an end.
const AGAIN_MAX: u64 = 8;
/// At how many steps.
const STEPS: &str = "LEDGERLINE_STEPS";
const TENANT: &str = "alpha";
const ADMIN: &str = "admin@alpha.example";
/// How long a start goes on with what was cut short, when it is to be ended in the middle of that.
const RESUME_TIME: Duration = Duration::from_millis(300);

#[test]
fn a_life_that_ends_at_any_step_contradicts_nothing() -> Result<()> {
    let place = Place::new()?;
    let Some(stage) = Stage::new(&place)? else { return Ok(()) };
    let all = stage.count()?;
    let ends = ends(all, number(STEPS).unwrap_or(LIVES));
    for end in &ends {
        let mut run = stage.run(*end)?;
        run.go_on().with_context(|| format!("{end:?}, {}", run.ended))?;
    }
    report(format_args!("steps: a life has {all}; {} ends, no contradiction", ends.len()));
    Ok(())
}

#[test]
fn a_start_that_ends_at_any_step_is_followed_by_one_that_ends_the_work() -> Result<()> {
    let place = Place::new()?;
    let Some(stage) = Stage::new(&place)? else { return Ok(()) };
    let all = stage.count()?;
    let wanted = number(STEPS).unwrap_or(STARTS);
    let mut starts = 0;
    for end in ends(all, wanted.min(all / 4)) {
        let run = stage.run(end)?;
        let (left, was) = (place.join("left"), run.ended.clone());
        copy(&stage.data, &left)?;
        let counted = stage.start_until(End::Never)?;
        for end in ends(counted, (wanted / 4).clamp(1, AGAIN_MAX)) {
            copy(&left, &stage.data)?;
            stage.start_until(end)?;
            let ended = format!("{was}, and the start after that: {end:?}, {}", stage.shim.last());
            let mut again = Run { story: run.story.clone(), ended, stage: &stage };
            again.go_on().with_context(|| again.ended.clone())?;
            starts += 1;
        }
    }
    report(format_args!("steps: {starts} starts after an end were ended, no contradiction"));
    Ok(())
}

#[test]
fn a_first_start_that_ends_at_any_step_is_followed_by_another() -> Result<()> {
    let place = Place::new()?;
    let Some(shim) = Shim::new(&place)? else { return Ok(()) };
    let begin = |data: &Path, end| -> Result<u64> {
        let launch = shim.launch(data, end)?;
        shim.begin()?;
        if let Ok(node) = launch.start() {
            // It may end in the middle of that.
            drop(node.tenant(TENANT));
            node.kill()?;
        }
        Ok(shim.steps().len() as u64)
    };
    let all = begin(&place.join("counted"), End::Never)?;
    let ends = ends(all, number(STEPS).unwrap_or(STARTS));
    for (at, end) in ends.iter().enumerate() {
        let data = place.join(&format!("data{at}"));
        begin(&data, *end)?;
        start_again(&data).with_context(|| format!("{end:?}, {}", shim.last()))?;
    }
    report(format_args!("steps: a first start has {all}; {} ends, no contradiction", ends.len()));
    Ok(())
}

/// A server whose first start ended somewhere has a tenant or lets one be made, and works.
fn start_again(data: &Path) -> Result<()> {
    let node = restless(data).start()?;
    // Its name may be taken, by one that is whole.
    drop(node.tenant(TENANT));
    let token = node.login(ADMIN, Some(TENANT))?;
    let mut story = Story::new(&token);
    ensure!(story.play(&node)?, "the server does not answer");
    Auditor::default().audit(&node, &token, &story.told)?;
    node.stop()?;
    sound(data)
}

/// Ends at so many of all steps, as even as can be: before and after a step by turns, and when all
/// are wanted, before and after each.
fn ends(all: u64, wanted: u64) -> Vec<End> {
    if wanted >= all {
        return (1..=all).flat_map(|at| [End::Before(at), End::After(at)]).collect();
    }
    let place = |number: u64| 1 + (2 * number + 1) * all / (2 * wanted);
    let end = |number| match number % 2 {
        0 => End::Before(place(number)),
        _ => End::After(place(number)),
    };
    (0..wanted).map(end).collect()
}

fn sound(data: &Path) -> Result<()> {
    let check = admin("fsck", data)?;
    ensure!(check.status.success(), "fsck: {check:?}");
    Ok(())
}

/// Where lives are played: each begins with the same tenant.
struct Stage {
    shim: Shim,
    template: PathBuf,
    data: PathBuf,
    tenant: String,
    key: String,
}

impl Stage {
    fn new(place: &Place) -> Result<Option<Self>> {
        let Some(shim) = Shim::new(place)? else { return Ok(None) };
        let (template, data) = (place.join("template"), place.join("data"));
        let node = restless(&template).start()?;
        let tenant = node.tenant(TENANT)?;
        let scopes = json!({"name": "steps", "scopes": ["admin:*", "ingest:*", "query:*"]});
        let key = node.posted("/api/v1/keys", &tenant.token, &scopes)?;
        let key = key["key"].as_str().context("no key")?.to_owned();
        node.stop()?;
        Ok(Some(Self { shim, template, data, tenant: tenant.id, key }))
    }

    /// How many steps a life has. It is checked like any other.
    fn count(&self) -> Result<u64> {
        let mut run = self.run(End::Never)?;
        let steps = self.shim.steps().len() as u64;
        ensure!(run.story.is_over(), "the server does not answer");
        run.go_on()?;
        Ok(steps)
    }

    /// Plays a life until its end.
    fn run(&self, end: End) -> Result<Run<'_>> {
        copy(&self.template, &self.data)?;
        let node = self.shim.launch(&self.data, end)?.start()?;
        self.shim.begin()?;
        let mut story = Story::new(&self.key);
        story.play(&node).with_context(|| format!("{end:?}"))?;
        node.kill()?;
        Ok(Run { story, ended: self.shim.last(), stage: self })
    }

    /// Starts a server on what another left, until it is ended. Answers how many steps it had.
    fn start_until(&self, end: End) -> Result<u64> {
        let launch = self.shim.launch(&self.data, end)?;
        self.shim.begin()?;
        // One that does not become ready was ended before.
        if let Ok(node) = launch.start() {
            thread::sleep(RESUME_TIME);
            node.kill()?;
        }
        Ok(self.shim.steps().len() as u64)
    }
}

/// A life that was ended.
struct Run<'a> {
    story: Story,
    /// At which step.
    ended: String,
    stage: &'a Stage,
}

impl Run<'_> {
    /// Starts a server again, compares what is there with what was told, and lets the life go on to
    /// its end.
    fn go_on(&mut self) -> Result<()> {
        let data = &self.stage.data;
        let node = restless(data).start()?;
        let token = node.login(ADMIN, Some(TENANT))?;
        let mut auditor = Auditor::default();
        if !self.story.told.stored.is_empty() {
            auditor.audit(&node, &token, &self.story.told).context("after the start")?;
        }
        self.story.check(&node, (data, &self.stage.tenant)).context("after the start")?;
        ensure!(self.story.play(&node)?, "the server does not answer");
        auditor.audit(&node, &token, &self.story.told).context("at the end")?;
        self.story.check(&node, (data, &self.stage.tenant)).context("at the end")?;
        self.is_done(&node, &token)?;
        node.stop()?;
        sound(data)
    }

    /// Nothing is left of what was begun.
    fn is_done(&self, node: &Node, token: &str) -> Result<()> {
        let told = &self.story.told;
        ensure!(told.begun.is_empty(), "a removal was never answered");
        let keys = served::keys(node, token)?;
        ensure!(keys > told.rotations, "{keys} keys after {} rotations", told.rotations);
        Ok(())
    }
}

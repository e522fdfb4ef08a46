//! The power is cut under load: nothing that was acknowledged is lost. And a disk that only says
//! that it has written is caught, so this trial would see a loss.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::audit::Audit;
use crate::image::Image;
use crate::load::{DATASET, Load};
use crate::place::{Place, cannot, number, report, restless};

const ROUNDS: u64 = 2;
const IMAGE_BYTES: u64 = 2 << 30;
/// In the full form, how often the lying disk must be caught.
const LIES: u64 = 5;

fn image(trial: &str, place: &Place) -> Result<Option<Image>> {
    match Image::new(place.path(), IMAGE_BYTES) {
        Ok(image) => Ok(Some(image)),
        Err(why) => {
            cannot(trial, format_args!("no disk of its own can be mounted: {why:#}"))?;
            Ok(None)
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_to_a_power_cut() -> Result<()> {
    let rounds = number("LEDGERLINE_POWER_CUTS").unwrap_or(ROUNDS);
    let place = Place::new()?;
    let Some(image) = image("power", &place)? else { return Ok(()) };
    let launch = restless(&image.path().join("data"));
    let mut node = launch.start()?;
    let tenant = node.tenant("alpha")?;
    let load = Load::start(node.url(), &tenant.key, 2);
    let mut random = StdRng::seed_from_u64(rounds);
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(random.random_range(200..2_000)));
        // First the process, and only when nothing of it runs any more the disk.
        node.kill()?;
        image.cut_power()?;
        node = launch.start()?;
        load.turn_to(node.url());
    }
    let ledger = load.finish()?;
    let audit = Audit::of(&node, &tenant, &ledger)?;
    node.stop()?;
    let events = ledger.events();
    report(format_args!("power: {rounds} cuts, {events} events acknowledged; {audit}"));
    ensure!(audit.is_clean(), "{audit}");
    Ok(())
}

#[test]
fn a_disk_that_lies_is_caught() -> Result<()> {
    let rounds = if number("LEDGERLINE_POWER_CUTS").is_some() { LIES } else { 1 };
    for round in 0..rounds {
        let place = Place::new()?;
        let Some(image) = image("power", &place)? else { return Ok(()) };
        let Some(library) = lying_library(&place)? else { return Ok(()) };
        let found = lie(&image, &library, round)?;
        let found = found.context("nothing was lost on a disk that never wrote")?;
        report(format_args!("power: lie {} of {rounds} was caught: {found}", round + 1));
    }
    Ok(())
}

/// Has a server believe a disk that lies, and cuts the power; answers what was found missing.
fn lie(image: &Image, library: &Path, round: u64) -> Result<Option<String>> {
    let honest = restless(&image.path().join("data"));
    let node = honest.start()?;
    let tenant = node.tenant("alpha")?;
    node.stop()?;
    image.sync()?;
    let node = honest.clone().with("LD_PRELOAD", library).start()?;
    let load = Load::start(node.url(), &tenant.key, 100 + round);
    thread::sleep(Duration::from_millis(1_000));
    let ledger = load.finish()?;
    ensure!(ledger.events() > 0, "nothing was acknowledged");
    node.kill()?;
    image.cut_power()?;
    let node = match honest.start() {
        Ok(node) => node,
        Err(why) => return Ok(Some(format!("the server does not start: {why:#}"))),
    };
    let count = node.analyse(&tenant, DATASET, "* | stats count()");
    if let Err(why) = count {
        return Ok(Some(format!("the events cannot be asked for: {why:#}")));
    }
    let audit = Audit::of(&node, &tenant, &ledger)?;
    node.stop()?;
    let events = ledger.events();
    Ok((audit.lost > 0).then(|| format!("{} of {events} events are lost", audit.lost)))
}

/// The library that makes every sync a lie, where there is a C compiler.
fn lying_library(place: &Place) -> Result<Option<PathBuf>> {
    let library = place.join("no_sync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials/no_sync.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    let Ok(output) = compiler.output() else {
        cannot("power: a disk that lies", format_args!("there is no C compiler"))?;
        return Ok(None);
    };
    ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
    Ok(Some(library))
}

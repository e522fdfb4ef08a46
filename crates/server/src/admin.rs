//! Chores on a data folder that no server holds: what `ledgerline admin` calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::signer::Signer;
use ledgerline_store::tenant::TenantStore;
use ledgerline_tenancy::{Tenancy, Tenant};
use ledgerline_world::{Chance, Clock, DataDir, SystemClock};

use crate::config::{Config, Settings};
use crate::error::chain;
use crate::loops::jobs;
use crate::node::{self, Means, OpenTenant};
use crate::road;
use crate::server::journal_options;

/// Which data a chore is for.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// The data folder.
    pub data: PathBuf,
    /// The folder of its archive, if it has one.
    pub archive: Option<PathBuf>,
    /// The name or id of a tenant; nothing is all of them.
    pub tenant: Option<String>,
}

/// What a chore did and found, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What was done, or is sound.
    pub done: Vec<String>,
    /// What is wrong, or was until it was repaired just now.
    pub problems: Vec<String>,
}

/// Checks every checksum of the tenants, makes a lost catalog again from its segments, and reads
/// the journals.
///
/// # Errors
/// When the folder does not open, or has no such tenant.
pub fn fsck(which: &Which) -> Result<Report> {
    for_each(which, |folder, tenant| {
        let mut report = Report::default();
        check_segments(folder, tenant, &mut report);
        check_journal(folder, tenant, &mut report);
        report
    })
}

/// Moves everything into segments and merges the small ones.
///
/// # Errors
/// When the folder does not open, or has no such tenant.
pub fn compact(which: &Which) -> Result<Report> {
    for_each(which, |folder, tenant| {
        folder.with_open(tenant, |open| {
            let flushed = road::flush(open).map_err(|failure| failure.problem.detail.clone())?;
            let scope = upkeep(open.id, Job::Compact);
            let horizon = jobs::horizon(&folder.tenancy, folder.means.clock.now(), &scope)?;
            let done = open.store.compact(&scope, &horizon).map_err(|error| chain(&error))?;
            let (events, merged, written) = (flushed.events, done.merged, done.written);
            Ok(format!("{events} events went into segments; {merged} merged into {written}"))
        })
    })
}

/// Deletes what is past its dataset's retention, but audit events: these go while a server runs,
/// which tells of it in their ledgers.
///
/// # Errors
/// When the folder does not open, or has no such tenant.
pub fn expire(which: &Which) -> Result<Report> {
    for_each(which, |folder, tenant| {
        folder.with_open(tenant, |open| {
            road::flush(open).map_err(|failure| failure.problem.detail.clone())?;
            let now: Timestamp = folder.means.clock.now();
            let events = jobs::expire(&folder.tenancy, now, open)?;
            Ok(format!("{events} events expired"))
        })
    })
}

/// Moves what is old to the archive, where there is one.
///
/// # Errors
/// When the folder does not open, or has no such tenant.
pub fn archive(which: &Which) -> Result<Report> {
    for_each(which, |folder, tenant| {
        folder.with_open(tenant, |open| {
            let now: Timestamp = folder.means.clock.now();
            let never = AtomicBool::new(false);
            let events = jobs::archive(&folder.tenancy, now, open, &never)?;
            Ok(format!("{events} events were moved to the archive"))
        })
    })
}

/// An open data folder.
struct Folder {
    means: Means,
    tenancy: Tenancy,
}

impl Folder {
    /// Opens a folder that is there; none is made.
    fn open(Which { data: path, archive, .. }: &Which) -> Result<Self> {
        if !path.join("control").is_dir() {
            bail!("{} is no data folder", path.display());
        }
        let config = Config::from_settings(Settings::default())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = ledgerline_world::Options {
            archive: archive.clone(),
            ..ledgerline_world::Options::default()
        };
        let data = DataDir::open(path, Chance::system(), options);
        let data = data.with_context(|| format!("open {}", path.display()))?;
        let tenancy = Tenancy::open(&data, Arc::clone(&clock), config.tenancy.clone());
        let tenancy = tenancy.context("open the control records")?;
        let signer = Signer::open(&data, &config.ledger_host).context("open the signer")?;
        let signer = Arc::new(signer);
        let means = Means { data, clock, signer, journal: journal_options(&config) };
        Ok(Self { means, tenancy })
    }

    /// Opens a tenant as the server does, and closes it again.
    fn with_open(
        &self,
        tenant: &Tenant,
        chore: impl FnOnce(&OpenTenant) -> Result<String, String>,
    ) -> Report {
        let opened = node::open(tenant.id, &self.means).map_err(|unopened| unopened.why);
        let done = opened.and_then(|(open, _)| {
            let done = chore(&open);
            open.journal.close();
            done
        });
        match done {
            Ok(line) => Report { done: vec![line], problems: Vec::new() },
            Err(problem) => Report { done: Vec::new(), problems: vec![problem] },
        }
    }
}

/// Does a chore for every tenant, or for the one of this name or id.
fn for_each(which: &Which, mut chore: impl FnMut(&Folder, &Tenant) -> Report) -> Result<Report> {
    let folder = Folder::open(which)?;
    let mut tenants = folder.tenancy.all_tenants().context("list the tenants")?;
    let mut damaged = folder.tenancy.damaged_tenants();
    if let Some(wanted) = &which.tenant {
        tenants.retain(|tenant| tenant.name.as_str() == wanted || tenant.id.to_string() == *wanted);
        damaged.retain(|(tenant, _)| tenant.to_string() == *wanted);
        if tenants.is_empty() && damaged.is_empty() {
            bail!("there is no tenant {wanted}");
        }
    }
    let mut all = Report::default();
    let problem = |(tenant, why)| format!("tenant {tenant}: its records do not open: {why}");
    all.problems.extend(damaged.into_iter().map(problem));
    for tenant in &tenants {
        let report = chore(&folder, tenant);
        let named = |line: String| format!("tenant {}: {line}", tenant.name.as_str());
        all.done.extend(report.done.into_iter().map(named));
        all.problems.extend(report.problems.into_iter().map(named));
    }
    Ok(all)
}

fn check_segments(folder: &Folder, tenant: &Tenant, report: &mut Report) {
    let scope = upkeep(tenant.id, Job::Fsck);
    let blobs = match folder.means.data.blobs(&scope) {
        Ok(blobs) => blobs,
        Err(error) => return report.problems.push(chain(&error)),
    };
    match TenantStore::fsck(&scope, &blobs) {
        Ok(findings) => {
            let (segments, events) = (findings.segments, findings.events);
            report.done.push(format!("{segments} segments with {events} events are sound"));
            report.problems.extend(findings.problems);
            if findings.rebuilt {
                report.problems.push("the catalog was made again from the segments".to_owned());
            }
        }
        Err(error) => report.problems.push(chain(&error)),
    }
}

/// Opening a journal reads all of it; what is not in segments goes into memory and no further.
fn check_journal(folder: &Folder, tenant: &Tenant, report: &mut Report) {
    match node::open(tenant.id, &folder.means) {
        Ok((open, set_aside)) => {
            open.journal.close();
            report.done.push("the journal is sound".to_owned());
            let file = |file| format!("{file}; the file was set aside");
            report.problems.extend(set_aside.into_iter().map(file));
        }
        Err(unopened) => report.problems.push(unopened.why),
    }
}

//! The jobs. One that fails for one tenant goes on with the next, and is tried again when it is
//! due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ledgerline_audit::retention::Floor;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep, upkeep};
use ledgerline_store::Horizon;
use ledgerline_tenancy::{Dataset, Tenancy};

use super::Job;
use crate::app::App;
use crate::cosigning;
use crate::error::{Failure, chain};
use crate::node::OpenTenant;
use crate::revive;
use crate::road;
use crate::routes::logs::{are_on, settings};
use crate::signing;

/// Does a job, for every tenant where it is for no single one. Whether it went well for all.
pub(super) fn run(app: &App, job: Job) -> bool {
    let tenants = match job {
        Job::Maintain => return maintain(app),
        Job::Revive => return revive::run(app),
        // Who is gone meanwhile needs no relief.
        Job::Relieve(tenant) => app.node.tenant(tenant).into_iter().collect(),
        Job::Flush | Job::Compact | Job::Expire | Job::Archive | Job::Sign | Job::Cosign => {
            app.node.tenants()
        }
    };
    let mut is_good = true;
    for tenant in tenants {
        let done = match job {
            Job::Relieve(_) | Job::Flush => flush(&tenant),
            Job::Compact => compact(app, &tenant),
            Job::Expire => {
                expire(&app.tenancy, app.clock.now(), &tenant).and_then(|_| thin(app, &tenant))
            }
            Job::Archive => {
                archive(&app.tenancy, app.clock.now(), &tenant, &app.is_stopping).map(drop)
            }
            Job::Sign => sign(app, &tenant),
            Job::Cosign => cosign(app, &tenant),
            Job::Maintain | Job::Revive => Ok(()),
        };
        if let Err(error) = done {
            is_good = false;
            tracing::error!(tenant = %tenant.id, error, "a background job failed");
        }
    }
    if job == Job::Compact {
        count_segments(app);
    }
    is_good
}

fn sign(app: &App, tenant: &OpenTenant) -> Result<(), String> {
    let is_gone = tenant.is_gone.read();
    if *is_gone {
        return Ok(());
    }
    let signed = signing::sign(tenant, app.node.signer(), &*app.clock);
    signed.map(drop).map_err(|failure| failure.problem.detail.clone())
}

/// Of the checkpoints that are older than a day, the last of each hour is kept.
fn thin(app: &App, tenant: &OpenTenant) -> Result<(), String> {
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Sign);
    let before = app.clock.now().0.saturating_sub(Timestamp::DAY);
    tenant.store.trees().thin_checkpoints(&scope, before).map_err(|error| chain(&error))
}

fn cosign(app: &App, tenant: &OpenTenant) -> Result<(), String> {
    let is_gone = tenant.is_gone.read();
    if *is_gone {
        return Ok(());
    }
    let cosigned = app.witnesses.cosign(tenant, &*app.clock);
    let anchored = app.anchor.as_ref().map_or(Ok(()), |folder| cosigning::anchor(tenant, folder));
    cosigned.and(anchored).map_err(|failure| failure.problem.detail.clone())
}

fn count_segments(app: &App) {
    let of_tenant = |tenant: &OpenTenant| {
        let scope = upkeep(tenant.id, ledgerline_policy::Job::Compact);
        let datasets = app.tenancy.all_datasets(&scope).unwrap_or_default();
        datasets.iter().map(|dataset| tenant.store.usage(dataset.id).segments).sum::<u64>()
    };
    let segments = app.node.tenants().iter().map(|tenant| of_tenant(tenant)).sum::<u64>();
    app.metrics.segments.set(i64::try_from(segments).unwrap_or(i64::MAX));
}

/// Looks at how much memory events take, and for failures of the disk. Answers which tenants have
/// more in memory than their share, the largest first.
pub(super) fn look(app: &App) -> Vec<TenantId> {
    let tenants = app.node.tenants();
    let mut sizes: Vec<(usize, TenantId)> =
        tenants.iter().map(|tenant| (tenant.store.memory_bytes(), tenant.id)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let sum = sizes.iter().map(|(bytes, _)| bytes).sum::<usize>();
    app.door.refresh(sum, &app.metrics);
    look_for_failures(app);
    let journals: u64 = tenants.iter().map(|tenant| tenant.journal.size_bytes()).sum();
    app.metrics.journal_bytes.set(i64::try_from(journals).unwrap_or(i64::MAX));
    let forgotten: u64 = tenants.iter().map(|tenant| tenant.journal.take_forgotten_early()).sum();
    app.metrics.dedupe_forgotten.inc_by(forgotten);
    let (open, unavailable) = app.node.counts();
    app.metrics.tenants_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    app.metrics.tenants_unavailable.set(i64::try_from(unavailable).unwrap_or(i64::MAX));
    let limits = app.door.limits();
    // When all together are too much, whoever has an eighth of it or more is worth the work.
    let all_is_too_much = sum > limits.memtable_bytes / 2;
    let is_crowded = |(bytes, _): &(usize, TenantId)| {
        *bytes > limits.memtable_bytes_per_tenant
            || all_is_too_much && *bytes > limits.memtable_bytes / 16
    };
    sizes.into_iter().filter(is_crowded).map(|(_, tenant)| tenant).collect()
}

/// Ends the process when what is on the disk of some tenant is not known any more.
pub(super) fn look_for_failures(app: &App) {
    let of_each = |tenant: &Arc<OpenTenant>| tenant.journal.failed().or(tenant.store.failed());
    if let Some(reason) = app.node.tenants().iter().find_map(of_each) {
        app.node.fail(reason);
    }
}

type Done = Result<(), String>;

fn flush(tenant: &OpenTenant) -> Done {
    if tenant.store.memory_bytes() == 0 {
        return Ok(());
    }
    let flushed = road::flush(tenant).map_err(|failure| failure.problem.detail.clone())?;
    tracing::debug!(tenant = %tenant.id, events = flushed.events, "events went into segments");
    Ok(())
}

/// Merges until there is nothing left to do, or the server stops, or the tenant is gone: for either
/// of these one waits for one merge at most.
fn compact(app: &App, tenant: &OpenTenant) -> Done {
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Compact);
    let (mut merged, mut written) = (0, 0);
    while !app.is_stopping.load(Ordering::Relaxed) {
        let is_gone = tenant.is_gone.read();
        if *is_gone {
            break;
        }
        // Each time anew: a hold may have been placed meanwhile.
        let horizon = horizon(&app.tenancy, app.clock.now(), &scope)?;
        match tenant.store.compact_next(&scope, &horizon) {
            Ok(Some(done)) => (merged, written) = (merged + done.merged, written + done.written),
            Ok(None) => break,
            Err(error) => return Err(chain(&error)),
        }
    }
    if merged > 0 {
        tracing::debug!(tenant = %tenant.id, merged, written, "segments were merged");
    }
    Ok(())
}

/// Moves what is old to the archive, if there is one, until there is nothing left to move, or the
/// server stops, or the tenant is gone. Says how many events that were.
pub(crate) fn archive(
    tenancy: &Tenancy,
    now: Timestamp,
    tenant: &OpenTenant,
    is_stopping: &AtomicBool,
) -> Result<u64, String> {
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Archive);
    let failed = |failure: Failure| failure.problem.detail.clone();
    let mut datasets = tenancy.all_datasets(&scope).map_err(|error| chain(&error))?;
    datasets.retain(|dataset| dataset.settings.hot_days.is_some());
    if datasets.is_empty() {
        return Ok(0);
    }
    let floor = settings::floor(&settings::of(tenancy, &scope).map_err(failed)?);
    let mut events = 0;
    for dataset in datasets {
        let Some(days) = at_hand_for(&dataset, floor) else { continue };
        let before = days_before(now, days);
        while !is_stopping.load(Ordering::Relaxed) {
            let is_gone = tenant.is_gone.read();
            if *is_gone {
                return Ok(events);
            }
            let moved = tenant.store.archive_next(&scope, dataset.id, before);
            let Some(moved) = moved.map_err(|error| chain(&error))? else { break };
            events += moved.events;
            let (dataset, events, bytes) = (dataset.id.0, moved.events, moved.bytes);
            tracing::info!(tenant = %tenant.id, dataset, events, bytes, "a segment was archived");
        }
    }
    Ok(events)
}

/// For how many days a dataset keeps its events at hand; nothing is as long as it keeps them.
fn at_hand_for(dataset: &Dataset, floor: Floor) -> Option<u32> {
    dataset.settings.hot_days.map(|days| at_least(dataset, days, floor.hot_days_min))
}

/// For how many days a dataset keeps its events; nothing is for ever.
pub(crate) fn kept_for(dataset: &Dataset, floor: Floor) -> Option<u32> {
    dataset.settings.retention_days.map(|days| at_least(dataset, days, floor.days_min))
}

/// For a dataset of audit events, never less than the floor.
fn at_least(dataset: &Dataset, days: u32, floor_days: u32) -> u32 {
    match dataset.kind {
        DatasetKind::Audit => days.max(floor_days),
        DatasetKind::Logs => days,
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::from(days).saturating_mul(Timestamp::DAY)))
}

/// The datasets that lose what is old, and from when on they keep their events. While a hold is on,
/// those of audit events keep all that they have.
pub(crate) fn kept_from(
    tenancy: &Tenancy,
    now: Timestamp,
    scope: &Scope<Upkeep>,
) -> Result<Vec<(Dataset, Timestamp)>, String> {
    let datasets = tenancy.all_datasets(scope).map_err(|error| chain(&error))?;
    let is_audit = |dataset: &Dataset| dataset.kind == DatasetKind::Audit;
    let loses = |dataset: &Dataset| is_audit(dataset) && dataset.settings.retention_days.is_some();
    let (floor, is_held) = if datasets.iter().any(loses) {
        let failed = |failure: Failure| failure.problem.detail.clone();
        let settings = settings::of(tenancy, scope).map_err(failed)?;
        (settings::floor(&settings), are_on(tenancy, scope).map_err(failed)?)
    } else {
        (Floor::default(), false)
    };
    let losing = datasets.into_iter().filter(|dataset| !(is_held && is_audit(dataset)));
    let losing = losing.filter_map(|dataset| {
        let days = kept_for(&dataset, floor)?;
        Some((dataset, days_before(now, days)))
    });
    Ok(losing.collect())
}

/// The time, and from when on the tenant's datasets keep their events.
pub(crate) fn horizon(
    tenancy: &Tenancy,
    now: Timestamp,
    scope: &Scope<Upkeep>,
) -> Result<Horizon, String> {
    let kept_from = kept_from(tenancy, now, scope)?.into_iter();
    Ok(Horizon { now, kept_from: kept_from.map(|(dataset, from)| (dataset.id, from)).collect() })
}

/// Deletes what is past its dataset's retention, but audit events, of which their ledger tells that
/// they go ([`crate::retiring`]). Answers how many events that were.
pub(crate) fn expire(
    tenancy: &Tenancy,
    now: Timestamp,
    tenant: &OpenTenant,
) -> Result<u64, String> {
    let is_gone = tenant.is_gone.read();
    if *is_gone {
        return Ok(0);
    }
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Expire);
    let mut events = 0;
    for (dataset, before) in kept_from(tenancy, now, &scope)? {
        if dataset.kind == DatasetKind::Audit {
            continue;
        }
        let expired = tenant.store.expire(&scope, dataset.id, before);
        let expired = expired.map_err(|error| chain(&error))?;
        if expired.segments > 0 {
            let (dataset, events) = (dataset.id.0, expired.events);
            tracing::info!(tenant = %tenant.id, dataset, events, "events expired");
        }
        events += expired.events;
    }
    Ok(events)
}

fn maintain(app: &App) -> bool {
    match app.tenancy.maintain() {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error = chain(&error), "the control records were not maintained");
            false
        }
    }
}

#[cfg(test)]
mod tests;

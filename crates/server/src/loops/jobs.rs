//! The jobs. One that fails for one tenant goes on with the next, and is tried again when it is
//! due.

use ledgerline_model::time::Timestamp;
use ledgerline_policy::upkeep;
use ledgerline_store::error::ErrorKind;
use ledgerline_tenancy::Tenancy;

use super::Job;
use crate::app::App;
use crate::error::chain;
use crate::node::OpenTenant;
use crate::road;

/// Does a job for every tenant. Whether it went well for all.
pub(super) fn run(app: &App, job: Job) -> bool {
    if job == Job::Maintain {
        return maintain(app);
    }
    let mut is_good = true;
    for tenant in app.node.tenants() {
        let done = match job {
            Job::Relieve => relieve(app, &tenant),
            Job::Flush => flush(&tenant),
            Job::Compact => compact(app, &tenant),
            Job::Expire => expire(&app.tenancy, app.clock.now(), &tenant).map(drop),
            Job::Maintain => Ok(()),
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

fn count_segments(app: &App) {
    let of_tenant = |tenant: &OpenTenant| {
        let scope = upkeep(tenant.id, ledgerline_policy::Job::Compact);
        let datasets = app.tenancy.all_datasets(&scope).unwrap_or_default();
        datasets.iter().map(|dataset| tenant.store.usage(dataset.id).segments).sum::<u64>()
    };
    let segments = app.node.tenants().iter().map(|tenant| of_tenant(tenant)).sum::<u64>();
    app.metrics.segments.set(i64::try_from(segments).unwrap_or(i64::MAX));
}

/// Looks at how much memory events take, and at the journals. Whether some tenant has more than its
/// share of memory.
pub(super) fn look(app: &App) -> bool {
    let limits = app.door.limits();
    let tenants = app.node.tenants();
    let of_each = tenants.iter().map(|tenant| tenant.store.memory_bytes());
    let (sum, most) = of_each.fold((0, 0), |(sum, most), bytes| (sum + bytes, bytes.max(most)));
    app.door.refresh(sum, &app.metrics);
    if let Some(reason) = tenants.iter().find_map(|tenant| tenant.journal.failed()) {
        app.node.fail(reason);
    }
    let journals: u64 = tenants.iter().map(|tenant| tenant.journal.size_bytes()).sum();
    app.metrics.journal_bytes.set(i64::try_from(journals).unwrap_or(i64::MAX));
    let (open, unavailable) = app.node.counts();
    app.metrics.tenants_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    app.metrics.tenants_unavailable.set(i64::try_from(unavailable).unwrap_or(i64::MAX));
    most > limits.memtable_bytes_per_tenant || sum > limits.memtable_bytes / 2
}

type Done = Result<(), String>;

fn relieve(app: &App, tenant: &OpenTenant) -> Done {
    let limits = app.door.limits();
    let bytes = tenant.store.memory_bytes();
    // When all together are too much, whoever has an eighth of it or more is worth the work.
    let all = app.node.tenants().iter().map(|one| one.store.memory_bytes()).sum::<usize>();
    let is_crowded = all > limits.memtable_bytes / 2 && bytes > limits.memtable_bytes / 16;
    if bytes > limits.memtable_bytes_per_tenant || is_crowded { flush(tenant) } else { Ok(()) }
}

fn flush(tenant: &OpenTenant) -> Done {
    if tenant.store.memory_bytes() == 0 {
        return Ok(());
    }
    let flushed = road::flush(tenant).map_err(|failure| failure.problem.detail.clone())?;
    tracing::debug!(tenant = %tenant.id, events = flushed.events, "events went into segments");
    Ok(())
}

fn compact(app: &App, tenant: &OpenTenant) -> Done {
    let is_gone = tenant.is_gone.read();
    if *is_gone {
        return Ok(());
    }
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Compact);
    match tenant.store.compact(&scope, app.clock.now()) {
        Ok(done) if done.merged > 0 => {
            let (merged, written) = (done.merged, done.written);
            tracing::debug!(tenant = %tenant.id, merged, written, "segments were merged");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::Busy => Ok(()),
        Err(error) => Err(chain(&error)),
    }
}

/// Deletes what is past its dataset's retention, and says how many events that were.
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
    let datasets = tenancy.all_datasets(&scope).map_err(|error| chain(&error))?;
    let mut events = 0;
    for dataset in datasets {
        if let Some(days) = dataset.settings.retention_days {
            let kept = i64::from(days).saturating_mul(Timestamp::DAY);
            let before = Timestamp(now.0.saturating_sub(kept));
            let expired = tenant.store.expire(&scope, dataset.id, before);
            let expired = expired.map_err(|error| chain(&error))?;
            if expired.segments > 0 {
                let (name, events) = (dataset.name.as_str(), expired.events);
                tracing::info!(tenant = %tenant.id, dataset = name, events, "events expired");
            }
            events += expired.events;
        }
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

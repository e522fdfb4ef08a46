//! What is going to be removed because its time is over, and what keeps it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::v1::audit::{Plan, Planned};
use ledgerline_audit::hold::Hold;
use ledgerline_audit::ranges::Ranges;
use ledgerline_audit::retention::{Held, Retention, Stretch, plan};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, Job, upkeep};
use ledgerline_tenancy::Dataset;

use super::filter::{Parameters, number, refused};
use super::{holds, settings};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::extract::Query;
use crate::loops::jobs::kept_for;
use crate::node::OpenTenant;
use crate::routes::time;

const DAYS: usize = 30;
const DAYS_MAX: usize = 3_650;

/// What is going to be removed
///
/// The events of the tenant's datasets whose time is over within so many days, segment by segment,
/// and the holds that keep them. A dataset keeps its events for `retention_days`, one of audit
/// events at least as long as the presets demand; while any hold is on, no dataset of audit events
/// loses anything to its retention.
#[utoipa::path(
    get, path = "/api/v1/audit/retention/plan", tag = "audit", operation_id = "retention_plan",
    params(("days" = Option<u32>, Query, minimum = 0, maximum = 3650, description = "How many days ahead; usually 30")),
    responses((status = 200, description = "What goes, and what blocks it", body = Plan))
)]
pub(crate) async fn retention_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Plan>> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name != "days") {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    let days = number(&parameters, "days", (DAYS, 0..=DAYS_MAX))?;
    let scope = caller.may_manage(Action::ListDatasets)?;
    let tenant = scope.tenant();
    let floor = settings::floor(&settings::read(&app, tenant).await?);
    let held = holds::active(&app, tenant).await?;
    let of_records = upkeep(tenant, Job::Expire);
    let datasets = app.records(move |tenancy| tenancy.all_datasets(&of_records)).await?;
    let open = app.node.tenant(tenant)?;
    let now = app.clock.now();
    let until = Timestamp(now.0.saturating_add(days as i64 * Timestamp::DAY));
    let mut data = Vec::new();
    for dataset in datasets {
        let Some(days) = kept_for(&dataset, floor) else { continue };
        data.extend(of_dataset(&open, &dataset, (days, now, until), &held)?);
    }
    data.sort_by(|a: &Planned, b| {
        (&a.would_go_at, &a.dataset, a.first_seq).cmp(&(&b.would_go_at, &b.dataset, b.first_seq))
    });
    Ok(Json(Plan { until: time(until), data }))
}

fn of_dataset(
    open: &OpenTenant,
    dataset: &Dataset,
    (days, now, until): (u32, Timestamp, Timestamp),
    holds: &[Hold],
) -> Result<Vec<Planned>> {
    let stretches = open.store.stretches(&upkeep(open.id, Job::Expire), dataset.id)?;
    let stretches: Vec<Stretch> = stretches
        .into_iter()
        .map(|stretch| Stretch {
            first: stretch.seqs.0.0,
            last: stretch.seqs.1.0,
            events: stretch.events,
            newest: stretch.newest,
        })
        .collect();
    // A hold keeps all of a dataset of audit events, and nothing of others.
    let whole = match (stretches.first(), stretches.iter().map(|stretch| stretch.last).max()) {
        (Some(first), Some(last)) => Ranges::merged(vec![(first.first, last)]),
        _ => return Ok(Vec::new()),
    };
    let holds = match dataset.kind {
        ledgerline_model::dataset::DatasetKind::Audit => holds,
        ledgerline_model::dataset::DatasetKind::Logs => &[],
    };
    let held: Vec<Held<'_>> = holds.iter().map(|hold| Held { hold, matches: &whole }).collect();
    let retention = Retention { days: Some(days), hot_days: None };
    let planned = plan(until, &stretches, &retention, &held).into_iter().map(|item| Planned {
        dataset: dataset.name.to_string(),
        first_seq: item.stretch.first,
        last_seq: item.stretch.last,
        events: item.stretch.events,
        newest: time(item.stretch.newest),
        would_go_at: time(item.would_go_at),
        due: item.is_due(now),
        blocked_by: item.blocked_by,
    });
    Ok(planned.collect())
}

//! Retention of audit events: what is past its time goes as if somebody had removed it, with an
//! entry in its ledger that tells it, so that who verifies the ledger knows why it is not there.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_audit::moment::Moment;
use ledgerline_audit::ranges::Ranges;
use ledgerline_audit::record::Author;
use ledgerline_audit::retirement::Retirement;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::DatasetId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, upkeep};
use ledgerline_tenancy::Dataset;

use crate::app::App;
use crate::eraser;
use crate::error::{Failure, Result, blocking};
use crate::loops::jobs::kept_from;
use crate::node::OpenTenant;
use crate::removal::{self, Removal, Why};

/// Removes the audit events of every tenant that are past their time. Whether it went well for all.
pub(crate) async fn retire(app: &Arc<App>) -> bool {
    let mut is_good = true;
    for open in app.node.tenants() {
        if app.is_stopping() {
            break;
        }
        if let Err(failure) = retire_of(app, &open).await {
            is_good = false;
            let reason = failure.code().as_str();
            tracing::error!(tenant = %open.id, reason, "audit events past their time stay");
        }
    }
    is_good
}

async fn retire_of(app: &Arc<App>, open: &Arc<OpenTenant>) -> Result<()> {
    // What a hold keeps is known only from here on: placing one waits for the same turn.
    let mut turn = eraser::turn(open).await;
    for (dataset, before) in due(app, open).await? {
        let events = past(open, dataset.id, before).await?;
        if events.is_empty() {
            continue;
        }
        let retirement = Retirement {
            before: Moment::from(before),
            filter: None,
            reason: "the retention of the dataset is over".to_owned(),
        };
        let by = Author { id: "ledgerline".to_owned(), kind: "system".to_owned() };
        let removal = Removal { dataset, events, why: Why::Retirement(retirement), by };
        removal::note(app, open, vec![removal], None, None).await?;
        turn = eraser::finish(app, open, turn).await?;
    }
    drop(turn);
    Ok(())
}

/// The datasets of audit events that lose what is old, and from when on they keep events.
async fn due(app: &Arc<App>, open: &Arc<OpenTenant>) -> Result<Vec<(Dataset, Timestamp)>> {
    let (scope, tenancy, now) =
        (upkeep(open.id, Job::Expire), Arc::clone(&app.tenancy), app.clock.now());
    blocking(move || {
        let losing = kept_from(&tenancy, now, &scope).map_err(|error| {
            tracing::error!(tenant = %scope.tenant(), error, "what is past its time is not known");
            Failure::new(ledgerline_api::code::Code::Unavailable, "try again later")
        });
        let mut due = losing?;
        due.retain(|(dataset, _)| dataset.kind == DatasetKind::Audit);
        Ok(due)
    })
    .await
}

/// The events of a dataset that are past their time. Of those that told of earlier removals, what
/// they told of is told again.
async fn past(open: &Arc<OpenTenant>, dataset: DatasetId, before: Timestamp) -> Result<Ranges> {
    let open = Arc::clone(open);
    blocking(move || {
        let is_gone = open.is_gone.read();
        if *is_gone {
            return Ok(Ranges::default());
        }
        let scope = upkeep(open.id, Job::Expire);
        let mut spans = open.store.past(&scope, dataset, before)?;
        for span in spans.clone() {
            spans.extend(open.store.trees().removed_by(&scope, dataset, &span)?);
        }
        let ends = |span: Range<u64>| (span.start, span.end.saturating_sub(1));
        Ok(Ranges::merged(spans.into_iter().map(ends).collect()))
    })
    .await
}

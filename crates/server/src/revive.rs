//! Trying again: tenants that did not open, for want of something that may be there again, and
//! deletions that were cut short.

use ledgerline_model::id::TenantId;
use ledgerline_policy::{OperatorScope, upkeep_of_tenants};
use tokio::runtime::Handle;

use crate::app::App;

/// Destroys what is left of tenants that were deleted or half made. Returns those of which
/// something stays.
pub(crate) fn remove_leftovers(app: &App, scope: &OperatorScope) -> Vec<TenantId> {
    let _alone = app.reviving.lock();
    app.tenancy.remove_leftovers(scope, |tenant| {
        app.node.forget(tenant);
        app.desk.forget(tenant);
    })
}

/// Tries everything again. Whether all of it went well. For a thread that may wait.
pub(crate) fn run(app: &App) -> bool {
    let are_left = !remove_leftovers(app, &upkeep_of_tenants()).is_empty();
    let mut is_good = !are_left;
    let mut tenants = app.tenancy.retry_damaged();
    tenants.extend(app.node.to_try_again());
    for tenant in tenants {
        // One that is deleted meanwhile is not opened in the middle of that.
        let _alone = app.reviving.lock();
        if app.tenancy.tenant(tenant).is_err() {
            continue;
        }
        let opened = Handle::current().block_on(app.node.open(tenant));
        if opened.is_ok() {
            tracing::info!(%tenant, "the tenant opens again");
        }
        is_good &= opened.is_ok();
    }
    is_good
}

//! Jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::v1::jobs::Job as Wire;
use ledgerline_policy::{Action, Job as Chore, upkeep};

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Failure, Result, blocking};
use crate::extract::Path;
use crate::jobs::Job;

/// How far a job is
///
/// The last 1,000 jobs of a tenant are known. One that the end of the process cut short goes on at
/// the next start.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "audit", operation_id = "get_job",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = Wire))
)]
pub(crate) async fn get_job(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Wire>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    let open = app.node.tenant(scope.tenant())?;
    let found =
        blocking(move || Job::find(open.store.trees(), &upkeep(open.id, Chore::Erase), &id));
    let job = found.await?.ok_or_else(Failure::no_record)?;
    Ok(Json(job.wire()))
}

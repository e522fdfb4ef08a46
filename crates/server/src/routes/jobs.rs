//! Jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::v1::jobs::Job;
use ledgerline_policy::Action;

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Failure, Result};
use crate::extract::Path;

/// How far a job is
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "audit", operation_id = "get_job",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = Job))
)]
pub(crate) async fn get_job(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    let job = app.jobs.find(scope.tenant(), &id).ok_or_else(Failure::no_record)?;
    Ok(Json(job.wire()))
}

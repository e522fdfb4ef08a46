//! Audit events as WorkOS's client libraries send them. Answers and failures are in WorkOS's own
//! shape.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ledgerline_api::code::Code;
use ledgerline_api::v1::filters::StoredOnce;
use ledgerline_api::v1::workos::{Created, NewEvent};
use ledgerline_audit::limits::EVENT_BYTES_MAX;
use ledgerline_audit::workos;

use super::ingest::with_rate_limits;
use super::logs::DATASET;
use super::logs::write::{self, Coming};
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Failure, Result};

/// Record an audit event, as WorkOS takes it
///
/// For who sends to WorkOS already: with this server as the base URL and a key of Ledgerline, its
/// client libraries work as they are. The organization is the tenant, by its id or its name. Events
/// go to the dataset `audit`.
#[utoipa::path(
    post, path = "/audit_logs/events", tag = "audit", operation_id = "create_workos_event",
    params(StoredOnce),
    request_body = NewEvent,
    responses((status = 201, description = "It is stored", body = Created))
)]
pub(crate) async fn create_workos_event(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    with_rate_limits(&app, create(&app, &caller, request).await)
}

async fn create(app: &App, caller: &Caller, request: Request) -> Result<Response> {
    let coming = Coming::take(app, caller, DATASET, (request, EVENT_BYTES_MAX)).await?;
    let mapped = workos::parse(&coming.body);
    let mapped = mapped.map_err(|refusal| write::invalid(&refusal.into_faults()))?;
    let tenant = coming.scope.tenant();
    let record = app.records(move |tenancy| tenancy.tenant(tenant)).await?;
    let organization = mapped.organization_id;
    if organization != tenant.to_string() && organization != record.name.as_str() {
        // Whether another tenant has that name is not told.
        return Err(Failure::new(Code::NotFound, "there is no such organization"));
    }
    let stored = write::store_one(app, &coming, (&mapped.event, mapped.version)).await?;
    let mut response = (StatusCode::CREATED, Json(Created { success: true })).into_response();
    write::note_replay(&mut response, stored.is_replayed);
    Ok(response)
}

//! Whether the server lives, and whether it is ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ledgerline_api::v1::health::Readiness;

use crate::app::App;

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "healthz", security(()),
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"))
)]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the server takes requests
///
/// `degraded` means that some tenants cannot be opened; all others are served.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "It does", body = Readiness),
        (status = 503, description = "It stops", body = Readiness)
    )
)]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let (tenants_open, tenants_unavailable) = app.node.counts();
    let (code, status) = match () {
        () if app.is_stopping() => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        () if tenants_unavailable > 0 => (StatusCode::OK, "degraded"),
        () => (StatusCode::OK, "ready"),
    };
    let status = status.to_owned();
    (code, Json(Readiness { status, tenants_open, tenants_unavailable })).into_response()
}

//! The paths, a file per resource.

pub(crate) mod analytics;
pub(crate) mod asking;
pub(crate) mod auth;
pub(crate) mod datasets;
pub(crate) mod health;
pub(crate) mod ingest;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod otlp;
pub(crate) mod pages;
pub(crate) mod proofs;
pub(crate) mod search;
pub(crate) mod tenants;
pub(crate) mod users;
pub(crate) mod workos;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, patch, post};
use ledgerline_api::code::Code;
use ledgerline_api::time::rfc3339;
use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::error::{Failure, Result};
use crate::exchange;
use crate::otlp_shape;
use crate::workos_shape;

/// Everything that the main port serves.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/auth/login", post(auth::login))
        .route("/api/v1/auth/refresh", post(auth::refresh))
        .route("/api/v1/auth/logout", post(auth::logout))
        .route("/api/v1/auth/me", get(auth::me))
        .route("/api/v1/tenants", get(tenants::list_tenants).post(tenants::create_tenant))
        .route("/api/v1/tenants/{id}", delete(tenants::delete_tenant))
        .route("/api/v1/tenant", get(tenants::get_tenant).patch(tenants::update_tenant))
        .route("/api/v1/users", get(users::list_users).post(users::create_user))
        .route("/api/v1/users/{id}", patch(users::update_user).delete(users::delete_user))
        .route("/api/v1/keys", get(keys::list_keys).post(keys::create_key))
        .route("/api/v1/keys/{id}", delete(keys::revoke_key))
        .route("/api/v1/keys/{id}/rotate", post(keys::rotate_key))
        .route("/api/v1/datasets", get(datasets::list_datasets).post(datasets::create_dataset))
        .route("/api/v1/datasets/{name}", get(datasets::get_dataset).put(datasets::update_dataset))
        .route("/api/v1/ingest/{dataset}", post(ingest::ingest))
        .route(otlp_shape::ROUTE, post(otlp::ingest_otlp))
        .route("/api/v1/logs", get(logs::list_logs).post(logs::create_log))
        .route("/api/v1/logs/bulk", post(logs::create_logs))
        .route("/api/v1/logs/import/cloudtrail", post(logs::import_cloudtrail))
        .route("/api/v1/logs/stats", get(logs::log_stats))
        .route("/api/v1/logs/stream", get(logs::stream_logs))
        .route("/api/v1/logs/export", get(logs::export_logs))
        .route("/api/v1/logs/cleanup", delete(logs::clean_up_logs))
        .route("/api/v1/logs/correlated/{request_id}", get(logs::correlated_logs))
        .route(
            "/api/v1/logs/{id}",
            get(logs::get_log).patch(logs::amend_log).delete(logs::erase_log),
        )
        .route("/api/v1/erasures", post(logs::erase_subject))
        .route("/api/v1/holds", get(logs::list_holds).post(logs::create_hold))
        .route("/api/v1/holds/{id}", delete(logs::release_hold))
        .route(
            "/api/v1/audit/settings",
            get(logs::get_audit_settings).put(logs::set_audit_settings),
        )
        .route("/api/v1/audit/masks", get(logs::get_audit_masks).put(logs::set_audit_masks))
        .route("/api/v1/audit/retention/plan", get(logs::retention_plan))
        .route("/api/v1/schemas", get(logs::list_schemas))
        .route(
            // Actions may have slashes.
            "/api/v1/schemas/{*action}",
            get(logs::get_schema).put(logs::put_schema).delete(logs::delete_schema),
        )
        .route(workos_shape::ROUTE, post(workos::create_workos_event))
        .route("/api/v1/jobs/{id}", get(jobs::get_job))
        .route("/api/v1/ledger/policy", get(proofs::ledger_policy))
        .route("/api/v1/ledger/keys", get(proofs::ledger_keys))
        .route("/api/v1/ledger/rotate", post(proofs::rotate_ledger_key))
        .route("/api/v1/ledger/checkpoint", get(proofs::ledger_checkpoint))
        .route("/api/v1/ledger/checkpoints", get(proofs::ledger_checkpoints))
        .route("/api/v1/ledger/tile/{*path}", get(proofs::ledger_tile))
        .route("/api/v1/ledger/proof/inclusion", get(proofs::ledger_inclusion))
        .route("/api/v1/ledger/proof/consistency", get(proofs::ledger_consistency))
        .route("/api/v1/search", post(search::search))
        .route("/api/v1/search/histogram", post(search::histogram))
        .route("/api/v1/search/fields", post(search::fields))
        .route("/api/v1/search/values", post(search::values))
        .route("/api/v1/search/context", post(search::context))
        .route("/api/v1/analytics/query", post(analytics::query))
        .route("/api/v1/analytics/sql", post(analytics::sql))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(pages::router())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), exchange::surround))
        .with_state(app)
}

async fn no_route() -> Failure {
    Failure::new(Code::RouteNotFound, "there is nothing at this path")
}

async fn no_method() -> Failure {
    Failure::new(Code::MethodNotAllowed, "the path does not take this method")
}

/// The id in a path. One that cannot be is one that is not there.
fn record_id(text: &str) -> Result<RecordId> {
    text.parse().map_err(|_| Failure::no_record())
}

pub(crate) fn time(time: Timestamp) -> String {
    rfc3339(time)
}

//! The paths, a file per resource.

pub(crate) mod analytics;
pub(crate) mod asking;
pub(crate) mod auth;
pub(crate) mod datasets;
pub(crate) mod health;
pub(crate) mod ingest;
pub(crate) mod keys;
pub(crate) mod otlp;
pub(crate) mod pages;
pub(crate) mod search;
pub(crate) mod tenants;
pub(crate) mod users;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, patch, post};
use ledgerline_api::code::Code;
use ledgerline_api::time::rfc3339;
use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::error::{Failure, Result};
use crate::exchange;
use crate::otlp_shape;

/// Everything that the main port serves.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/auth/login", post(auth::login))
        .route("/api/v1/auth/refresh", post(auth::refresh))
        .route("/api/v1/auth/logout", post(auth::logout))
        .route("/api/v1/auth/me", get(auth::me))
        .route("/api/v1/tenants", get(tenants::list_tenants).post(tenants::create_tenant))
        .route("/api/v1/tenants/{id}", axum::routing::delete(tenants::delete_tenant))
        .route("/api/v1/tenant", get(tenants::get_tenant).patch(tenants::update_tenant))
        .route("/api/v1/users", get(users::list_users).post(users::create_user))
        .route("/api/v1/users/{id}", patch(users::update_user).delete(users::delete_user))
        .route("/api/v1/keys", get(keys::list_keys).post(keys::create_key))
        .route("/api/v1/keys/{id}", axum::routing::delete(keys::revoke_key))
        .route("/api/v1/keys/{id}/rotate", post(keys::rotate_key))
        .route("/api/v1/datasets", get(datasets::list_datasets).post(datasets::create_dataset))
        .route("/api/v1/datasets/{name}", get(datasets::get_dataset).put(datasets::update_dataset))
        .route("/api/v1/ingest/{dataset}", post(ingest::ingest))
        .route(otlp_shape::ROUTE, post(otlp::ingest_otlp))
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

fn time(time: Timestamp) -> String {
    rfc3339(time)
}

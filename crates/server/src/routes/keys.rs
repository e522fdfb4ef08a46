//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use ledgerline_api::time::from_rfc3339;
use ledgerline_api::v1::List;
use ledgerline_api::v1::keys::{self as wire, CreateKey, RotateKey};
use ledgerline_policy::{Action, KeyScope};
use ledgerline_tenancy::{ApiKey, Tenancy};

use super::{record_id, time};
use crate::act::act;
use crate::app::App;
use crate::audit::Record;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result};
use crate::extract::Path;

const OVERLAP_SECONDS: u64 = 86_400;

/// List the API keys
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys", operation_id = "list_keys",
    responses((status = 200, description = "Every key, without its secret", body = List<wire::Key>))
)]
pub(crate) async fn list_keys(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<wire::Key>>> {
    let scope = caller.may_manage(Action::ReadKeys)?;
    let keys = app.records(move |tenancy| tenancy.keys(&scope)).await?;
    Ok(Json(List { data: keys.iter().map(written).collect() }))
}

/// Make an API key
///
/// The secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys", operation_id = "create_key",
    request_body = CreateKey,
    responses((status = 201, description = "The key and its secret", body = wire::NewKey))
)]
pub(crate) async fn create_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<CreateKey>,
) -> Result<(StatusCode, Json<wire::NewKey>)> {
    let scope = caller.may_manage(Action::ManageKeys)?;
    let tenant = scope.tenant();
    let scopes: Result<Vec<KeyScope>, _> = request.scopes.iter().map(|one| one.parse()).collect();
    let scopes = scopes.map_err(|error| Failure::invalid("scopes", error.to_string()))?;
    let expires = request.expires_at.as_deref().map(|text| {
        let detail = "the end of a key is a time as RFC 3339 writes it";
        from_rfc3339(text).ok_or_else(|| Failure::invalid("expires_at", detail))
    });
    let name = request.name;
    let new = ledgerline_tenancy::NewKey { name, scopes, expires: expires.transpose()? };
    let create = move |tenancy: &Tenancy| tenancy.create_key(&scope, &new);
    let told = |record: Record, (key, _): &(ApiKey, String)| {
        let record = record.on("key", key.id).with("key.name", &key.name);
        record.with("key.scopes", scopes_of(key).join(" "))
    };
    let (key, secret) = act(&app, tenant, caller.record("key.created"), create, told).await?;
    Ok((StatusCode::CREATED, Json(with_secret(&key, secret))))
}

/// Give a key a new secret
///
/// The old one is good for some time more, so that both can be in use while senders change over.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/rotate", tag = "keys", operation_id = "rotate_key",
    params(("id" = String, Path, description = "The key's id")),
    request_body = Option<RotateKey>,
    responses((status = 200, description = "The key and its new secret", body = wire::NewKey))
)]
pub(crate) async fn rotate_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body::OptionalJson(request): body::OptionalJson<RotateKey>,
) -> Result<Json<wire::NewKey>> {
    let scope = caller.may_manage(Action::ManageKeys)?;
    let (tenant, id) = (scope.tenant(), record_id(&id)?);
    let overlap = request.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    let record = caller.record("key.rotated").on("key", id).count("key.overlap_seconds", overlap);
    let rotate = move |tenancy: &Tenancy| tenancy.rotate_key(&scope, id, overlap);
    let (key, secret) = act(&app, tenant, record, rotate, |record, _| record).await?;
    Ok(Json(with_secret(&key, secret)))
}

/// Revoke a key, at once
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "keys", operation_id = "revoke_key",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "It is revoked"))
)]
pub(crate) async fn revoke_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let scope = caller.may_manage(Action::ManageKeys)?;
    let (tenant, id) = (scope.tenant(), record_id(&id)?);
    let record = caller.record("key.revoked").on("key", id);
    let revoke = move |tenancy: &Tenancy| tenancy.revoke_key(&scope, id);
    act(&app, tenant, record, revoke, |record, _| record).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn scopes_of(key: &ApiKey) -> Vec<String> {
    key.scopes.iter().map(ToString::to_string).collect()
}

fn with_secret(key: &ApiKey, secret: String) -> wire::NewKey {
    wire::NewKey {
        id: key.id.to_string(),
        key: secret,
        name: key.name.clone(),
        scopes: scopes_of(key),
        expires_at: key.expires.map(time),
    }
}

fn written(key: &ApiKey) -> wire::Key {
    wire::Key {
        id: key.id.to_string(),
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        scopes: scopes_of(key),
        created_at: time(key.created),
        expires_at: key.expires.map(time),
        last_used_at: key.last_used.map(time),
        revoked: key.revoked,
    }
}

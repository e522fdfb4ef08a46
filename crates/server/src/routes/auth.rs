//! Logins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use ledgerline_api::v1::auth::{LoginRequest, Me, RefreshRequest, TokenResponse};
use ledgerline_api::v1::tenants::TenantName;
use ledgerline_policy::{Role, Subject};
use ledgerline_tenancy::{ErrorKind, Tokens};

use crate::app::App;
use crate::audit::Record;
use crate::auth::{Anyone, Caller};
use crate::body;
use crate::error::{Failure, Result, blocking};

/// Log in with a password
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", operation_id = "login", security(()),
    request_body = LoginRequest,
    responses((status = 200, description = "The tokens", body = TokenResponse))
)]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Anyone(exchange): Anyone,
    body::Json(request): body::Json<LoginRequest>,
) -> Result<Json<TokenResponse>> {
    let pause = app.tenancy.login_pause();
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let tenancy = Arc::clone(&app.tenancy);
    let client = exchange.remote();
    let LoginRequest { email, password, tenant } = request;
    let of_login = email.clone();
    // Whatever is wrong with it, a login that fails is answered in the same words.
    let tokens = blocking(move || {
        let tokens = tenancy.login(&email, &password, tenant.as_deref(), client);
        tokens.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Denied => {
                Failure::unauthenticated()
            }
            _ => error.into(),
        })
    })
    .await;
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(failure) => {
            let record = Record::new("auth.login", &exchange);
            app.audit.failed_login(of_login, record.with("reason", failure.code().as_str()));
            return Err(failure);
        }
    };
    if let Some(tenant) = tokens.principal.tenant() {
        exchange.belongs_to(tenant);
        let record = Record::new("auth.login", &exchange).by(tokens.principal.subject());
        // Not before the answer: who is to make room on a full disk must get in.
        app.audit.later(tenant, record);
    }
    Ok(Json(response(tokens)))
}

/// Exchange a refresh token for new tokens
///
/// Each refresh token is good once. Used again, it ends the whole session.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth", operation_id = "refresh", security(()),
    request_body = RefreshRequest,
    responses((status = 200, description = "New tokens", body = TokenResponse))
)]
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    Anyone(exchange): Anyone,
    body::Json(request): body::Json<RefreshRequest>,
) -> Result<Json<TokenResponse>> {
    let tokens = app.records(move |tenancy| tenancy.refresh(&request.refresh_token)).await?;
    if let Some(tenant) = tokens.principal.tenant() {
        exchange.belongs_to(tenant);
        let record = Record::new("auth.refresh", &exchange).by(tokens.principal.subject());
        app.audit.later(tenant, record);
    }
    Ok(Json(response(tokens)))
}

/// End the session of a refresh token
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth", operation_id = "logout", security(()),
    request_body = RefreshRequest,
    responses((status = 204, description = "It is ended, if it was one"))
)]
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    body::Json(request): body::Json<RefreshRequest>,
) -> Result<StatusCode> {
    app.records(move |tenancy| tenancy.logout(&request.refresh_token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose credential it is
#[utoipa::path(
    get, path = "/api/v1/auth/me", tag = "auth", operation_id = "me",
    responses((status = 200, description = "Its owner and rights", body = Me))
)]
pub(crate) async fn me(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Me>> {
    let tenant = match caller.principal.tenant() {
        Some(id) => Some(app.records(move |tenancy| tenancy.tenant(id)).await?),
        None => None,
    };
    let (kind, id) = match caller.principal.subject() {
        Subject::User(id) => ("user", id.to_string()),
        Subject::Key(id) => ("key", id.to_string()),
        Subject::System => ("system", String::new()),
    };
    Ok(Json(Me {
        kind: kind.to_owned(),
        id,
        role: caller.principal.role().map(Role::as_str).map(str::to_owned),
        scopes: caller.principal.key_scopes().iter().map(ToString::to_string).collect(),
        tenant: tenant
            .map(|tenant| TenantName { id: tenant.id.to_string(), name: tenant.name.to_string() }),
    }))
}

fn response(tokens: Tokens) -> TokenResponse {
    TokenResponse {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_in: tokens.expires_in,
        token_type: "Bearer".to_owned(),
    }
}

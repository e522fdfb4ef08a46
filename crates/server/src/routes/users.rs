//! Users.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use ledgerline_api::v1::List;
use ledgerline_api::v1::users::{self as wire, CreateUser, UpdateUser};
use ledgerline_policy::{Action, Role};
use ledgerline_tenancy::{NewUser, Tenancy, User};

use super::{record_id, time};
use crate::act::act;
use crate::app::App;
use crate::audit::Record;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result};
use crate::extract::Path;

/// List the users
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", operation_id = "list_users",
    responses((status = 200, description = "Every user of the tenant", body = List<wire::User>))
)]
pub(crate) async fn list_users(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<wire::User>>> {
    let scope = caller.may_manage(Action::ReadUsers)?;
    let users = app.records(move |tenancy| tenancy.users(&scope)).await?;
    Ok(Json(List { data: users.iter().map(written).collect() }))
}

/// Make a user
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", operation_id = "create_user",
    request_body = CreateUser,
    responses((status = 201, description = "It is made", body = wire::User))
)]
pub(crate) async fn create_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<CreateUser>,
) -> Result<(StatusCode, Json<wire::User>)> {
    let scope = caller.may_manage(Action::ManageUsers)?;
    let (tenant, role) = (scope.tenant(), role(&request.role)?);
    let new = NewUser { email: request.email, password: request.password, role };
    let record = caller.record("user.created");
    let record = record.with("user.email", &new.email).with("user.role", role);
    let create = move |tenancy: &Tenancy| tenancy.create_user(&scope, &new);
    let told = |record: Record, user: &User| record.on("user", user.id);
    let user = act(&app, tenant, record, create, told).await?;
    Ok((StatusCode::CREATED, Json(written(&user))))
}

/// Change a user
///
/// The last admin who can log in cannot be changed to something else or disabled.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", tag = "users", operation_id = "update_user",
    params(("id" = String, Path, description = "The user's id")),
    request_body = UpdateUser,
    responses((status = 200, description = "The user as it is now", body = wire::User))
)]
pub(crate) async fn update_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body::Json(request): body::Json<UpdateUser>,
) -> Result<Json<wire::User>> {
    let scope = caller.may_manage(Action::ManageUsers)?;
    let (tenant, id) = (scope.tenant(), record_id(&id)?);
    let role = request.role.as_deref().map(role).transpose()?;
    let UpdateUser { disabled, password, .. } = request;
    let mut record = caller.record("user.updated").on("user", id);
    if let Some(role) = role {
        record = record.with("user.role", role);
    }
    if let Some(disabled) = disabled {
        record = record.with("user.disabled", disabled);
    }
    record = record.with("user.password_changed", password.is_some());
    let update = move |tenancy: &Tenancy| {
        tenancy.update_user(&scope, id, role, disabled, password.as_deref())
    };
    let user = act(&app, tenant, record, update, |record, _| record).await?;
    Ok(Json(written(&user)))
}

/// Delete a user and end its sessions
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "users", operation_id = "delete_user",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn delete_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let scope = caller.may_manage(Action::ManageUsers)?;
    let (tenant, id) = (scope.tenant(), record_id(&id)?);
    let record = caller.record("user.deleted").on("user", id);
    let delete = move |tenancy: &Tenancy| tenancy.delete_user(&scope, id);
    let told = |record: Record, user: &User| record.with("user.email", &user.email);
    act(&app, tenant, record, delete, told).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn role(text: &str) -> Result<Role> {
    match text.parse() {
        Ok(role) if role != Role::Operator => Ok(role),
        _ => Err(Failure::invalid("role", "the role is one of admin, auditor and user")),
    }
}

fn written(user: &User) -> wire::User {
    wire::User {
        id: user.id.to_string(),
        email: user.email.clone(),
        role: user.role.to_string(),
        created_at: time(user.created),
        disabled: user.disabled,
    }
}

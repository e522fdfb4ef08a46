//! Tenants: the operator's, and a tenant's own settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use ledgerline_api::v1::List;
use ledgerline_api::v1::tenants::{self as wire, CreateTenant, TenantName, UpdateTenant};
use ledgerline_model::id::TenantId;
use ledgerline_policy::{Action, Role};
use ledgerline_tenancy::{NewUser, Tenant};

use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};

/// List the tenants
#[utoipa::path(
    get, path = "/api/v1/tenants", tag = "tenants", operation_id = "list_tenants",
    responses((status = 200, description = "Every tenant", body = List<wire::Tenant>))
)]
pub(crate) async fn list_tenants(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<wire::Tenant>>> {
    let scope = caller.may_operate(Action::ReadTenants)?;
    let tenants = app.records(move |tenancy| tenancy.tenants(&scope)).await?;
    Ok(Json(List { data: tenants.iter().map(written).collect() }))
}

/// Make a tenant with its first admin
#[utoipa::path(
    post, path = "/api/v1/tenants", tag = "tenants", operation_id = "create_tenant",
    request_body = CreateTenant,
    responses((status = 201, description = "It is made", body = TenantName))
)]
pub(crate) async fn create_tenant(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<CreateTenant>,
) -> Result<(StatusCode, Json<TenantName>)> {
    let scope = caller.may_operate(Action::ManageTenants)?;
    let name = request.name.parse();
    let name = name.map_err(|error| Failure::invalid("name", format!("{error}")))?;
    let admin =
        NewUser { email: request.admin.email, password: request.admin.password, role: Role::Admin };
    let made = app.records(move |tenancy| tenancy.create_tenant(&scope, &name, &admin)).await;
    let (tenant, admin) = made.map_err(|mut failure| {
        // The address and the password stand one level deeper in the body than the name does.
        for fault in &mut failure.problem.errors {
            if matches!(fault.pointer.as_deref(), Some("/email" | "/password")) {
                fault.pointer = fault.pointer.take().map(|pointer| format!("/admin{pointer}"));
            }
        }
        failure
    })?;
    app.node.open(tenant.id).await?;
    let record = caller.record("tenant.created").on("tenant", tenant.id);
    app.audit.now(tenant.id, record.with("admin.id", admin.id)).await?;
    tracing::info!(tenant = %tenant.id, "a tenant was made");
    let answer = TenantName { id: tenant.id.to_string(), name: tenant.name.to_string() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Delete a tenant and destroy its data
///
/// Its key is destroyed first; nothing can be read again, not from a backup either.
#[utoipa::path(
    delete, path = "/api/v1/tenants/{id}", tag = "tenants", operation_id = "delete_tenant",
    params(("id" = String, Path, description = "The tenant's id")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn delete_tenant(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let scope = caller.may_operate(Action::ManageTenants)?;
    let id: TenantId = id.parse().map_err(|_| Failure::no_record())?;
    let of_records = scope.clone();
    app.records(move |tenancy| tenancy.delete_tenant(&of_records, id)).await?;
    let node = Arc::clone(&app.node);
    blocking(move || {
        node.forget(id);
        Ok(node.data().delete_tenant(&scope, id)?)
    })
    .await?;
    app.desk.forget(id);
    // Its own `_audit` is gone with it; the operator's trace is the log.
    tracing::info!(tenant = %id, by = %caller.principal.subject(), "a tenant was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// The tenant of the credential
#[utoipa::path(
    get, path = "/api/v1/tenant", tag = "tenants", operation_id = "get_tenant",
    responses((status = 200, description = "The tenant and its settings", body = wire::Tenant))
)]
pub(crate) async fn get_tenant(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<wire::Tenant>> {
    let id = caller.may_manage(Action::ListDatasets)?.tenant();
    let tenant = app.records(move |tenancy| tenancy.tenant(id)).await?;
    Ok(Json(written(&tenant)))
}

/// Change the settings of the tenant
#[utoipa::path(
    patch, path = "/api/v1/tenant", tag = "tenants", operation_id = "update_tenant",
    request_body = UpdateTenant,
    responses((status = 200, description = "The tenant as it is now", body = wire::Tenant))
)]
pub(crate) async fn update_tenant(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<UpdateTenant>,
) -> Result<Json<wire::Tenant>> {
    let scope = caller.may_manage(Action::ManageDatasets)?;
    let (id, makes) = (scope.tenant(), request.makes_datasets);
    let tenant = app
        .records(move |tenancy| {
            tenancy.set_makes_datasets(&scope, makes)?;
            tenancy.tenant(id)
        })
        .await?;
    let record = caller.record("tenant.updated").on("tenant", id);
    app.audit.now(id, record.with("makes_datasets", makes)).await?;
    Ok(Json(written(&tenant)))
}

fn written(tenant: &Tenant) -> wire::Tenant {
    wire::Tenant {
        id: tenant.id.to_string(),
        name: tenant.name.to_string(),
        created_at: time(tenant.created),
        makes_datasets: tenant.makes_datasets,
    }
}

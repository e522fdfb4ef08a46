//! Tenants: the operator's, and a tenant's own settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use ledgerline_api::code::Code;
use ledgerline_api::v1::List;
use ledgerline_api::v1::tenants::{self as wire, CreateTenant, TenantName, UpdateTenant};
use ledgerline_model::id::TenantId;
use ledgerline_policy::{Action, OperatorScope, Role};
use ledgerline_tenancy::{NewUser, Tenancy, Tenant};

use super::time;
use crate::act::act;
use crate::app::App;
use crate::audit::Record;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};
use crate::extract::Path;
use crate::revive;

/// List the tenants that the caller may see
///
/// The operator sees every tenant, who belongs to a tenant sees that one.
#[utoipa::path(
    get, path = "/api/v1/tenants", tag = "tenants", operation_id = "list_tenants",
    responses((status = 200, description = "The tenants", body = List<wire::Tenant>))
)]
pub(crate) async fn list_tenants(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<wire::Tenant>>> {
    let tenants = if caller.principal.tenant().is_some() {
        let id = caller.may_manage(Action::ListDatasets)?.tenant();
        vec![app.records(move |tenancy| tenancy.tenant(id)).await?]
    } else {
        let scope = caller.may_operate(Action::ReadTenants)?;
        app.records(move |tenancy| tenancy.tenants(&scope)).await?
    };
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
    let (record, by) = (caller.record("tenant.created"), caller.principal.subject());
    let of_act = Arc::clone(&app);
    let tenant = app.acts.whole(create(of_act, scope, name, admin, record)).await?;
    tracing::info!(tenant = %tenant.id, %by, "a tenant was made");
    let answer = TenantName { id: tenant.id.to_string(), name: tenant.name.to_string() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Makes a tenant: its records, its data, and the record of that in its own `_audit`. All of it, or
/// nothing that outlives a restart.
async fn create(
    app: Arc<App>,
    scope: OperatorScope,
    name: ledgerline_model::id::TenantName,
    admin: NewUser,
    record: Record,
) -> Result<Tenant> {
    let of_records = scope.clone();
    let made = app.records(move |tenancy| tenancy.create_tenant(&of_records, &name, &admin)).await;
    let (tenant, admin) = made.map_err(|mut failure| {
        // The address and the password stand one level deeper in the body than the name does.
        for fault in &mut failure.problem.errors {
            if matches!(fault.pointer.as_deref(), Some("/email" | "/password")) {
                fault.pointer = fault.pointer.take().map(|pointer| format!("/admin{pointer}"));
            }
        }
        failure
    })?;
    let id = tenant.id;
    let of_records = scope.clone();
    let confirmed = async {
        app.node.open(id).await?;
        let record = record.on("tenant", id).with("admin.id", admin.id);
        app.audit.now(id, record).await?;
        app.records(move |tenancy| tenancy.confirm_tenant(&of_records, id)).await
    };
    if let Err(failure) = confirmed.await {
        // The loop tries again what does not succeed here.
        drop(delete(app, scope, id).await);
        return Err(failure);
    }
    Ok(tenant)
}

/// Delete a tenant and destroy its data
///
/// Its keys are destroyed first: then nothing can be read again from its folder, nor from a backup
/// of that folder alone.
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
    // Its own `_audit` goes with it; the operator's trace is the log.
    let by = caller.principal.subject();
    tracing::info!(tenant = %id, %by, "a tenant is to be deleted");
    app.acts.whole(delete(Arc::clone(&app), scope, id)).await?;
    tracing::info!(tenant = %id, %by, "a tenant was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a tenant. What of it cannot be removed now is removed by the loop.
async fn delete(app: Arc<App>, scope: OperatorScope, id: TenantId) -> Result<()> {
    let of_records = scope.clone();
    app.records(move |tenancy| tenancy.delete_tenant(&of_records, id)).await?;
    let of_removal = Arc::clone(&app);
    let left = blocking(move || Ok(revive::remove_leftovers(&of_removal, &scope))).await?;
    if left.contains(&id) {
        let detail = "the tenant is deleted; the rest of its files will be removed by itself";
        return Err(Failure::new(Code::Unavailable, detail));
    }
    Ok(())
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
    let record = caller.record("tenant.updated").on("tenant", id).with("makes_datasets", makes);
    let update = move |tenancy: &Tenancy| {
        tenancy.set_makes_datasets(&scope, makes)?;
        tenancy.tenant(id)
    };
    let tenant = act(&app, id, record, update, |record, _| record).await?;
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

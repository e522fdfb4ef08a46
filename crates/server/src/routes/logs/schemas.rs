//! Schemas: how the events of an action must look. Versions count up, and old ones stay.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ledgerline_api::code::Code;
use ledgerline_api::v1::List;
use ledgerline_api::v1::schemas::{NewSchema, Schema as Wire, SchemaEntry};
use ledgerline_audit::schema::Schema;
use ledgerline_policy::Action;
use ledgerline_tenancy::{DocumentKind, Version};

use super::filter::{Parameters, refused, single};
use super::write;
use crate::act::act;
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result};
use crate::extract::{Path, Query};
use crate::routes::time;
use crate::rules::{StoredSchema, schema_text};

/// List the schemas
#[utoipa::path(
    get, path = "/api/v1/schemas", tag = "audit", operation_id = "list_schemas",
    responses((status = 200, description = "The newest version of each", body = List<SchemaEntry>))
)]
pub(crate) async fn list_schemas(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<SchemaEntry>>> {
    let mut data: Vec<SchemaEntry> = Vec::new();
    for version in versions(&app, &caller).await? {
        let entry = entry(&version)?;
        match data.last_mut() {
            Some(last) if last.action == entry.action => *last = entry,
            _ => data.push(entry),
        }
    }
    Ok(Json(List { data }))
}

/// One schema
#[utoipa::path(
    get, path = "/api/v1/schemas/{action}", tag = "audit", operation_id = "get_schema",
    params(
        ("action" = String, Path, description = "The action", example = "document.update"),
        ("version" = Option<u32>, Query, minimum = 1, description = "Which version; the newest, if nothing is said")
    ),
    responses((status = 200, description = "The schema", body = Wire))
)]
pub(crate) async fn get_schema(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(action): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Wire>> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name != "version") {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    let wanted = match single(&parameters, "version")? {
        None => None,
        Some(text) => {
            let number = text.parse::<u32>().ok().filter(|number| *number > 0);
            let invalid = || refused("version", "a version is a whole number from 1 on".to_owned());
            Some(number.ok_or_else(invalid)?)
        }
    };
    let versions = versions(&app, &caller).await?;
    let of_action = || versions.iter().filter(|version| version.name == action);
    let newest = of_action().next_back().ok_or_else(Failure::no_record)?;
    let version = match wanted {
        None => newest,
        Some(number) => {
            let version = of_action().find(|version| version.number == number);
            version.ok_or_else(Failure::no_record)?
        }
    };
    Ok(Json(wire(version, version.number == newest.number)?))
}

/// Put the next version of a schema
///
/// Events of the action are held against it from now on, unless their sender names another version.
/// One that says what the newest says changes nothing.
#[utoipa::path(
    put, path = "/api/v1/schemas/{action}", tag = "audit", operation_id = "put_schema",
    params(("action" = String, Path, description = "The action", example = "document.update")),
    request_body = NewSchema,
    responses(
        (status = 201, description = "It is the newest version", body = Wire),
        (status = 200, description = "It was before", body = Wire)
    )
)]
pub(crate) async fn put_schema(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(action): Path<String>,
    body::Json(request): body::Json<NewSchema>,
) -> Result<Response> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    let NewSchema { version, mode, json_schema } = request;
    let schema = (version.unwrap_or(1), mode.as_str(), json_schema.as_deref());
    let parsed = Schema::parse(schema_text(&action, schema)?.as_bytes());
    parsed.map_err(|refusal| write::failure(Code::InvalidRequest, &refusal.into_faults()))?;
    let stored = StoredSchema { mode: mode.into(), json_schema: json_schema.as_deref() };
    let text = serde_json::to_string(&stored).map_err(|error| Failure::internal(&error))?;
    let record = caller.record("schema.put").on("schema", &action);
    let record = record.with("schema.mode", &stored.mode);
    let (rules, tenant) = (Arc::clone(&app.rules), scope.tenant());
    let put = act(
        &app,
        tenant,
        record,
        move |tenancy| {
            let of = (DocumentKind::Schema, action.as_str());
            let put = tenancy.put_version(&scope, of, version, &text);
            rules.forget(tenant);
            put
        },
        |record, version| record.count("schema.version", u64::from(version.number)),
    );
    let put = put.await?;
    let status = if put.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(wire(&put, true)?)).into_response())
}

/// Remove a schema
///
/// All its versions: events of the action are then those of an action without a schema.
#[utoipa::path(
    delete, path = "/api/v1/schemas/{action}", tag = "audit", operation_id = "delete_schema",
    params(("action" = String, Path, description = "The action", example = "document.update")),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn delete_schema(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(action): Path<String>,
) -> Result<StatusCode> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    let record = caller.record("schema.deleted").on("schema", &action);
    let (rules, tenant) = (Arc::clone(&app.rules), scope.tenant());
    let removed = act(
        &app,
        tenant,
        record,
        move |tenancy| {
            let removed = tenancy.remove_versions(&scope, DocumentKind::Schema, &action);
            rules.forget(tenant);
            removed
        },
        |record, versions| record.count("schema.versions", *versions),
    );
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every version of every schema, by action and number.
async fn versions(app: &App, caller: &Caller) -> Result<Vec<Version>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    let documents = app.records(move |tenancy| tenancy.documents(&scope, DocumentKind::Schema));
    let mut versions: Vec<Version> = documents.await?.into_iter().filter_map(Version::of).collect();
    versions.sort_by(|a, b| (&a.name, a.number).cmp(&(&b.name, b.number)));
    Ok(versions)
}

fn stored(version: &Version) -> Result<StoredSchema<'_>> {
    serde_json::from_str(&version.body).map_err(|error| Failure::internal(&error))
}

fn entry(version: &Version) -> Result<SchemaEntry> {
    Ok(SchemaEntry {
        action: version.name.clone(),
        version: version.number,
        mode: stored(version)?.mode.into_owned(),
        created_at: time(version.created),
    })
}

fn wire(version: &Version, newest: bool) -> Result<Wire> {
    let StoredSchema { mode, json_schema } = stored(version)?;
    Ok(Wire {
        action: version.name.clone(),
        version: version.number,
        mode: mode.into_owned(),
        created_at: time(version.created),
        newest,
        json_schema: json_schema.map(ToOwned::to_owned),
    })
}

//! Datasets.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use ledgerline_api::code::Code;
use ledgerline_api::v1::List;
use ledgerline_api::v1::datasets::{self as wire, CreateDataset, Settings};
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetName, TenantId};
use ledgerline_policy::Action;
use ledgerline_tenancy::{Dataset, DatasetSettings, Tenancy};

use super::time;
use crate::act::act;
use crate::app::App;
use crate::audit::Record;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};
use crate::extract::Path;

/// List the datasets
#[utoipa::path(
    get, path = "/api/v1/datasets", tag = "datasets", operation_id = "list_datasets",
    responses((status = 200, description = "The datasets that the credential may read", body = List<wire::Dataset>))
)]
pub(crate) async fn list_datasets(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<wire::Dataset>>> {
    let grant = caller.may_read_all()?;
    let tenant = grant.tenant();
    let datasets = app.records(move |tenancy| tenancy.datasets(&grant)).await?;
    Ok(Json(List { data: written(&app, tenant, datasets).await? }))
}

/// Make a dataset
#[utoipa::path(
    post, path = "/api/v1/datasets", tag = "datasets", operation_id = "create_dataset",
    request_body = CreateDataset,
    responses((status = 201, description = "It is made", body = wire::Dataset))
)]
pub(crate) async fn create_dataset(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<CreateDataset>,
) -> Result<(StatusCode, Json<wire::Dataset>)> {
    let scope = caller.may_manage(Action::ManageDatasets)?;
    let tenant = scope.tenant();
    let name = request.name.parse::<DatasetName>();
    let name = name.map_err(|error| Failure::invalid("name", error.to_string()))?;
    let kind = request.kind.parse::<DatasetKind>();
    let kind = kind.map_err(|error| Failure::invalid("kind", error.to_string()))?;
    let settings = settings(request.settings);
    let record = caller.record("dataset.created").on("dataset", &name).with("dataset.kind", kind);
    let record = described(record, &settings);
    let create = move |tenancy: &Tenancy| tenancy.create_dataset(&scope, (&name, kind), &settings);
    let made = act(&app, tenant, record, create, |record, _| record).await;
    let made = made.map_err(of_settings)?;
    Ok((StatusCode::CREATED, Json(one(&app, tenant, made).await?)))
}

/// One dataset, and how much of it is stored
#[utoipa::path(
    get, path = "/api/v1/datasets/{name}", tag = "datasets", operation_id = "get_dataset",
    params(("name" = String, Path, description = "The dataset's name", example = "app")),
    responses((status = 200, description = "The dataset", body = wire::Dataset))
)]
pub(crate) async fn get_dataset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<wire::Dataset>> {
    let (scope, dataset) = readable(&app, &caller, &name).await?;
    Ok(Json(one(&app, scope.tenant(), dataset).await?))
}

/// Set all settings of a dataset
#[utoipa::path(
    put, path = "/api/v1/datasets/{name}", tag = "datasets", operation_id = "update_dataset",
    params(("name" = String, Path, description = "The dataset's name", example = "app")),
    request_body = Settings,
    responses((status = 200, description = "The dataset as it is now", body = wire::Dataset))
)]
pub(crate) async fn update_dataset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body::Json(request): body::Json<Settings>,
) -> Result<Json<wire::Dataset>> {
    let scope = caller.may_manage(Action::ManageDatasets)?;
    let tenant = scope.tenant();
    let name: DatasetName = name.parse().map_err(|_| Failure::no_dataset())?;
    let settings = settings(request);
    let record = described(caller.record("dataset.updated").on("dataset", &name), &settings);
    let update = move |tenancy: &Tenancy| tenancy.update_dataset(&scope, &name, &settings);
    let updated = act(&app, tenant, record, update, |record, _| record).await;
    let updated = updated.map_err(as_dataset)?;
    Ok(Json(one(&app, tenant, updated).await?))
}

/// The dataset of this name, if the caller may read it: a name that cannot be, a dataset that is
/// not there, and one that may not be seen are told in the same words.
pub(crate) async fn readable(
    app: &App,
    caller: &Caller,
    name: &str,
) -> Result<(ledgerline_policy::Scope<ledgerline_policy::Read>, Dataset)> {
    let Ok(name) = name.parse::<DatasetName>() else {
        // Who may read nothing is told so, whatever the name.
        caller.may_read_all()?;
        return Err(Failure::no_dataset());
    };
    let scope = caller.may_read(&name)?;
    let of_records = scope.clone();
    let dataset = app.records(move |tenancy| tenancy.dataset_to_read(&of_records)).await;
    Ok((scope, dataset.map_err(as_dataset)?))
}

/// A record that is not there is a dataset that is not there.
pub(crate) fn as_dataset(failure: Failure) -> Failure {
    if failure.code() == Code::NotFound { Failure::no_dataset() } else { failure }
}

/// A fault of a setting, whose place in the body of a new dataset is one level deeper.
fn of_settings(mut failure: Failure) -> Failure {
    for fault in &mut failure.problem.errors {
        let is_setting = |pointer: &&mut String| {
            ["_key", "_days"].iter().any(|ending| pointer.ends_with(ending))
        };
        if let Some(pointer) = fault.pointer.as_mut().filter(is_setting) {
            *pointer = format!("/settings{pointer}");
        }
    }
    failure
}

fn settings(from: Settings) -> DatasetSettings {
    DatasetSettings {
        time_key: from.time_key,
        message_key: from.message_key,
        severity_key: from.severity_key,
        retention_days: from.retention_days,
        hot_days: from.hot_days,
    }
}

fn described(record: Record, settings: &DatasetSettings) -> Record {
    let DatasetSettings { time_key, message_key, severity_key, retention_days, hot_days } =
        settings;
    let texts = [
        ("dataset.time_key", time_key),
        ("dataset.message_key", message_key),
        ("dataset.severity_key", severity_key),
    ];
    let mut record = record;
    for (key, text) in texts {
        if let Some(text) = text {
            record = record.with(key, text);
        }
    }
    let numbers = [("dataset.retention_days", retention_days), ("dataset.hot_days", hot_days)];
    for (key, days) in numbers {
        if let Some(days) = days {
            record = record.count(key, u64::from(*days));
        }
    }
    record
}

async fn one(app: &App, tenant: TenantId, dataset: Dataset) -> Result<wire::Dataset> {
    let mut all = written(app, tenant, vec![dataset]).await?;
    all.pop().ok_or_else(Failure::no_dataset)
}

async fn written(
    app: &App,
    tenant: TenantId,
    datasets: Vec<Dataset>,
) -> Result<Vec<wire::Dataset>> {
    let open = app.node.tenant(tenant)?;
    blocking(move || {
        let one = |dataset: Dataset| {
            let usage = open.store.usage(dataset.id);
            Ok(wire::Dataset {
                name: dataset.name.to_string(),
                kind: dataset.kind.to_string(),
                created_at: time(dataset.created),
                settings: Settings {
                    time_key: dataset.settings.time_key,
                    message_key: dataset.settings.message_key,
                    severity_key: dataset.settings.severity_key,
                    retention_days: dataset.settings.retention_days,
                    hot_days: dataset.settings.hot_days,
                },
                usage: wire::Usage {
                    events: usage.events,
                    bytes_in: usage.bytes_in,
                    bytes_stored: usage.bytes_stored,
                    segments: usage.segments,
                    bytes_archived: usage.bytes_archived,
                },
            })
        };
        datasets.into_iter().map(one).collect()
    })
    .await
}

//! What a tenant sets for its audit events: which rules of retention hold, and whether every action
//! needs a schema.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::code::Code;
use ledgerline_api::v1::audit::AuditSettings;
use ledgerline_audit::retention::{Floor, Preset};
use ledgerline_audit::schema::Mode;
use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, Job, Scope, Upkeep, upkeep};
use ledgerline_tenancy::{DocumentKind, Tenancy};

use crate::act::act;
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};

const ID: &str = "settings";

/// The settings for audit events
#[utoipa::path(
    get, path = "/api/v1/audit/settings", tag = "audit", operation_id = "get_audit_settings",
    responses((status = 200, description = "The settings", body = AuditSettings))
)]
pub(crate) async fn get_audit_settings(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<AuditSettings>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    Ok(Json(read(&app, scope.tenant()).await?))
}

/// Set the settings for audit events
#[utoipa::path(
    put, path = "/api/v1/audit/settings", tag = "audit", operation_id = "set_audit_settings",
    request_body = AuditSettings,
    responses((status = 200, description = "The settings as they are now", body = AuditSettings))
)]
pub(crate) async fn set_audit_settings(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(settings): body::Json<AuditSettings>,
) -> Result<Json<AuditSettings>> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    check(&settings)?;
    let text = serde_json::to_string(&settings).map_err(|error| Failure::internal(&error))?;
    let record = caller.record("audit.settings_set").with("settings", &text);
    let (rules, tenant) = (Arc::clone(&app.rules), scope.tenant());
    let put = act(
        &app,
        tenant,
        record,
        move |tenancy| {
            let put = tenancy.put_document(&scope, DocumentKind::AuditSettings, ID, &text);
            rules.forget(tenant);
            put
        },
        |record, _| record,
    );
    put.await?;
    Ok(Json(settings))
}

fn check(settings: &AuditSettings) -> Result<()> {
    for preset in &settings.retention_presets {
        if Preset::from_text(preset).is_none() {
            let known: Vec<&str> = Preset::ALL.into_iter().map(Preset::as_str).collect();
            let detail = format!("a preset is one of {}", known.join(", "));
            return Err(Failure::invalid("retention_presets", detail));
        }
    }
    if Mode::from_text(&settings.unknown_actions).is_none() {
        let known: Vec<&str> = Mode::ALL.into_iter().map(Mode::as_str).collect();
        let detail = format!("unknown_actions is one of {}", known.join(", "));
        return Err(Failure::invalid("unknown_actions", detail));
    }
    Ok(())
}

/// The settings of a tenant.
///
/// # Errors
/// The database's.
pub(crate) async fn read(app: &App, tenant: TenantId) -> Result<AuditSettings> {
    let (scope, tenancy) = (upkeep(tenant, Job::Audit), Arc::clone(&app.tenancy));
    blocking(move || of(&tenancy, &scope)).await
}

/// The same, for who may wait.
///
/// # Errors
/// The database's.
pub(crate) fn of(tenancy: &Tenancy, scope: &Scope<Upkeep>) -> Result<AuditSettings> {
    let documents = tenancy.documents_for_upkeep(scope, DocumentKind::AuditSettings)?;
    match documents.first() {
        None => Ok(AuditSettings::default()),
        Some(document) => {
            serde_json::from_str(&document.body).map_err(|error| Failure::internal(&error))
        }
    }
}

/// How long events must be kept.
pub(crate) fn floor(settings: &AuditSettings) -> Floor {
    let presets = settings.retention_presets.iter().filter_map(|name| Preset::from_text(name));
    Floor::of(presets.map(Preset::floor))
}

/// The time before which events must have happened and been received to be removed, if there is a
/// minimum.
///
/// # Errors
/// `retention_minimum` when `until` is later.
pub(crate) async fn check_minimum(
    app: &App,
    caller: &Caller,
    until: Timestamp,
) -> Result<Option<Timestamp>> {
    let floor = floor(&read(app, caller.tenant()?).await?);
    if floor.days_min == 0 {
        return Ok(None);
    }
    let earliest = app.clock.now().0 - i64::from(floor.days_min) * Timestamp::DAY;
    if until.0 <= earliest {
        return Ok(Some(Timestamp(earliest)));
    }
    let detail = format!("events must be kept for {} days", floor.days_min);
    Err(Failure::new(Code::RetentionMinimum, detail))
}

//! What is masked in audit events: when they come in, and when somebody reads.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::code::Code;
use ledgerline_api::v1::audit::Masks;
use ledgerline_policy::Action;
use ledgerline_tenancy::DocumentKind;

use super::write;
use crate::act::act;
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};
use crate::rules::{self, MASK_KEY, MASKS, READERS};

/// How many groups of readers there are at most.
const GROUPS_MAX: usize = 20;

/// What is masked in audit events
#[utoipa::path(
    get, path = "/api/v1/audit/masks", tag = "audit", operation_id = "get_audit_masks",
    responses((status = 200, description = "The masks", body = Masks))
)]
pub(crate) async fn get_audit_masks(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Masks>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    let documents = app.records(move |tenancy| tenancy.documents(&scope, DocumentKind::Mask));
    let documents = documents.await?;
    let masks = documents.iter().find(|document| document.id == MASKS).map(|document| {
        serde_json::from_str(&document.body).map_err(|error| Failure::internal(&error))
    });
    Ok(Json(masks.transpose()?.unwrap_or_default()))
}

/// Set what is masked in audit events
///
/// What is masked when events come in is not stored, and not proven. What is masked for readers is
/// stored and proven; those readers get no proofs and no bundles, because these show all.
#[utoipa::path(
    put, path = "/api/v1/audit/masks", tag = "audit", operation_id = "set_audit_masks",
    request_body = Masks,
    responses((status = 200, description = "The masks as they are now", body = Masks))
)]
pub(crate) async fn set_audit_masks(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(masks): body::Json<Masks>,
) -> Result<Json<Masks>> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    check_readers(&masks)?;
    let masks = check_rules(masks).await?;
    let text = serde_json::to_string(&masks).map_err(|error| Failure::internal(&error))?;
    let (rules, tenant) = (Arc::clone(&app.rules), scope.tenant());
    let key = rules::new_key(app.node.data(), tenant);
    let record = caller.record("audit.masks_set").with("masks", &text);
    let put = act(
        &app,
        tenant,
        record,
        move |tenancy| {
            let _one_at_a_time = rules.changing.lock();
            let documents = tenancy.documents(&scope, DocumentKind::Mask)?;
            // The key stays for ever: with another, equal values would not be told any more.
            if documents.iter().all(|document| document.id != MASK_KEY) {
                tenancy.put_document(&scope, DocumentKind::Mask, MASK_KEY, &key)?;
            }
            let put = tenancy.put_document(&scope, DocumentKind::Mask, MASKS, &text);
            rules.forget(tenant);
            put
        },
        |record, _| record,
    );
    put.await?;
    Ok(Json(masks))
}

fn check_readers(masks: &Masks) -> Result<()> {
    if masks.reading.len() > GROUPS_MAX {
        let detail = format!("there are at most {GROUPS_MAX} groups of readers");
        return Err(Failure::invalid("reading", detail));
    }
    for (index, group) in masks.reading.iter().enumerate() {
        let field = format!("reading/{index}/roles");
        if group.roles.is_empty() {
            return Err(Failure::invalid(&field, "masks are for somebody"));
        }
        if let Some(role) = group.roles.iter().find(|role| !READERS.contains(&role.as_str())) {
            let detail = format!("`{role}` is none of {}", READERS.join(", "));
            return Err(Failure::invalid(&field, detail));
        }
    }
    Ok(())
}

/// Whether the rules can be used: that compiles their patterns, which takes a moment.
async fn check_rules(masks: Masks) -> Result<Masks> {
    blocking(move || match rules::maskers(&masks, [0; 32]) {
        Ok(_) => Ok(masks),
        Err((place, mut faults)) => {
            for fault in &mut faults {
                fault.pointer.insert_str(0, &place);
            }
            Err(write::failure(Code::InvalidRequest, &faults))
        }
    })
    .await
}

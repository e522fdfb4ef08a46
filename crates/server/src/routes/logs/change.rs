//! Audit events are amended and erased. What was stored stays proven.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Json, response::IntoResponse};
use ledgerline_api::code::Code;
use ledgerline_api::v1::filters::OfDataset;
use ledgerline_api::v1::logs::{Amendment as WireAmendment, Erased, Event, Reason};
use ledgerline_audit::amendment::{Amended as Target, Amendment};
use ledgerline_audit::erasure::Erasure;
use ledgerline_audit::ranges::Ranges;
use ledgerline_audit::record::{Author, Record};
use ledgerline_model::id::DatasetName;
use ledgerline_policy::{Action, Subject};
use ledgerline_store::snapshot::Kept;

use super::filter::{Parameters, refused};
use super::read::{self, One};
use super::write;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Pieces;
use crate::eraser::{self, Removed};
use crate::error::{Failure, Result};
use crate::extract::{Path, Query};
use crate::recorder::{self, Draft};
use crate::removal::{self, Adding, Noted, Removal, Why};
use crate::routes::time;

/// The longest body of a change.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Amend an audit event
///
/// Who, what and when never change: the event stays as it was stored, the amendment is an entry of
/// the ledger by itself, and both are proven.
#[utoipa::path(
    patch, path = "/api/v1/logs/{id}", tag = "audit", operation_id = "amend_log",
    params(
        ("id" = String, Path, description = "The event's id"),
        OfDataset
    ),
    request_body = WireAmendment,
    responses((status = 200, description = "The event with its amendments", body = Event))
)]
pub(crate) async fn amend_log(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Result<Response> {
    let dataset = read::dataset_of(&parameters, &[])?;
    let name = dataset_name(&dataset)?;
    caller.may_manage(Action::AmendEvents)?;
    let scope = caller.may_append_audit(&name)?;
    let body = Pieces::new(request.into_body()).whole(BODY_BYTES_MAX).await?;
    let amendment = Amendment::parse(&body);
    let amendment = amendment
        .map_err(|refusal| write::failure(Code::AmendmentInvalid, &refusal.into_faults()))?;
    let open = app.node.tenant(scope.tenant())?;
    let adding = Adding::begin(&open).await;
    let one = read::one(&app, &caller, &dataset, &id).await?;
    if one.event.kept.evidence.is_none() {
        return read::answer_one(&app, one, false, false).await;
    }
    check_event(&one.event.kept)?;
    adding.check(&one.dataset, one.event.kept.seq).await?;
    let amended = Target { id: id.clone(), seq: one.event.kept.seq.0 };
    let now = app.clock.now();
    let amendment_id = recorder::new_id(&app.chance, now);
    let payload = amendment.payload(&amendment_id, &amended, &author(&caller), now);
    let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
    let draft = Draft { id: amendment_id, is_own_id: true, payload };
    let draft = crate::rules::masked(&app, scope.tenant(), draft).await?;
    let of_act = Arc::clone(&app);
    let recording = app.acts.whole(async move {
        let drafts = (vec![draft], now);
        let recorded = recorder::record(&of_act, &scope, &one.dataset, drafts, None).await;
        // Only now may the event be noted to be removed, with what was just added.
        drop(adding);
        recorded
    });
    for item in recording.await?.items {
        item.map_err(|reject| Failure::new(Code::AmendmentInvalid, reject.detail))?;
    }
    let one = read::one(&app, &caller, &dataset, &id).await?;
    read::answer_one(&app, one, true, false).await
}

/// Erase an audit event
///
/// What it says is erased from every file and can't be read again; that it was there, and who had
/// it erased, stays proven. Its amendments are erased with it. A hold forbids it.
#[utoipa::path(
    delete, path = "/api/v1/logs/{id}", tag = "audit", operation_id = "erase_log",
    params(
        ("id" = String, Path, description = "The event's id"),
        OfDataset
    ),
    request_body = Reason,
    responses((status = 200, description = "It is erased", body = Erased))
)]
pub(crate) async fn erase_log(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Result<Response> {
    let dataset = read::dataset_of(&parameters, &[])?;
    let name = dataset_name(&dataset)?;
    caller.may_manage(Action::EraseEvents)?;
    caller.may_append_audit(&name)?;
    let body = Pieces::new(request.into_body()).whole(BODY_BYTES_MAX).await?;
    let erasure = Erasure::parse(&body);
    let erasure =
        erasure.map_err(|refusal| write::failure(Code::InvalidRequest, &refusal.into_faults()))?;
    let one = read::one(&app, &caller, &dataset, &id).await?;
    if one.event.kept.evidence.is_none() {
        return read::answer_one(&app, one, false, false).await;
    }
    check_event(&one.event.kept)?;
    let erased = erase(&app, &caller, &one, erasure).await?;
    Ok(Json(erased).into_response())
}

async fn erase(app: &Arc<App>, caller: &Caller, one: &One, erasure: Erasure) -> Result<Erased> {
    let open = app.node.tenant(one.scope.tenant())?;
    let turn = eraser::turn(&open).await;
    let record = caller.record("audit.erased").on("dataset", &one.dataset.name);
    let record = record.with("event.id", &one.event.kept.id).with("reason", erasure.reason());
    let removal = Removal {
        dataset: one.dataset.clone(),
        events: Ranges::of([one.event.kept.seq.0]),
        why: Why::Erasure(erasure),
        by: author(caller),
    };
    let noted = removal::note(app, &open, vec![removal], None, Some(record)).await?;
    let events = noted.iter().map(Noted::events).sum();
    let payloads: Vec<String> = noted.iter().map(|noted| noted.intent.payload.clone()).collect();
    let removed = eraser::remove(app, &open, turn, noted).await?;
    let last = payloads.iter().zip(&removed).next_back();
    let erasure = last.map(|(payload, removed)| told(payload, &removed.recorded)).transpose()?;
    Ok(Erased { erasure, events, unread_files: unread(&removed) })
}

/// How many files could not be read. Each erasure looks into all that were set aside.
pub(crate) fn unread(removed: &[Removed]) -> u64 {
    removed.iter().map(|removed| removed.unread).max().unwrap_or(0)
}

/// The entry that tells of an erasure, as it is answered.
pub(crate) fn told(payload: &str, recorded: &recorder::Recorded) -> Result<serde_json::Value> {
    let mut told: serde_json::Value =
        serde_json::from_str(payload).map_err(|error| Failure::internal(&error))?;
    if let Some(members) = told.as_object_mut() {
        members.insert("seq".to_owned(), recorded.seq.0.into());
        members.insert("received_at".to_owned(), time(recorded.received).into());
    }
    Ok(told)
}

/// Only events of their own are amended or erased, not what was said of others.
fn check_event(kept: &Kept) -> Result<()> {
    let payload = kept.evidence.as_ref().map(|evidence| evidence.payload.as_bytes());
    match payload.and_then(Record::of_payload) {
        Some(Record::Event) => Ok(()),
        _ => Err(Failure::no_record()),
    }
}

pub(crate) fn dataset_name(text: &str) -> Result<DatasetName> {
    text.parse::<DatasetName>().map_err(|error| refused("dataset", error.to_string()))
}

/// Who makes a record.
pub(crate) fn author(caller: &Caller) -> Author {
    let (kind, id) = match caller.principal.subject() {
        Subject::User(id) => ("user", id.to_string()),
        Subject::Key(id) => ("key", id.to_string()),
        Subject::System => ("system", "ledgerline".to_owned()),
    };
    Author { id, kind: kind.to_owned() }
}

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
use ledgerline_audit::record::{Author, Record};
use ledgerline_model::id::{DatasetName, Seq};
use ledgerline_policy::{Action, Subject};
use ledgerline_store::snapshot::Kept;

use super::filter::{Parameters, refused};
use super::read::{self, One};
use super::write;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Pieces;
use crate::eraser::{self, Intent, Kind};
use crate::error::{Failure, Result};
use crate::extract::{Path, Query};
use crate::recorder::{self, Draft};
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
    let one = read::one(&app, &caller, &dataset, &id).await?;
    if one.event.kept.evidence.is_none() {
        return read::answer_one(&app, one, false, false).await;
    }
    check_event(&one.event.kept)?;
    let now = app.clock.now();
    let amended = Target { id: id.clone(), seq: one.event.kept.seq.0 };
    let amendment_id = recorder::new_id(&app.chance, now);
    let payload = amendment.payload(&amendment_id, &amended, &author(&caller), now);
    let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
    let draft = Draft { id: amendment_id, is_own_id: true, payload };
    let draft = crate::rules::masked(&app, scope.tenant(), draft).await?;
    let recording = recorder::record(&app, &scope, &one.dataset, (vec![draft], now), None).await?;
    for item in recording.items {
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
    let seqs: Vec<Seq> = std::iter::once(&one.event.kept)
        .chain(&one.event.amendments)
        .map(|kept| kept.seq)
        .collect();
    super::holds::check(&app, &caller, &one.dataset, &seqs).await?;
    let erased = erase(&app, &caller, &one, &erasure, seqs).await?;
    Ok(Json(erased).into_response())
}

async fn erase(
    app: &Arc<App>,
    caller: &Caller,
    one: &One,
    erasure: &Erasure,
    seqs: Vec<Seq>,
) -> Result<Erased> {
    let open = app.node.tenant(one.scope.tenant())?;
    let (id, now) = eraser::id_and_time(app);
    let ranges = eraser::ranges(seqs.iter().copied());
    let payload = erasure.payload(&id, &ranges, &author(caller), now);
    let intent = Intent::new((&one.dataset, Kind::Erasure), &ranges, (id, payload))?;
    let record = caller.record("audit.erased").on("dataset", &one.dataset.name);
    let record = record.with("event.id", &one.event.kept.id).with("reason", erasure.reason());
    app.audit.now(one.scope.tenant(), record.count("events", seqs.len() as u64)).await?;
    let payload = intent.payload.clone();
    let recorded = eraser::erase(app, &open, &one.dataset, intent).await?;
    Ok(Erased { erasure: Some(told(&payload, &recorded)?), events: seqs.len() as u64 })
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

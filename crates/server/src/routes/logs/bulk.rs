//! Some audit events come in at once, and each is answered by itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ledgerline_api::code::Code;
use ledgerline_api::problem::Fault;
use ledgerline_api::v1::filters::{OfDataset, StoredOnce};
use ledgerline_api::v1::logs::{self as wire, Bulk, BulkAnswer, BulkError, BulkResult};
use ledgerline_audit::error::{Invalid, Refusal};
use ledgerline_audit::event::Event;
use ledgerline_ingest::Reject;
use ledgerline_model::limits;
use ledgerline_model::time::Timestamp;
use ledgerline_world::Chance;
use serde::Deserialize;

use super::filter::{Parameters, refused};
use super::raw_events::{EVENTS_MAX, RawEvents};
use super::write::{self, Coming, dataset_of};
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::error::{Result, blocking};
use crate::extract::Query;
use crate::recorder::{self, Draft, Recorded, Recording};
use crate::routes::ingest::with_rate_limits;
use crate::rules::{self, Candidate, Ruled};

/// Above so many bytes, a body is understood on another thread.
const INLINE_BYTES_MAX: usize = 16 << 10;

/// Record some audit events
///
/// Each event is answered by itself, in the order in which they were sent: one that is refused does
/// not lose the others.
#[utoipa::path(
    post, path = "/api/v1/logs/bulk", tag = "audit", operation_id = "create_logs",
    params(
        OfDataset,
        StoredOnce
    ),
    request_body = Bulk,
    responses((status = 200, description = "What became of each", body = BulkAnswer))
)]
pub(crate) async fn create_logs(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    with_rate_limits(&app, create(&app, &caller, &parameters, request).await)
}

async fn create(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
    request: Request,
) -> Result<Response> {
    let dataset = dataset_of(parameters)?;
    let bytes_max = limits::BATCH_BYTES_MAX;
    let coming = Coming::take(app, caller, &dataset, (request, bytes_max)).await?;
    let body = coming.body.clone();
    let form = Form { split: events, parse: Event::parse, list: "events" };
    store_each(app, &coming, (body, form)).await
}

/// How a body holds events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Finds where each event is.
    pub(super) split: for<'a> fn(&'a [u8]) -> Result<RawEvents<'a>>,
    /// Reads one of them.
    pub(super) parse: fn(&[u8]) -> Result<Event, Refusal>,
    /// What a body calls their list.
    pub(super) list: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Events<'a> {
    #[serde(borrow)]
    events: RawEvents<'a>,
}

fn events(body: &[u8]) -> Result<RawEvents<'_>> {
    body::parse(body).map(|Events { events }| events)
}

/// Stores the events of a body that can be stored, and answers for each.
///
/// # Errors
/// When the body is none of events or has too many, and as for ingest.
pub(super) async fn store_each(
    app: &App,
    coming: &Coming,
    (body, form): (Bytes, Form),
) -> Result<Response> {
    let received = app.clock.now();
    let chance = app.chance.clone();
    let read = if body.len() <= INLINE_BYTES_MAX {
        read(&body, form, (&chance, received))?
    } else {
        blocking(move || read(&body, form, (&chance, received))).await?
    };
    let Read { candidates, mut results } = read;
    let (places, candidates): (Vec<usize>, Vec<Candidate>) = candidates.into_iter().unzip();
    let (mut taken, mut drafts) = (Vec::new(), Vec::new());
    let ruled = rules::rule(app, coming.scope.tenant(), candidates).await?;
    for (place, ruled) in places.into_iter().zip(ruled) {
        match ruled {
            Ruled::Taken(draft, warnings) => {
                taken.push((place, warnings));
                drafts.push(draft);
            }
            Ruled::Refused(code, faults) => {
                results[place] = Some(refusal(code, write::faults(&faults)));
            }
        }
    }
    let mut is_replayed = false;
    if !drafts.is_empty() {
        let recording = record(app, coming, (drafts, received)).await?;
        is_replayed = recording.is_replayed;
        for ((place, warnings), item) in taken.into_iter().zip(recording.items) {
            results[place] = Some(match item {
                Ok(recorded) => stored(recorded, &warnings),
                Err(reject) => not_admitted(reject),
            });
        }
    }
    let mut response = Json(answer(results.into_iter().flatten().collect())).into_response();
    write::note_replay(&mut response, is_replayed);
    Ok(response)
}

async fn record(app: &App, coming: &Coming, drafts: (Vec<Draft>, Timestamp)) -> Result<Recording> {
    let (dataset, key) = coming.place(app).await?;
    recorder::record(app, &coming.scope, &dataset, drafts, key).await
}

/// A body that is understood.
#[derive(Debug)]
struct Read {
    /// The events that may be stored, each with its place.
    candidates: Vec<(usize, Candidate)>,
    /// What is answered for each event, where it is known already.
    results: Vec<Option<BulkResult>>,
}

fn read(body: &[u8], form: Form, (chance, received): (&Chance, Timestamp)) -> Result<Read> {
    let events = (form.split)(body)?.all().map_err(|count| {
        let detail = format!("at most {EVENTS_MAX} events come at once, not {count}");
        refused(form.list, detail)
    })?;
    let mut candidates = Vec::with_capacity(events.len());
    let mut results = Vec::with_capacity(events.len());
    for (place, raw) in events.into_iter().enumerate() {
        match (form.parse)(raw.get().as_bytes()) {
            Ok(event) => {
                candidates.push((place, write::candidate(chance, &event, None, received)?));
                results.push(None);
            }
            Err(error) => {
                let faults = write::faults(&error.into_faults());
                results.push(Some(refusal(Code::EventInvalid, faults)));
            }
        }
    }
    Ok(Read { candidates, results })
}

fn answer(results: Vec<BulkResult>) -> BulkAnswer {
    let accepted = results.iter().filter(|result| result.error.is_none()).count() as u64;
    let duplicates = results.iter().filter(|result| result.status == 200).count() as u64;
    let rejected = results.len() as u64 - accepted;
    BulkAnswer { accepted, rejected, duplicates, results }
}

fn stored(recorded: Recorded, warnings: &[Invalid]) -> BulkResult {
    let status = if recorded.is_duplicate { 200 } else { 201 };
    let wire::Recorded { id, seq, receipt, warnings, .. } = write::written(recorded, warnings);
    let (id, seq, receipt) = (Some(id), Some(seq), Some(receipt));
    BulkResult { status, id, seq, receipt, error: None, warnings }
}

fn not_admitted(reject: Reject) -> BulkResult {
    let fault = Fault { code: reject.code.to_owned(), detail: reject.detail, ..Fault::default() };
    refusal(Code::EventInvalid, vec![fault])
}

fn refusal(code: Code, errors: Vec<Fault>) -> BulkResult {
    let detail = errors.first().map(|fault| fault.detail.clone()).unwrap_or_default();
    let error = BulkError { code: code.as_str().to_owned(), detail, errors };
    let (status, error) = (code.status(), Some(error));
    BulkResult { status, id: None, seq: None, receipt: None, error, warnings: Vec::new() }
}

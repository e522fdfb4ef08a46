//! Audit events come in.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use ledgerline_api::code::Code;
use ledgerline_api::problem::Fault;
use ledgerline_api::v1::logs::{self as wire, Bulk, BulkAnswer, BulkError, BulkResult, NewEvent};
use ledgerline_audit::error::Invalid;
use ledgerline_audit::event::Event;
use ledgerline_journal::IdempotencyKey;
use ledgerline_model::id::{DatasetId, DatasetName};
use ledgerline_model::limits;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Append, Scope};
use ledgerline_tenancy::Dataset;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::filter::{DATASET, Parameters, refused, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Pieces, media_type};
use crate::door::Pass;
use crate::error::{Failure, Result};
use crate::recorder::{self, Draft, Recorded, Recording};
use crate::routes::ingest::{
    IDEMPOTENCY_REPLAYED, appendable, enter, idempotency_key, rate_limits,
};
use crate::routes::time;
use crate::rules::{self, Candidate, Ruled};

/// How many events may come at once.
const BULK_MAX: usize = 1_000;

/// Record an audit event
///
/// The answer 201 means that the event is on stable storage and has its place in the dataset's
/// ledger; a signed checkpoint over it follows within about two seconds.
#[utoipa::path(
    post, path = "/api/v1/logs", tag = "audit", operation_id = "create_log",
    params(
        ("dataset" = Option<String>, Query, description = "The dataset; `audit` if nothing is said"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A request with the same key and body is stored once within 24 hours")
    ),
    request_body = NewEvent,
    responses(
        (status = 201, description = "It is stored", body = wire::Recorded),
        (status = 200, description = "It was stored before", body = wire::Recorded)
    )
)]
pub(crate) async fn create_log(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    let answer = create(&app, &caller, &parameters, request).await;
    let mut response = answer.into_response();
    rate_limits(&app, response.headers_mut());
    response
}

/// Record some audit events
///
/// Each event is answered by itself, in the order in which they were sent: one that is refused does
/// not lose the others.
#[utoipa::path(
    post, path = "/api/v1/logs/bulk", tag = "audit", operation_id = "create_logs",
    params(
        ("dataset" = Option<String>, Query, description = "The dataset; `audit` if nothing is said"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A request with the same key and body is stored once within 24 hours")
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
    let answer = create_many(&app, &caller, &parameters, request).await;
    let mut response = answer.into_response();
    rate_limits(&app, response.headers_mut());
    response
}

/// A request that brings audit events, before its body is understood.
pub(crate) struct Coming {
    pub(crate) scope: Scope<Append>,
    pub(crate) body: Vec<u8>,
    key: Option<String>,
    /// Room for the events; given back when dropped.
    _pass: Pass,
}

impl Coming {
    /// Takes a body in, if the caller may append to the dataset.
    ///
    /// # Errors
    /// As for ingest.
    pub(crate) async fn take(
        app: &App,
        caller: &Caller,
        dataset: &str,
        (request, bytes_max): (Request, usize),
    ) -> Result<Self> {
        let name = dataset.parse::<DatasetName>();
        let name = name.map_err(|error| refused("dataset", error.to_string()))?;
        let scope = caller.may_append_audit(&name)?;
        let (parts, body) = request.into_parts();
        check_json(&parts.headers)?;
        let key = idempotency_key(&parts.headers)?;
        let mut pass = enter(app, &scope, &parts.headers)?;
        let body = Pieces::new(body).whole(bytes_max).await?;
        // The body, its events and their batch are in memory at once.
        pass.grow_to(body.len().saturating_mul(3))?;
        Ok(Self { scope, body, key, _pass: pass })
    }

    /// The dataset that the events go to, which the first one makes, and the key of the request.
    ///
    /// # Errors
    /// `conflict` for a dataset of logs.
    pub(crate) async fn place(&self, app: &App) -> Result<(Dataset, Option<IdempotencyKey>)> {
        let dataset = appendable(app, &self.scope).await?;
        let key = self
            .key
            .clone()
            .map(|key| IdempotencyKey { key, digest: digest_of(dataset.id, &self.body) });
        Ok((dataset, key))
    }
}

fn check_json(headers: &HeaderMap) -> Result<()> {
    if media_type(headers) != "application/json" {
        let detail = "audit events are application/json";
        return Err(Failure::new(Code::UnsupportedMediaType, detail));
    }
    if headers.contains_key(http::header::CONTENT_ENCODING) {
        let detail = "audit events are not compressed";
        return Err(Failure::new(Code::UnsupportedEncoding, detail));
    }
    Ok(())
}

/// The same body to another dataset is another request.
fn digest_of(dataset: DatasetId, body: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"audit");
    context.update(&dataset.0.to_le_bytes());
    context.update(body);
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

async fn create(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
    request: Request,
) -> Result<Response> {
    let dataset = dataset_of(parameters)?;
    let bytes_max = ledgerline_audit::limits::EVENT_BYTES_MAX;
    let coming = Coming::take(app, caller, &dataset, (request, bytes_max)).await?;
    let event = Event::parse(&coming.body).map_err(|refusal| invalid(&refusal.into_faults()))?;
    let Stored { recorded, warnings, is_replayed } =
        store_one(app, &coming, (&event, None)).await?;
    let status = if recorded.is_duplicate { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = (status, Json(written(recorded, &warnings))).into_response();
    note_replay(&mut response, is_replayed);
    Ok(response)
}

/// An event that is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    recorded: Recorded,
    /// What its sender is told of it.
    warnings: Vec<Invalid>,
    pub(crate) is_replayed: bool,
}

/// Stores an event, which follows this version of its schema if one is named.
///
/// # Errors
/// `schema_violation`, `event_invalid`, and as for ingest.
pub(crate) async fn store_one(
    app: &App,
    coming: &Coming,
    (event, version): (&Event, Option<u32>),
) -> Result<Stored> {
    let received = app.clock.now();
    let candidate = candidate(app, event, version, received)?;
    let ruled = rules::rule(app, coming.scope.tenant(), vec![candidate]).await?;
    let (draft, warnings) = match ruled.into_iter().next() {
        Some(Ruled::Taken(draft, warnings)) => (draft, warnings),
        Some(Ruled::Refused(code, faults)) => return Err(failure(code, &faults)),
        None => return Err(Failure::internal(&std::fmt::Error)),
    };
    let (dataset, key) = coming.place(app).await?;
    let drafts = (vec![draft], received);
    let recording = recorder::record(app, &coming.scope, &dataset, drafts, key).await?;
    let is_replayed = recording.is_replayed;
    let recorded = recording.items.into_iter().next().ok_or_else(Failure::no_record)?;
    let recorded = recorded.map_err(|reject| {
        let fault =
            Fault { code: reject.code.to_owned(), detail: reject.detail, ..Fault::default() };
        Failure::new(Code::EventInvalid, fault.detail.clone()).with_faults(vec![fault])
    })?;
    Ok(Stored { recorded, warnings, is_replayed })
}

/// The dataset that the parameters name; no other parameter is taken.
pub(crate) fn dataset_of(parameters: &Parameters) -> Result<String> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name != "dataset") {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    Ok(single(parameters, "dataset")?.unwrap_or(DATASET).to_owned())
}

pub(crate) fn note_replay(response: &mut Response, is_replayed: bool) {
    if is_replayed {
        let value = HeaderValue::from_static("true");
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, value);
    }
}

/// An event as the ledger will commit to it, unless the tenant's rules say otherwise.
fn candidate(
    app: &App,
    event: &Event,
    version: Option<u32>,
    received: Timestamp,
) -> Result<Candidate> {
    let minted = recorder::new_id(app, received);
    let payload = event.payload(&minted, received);
    let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
    let is_own_id = event.id().is_some();
    let draft = Draft { id: event.id().map_or(minted, str::to_owned), is_own_id, payload };
    Ok(Candidate { draft, action: event.action().to_owned(), version })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Events<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

async fn create_many(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
    request: Request,
) -> Result<Response> {
    let dataset = dataset_of(parameters)?;
    let bytes_max = limits::BATCH_BYTES_MAX;
    let coming = Coming::take(app, caller, &dataset, (request, bytes_max)).await?;
    let received = app.clock.now();
    let (candidates, mut results) = candidates(app, &coming.body, received)?;
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
                results[place] = Some(refusal(code, self::faults(&faults)))
            }
        }
    }
    let mut is_replayed = false;
    if !drafts.is_empty() {
        let (dataset, key) = coming.place(app).await?;
        let recording = recorder::record(app, &coming.scope, &dataset, (drafts, received), key);
        let Recording { items, is_replayed: replayed } = recording.await?;
        is_replayed = replayed;
        for ((place, warnings), item) in taken.into_iter().zip(items) {
            results[place] = Some(match item {
                Ok(recorded) => stored(recorded, &warnings),
                Err(reject) => refusal(
                    Code::EventInvalid,
                    vec![Fault {
                        code: reject.code.to_owned(),
                        detail: reject.detail,
                        ..Fault::default()
                    }],
                ),
            });
        }
    }
    let results: Vec<BulkResult> = results.into_iter().flatten().collect();
    let accepted = results.iter().filter(|result| result.error.is_none()).count() as u64;
    let rejected = results.len() as u64 - accepted;
    let mut response = Json(BulkAnswer { accepted, rejected, results }).into_response();
    note_replay(&mut response, is_replayed);
    Ok(response)
}

/// The events of a body that can be stored, each with its place, and the answers of the others.
#[expect(clippy::type_complexity, reason = "two lists, each used once")]
fn candidates(
    app: &App,
    body: &[u8],
    received: Timestamp,
) -> Result<(Vec<(usize, Candidate)>, Vec<Option<BulkResult>>)> {
    let events: Events<'_> = serde_json::from_slice(body).map_err(|error| {
        let code = match error.classify() {
            serde_json::error::Category::Data => Code::InvalidRequest,
            _ => Code::InvalidJson,
        };
        Failure::new(code, error.to_string())
    })?;
    if events.events.len() > BULK_MAX {
        let detail = format!("at most {BULK_MAX} events come at once, not {}", events.events.len());
        return Err(refused("events", detail));
    }
    let mut candidates = Vec::with_capacity(events.events.len());
    let mut results = Vec::with_capacity(events.events.len());
    for (place, raw) in events.events.into_iter().enumerate() {
        match Event::parse(raw.get().as_bytes()) {
            Ok(event) => {
                candidates.push((place, candidate(app, &event, None, received)?));
                results.push(None);
            }
            Err(error) => {
                let faults = faults(&error.into_faults());
                results.push(Some(refusal(Code::EventInvalid, faults)));
            }
        }
    }
    Ok((candidates, results))
}

fn stored(recorded: Recorded, warnings: &[Invalid]) -> BulkResult {
    let status = if recorded.is_duplicate { 200 } else { 201 };
    let wire::Recorded { id, seq, receipt, warnings, .. } = written(recorded, warnings);
    let (id, seq, receipt) = (Some(id), Some(seq), Some(receipt));
    BulkResult { status, id, seq, receipt, error: None, warnings }
}

fn refusal(code: Code, errors: Vec<Fault>) -> BulkResult {
    let detail = errors.first().map(|fault| fault.detail.clone()).unwrap_or_default();
    let error = BulkError { code: code.as_str().to_owned(), detail, errors };
    let (status, error) = (code.status(), Some(error));
    BulkResult { status, id: None, seq: None, receipt: None, error, warnings: Vec::new() }
}

fn written(recorded: Recorded, warnings: &[Invalid]) -> wire::Recorded {
    wire::Recorded {
        id: recorded.id,
        seq: recorded.seq.0,
        received_at: time(recorded.received),
        receipt: wire::Receipt {
            log_id: recorded.log_id.to_string(),
            seq: recorded.seq.0,
            leaf_hash: recorded.leaf.map(|leaf| leaf.to_base64()),
        },
        duplicate: recorded.is_duplicate,
        warnings: faults(warnings),
    }
}

/// What is wrong with an event, as a failure of its own.
pub(crate) fn invalid(faults: &[Invalid]) -> Failure {
    failure(Code::EventInvalid, faults)
}

/// A failure of this code with what is wrong.
pub(crate) fn failure(code: Code, faults: &[Invalid]) -> Failure {
    let code = match faults {
        [Invalid { code: "invalid_json", .. }, ..] => Code::InvalidJson,
        _ => code,
    };
    let detail = faults.first().map(|fault| match fault.pointer.as_str() {
        "" => fault.detail.clone(),
        pointer => format!("{pointer}: {}", fault.detail),
    });
    Failure::new(code, detail.unwrap_or_default()).with_faults(self::faults(faults))
}

fn faults(faults: &[Invalid]) -> Vec<Fault> {
    let fault = |fault: &Invalid| Fault {
        pointer: Some(fault.pointer.clone()),
        code: fault.code.to_owned(),
        detail: fault.detail.clone(),
        ..Fault::default()
    };
    faults.iter().map(fault).collect()
}

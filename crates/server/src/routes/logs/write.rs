//! An audit event comes in; what bodies of audit events have in common.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use ledgerline_api::code::Code;
use ledgerline_api::problem::Fault;
use ledgerline_api::v1::filters::{OfDataset, StoredOnce};
use ledgerline_api::v1::logs::{self as wire, NewEvent};
use ledgerline_audit::error::Invalid;
use ledgerline_audit::event::Event;
use ledgerline_journal::IdempotencyKey;
use ledgerline_model::id::{DatasetId, DatasetName};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Append, Scope};
use ledgerline_tenancy::Dataset;
use ledgerline_world::Chance;

use super::filter::{DATASET, Parameters, refused, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Pieces, media_type};
use crate::door::Pass;
use crate::error::{Failure, Result};
use crate::extract::Query;
use crate::recorder::{self, Draft, Recorded};
use crate::routes::ingest::{
    IDEMPOTENCY_REPLAYED, appendable, enter, idempotency_key, with_rate_limits,
};
use crate::routes::time;
use crate::rules::{self, Candidate, Ruled};

/// Record an audit event
///
/// The answer 201 means that the event is on stable storage and has its place in the dataset's
/// ledger; a signed checkpoint over it follows within about two seconds.
#[utoipa::path(
    post, path = "/api/v1/logs", tag = "audit", operation_id = "create_log",
    params(
        OfDataset,
        StoredOnce
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
    with_rate_limits(&app, create(&app, &caller, &parameters, request).await)
}

/// A request that brings audit events, before its body is understood.
pub(crate) struct Coming {
    pub(crate) scope: Scope<Append>,
    pub(crate) body: Bytes,
    key: Option<String>,
    /// Room for the events; given back when dropped.
    pass: Pass,
}

impl Coming {
    /// Takes a body of JSON in, if the caller may append to the dataset.
    ///
    /// # Errors
    /// As for ingest.
    pub(crate) async fn take(
        app: &App,
        caller: &Caller,
        dataset: &str,
        (request, bytes_max): (Request, usize),
    ) -> Result<Self> {
        let scope = may_append(caller, dataset)?;
        check_json(request.headers())?;
        let mut coming = Self::take_any(app, scope, (request, bytes_max)).await?;
        coming.grow_to(coming.body.len())?;
        Ok(coming)
    }

    /// Takes any body in, as it is.
    ///
    /// # Errors
    /// As for ingest.
    pub(super) async fn take_any(
        app: &App,
        scope: Scope<Append>,
        (request, bytes_max): (Request, usize),
    ) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let key = idempotency_key(&parts.headers)?;
        let mut pass = enter(app, &scope, &parts.headers)?;
        let body = Pieces::new(body);
        let body = body.whole_if(bytes_max, |bytes| pass.grow_to(bytes)).await?;
        Ok(Self { scope, body: Bytes::from(body), key, pass })
    }

    /// Asks for the room that so many bytes of events need: they, what is read from them and their
    /// batch are in memory at once.
    ///
    /// # Errors
    /// `ingest_busy`.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<()> {
        self.pass.grow_to(bytes.saturating_mul(3))
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

/// The right to append audit events to a dataset.
pub(super) fn may_append(caller: &Caller, dataset: &str) -> Result<Scope<Append>> {
    let name = dataset.parse::<DatasetName>();
    let name = name.map_err(|error| refused("dataset", error.to_string()))?;
    caller.may_append_audit(&name)
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
    let candidate = candidate(&app.chance, event, version, received)?;
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
pub(super) fn candidate(
    chance: &Chance,
    event: &Event,
    version: Option<u32>,
    received: Timestamp,
) -> Result<Candidate> {
    let minted = recorder::new_id(chance, received);
    let payload = event.payload(&minted, received);
    let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
    let is_own_id = event.id().is_some();
    let draft = Draft { id: event.id().map_or(minted, str::to_owned), is_own_id, payload };
    Ok(Candidate { draft, action: event.action().to_owned(), version })
}

/// What the sender of a stored event is told.
pub(super) fn written(recorded: Recorded, warnings: &[Invalid]) -> wire::Recorded {
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

pub(super) fn faults(faults: &[Invalid]) -> Vec<Fault> {
    let fault = |fault: &Invalid| Fault {
        pointer: Some(fault.pointer.clone()),
        code: fault.code.to_owned(),
        detail: fault.detail.clone(),
        ..Fault::default()
    };
    faults.iter().map(fault).collect()
}

//! Events come in.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ledgerline_api::code::Code;
use ledgerline_api::problem::Fault;
use ledgerline_api::v1::filters::StoredOnce;
use ledgerline_api::v1::ingest::{Compression, IngestResponse, LineError, Receipt};
use ledgerline_ingest::{Admission, Admitted, Encoding, Format, Reception, Reject};
use ledgerline_journal::IdempotencyKey;
use ledgerline_model::id::{DatasetId, DatasetName};
use ledgerline_model::limits;
use ledgerline_policy::{Append, Scope};
use ledgerline_tenancy::Dataset;

use super::datasets::as_dataset;
use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Pieces, media_type};
use crate::door::Pass;
use crate::error::{Failure, Result, blocking};
use crate::extract::Path;
use crate::road;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How much of a body is gathered before it is decoded: enough to be worth the way to another
/// thread, little enough that thousands of slow bodies fit in memory.
const PIECE_BYTES: usize = 256 << 10;

/// Send events
///
/// A JSON array, one object, or objects one after the other (NDJSON); with `text/plain`, a line of
/// text an event. The body may be compressed with gzip or zstd, and is taken in piece by piece. The
/// answer 200 means that the accepted events are on stable storage. A bad event does not lose the
/// good ones beside it. The dataset is made by its first event, unless the tenant switched that
/// off.
#[utoipa::path(
    post, path = "/api/v1/ingest/{dataset}", tag = "ingest", operation_id = "ingest",
    params(
        ("dataset" = String, Path, description = "The dataset's name", example = "app"),
        StoredOnce,
        ("Content-Encoding" = inline(Option<Compression>), Header, description =
            "How the body is compressed, if it is")
    ),
    request_body(
        description = "The events",
        content(
            (serde_json::Value = "application/json",
                example = json!([{"level": "info", "message": "Hello, Ledgerline"}])),
            (String = "application/x-ndjson"),
            (String = "text/plain")
        )
    ),
    responses((status = 200, description = "What became of the events", body = IngestResponse))
)]
pub(crate) async fn ingest(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(dataset): Path<String>,
    request: Request,
) -> Response {
    with_rate_limits(&app, take(&app, &caller, &dataset, request).await)
}

/// An answer to who stores events, with how many bytes may be on their way in, and how many of
/// those are free (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn with_rate_limits(app: &App, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let (quota, free) = app.door.quota();
    let policy = format!("\"ingest\";q={quota};qu=\"content-bytes\"");
    let limit = format!("\"ingest\";r={free};t=1");
    for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn take(app: &App, caller: &Caller, dataset: &str, request: Request) -> Result<Response> {
    let name = dataset.parse::<DatasetName>();
    let name = name.map_err(|error| Failure::invalid("dataset", error.to_string()))?;
    let scope = caller.may_append(&name)?;
    let (parts, body) = request.into_parts();
    let format = format(&parts.headers)?;
    let encoding = encoding(&parts.headers)?;
    let key = idempotency_key(&parts.headers)?;
    let mut pass = enter(app, &scope, &parts.headers)?;
    let dataset = find(app, &scope).await?;
    let reception = Reception { digest: key.is_some(), ..reception(app, dataset.as_ref()) };
    let admission = Admission::new(format, encoding, reception);
    let admitted = decode(app, Pieces::new(body), admission, &mut pass).await?;
    let stored = store(app, &scope, dataset, admitted, key).await?;
    drop(pass);
    stored.into_answer()
}

/// What all events of a request have in common.
pub(super) fn reception(app: &App, dataset: Option<&Dataset>) -> Reception {
    let conventions = dataset.map(Dataset::conventions).unwrap_or_default();
    Reception { received: app.clock.now(), conventions, digest: false }
}

/// Asks for room for the first piece of what the request brings.
pub(super) fn enter(app: &App, scope: &Scope<Append>, headers: &HeaderMap) -> Result<Pass> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|text| text.parse::<usize>().ok()).unwrap_or(PIECE_BYTES);
    if length > limits::BATCH_BYTES_MAX {
        let detail = format!("a body is at most {} bytes", limits::BATCH_BYTES_MAX);
        return Err(Failure::new(Code::BodyTooLarge, detail));
    }
    // No more than has come: whoever says much and sends it slowly keeps no room from others.
    app.door.enter(&app.node, scope, length.min(PIECE_BYTES))
}

/// The dataset; none when its first event will make it.
pub(super) async fn find(app: &App, scope: &Scope<Append>) -> Result<Option<Dataset>> {
    let scope = scope.clone();
    let dataset = app.records(move |tenancy| tenancy.find_to_append(&scope)).await;
    dataset.map_err(as_dataset)
}

/// The dataset, which is made when it is not there.
pub(super) async fn appendable(app: &App, scope: &Scope<Append>) -> Result<Dataset> {
    let scope = scope.clone();
    let dataset = app.records(move |tenancy| tenancy.dataset_to_append(&scope)).await;
    dataset.map_err(as_dataset)
}

/// Decodes a body while it comes, on threads that are there for that.
async fn decode(
    app: &App,
    mut pieces: Pieces,
    mut admission: Admission,
    pass: &mut Pass,
) -> Result<Admitted> {
    let mut gathered = Vec::with_capacity(PIECE_BYTES);
    loop {
        let piece = pieces.next().await?;
        let is_end = piece.is_none();
        gathered.extend_from_slice(piece.as_deref().unwrap_or_default());
        if gathered.len() < PIECE_BYTES && !is_end {
            continue;
        }
        let turn = app.decoders.acquire().await.map_err(|error| Failure::internal(&error))?;
        let bytes = std::mem::take(&mut gathered);
        let decoded = blocking(move || {
            admission.push(&bytes)?;
            Ok((admission, bytes))
        });
        (admission, gathered) = decoded.await?;
        drop(turn);
        gathered.clear();
        pass.grow_to(admission.size_bytes() + PIECE_BYTES)?;
        if is_end {
            break;
        }
    }
    drop(gathered);
    blocking(move || Ok(admission.finish()?)).await
}

/// What became of the events of a body.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) rejected: u64,
    pub(super) rejects: Vec<Reject>,
    receipt: Option<ledgerline_journal::Receipt>,
}

/// Makes the events durable, if there are any, and with the first of them their dataset.
pub(super) async fn store(
    app: &App,
    scope: &Scope<Append>,
    dataset: Option<Dataset>,
    admitted: Admitted,
    key: Option<String>,
) -> Result<Stored> {
    let Admitted { batch, rejected, rejects, digest } = admitted;
    app.metrics.ingest_rejected.inc_by(rejected);
    if batch.rows() == 0 {
        return Ok(Stored { rejected, rejects, receipt: None });
    }
    let dataset = match dataset {
        Some(dataset) => dataset.id,
        None => appendable(app, scope).await?.id,
    };
    let key = key.zip(digest).map(|(key, digest)| {
        let digest = digest_of(dataset, &digest);
        IdempotencyKey { key, digest }
    });
    let bytes_in = batch.bytes_in();
    let started = app.clock.monotonic();
    let receipt = road::append(&app.node, scope, dataset, batch, key).await?;
    let took = app.clock.monotonic().saturating_sub(started);
    app.metrics.journal_seconds.observe(took.as_secs_f64());
    if !receipt.replayed {
        app.metrics.ingest_events.inc_by(receipt.stored);
        app.metrics.ingest_bytes.inc_by(bytes_in);
        app.metrics.ingest_duplicates.inc_by(receipt.duplicates);
    }
    Ok(Stored { rejected, rejects, receipt: Some(receipt) })
}

impl Stored {
    fn into_answer(self) -> Result<Response> {
        let Self { rejected, rejects, receipt } = self;
        let Some(receipt) = receipt else {
            return if rejected > 0 { Err(all_rejected(rejected, rejects)) } else { Ok(nothing()) };
        };
        let answer = IngestResponse {
            accepted: receipt.stored + receipt.duplicates,
            rejected,
            duplicates: receipt.duplicates,
            errors: rejects.into_iter().map(written).collect(),
            receipt: (receipt.stored > 0).then(|| Receipt {
                first_seq: receipt.first_seq.0,
                stored: receipt.stored,
                received_at: time(receipt.received),
            }),
        };
        let mut response = axum::Json(answer).into_response();
        if receipt.replayed {
            let value = HeaderValue::from_static("true");
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, value);
        }
        Ok(response)
    }
}

/// A body without events is no error: senders flush empty buffers.
fn nothing() -> Response {
    let answer = IngestResponse {
        accepted: 0,
        rejected: 0,
        duplicates: 0,
        errors: Vec::new(),
        receipt: None,
    };
    axum::Json(answer).into_response()
}

fn all_rejected(rejected: u64, rejects: Vec<Reject>) -> Failure {
    let fault = |reject: Reject| Fault {
        pointer: None,
        line: Some(reject.line),
        code: reject.code.to_owned(),
        detail: reject.detail,
    };
    let mut failure = Failure::new(Code::EventsRejected, "no event could be taken");
    failure = failure.with_faults(rejects.into_iter().map(fault).collect());
    failure.problem.accepted = Some(0);
    failure.problem.rejected = Some(rejected);
    failure.problem.duplicates = Some(0);
    failure
}

fn written(reject: Reject) -> LineError {
    LineError { line: reject.line, code: reject.code.to_owned(), detail: reject.detail }
}

/// `text/plain` is lines of text; everything else is taken for JSON, since half the world's senders
/// say `application/x-www-form-urlencoded` without meaning it.
fn format(headers: &HeaderMap) -> Result<Format> {
    match media_type(headers).as_str() {
        "text/plain" => Ok(Format::Text),
        "multipart/form-data" | "application/x-protobuf" | "application/msgpack" => {
            let detail = "events are application/json, application/x-ndjson or text/plain";
            Err(Failure::new(Code::UnsupportedMediaType, detail))
        }
        _ => Ok(Format::Json),
    }
}

pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding> {
    let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
    let unsupported = || {
        Failure::new(
            Code::UnsupportedEncoding,
            "a body is compressed with gzip, zstd or not at all",
        )
    };
    let (first, more) = (all.next(), all.next());
    if more.is_some() {
        return Err(unsupported());
    }
    let text = first.map_or(Ok("identity"), |value| value.to_str()).map_err(|_| unsupported())?;
    match text.trim().to_ascii_lowercase().as_str() {
        "identity" | "" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(unsupported()),
    }
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if text.is_empty() || text.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX {
        let most = limits::IDEMPOTENCY_KEY_BYTES_MAX;
        let detail = format!("an Idempotency-Key has 1 to {most} visible ASCII characters");
        return Err(Failure::new(Code::InvalidRequest, detail));
    }
    Ok(Some(text.to_owned()))
}

/// The same body to another dataset is another request.
fn digest_of(dataset: DatasetId, body: &[u8; 32]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&dataset.0.to_le_bytes());
    context.update(body);
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

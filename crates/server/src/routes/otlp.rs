//! OTLP/HTTP logs. Answers and failures are in OTLP's own shape.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use ledgerline_api::code::Code;
use ledgerline_api::v1::filters::DatasetName as NameParameter;
use ledgerline_api::v1::ingest::Compression;
use ledgerline_model::id::DatasetName;
use ledgerline_model::limits;

use super::ingest::{encoding, enter, find, reception, store, with_rate_limits};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Pieces;
use crate::error::{Failure, Result, blocking};
use crate::otlp_shape;

const DATASET: HeaderName = HeaderName::from_static("x-ledgerline-dataset");
const DATASET_DEFAULT: &str = "otel";

/// Send logs by OTLP/HTTP
///
/// An `ExportLogsServiceRequest`, as protobuf or JSON. Failures are a `google.rpc.Status`; only 429
/// and 503 are worth repeating.
#[utoipa::path(
    post, path = "/v1/logs", tag = "ingest", operation_id = "ingest_otlp",
    params(
        ("X-Ledgerline-Dataset" = inline(Option<NameParameter>), Header, description =
            "The dataset's name; `otel` when nothing is said"),
        ("Content-Encoding" = inline(Option<Compression>), Header, description =
            "How the body is compressed, if it is")
    ),
    request_body(content(
        (serde_json::Value = "application/json", example = json!({"resourceLogs": []})),
        (Vec<u8> = "application/x-protobuf")
    )),
    responses(
        (status = 200, description = "An `ExportLogsServiceResponse`", content(
            (serde_json::Value = "application/json"), (Vec<u8> = "application/x-protobuf")
        ))
    )
)]
pub(crate) async fn ingest_otlp(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    with_rate_limits(&app, take(&app, &caller, request).await)
}

async fn take(app: &App, caller: &Caller, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let named = parts.headers.get(DATASET).map(|value| value.to_str());
    let name = named.unwrap_or(Ok(DATASET_DEFAULT)).unwrap_or_default().parse::<DatasetName>();
    let name = name.map_err(|error| Failure::new(Code::InvalidRequest, error.to_string()))?;
    let scope = caller.may_append(&name)?;
    let format = otlp_shape::format(&parts.headers).ok_or_else(|| {
        let detail = "logs are application/x-protobuf or application/json";
        Failure::new(Code::UnsupportedMediaType, detail)
    })?;
    let encoding = encoding(&parts.headers)?;
    let mut pass = enter(app, &scope, &parts.headers)?;
    let dataset = find(app, &scope).await?;
    let reception = reception(app, dataset.as_ref());
    let body = Pieces::new(body);
    let body = body.whole_if(limits::BATCH_BYTES_MAX, |bytes| pass.grow_to(bytes)).await?;
    let turn = app.decoders.acquire().await.map_err(|error| Failure::internal(&error))?;
    let body = blocking(move || Ok(ledgerline_ingest::decompress(&body, encoding)?)).await?;
    // The request, its decoded form and the batch are in memory at once.
    pass.grow_to(body.len().saturating_mul(3))?;
    let admit = move || Ok(ledgerline_ingest::admit_otlp(&body, format, &reception)?);
    let admitted = blocking(admit).await?;
    drop(turn);
    pass.grow_to(admitted.batch.size_bytes())?;
    let stored = store(app, &scope, dataset, admitted, None).await?;
    let message =
        stored.rejects.first().map(|reject| format!("{}: {}", reject.code, reject.detail));
    let message = message.as_deref().unwrap_or_default();
    let answer = ledgerline_ingest::otlp_answer(format, stored.rejected, message);
    let headers = [(header::CONTENT_TYPE, otlp_shape::media(format))];
    Ok((StatusCode::OK, headers, answer).into_response())
}

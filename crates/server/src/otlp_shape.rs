//! Failures on OTLP's path, in OTLP's shape: a `google.rpc.Status` in the type of the request
//! (protocols: OTLP/HTTP, "Failures").

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ledgerline_ingest::OtlpFormat;

use crate::body::media_type;
use crate::error::Failure;

/// The path of OTLP's logs.
pub(crate) const ROUTE: &str = "/v1/logs";

// Source: googleapis, `google/rpc/code.proto`.
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

/// The layout in which a failure on this route is to be told; none for our own routes.
pub(crate) fn of(route: &str, headers: &HeaderMap) -> Option<OtlpFormat> {
    (route == ROUTE).then(|| format(headers).unwrap_or(OtlpFormat::Json))
}

/// The layout of an OTLP request.
pub(crate) fn format(headers: &HeaderMap) -> Option<OtlpFormat> {
    match media_type(headers).as_str() {
        "application/x-protobuf" => Some(OtlpFormat::Protobuf),
        "application/json" => Some(OtlpFormat::Json),
        _ => None,
    }
}

/// The media type of a layout.
pub(crate) fn media(format: OtlpFormat) -> HeaderValue {
    HeaderValue::from_static(match format {
        OtlpFormat::Protobuf => "application/x-protobuf",
        OtlpFormat::Json => "application/json",
    })
}

/// The failure as a `google.rpc.Status`. OTLP's clients never repeat a request that was answered
/// 500, so an error of ours is a 503.
pub(crate) fn written(failure: &Failure, format: OtlpFormat, response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    if parts.status == StatusCode::INTERNAL_SERVER_ERROR {
        parts.status = StatusCode::SERVICE_UNAVAILABLE;
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
    }
    let code = match parts.status.as_u16() {
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => NOT_FOUND,
        413 | 429 | 507 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        _ => INVALID_ARGUMENT,
    };
    let problem = &failure.problem;
    let message = format!("{}: {} (request {})", problem.code, problem.detail, problem.request_id);
    let body = ledgerline_ingest::otlp_status(format, code, &message);
    parts.headers.insert(header::CONTENT_TYPE, media(format));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

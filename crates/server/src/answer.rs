//! Answers of queries, written piece by piece as JSON, NDJSON or CSV.

pub(crate) mod csv;
pub(crate) mod events;
mod sending;
pub(crate) mod table;
pub(crate) mod value;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ledgerline_api::v1::Stats;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, Result};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Ndjson,
    Csv,
}

/// The parameters of a path that answers rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FormatParameter {
    /// How the answer is written; `Accept` says it too
    #[param(inline, value_type = Option<Format>)]
    format: Option<String>,
}

const SCANNED: HeaderName = HeaderName::from_static("x-ledgerline-scanned-bytes");
const ELAPSED: HeaderName = HeaderName::from_static("x-ledgerline-elapsed-ms");
const COMPLETE: HeaderName = HeaderName::from_static("x-ledgerline-complete");
const CURSOR: HeaderName = HeaderName::from_static("x-ledgerline-next-cursor");

impl Format {
    /// What the parameter says, else what `Accept` says, else JSON.
    ///
    /// # Errors
    /// `invalid_request` for a parameter that names no format.
    pub(crate) fn wanted(parameter: &FormatParameter, headers: &HeaderMap) -> Result<Self> {
        match parameter.format.as_deref() {
            Some("json") => return Ok(Self::Json),
            Some("ndjson") => return Ok(Self::Ndjson),
            Some("csv") => return Ok(Self::Csv),
            Some(_) => {
                let detail = "the format is one of json, ndjson and csv";
                return Err(Failure::invalid("format", detail));
            }
            None => {}
        }
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let types = accept.unwrap_or_default().split(',');
        for named in types.map(|one| one.split(';').next().unwrap_or_default().trim()) {
            match named {
                "application/json" | "*/*" => return Ok(Self::Json),
                "application/x-ndjson" | "application/ndjson" => return Ok(Self::Ndjson),
                "text/csv" => return Ok(Self::Csv),
                _ => {}
            }
        }
        Ok(Self::Json)
    }

    /// The media types beside JSON, of an answer that has rows.
    pub(crate) const OTHERS: [&str; 2] = ["application/x-ndjson", "text/csv"];

    fn media(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        })
    }
}

/// An answer as its head says it, and what is held until it is sent.
#[derive(Debug)]
pub(crate) struct Head<H> {
    pub(crate) format: Format,
    pub(crate) stats: Stats,
    /// What the rows have of the memory for answers.
    pub(crate) held: H,
}

/// A body that is written while it is sent: `next` writes a little more of it and says whether
/// there may be more.
fn streamed<H: Send + 'static>(
    head: Head<H>,
    next_cursor: Option<&str>,
    next: impl FnMut(&mut Vec<u8>) -> bool + Send + 'static,
) -> Response {
    let Head { format, stats, held } = head;
    let pieces = sending::pieces(sending::STALL_MAX, held, next);
    let mut response = (StatusCode::OK, Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, format.media());
    headers.insert(SCANNED, HeaderValue::from(stats.scanned_bytes));
    headers.insert(ELAPSED, HeaderValue::from(stats.elapsed_ms));
    let complete = if stats.complete { "true" } else { "false" };
    headers.insert(COMPLETE, HeaderValue::from_static(complete));
    if let Some(cursor) = next_cursor.and_then(|cursor| HeaderValue::from_str(cursor).ok()) {
        headers.insert(CURSOR, cursor);
    }
    response
}

/// A body of pieces, until there are no more. `held` is kept until they are sent.
pub(crate) fn pieces<H: Send + 'static>(
    held: H,
    mut next: impl FnMut() -> Option<Vec<u8>> + Send + 'static,
) -> Body {
    let mut coming = next();
    Body::from_stream(sending::pieces(sending::STALL_MAX, held, move |to: &mut Vec<u8>| {
        if let Some(piece) = coming.take() {
            to.extend_from_slice(&piece);
        }
        coming = next();
        coming.is_some()
    }))
}

/// A body of texts, one after the other. `held` is kept until they are sent.
pub(crate) fn texts<H: Send + 'static>(
    media: &'static str,
    held: H,
    texts: impl IntoIterator<Item = String, IntoIter: Send + 'static>,
) -> Response {
    let mut texts = texts.into_iter().peekable();
    let pieces = sending::pieces(sending::STALL_MAX, held, move |to: &mut Vec<u8>| {
        if let Some(text) = texts.next() {
            to.extend_from_slice(text.as_bytes());
        }
        texts.peek().is_some()
    });
    let mut response = (StatusCode::OK, Body::from_stream(pieces)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Writes a value as JSON at the end. Our values always can be.
fn json(to: &mut Vec<u8>, value: &impl serde::Serialize) {
    let before = to.len();
    if let Err(error) = serde_json::to_writer(&mut *to, value) {
        tracing::error!(%error, "a value cannot be written");
        to.truncate(before);
        to.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_wins_over_the_header() {
        let wanted = |parameter: Option<&str>, accept: &'static str| {
            let parameter = FormatParameter { format: parameter.map(str::to_owned) };
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            Format::wanted(&parameter, &headers).ok()
        };
        assert_eq!(wanted(Some("csv"), "application/json"), Some(Format::Csv));
        assert_eq!(wanted(None, "text/html, text/csv;q=0.9"), Some(Format::Csv));
        assert_eq!(wanted(None, "*/*"), Some(Format::Json));
        assert_eq!(wanted(None, "image/png"), Some(Format::Json));
        assert_eq!(wanted(Some("xml"), "*/*"), None);
    }
}

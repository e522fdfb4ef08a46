//! Records of others come in and become audit events.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use ledgerline_api::code::Code;
use ledgerline_api::object::object;
use ledgerline_api::v1::filters::{OfDataset, StoredOnce};
use ledgerline_api::v1::logs::{BulkAnswer, CloudTrail};
use ledgerline_audit::cloudtrail;
use ledgerline_ingest::Encoding;
use ledgerline_model::limits;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bulk::{Form, store_each};
use super::filter::Parameters;
use super::raw_events::RawEvents;
use super::write::{Coming, dataset_of, may_append};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{media_type, unread};
use crate::error::{Failure, Result, blocking};
use crate::extract::Query;
use crate::routes::ingest::{encoding, with_rate_limits};

/// Import records of AWS CloudTrail
///
/// Files as CloudTrail delivers them (`{"Records": […]}`), or records one after the other (NDJSON);
/// compressed or not. Each becomes an audit event whose id is the record's `eventID`, so that a
/// record that comes again is stored once, and is answered by itself, in the order in which they
/// were sent.
#[utoipa::path(
    post, path = "/api/v1/logs/import/cloudtrail", tag = "audit",
    operation_id = "import_cloudtrail",
    params(
        OfDataset,
        StoredOnce,
        ("Content-Encoding" = Option<String>, Header, description =
            "`gzip` or `zstd`; a body that is a file of gzip may say `application/gzip` instead")
    ),
    request_body(
        description = "At most 1,000 records",
        content(
            (CloudTrail = "application/json"),
            (String = "application/x-ndjson"),
            (Vec<u8> = "application/gzip")
        )
    ),
    responses((status = 200, description = "What became of each", body = BulkAnswer))
)]
pub(crate) async fn import_cloudtrail(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    with_rate_limits(&app, import(&app, &caller, &parameters, request).await)
}

async fn import(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
    request: Request,
) -> Result<Response> {
    let scope = may_append(caller, &dataset_of(parameters)?)?;
    let encoding = packing(request.headers())?;
    let bytes_max = limits::BATCH_BYTES_MAX;
    let mut coming = Coming::take_any(app, scope, (request, bytes_max)).await?;
    let body = unpacked(app, coming.body.clone(), encoding).await?;
    coming.grow_to(body.len())?;
    let form = Form { split: records, parse: cloudtrail::parse, list: "Records" };
    store_each(app, &coming, (body, form)).await
}

/// How a body is compressed, from what its headers say.
fn packing(headers: &HeaderMap) -> Result<Encoding> {
    let encoding = encoding(headers)?;
    match media_type(headers).as_str() {
        "application/json" | "application/x-ndjson" => Ok(encoding),
        "application/gzip" | "application/x-gzip" if encoding == Encoding::Identity => {
            Ok(Encoding::Gzip)
        }
        _ => {
            let detail = "records are application/json, application/x-ndjson or application/gzip";
            Err(Failure::new(Code::UnsupportedMediaType, detail))
        }
    }
}

async fn unpacked(app: &App, body: Bytes, encoding: Encoding) -> Result<Bytes> {
    if encoding == Encoding::Identity {
        return Ok(body);
    }
    let turn = app.decoders.acquire().await.map_err(|error| Failure::internal(&error))?;
    let body = blocking(move || Ok(ledgerline_ingest::decompress(&body, encoding)?)).await?;
    drop(turn);
    Ok(Bytes::from(body))
}

/// A file as CloudTrail delivers it. What else it says is nothing that an event could keep.
#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(borrow, rename = "Records")]
    records: RawEvents<'a>,
}

/// The records of a body: of deliveries, or by themselves.
fn records(body: &[u8]) -> Result<RawEvents<'_>> {
    let mut records = RawEvents::default();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        let value = value.map_err(|error| unread(&error))?;
        match object::<_, Delivery<'_>>(&mut serde_json::Deserializer::from_str(value.get())) {
            Ok(delivery) => records.extend(delivery.records),
            Err(_) => records.push(value),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &[&str]) {
        let records = records(body.as_bytes()).expect("JSON").all().expect("a few");
        let texts: Vec<&str> = records.into_iter().map(RawValue::get).collect();
        assert_eq!(texts, expected, "{body}");
    }

    #[test]
    fn records_are_found_in_deliveries_and_by_themselves() {
        check(r#"{"Records":[{"a":1}, {"b" : 2}]}"#, &[r#"{"a":1}"#, r#"{"b" : 2}"#]);
        check("{\"a\":1}\n{\"b\":2}\n", &[r#"{"a":1}"#, r#"{"b":2}"#]);
        check("{\"Records\":[1]}{\"Records\":[]}\n{\"c\":3}", &["1", r#"{"c":3}"#]);
        check(r#"[[1]]"#, &["[[1]]"]);
        check(r#"{"Records":7}"#, &[r#"{"Records":7}"#]);
        check("", &[]);
        assert!(records(b"{\"Records\":[").is_err());
    }
}

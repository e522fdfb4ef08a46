//! Searches.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use ledgerline_api::v1;
use ledgerline_api::v1::search::{
    ContextRequest, ContextResponse, FieldsRequest, FieldsResponse, HistogramRequest,
    HistogramResponse, SearchRequest, SearchResponse, ValueCount, ValuesRequest, ValuesResponse,
};
use ledgerline_model::batch::Kind;
use ledgerline_model::id::Seq;
use ledgerline_model::limits;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_query::lang::width::Width;
use ledgerline_query::{self as query, Order, lang};

use super::asking::{Question, ask};
use super::time;
use crate::answer::value::WireCell;
use crate::answer::{Format, FormatParameter, Head, events};
use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::cursor::{self, Cursor};
use crate::error::{Failure, Result};
use crate::extract::Query;
use crate::when;

const LIMIT: usize = 100;
const VALUES_LIMIT: usize = 10;
const VALUES_LIMIT_MAX: usize = 1_000;
const NEIGHBOURS: usize = 10;
const BARS: i64 = 60;

/// Find events
#[utoipa::path(
    post, path = "/api/v1/search", tag = "search", operation_id = "search",
    params(FormatParameter),
    request_body = SearchRequest,
    responses((status = 200, description = "A page of events", body = SearchResponse))
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameter): Query<FormatParameter>,
    headers: HeaderMap,
    body::Json(request): body::Json<SearchRequest>,
) -> Result<Response> {
    let format = Format::wanted(&parameter, &headers)?;
    let limit = within("limit", request.limit, LIMIT, 1..=limits::SEARCH_PAGE_MAX)?;
    let asked = cursor::Question::of(caller.tenant()?, &request);
    let cursor = request.cursor.as_deref().map(|text| Cursor::parse(text, asked)).transpose()?;
    let range = match &cursor {
        Some(cursor) => cursor.range,
        None => range(&app, request.from.as_deref(), request.to.as_deref())?,
    };
    let page = query::Page {
        limit,
        order: match request.order {
            v1::search::Order::Newest => Order::Newest,
            v1::search::Order::Oldest => Order::Oldest,
        },
        after: cursor.map(|cursor| cursor.place),
        as_of: cursor.map(|cursor| cursor.as_of),
        fields: request.fields,
    };
    let SearchRequest { dataset, query, .. } = request;
    let question = Question { action: "search", dataset, query, range };
    let answer = ask(&app, &caller, question, move |target, text| {
        query::search(target, &lang::parse_search(text)?, &page)
    });
    let answer = answer.await?;
    let as_of = cursor.map_or(answer.as_of, |cursor| cursor.as_of);
    let next = answer.found.next.map(|place| Cursor { place, as_of, range }.to_text(asked));
    let page = v1::Page { has_more: next.is_some(), next_cursor: next };
    let head = Head { format, stats: answer.stats, held: answer.held };
    Ok(events::answer(head, answer.found, Some(page)))
}

/// Count events by time
#[utoipa::path(
    post, path = "/api/v1/search/histogram", tag = "search", operation_id = "histogram",
    request_body = HistogramRequest,
    responses((status = 200, description = "The bars that have events", body = HistogramResponse))
)]
pub(crate) async fn histogram(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<HistogramRequest>,
) -> Result<Json<HistogramResponse>> {
    let range = range(&app, request.from.as_deref(), request.to.as_deref())?;
    let width = match request.width.as_deref() {
        Some(text) => width(text)?,
        None => fitting(range),
    };
    let HistogramRequest { dataset, query, .. } = request;
    let question = Question { action: "search.histogram", dataset, query, range };
    let answer = ask(&app, &caller, question, move |target, text| {
        query::histogram(target, &lang::parse_search(text)?, width)
    });
    let answer = answer.await?;
    let bar = |bar: query::Bar| v1::search::Bar {
        start: time(bar.start),
        count: bar.count,
        severities: bar
            .severities
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect(),
    };
    Ok(Json(HistogramResponse {
        data: answer.found.into_iter().map(bar).collect(),
        width: width.to_string(),
        stats: answer.stats,
    }))
}

/// List the fields of events
#[utoipa::path(
    post, path = "/api/v1/search/fields", tag = "search", operation_id = "fields",
    request_body = FieldsRequest,
    responses((status = 200, description = "The fields, the most frequent first", body = FieldsResponse))
)]
pub(crate) async fn fields(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<FieldsRequest>,
) -> Result<Json<FieldsResponse>> {
    let range = range(&app, request.from.as_deref(), request.to.as_deref())?;
    let FieldsRequest { dataset, query, .. } = request;
    let question = Question { action: "search.fields", dataset, query, range };
    let answer = ask(&app, &caller, question, |target, text| {
        query::fields(target, &lang::parse_search(text)?)
    });
    let answer = answer.await?;
    let field = |field: query::Field| v1::search::Field {
        name: field.name,
        types: field.kinds.into_iter().map(|(kind, count)| (named(kind), count)).collect(),
        events: field.events,
        share: field.share,
    };
    let data = answer.found.into_iter().map(field).collect();
    Ok(Json(FieldsResponse { data, stats: answer.stats }))
}

/// List the most frequent values of a field
#[utoipa::path(
    post, path = "/api/v1/search/values", tag = "search", operation_id = "values",
    request_body = ValuesRequest,
    responses((status = 200, description = "The values, the most frequent first", body = ValuesResponse))
)]
pub(crate) async fn values(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(request): body::Json<ValuesRequest>,
) -> Result<Json<ValuesResponse>> {
    let limit = within("limit", request.limit, VALUES_LIMIT, 1..=VALUES_LIMIT_MAX)?;
    let range = range(&app, request.from.as_deref(), request.to.as_deref())?;
    let ValuesRequest { dataset, query, field, .. } = request;
    if field.is_empty() || field.len() > limits::KEY_BYTES_MAX {
        let detail = format!("a field's name has 1 to {} bytes", limits::KEY_BYTES_MAX);
        return Err(Failure::invalid("field", detail));
    }
    let question = Question { action: "search.values", dataset, query, range };
    let answer = ask(&app, &caller, question, move |target, text| {
        query::values(target, &lang::parse_search(text)?, &field, limit)
    });
    let answer = answer.await?;
    let one = |(cell, count): &(query::Cell, u64)| ValueCount {
        value: serde_json::to_value(WireCell(cell)).unwrap_or_default(),
        count: *count,
    };
    Ok(Json(ValuesResponse {
        data: answer.found.top.iter().map(one).collect(),
        distinct: answer.found.distinct,
        events: answer.found.events,
        found: answer.found.found,
        stats: answer.stats,
    }))
}

/// Show what happened before and after an event
#[utoipa::path(
    post, path = "/api/v1/search/context", tag = "search", operation_id = "context",
    params(FormatParameter),
    request_body = ContextRequest,
    responses((status = 200, description = "The event among its neighbours, the earliest first", body = ContextResponse))
)]
pub(crate) async fn context(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameter): Query<FormatParameter>,
    headers: HeaderMap,
    body::Json(request): body::Json<ContextRequest>,
) -> Result<Response> {
    let format = Format::wanted(&parameter, &headers)?;
    let allowed = 0..=limits::CONTEXT_EVENTS_MAX;
    let before = within("before", request.before, NEIGHBOURS, allowed.clone())?;
    let after = within("after", request.after, NEIGHBOURS, allowed)?;
    let ContextRequest { dataset, query, seq, .. } = request;
    let question = Question { action: "search.context", dataset, query, range: TimeRange::ALL };
    let answer = ask(&app, &caller, question, move |target, text| {
        query::context(target, &lang::parse_search(text)?, Seq(seq), before, after)
    });
    let answer = answer.await?;
    let head = Head { format, stats: answer.stats, held: answer.held };
    Ok(events::answer(head, answer.found, None))
}

pub(super) fn range(app: &App, from: Option<&str>, to: Option<&str>) -> Result<TimeRange> {
    when::range(from, to, app.clock.now())
}

fn within(
    field: &str,
    value: Option<usize>,
    default: usize,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<usize> {
    let value = value.unwrap_or(default);
    if allowed.contains(&value) {
        return Ok(value);
    }
    let detail = format!("{field} is {} to {}", allowed.start(), allowed.end());
    Err(Failure::invalid(field, detail))
}

fn width(text: &str) -> Result<Width> {
    let invalid = || Failure::invalid("width", "a width is a number and s, m, h, d or w, as in 5m");
    let unit = text.chars().next_back().ok_or_else(invalid)?;
    let (_, seconds) =
        lang::width::UNITS.into_iter().find(|(letter, _)| *letter == unit).ok_or_else(invalid)?;
    let count = &text[..text.len() - unit.len_utf8()];
    let is_number = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
    let count: i64 = if is_number { count.parse().map_err(|_| invalid())? } else { 0 };
    count.checked_mul(seconds).and_then(Width::from_seconds).ok_or_else(invalid)
}

/// A width in round numbers that gives about [`BARS`] bars; a day where the span is open.
fn fitting(range: TimeRange) -> Width {
    const ROUND: [i64; 14] = [
        1,
        5,
        15,
        30,
        60,
        300,
        900,
        1_800,
        3_600,
        3 * 3_600,
        6 * 3_600,
        12 * 3_600,
        86_400,
        7 * 86_400,
    ];
    let is_open = range.start == TimeRange::ALL.start || range.end == TimeRange::ALL.end;
    let seconds = range.end.0.saturating_sub(range.start.0) / Timestamp::SECOND / BARS;
    let fitting = ROUND.into_iter().find(|round| *round >= seconds).unwrap_or(30 * 86_400);
    let seconds = if is_open { 86_400 } else { fitting };
    Width::from_seconds(seconds).expect("a round number is positive and small")
}

fn named(kind: Kind) -> String {
    let name = match kind {
        Kind::Str => "string",
        Kind::I64 => "integer",
        Kind::F64 => "float",
        Kind::Bool => "boolean",
        Kind::Json => "json",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_read_and_fitted() {
        let text = |text: &str| width(text).ok().map(|width| width.to_string());
        assert_eq!(text("90s").as_deref(), Some("90s"));
        assert_eq!(text("60m").as_deref(), Some("1h"));
        for bad in ["", "m", "0m", "-1m", "5", "5y", "1.5h", "99999999999999999999d", "5é"] {
            assert_eq!(text(bad), None, "{bad}");
        }
        let hours = |hours: i64| TimeRange {
            start: Timestamp(0),
            end: Timestamp(hours * 3_600 * Timestamp::SECOND),
        };
        assert_eq!(fitting(hours(1)).to_string(), "1m");
        assert_eq!(fitting(hours(24)).to_string(), "30m");
        assert_eq!(fitting(TimeRange::ALL).to_string(), "1d");
    }
}

//! Audit events are counted, and those of one request are put together.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledgerline_api::v1::event::WireEvent;
use ledgerline_api::v1::filters::{Filters, GroupBy};
use ledgerline_api::v1::logs::{Correlated, CorrelatedListing, Counted, Group};
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;
use ledgerline_query::lang::ast::Query as Tree;
use ledgerline_query::lang::{self, Search};
use ledgerline_query::{self as query, Cell, Order, Page, Table};
use serde_json::Value;

use super::filter::{Filter, Parameters, number, refused, single};
use super::read::{amended, question};
use crate::answer::value::WireCell;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Failure, Result};
use crate::extract::{Path, Query};
use crate::lookup::equals;
use crate::masking::Mask;
use crate::routes::asking::{Asked, Question, Rows, ask_with};
use crate::routes::time;

const GROUPS: usize = 100;
const GROUPS_MAX: usize = 1_000;
/// What events can be grouped by, and the field or width that it means.
const BY: [(&str, &str); 11] = [
    ("action", "action"),
    ("actor", "actor.id"),
    ("actor_type", "actor.type"),
    ("day", "1d"),
    ("hour", "1h"),
    ("ip", "ip"),
    ("outcome", "outcome"),
    ("resource_id", "resource.id"),
    ("resource_type", "resource.type"),
    ("severity", "severity"),
    ("user_agent", "user_agent"),
];
/// Under which fields senders keep the id of a request.
const REQUEST_FIELDS: [&str; 8] = [
    "request_id",
    "requestID",
    "requestId",
    "RequestId",
    "request.id",
    "http.request.id",
    "trace_id",
    "traceId",
];
/// How many events of one request are put together.
const CORRELATED_MAX: usize = 1_000;

/// Count audit events
#[utoipa::path(
    get, path = "/api/v1/logs/stats", tag = "audit", operation_id = "log_stats",
    params(
        ("by" = inline(Option<GroupBy>), Query, description = "By what they are counted; `action` if nothing is said"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "How many groups, 1 to 1,000; usually 100"),
        Filters
    ),
    responses((status = 200, description = "The groups, the largest first, those by time in their order", body = Counted))
)]
pub(crate) async fn log_stats(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Counted>> {
    let filter = Filter::read(&app, &parameters, &["by", "limit"])?;
    let by = single(&parameters, "by")?.unwrap_or("action").to_owned();
    let limit = number(&parameters, "limit", (GROUPS, 1..=GROUPS_MAX))?;
    let (tree, field, by_time) = tree(&filter.search, &by, limit)?;
    let range = filter.range;
    let question = question("audit.stats", filter, range);
    let answer = ask_with(&app, &caller, question, move |asked| {
        let failed = |error| Failure::of_query(&error, "");
        let mut groups = query::analyse(&asked.target, &tree.groups).map_err(failed)?;
        if let Some(mask) = asked.mask.filter(|_| !by_time) {
            mask_keys(&mut groups, field, mask)?;
        }
        let total = query::analyse(&asked.target, &tree.total).map_err(failed)?;
        Ok(Tables { groups, total })
    });
    let answer = answer.await?;
    let total = match answer.found.total.rows.first().and_then(|row| row.first()) {
        Some(Cell::I64(count)) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    let mut groups: Vec<Group> =
        answer.found.groups.rows.iter().filter_map(|row| group(row)).collect();
    if by_time {
        groups.sort_by(|a, b| a.key.as_str().cmp(&b.key.as_str()));
    }
    Ok(Json(Counted { total, groups, stats: answer.stats }))
}

struct Trees {
    groups: Tree,
    total: Tree,
}

#[derive(Debug)]
struct Tables {
    groups: Table,
    total: Table,
}

impl Rows for Tables {
    fn rows(&self) -> usize {
        self.groups.rows.len()
    }
    fn size_bytes(&self) -> usize {
        crate::answer::table::size_bytes(&self.groups)
    }
}

/// The queries that count, by what, and whether that is time.
fn tree(search: &Search, by: &str, limit: usize) -> Result<(Trees, &'static str, bool)> {
    let known = || BY.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let (name, by) = BY
        .into_iter()
        .find(|(name, _)| *name == by)
        .ok_or_else(|| refused("by", format!("by is one of {}", known())))?;
    let by_time = matches!(name, "hour" | "day");
    let sorted = if by_time { "sort -last_at" } else { "sort -n" };
    let pipes = format!(
        "* | stats count() as n, min(_time) as first_at, max(_time) as last_at by {by} \
         | {sorted} | limit {limit}"
    );
    let parsed = |text: &str| lang::parse(text).map_err(|error| Failure::of_query(&error, text));
    let with = |tree: Tree| Tree { search: search.clone(), ..tree };
    let groups = with(parsed(&pipes)?);
    let total = with(parsed("* | stats count()")?);
    Ok((Trees { groups, total }, by, by_time))
}

/// Masks what groups have in common; those that then have the same in common are one.
fn mask_keys(table: &mut Table, field: &str, mask: &Mask) -> Result<()> {
    let mut merged: Vec<Vec<Cell>> = Vec::with_capacity(table.rows.len());
    for mut row in std::mem::take(&mut table.rows) {
        let Some(key) = row.first_mut() else { continue };
        *key = mask.cell(field, std::mem::replace(key, Cell::Null))?;
        match merged.iter_mut().find(|other| other.first() == row.first()) {
            Some(other) => merge(other, &row),
            None => merged.push(row),
        }
    }
    merged.sort_by_key(|row| match row.get(1) {
        Some(Cell::I64(count)) => std::cmp::Reverse(*count),
        _ => std::cmp::Reverse(0),
    });
    table.rows = merged;
    Ok(())
}

/// Adds a row of counts and times to another.
fn merge(row: &mut [Cell], other: &[Cell]) {
    if let ([_, Cell::I64(count), first, last], [_, Cell::I64(more), from, to]) = (row, other) {
        *count += more;
        if let (Cell::Time(first), Cell::Time(from)) = (first, from) {
            *first = (*first).min(*from);
        }
        if let (Cell::Time(last), Cell::Time(to)) = (last, to) {
            *last = (*last).max(*to);
        }
    }
}

/// One row: the key, how many, the first and the last time.
fn group(row: &[Cell]) -> Option<Group> {
    let [key, Cell::I64(count), first, last] = row else { return None };
    let key = serde_json::to_value(WireCell(key)).unwrap_or(Value::Null);
    let text = |cell: &Cell| match cell {
        Cell::Time(at) => Some(time(*at)),
        _ => None,
    };
    let count = u64::try_from(*count).unwrap_or(0);
    Some(Group { key, count, first_at: text(first), last_at: text(last) })
}

/// Everything that is known of one request
///
/// Events of every dataset that the credential may read, audit events and logs, in the order of
/// time: those whose request id, under any of its usual names, is this one.
#[utoipa::path(
    get, path = "/api/v1/logs/correlated/{request_id}", tag = "audit", operation_id = "correlated_logs",
    params(
        ("request_id" = String, Path, description = "The request's id"),
        ("from" = Option<String>, Query, description = "Only events that happened then or later"),
        ("to" = Option<String>, Query, description = "Only events that happened before")
    ),
    responses((status = 200, description = "The events, the earliest first", body = CorrelatedListing))
)]
pub(crate) async fn correlated_logs(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(request_id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<CorrelatedListing>> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name != "from" && name != "to") {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    let (from, to) = (single(&parameters, "from")?, single(&parameters, "to")?);
    let range = crate::when::range(from, to, app.clock.now())?;
    let grant = caller.may_read_all()?;
    let datasets = app.records(move |tenancy| tenancy.datasets(&grant)).await?;
    let search =
        Search::or(REQUEST_FIELDS.iter().map(|field| equals(*field, &*request_id)).collect());
    let (mut all, mut complete) = (Vec::new(), true);
    // Ledgerline's own records are of its own requests.
    for dataset in datasets.into_iter().filter(|dataset| !dataset.name.is_reserved()) {
        let (search, name) = (search.clone(), dataset.name.to_string());
        let question = Question {
            action: "audit.correlated",
            dataset: name.clone(),
            query: search.to_string(),
            range,
        };
        let answer =
            ask_with(&app, &caller, question, move |asked| of_request(asked, &search)).await?;
        complete &= answer.found.len() < CORRELATED_MAX;
        all.extend(
            answer
                .found
                .into_iter()
                .map(|(at, event)| (at, Correlated { dataset: name.clone(), event })),
        );
    }
    all.sort_by_key(|(at, _)| *at);
    complete &= all.len() <= CORRELATED_MAX;
    let data = all.into_iter().take(CORRELATED_MAX).map(|(_, event)| event).collect();
    Ok(Json(CorrelatedListing { data, complete }))
}

/// The events of one dataset, each as its kind is read.
fn of_request(asked: &Asked<'_>, search: &Search) -> Result<Vec<((Timestamp, Seq), Value)>> {
    let page = Page {
        limit: CORRELATED_MAX,
        order: Order::Oldest,
        after: None,
        as_of: None,
        fields: if asked.dataset.kind == DatasetKind::Audit { Some(Vec::new()) } else { None },
    };
    let found = query::search(&asked.target, search, &page);
    let found = found.map_err(|error| Failure::of_query(&error, ""))?;
    if asked.dataset.kind == DatasetKind::Logs {
        let events = found.events.iter().zip(&found.messages).map(|(event, message)| {
            let wire = WireEvent { event, message: message.as_deref() };
            let value = serde_json::to_value(&wire).unwrap_or(Value::Null);
            ((event.time, event.seq), value)
        });
        return Ok(events.collect());
    }
    let seqs: Vec<Seq> = found.events.iter().map(|event| event.seq).collect();
    let kept = asked.target.snapshot.kept(&seqs)?.into_iter().flatten().collect();
    let mut events = Vec::with_capacity(seqs.len());
    for event in amended(asked, kept)? {
        let Some(written) = event.listed(None)? else { continue };
        let value = serde_json::from_str(&written).map_err(|error| Failure::internal(&error))?;
        events.push(((event.kept.time, event.kept.seq), value));
    }
    Ok(events)
}

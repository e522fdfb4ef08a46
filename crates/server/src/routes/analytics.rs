//! Analysis: pipes and SQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use ledgerline_api::v1::Stats;
use ledgerline_api::v1::analytics::{AnalyticsRequest, SqlRequest, TableResponse};
use ledgerline_model::convention::Conventions;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::DatasetName;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_policy::ReadGrant;
use ledgerline_query::{self as query, Tables, lang};
use ledgerline_store::snapshot::Snapshot;
use ledgerline_tenancy::Tenancy;
use parking_lot::Mutex;

use super::asking::{Held, Question, ask, held};
use super::search::range;
use crate::answer::{Format, FormatParameter, Head, table};
use crate::app::App;
use crate::audit::Outcome;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result};
use crate::extract::Query;
use crate::masking;
use crate::node::Node;
use crate::rules;

/// Analyse events with pipes
#[utoipa::path(
    post, path = "/api/v1/analytics/query", tag = "analytics", operation_id = "analytics_query",
    params(FormatParameter),
    request_body = AnalyticsRequest,
    responses((status = 200, description = "A table", body = TableResponse))
)]
pub(crate) async fn query(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameter): Query<FormatParameter>,
    headers: HeaderMap,
    body::Json(request): body::Json<AnalyticsRequest>,
) -> Result<Response> {
    let format = Format::wanted(&parameter, &headers)?;
    let range = range(&app, request.from.as_deref(), request.to.as_deref())?;
    let AnalyticsRequest { dataset, query, .. } = request;
    let question = Question { action: "analytics.query", dataset, query, range };
    let answer =
        ask(&app, &caller, question, |target, text| query::analyse(target, &lang::parse(text)?));
    let answer = answer.await?;
    let head = Head { format, stats: answer.stats, held: answer.held };
    Ok(table::answer(head, answer.found))
}

/// Analyse events with SQL
///
/// One SELECT. A dataset is a table of its name; quote a name that has other characters than
/// letters, digits and underscores.
#[utoipa::path(
    post, path = "/api/v1/analytics/sql", tag = "analytics", operation_id = "analytics_sql",
    params(FormatParameter),
    request_body = SqlRequest,
    responses((status = 200, description = "A table", body = TableResponse))
)]
pub(crate) async fn sql(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameter): Query<FormatParameter>,
    headers: HeaderMap,
    body::Json(request): body::Json<SqlRequest>,
) -> Result<Response> {
    let format = Format::wanted(&parameter, &headers)?;
    let grant = caller.may_read_all()?;
    let tenant = grant.tenant();
    let (node, tenancy) = (Arc::clone(&app.node), Arc::clone(&app.tenancy));
    let (statement, now) = (request.sql.clone(), app.clock.now());
    let is_masked = rules::is_masked(&app, &caller.principal).await?;
    let answered = app.desk.run(tenant, move |budget| {
        let (opened, is_refused) = (Mutex::default(), AtomicBool::new(false));
        let readable = Readable { node, tenancy, grant, now, is_masked, opened, is_refused };
        // A runtime of its own, so that a query that never yields holds up no connection.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| Failure::internal(&error))?;
        let table = runtime.block_on(query::sql(&statement, &readable, budget));
        if readable.is_refused.load(Ordering::Relaxed) {
            return Err(masking::refused("what this answers cannot be masked"));
        }
        let table = table.map_err(|error| Failure::of_query(&error, &statement))?;
        let opened = readable.opened.into_inner();
        let names: Vec<String> = opened.iter().map(|(name, _)| name.to_string()).collect();
        let scanned_bytes =
            opened.iter().map(|(_, snapshot)| snapshot.scanned_bytes()).sum::<u64>();
        Ok((table, names, scanned_bytes))
    });
    let answered = held(&app, tenant, answered.await, |(table, ..)| table::size_bytes(table)).await;
    let record = caller.record("analytics.sql").with("query", &request.sql);
    match answered {
        Ok(Held { answer: (found, names, scanned_bytes), elapsed_ms, held }) => {
            app.metrics.query_scanned_bytes.inc_by(scanned_bytes);
            let record = record.on("dataset", names.join(" "));
            let record = record.count("rows", found.rows.len() as u64);
            app.audit.later(tenant, record.count("scanned_bytes", scanned_bytes));
            let stats = Stats { scanned_bytes, elapsed_ms, complete: found.is_complete };
            Ok(table::answer(Head { format, stats, held }, found))
        }
        Err(failure) => {
            let record = record.outcome(Outcome::Failure);
            app.audit.later(tenant, record.with("reason", failure.code().as_str()));
            Err(failure)
        }
    }
}

/// The datasets that one caller may read: all that a statement can name.
#[derive(Debug)]
struct Readable {
    node: Arc<Node>,
    tenancy: Arc<Tenancy>,
    grant: ReadGrant,
    now: Timestamp,
    /// Whether audit events are masked for the caller, and so cannot be asked like this.
    is_masked: bool,
    /// Whether some were asked.
    is_refused: AtomicBool,
    opened: Mutex<Vec<(DatasetName, Snapshot)>>,
}

impl Tables for Readable {
    fn table(&self, name: &str) -> query::Result<(Snapshot, Conventions)> {
        let none = || query::Error::no_dataset(name);
        let name: DatasetName = name.parse().map_err(|_| none())?;
        let scope = self.grant.scope(&name).map_err(|_| none())?;
        let dataset = match self.tenancy.dataset_to_read(&scope) {
            Ok(dataset) => dataset,
            Err(error) if error.kind() == ledgerline_tenancy::ErrorKind::NotFound => {
                return Err(none());
            }
            Err(error) => return Err(query::Error::unavailable(error)),
        };
        if self.is_masked && dataset.kind == DatasetKind::Audit {
            self.is_refused.store(true, Ordering::Relaxed);
            return Err(none());
        }
        let tenant = self.node.tenant(scope.tenant());
        let tenant = tenant.map_err(|_| query::Error::unavailable(std::fmt::Error))?;
        let snapshot = tenant.store.snapshot(&scope, dataset.id, TimeRange::ALL)?;
        self.opened.lock().push((name, snapshot.clone()));
        Ok((snapshot, dataset.conventions()))
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.now)
    }
}

//! What all questions to one dataset have in common: the right to ask, the snapshot, the budget,
//! and the record in `_audit`.

use std::sync::Arc;

use ledgerline_api::v1::Stats;
use ledgerline_model::id::Seq;
use ledgerline_model::time::TimeRange;
use ledgerline_query::{Result as QueryResult, Target};

use super::datasets::readable;
use crate::app::App;
use crate::audit::Outcome;
use crate::auth::Caller;
use crate::error::{Failure, Result};
use crate::road;

/// A question to one dataset.
#[derive(Debug)]
pub(crate) struct Question {
    /// What kind, as `_audit` names it.
    pub(crate) action: &'static str,
    pub(crate) dataset: String,
    pub(crate) query: String,
    pub(crate) range: TimeRange,
}

/// Its answer.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) found: T,
    pub(crate) stats: Stats,
    /// Every event below this number was looked at.
    pub(crate) as_of: Seq,
}

/// How many rows an answer has, and whether that is all.
pub(crate) trait Rows {
    fn rows(&self) -> usize;
    fn is_complete(&self) -> bool {
        true
    }
}

impl Rows for ledgerline_query::Found {
    fn rows(&self) -> usize {
        self.events.len()
    }
}

impl Rows for ledgerline_query::Table {
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl Rows for ledgerline_query::Values {
    fn rows(&self) -> usize {
        self.top.len()
    }
}

/// Asks it, if the caller may.
pub(crate) async fn ask<T: Rows + Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    question: Question,
    answer: impl FnOnce(&Target<'_>, &str) -> QueryResult<T> + Send + 'static,
) -> Result<Answer<T>> {
    let (scope, dataset) = readable(app, caller, &question.dataset).await?;
    let (node, range, text) = (Arc::clone(&app.node), question.range, question.query.clone());
    let now = app.clock.now();
    let tenant = scope.tenant();
    let answered = app.desk.run(tenant, move |budget| {
        let snapshot = road::snapshot(&node, &scope, dataset.id, range)?;
        let conventions = dataset.settings.conventions();
        let target = Target { snapshot: &snapshot, conventions: &conventions, range, now, budget };
        let found = answer(&target, &text).map_err(|error| Failure::of_query(&error, &text))?;
        Ok((found, snapshot.scanned_bytes(), snapshot.as_of()))
    });
    let answered = answered.await;
    let record = caller.record(question.action).on("dataset", &question.dataset);
    let record = record.with("query", &question.query);
    match answered {
        Ok(answered) => {
            let (found, scanned_bytes, as_of) = answered.answer;
            let elapsed_ms = u64::try_from(answered.elapsed.as_millis()).unwrap_or(u64::MAX);
            app.metrics.query_scanned_bytes.inc_by(scanned_bytes);
            let record = record.count("rows", found.rows() as u64);
            app.audit.later(tenant, record.count("scanned_bytes", scanned_bytes));
            let stats = Stats { scanned_bytes, elapsed_ms, complete: found.is_complete() };
            Ok(Answer { found, stats, as_of })
        }
        Err(failure) => {
            let record = record.outcome(Outcome::Failure);
            app.audit.later(tenant, record.with("reason", failure.code().as_str()));
            Err(failure)
        }
    }
}

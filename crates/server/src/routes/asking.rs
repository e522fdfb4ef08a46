//! What all questions to one dataset have in common: the right to ask, the snapshot, the budget,
//! and the record in `_audit`.

use std::sync::Arc;

use ledgerline_api::v1::Stats;
use ledgerline_model::id::{Seq, TenantId};
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Read, Scope};
use ledgerline_query::{Result as QueryResult, Target};
use ledgerline_tenancy::Dataset;

use super::datasets::readable;
use crate::answer::{events, table};
use crate::app::App;
use crate::audit::Outcome;
use crate::auth::Caller;
use crate::desk::{Answered, Share};
use crate::error::{Failure, Result};
use crate::masking::{self, Counts, Mask};
use crate::node::OpenTenant;
use crate::road;
use crate::rules;

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
    /// What the answer has of the memory for answers, until it is sent.
    pub(crate) held: Share,
}

/// How many rows an answer has, and whether that is all.
pub(crate) trait Rows {
    fn rows(&self) -> usize;
    /// About how many bytes of memory they take.
    fn size_bytes(&self) -> usize;
    fn is_complete(&self) -> bool {
        true
    }
    /// Masks what the reader may not see.
    ///
    /// # Errors
    /// `forbidden` where that is not possible.
    fn mask(&mut self, _: &Mask) -> Result<()> {
        Err(masking::refused("what this answers cannot be masked"))
    }
}

impl Rows for ledgerline_query::Found {
    fn rows(&self) -> usize {
        self.events.len()
    }
    fn size_bytes(&self) -> usize {
        events::size_bytes(self)
    }
    fn mask(&mut self, mask: &Mask) -> Result<()> {
        mask.found(self)
    }
}

impl Rows for ledgerline_query::Table {
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn size_bytes(&self) -> usize {
        table::size_bytes(self)
    }
    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> usize {
        self.len()
    }
    fn size_bytes(&self) -> usize {
        self.len() * size_of::<T>()
    }
    /// Lists are of counts and of names, never of values.
    fn mask(&mut self, _: &Mask) -> Result<()> {
        Ok(())
    }
}

impl Rows for ledgerline_query::Values {
    fn rows(&self) -> usize {
        self.top.len()
    }
    fn size_bytes(&self) -> usize {
        self.top.len() * size_of::<(ledgerline_query::Cell, u64)>()
    }
}

/// An answer with its share of the memory for answers.
#[derive(Debug)]
pub(super) struct Held<T> {
    pub(super) answer: T,
    pub(super) elapsed_ms: u64,
    pub(super) held: Share,
}

/// Waits for memory to keep an answer until it is sent.
pub(super) async fn held<T>(
    app: &App,
    tenant: TenantId,
    answered: Result<Answered<T>>,
    size_bytes: impl FnOnce(&T) -> usize,
) -> Result<Held<T>> {
    let Answered { answer, elapsed, turn } = answered?;
    let held = app.desk.hold(tenant, turn, size_bytes(&answer)).await?;
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Ok(Held { answer, elapsed_ms, held })
}

/// Asks it, if the caller may.
pub(crate) async fn ask<T: Rows + Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    question: Question,
    answer: impl FnOnce(&Target<'_>, &str) -> QueryResult<T> + Send + 'static,
) -> Result<Answer<T>> {
    let text = question.query.clone();
    let answer = move |asked: &Asked<'_>| {
        let found = answer(&asked.target, &text);
        let mut found = found.map_err(|error| Failure::of_query(&error, &text))?;
        if let Some(mask) = asked.mask {
            found.mask(mask)?;
        }
        Ok(found)
    };
    ask_with(app, caller, question, answer).await
}

/// What a question is answered from.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) scope: &'a Scope<Read>,
    pub(crate) dataset: &'a Dataset,
    pub(crate) tenant: &'a OpenTenant,
    /// What the reader may not see.
    pub(crate) mask: Option<&'a Mask>,
}

/// Asks it, if the caller may; what is answered may need more than the events alone.
pub(crate) async fn ask_with<T: Rows + Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    question: Question,
    answer: impl FnOnce(&Asked<'_>) -> Result<T> + Send + 'static,
) -> Result<Answer<T>> {
    let record = caller.record(question.action).on("dataset", &question.dataset);
    let record = record.with("query", &question.query);
    let Told { tenant, answered } = tell(app, caller, &question, answer).await?;
    match answered {
        Ok((answer, masked)) => {
            let record = record.count("rows", answer.found.rows() as u64).masked(masked);
            app.audit.later(tenant, record.count("scanned_bytes", answer.stats.scanned_bytes));
            Ok(answer)
        }
        Err(failure) => {
            let record = record.outcome(Outcome::Failure);
            app.audit.later(tenant, record.with("reason", failure.code().as_str()));
            Err(failure)
        }
    }
}

/// What was asked, and of whom.
pub(crate) struct Told<T> {
    pub(crate) tenant: TenantId,
    /// The answer, and how much in it was masked.
    pub(crate) answered: Result<(Answer<T>, Counts)>,
}

/// Asks it, if the caller may, and leaves the record of that to who asks.
///
/// # Errors
/// When the caller may not: that has its record already.
pub(crate) async fn tell<T: Rows + Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    question: &Question,
    answer: impl FnOnce(&Asked<'_>) -> Result<T> + Send + 'static,
) -> Result<Told<T>> {
    let (scope, dataset) = readable(app, caller, &question.dataset).await?;
    let mask = rules::mask(app, &caller.principal, &dataset).await?;
    let (node, range) = (Arc::clone(&app.node), question.range);
    let now = app.clock.now();
    let tenant = scope.tenant();
    let answered = app.desk.run(tenant, move |budget| {
        let snapshot = road::snapshot(&node, &scope, dataset.id, range)?;
        let conventions = dataset.conventions();
        let target = Target { snapshot: &snapshot, conventions: &conventions, range, now, budget };
        let open = node.tenant(tenant)?;
        let (scope, dataset, tenant) = (&scope, &dataset, &*open);
        let asked = Asked { target, scope, dataset, tenant, mask: mask.as_ref() };
        let found = answer(&asked)?;
        let masked = mask.as_ref().map(Mask::counts).unwrap_or_default();
        Ok((found, masked, snapshot.scanned_bytes(), snapshot.as_of()))
    });
    let answered = held(app, tenant, answered.await, |(found, ..)| found.size_bytes()).await;
    let answered = answered.map(|answered| {
        let Held { answer: (found, masked, scanned_bytes, as_of), elapsed_ms, held } = answered;
        app.metrics.query_scanned_bytes.inc_by(scanned_bytes);
        let stats = Stats { scanned_bytes, elapsed_ms, complete: found.is_complete() };
        (Answer { found, stats, as_of, held }, masked)
    });
    Ok(Told { tenant, answered })
}

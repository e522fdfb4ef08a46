//! Answers to searches and pipes.

use ledgerline_model::convention::Conventions;
use ledgerline_model::id::Seq;
use ledgerline_model::time::TimeRange;
use ledgerline_store::snapshot::Snapshot;

use crate::answer::{Bar, Field, Found, Page, Table, Values};
use crate::budget::Budget;
use crate::error::Result;
use crate::lang::ast::{Query, Search};
use crate::lang::width::Width;

/// What a question is asked of.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// The events.
    pub snapshot: &'a Snapshot,
    /// Which keys mean what.
    pub conventions: &'a Conventions,
    /// Only events of this span of time.
    pub range: TimeRange,
    /// What the query may use.
    pub budget: &'a Budget,
}

/// The events that a search finds.
///
/// # Errors
/// See [`crate::ErrorKind`], as of all functions here.
pub fn search(target: &Target<'_>, search: &Search, page: &Page) -> Result<Found> {
    let _ = (target, search, page);
    todo!()
}

/// How many events a search finds, by time. Bars without events are left out.
pub fn histogram(target: &Target<'_>, search: &Search, width: Width) -> Result<Vec<Bar>> {
    let _ = (target, search, width);
    todo!()
}

/// The fields of the events that a search finds, the most frequent first.
pub fn fields(target: &Target<'_>, search: &Search) -> Result<Vec<Field>> {
    let _ = (target, search);
    todo!()
}

/// The most frequent values of a field among the events that a search finds.
pub fn values(target: &Target<'_>, search: &Search, field: &str, limit: usize) -> Result<Values> {
    let _ = (target, search, field, limit);
    todo!()
}

/// The events around an event in the order of time: so many before it, itself, so many after it,
/// oldest first. `search` narrows the neighbours, never the event itself.
pub fn context(
    target: &Target<'_>,
    search: &Search,
    seq: Seq,
    before: usize,
    after: usize,
) -> Result<Found> {
    let _ = (target, search, seq, before, after);
    todo!()
}

/// The answer to a query with pipes. A query without pipes answers the newest events as rows.
pub fn analyse(target: &Target<'_>, query: &Query) -> Result<Table> {
    let _ = (target, query);
    todo!()
}

//! Answers to searches and pipes.
//!
//! A search is made ready once ([`plan`]), then run part by part ([`part_scan`]): from what a part
//! knows of itself over its word index and its dictionaries down to single values, so that as
//! little as can be is read. What follows differs: the first events in the order of time
//! ([`ordered`], [`fetch`]), groups ([`group`], [`measure`], [`totals`]), the most frequent values
//! ([`frequent`]), or rows of cells ([`rows`], [`table`]). Texts that lie in pages are looked at
//! page by page, so that only what is kept takes memory, which is asked for first ([`stream`]).

mod fetch;
mod frequent;
mod group;
mod hint;
mod key;
mod local;
mod measure;
mod needle;
mod ordered;
mod part_scan;
mod pipes;
mod plan;
mod rows;
mod rowset;
mod scalar;
mod stream;
mod survey;
mod table;
mod test;
mod totals;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use ledgerline_model::convention::Conventions;
use ledgerline_model::id::Seq;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_store::part::System;
use ledgerline_store::snapshot::Snapshot;

use self::fetch::fetch;
use self::ordered::{Hit, Wanted, first};
use self::plan::Meaning;
use crate::answer::{Bar, Field, Found, Order, Page, Place, Table, Values};
use crate::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
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
    /// What `now` means in the query.
    pub now: Timestamp,
    /// What the query may use.
    pub budget: &'a Budget,
}

impl Target<'_> {
    fn meaning(&self) -> Meaning<'_> {
        Meaning { conventions: self.conventions, now: self.now }
    }
}

/// The events that a search finds.
///
/// # Errors
/// See [`crate::ErrorKind`], as of all functions here.
pub fn search(target: &Target<'_>, search: &Search, page: &Page) -> Result<Found> {
    let node = target.meaning().prepare(search)?;
    let wanted = Wanted {
        order: page.order,
        after: page.after,
        as_of: page.as_of,
        // One more shows whether there is another page.
        limit: page.limit.saturating_add(usize::from(page.limit > 0)),
    };
    let mut hits = first(target, &node, wanted)?;
    let has_more = hits.len() > page.limit;
    hits.truncate(page.limit);
    let next = hits.last().filter(|_| has_more).map(|hit| hit.place);
    found(target, &hits, page.fields.as_deref(), next)
}

fn found(
    target: &Target<'_>,
    hits: &[Hit],
    names: Option<&[String]>,
    next: Option<Place>,
) -> Result<Found> {
    let (fetched, _memory) = fetch(target, hits, names)?;
    let (events, messages) = fetched.into_iter().unzip();
    Ok(Found { events, messages, next })
}

/// How many events a search finds, by time. Bars without events are left out.
///
/// # Errors
/// `TooBig` above [`ledgerline_model::limits::HISTOGRAM_BARS_MAX`] bars.
pub fn histogram(target: &Target<'_>, search: &Search, width: Width) -> Result<Vec<Bar>> {
    survey::histogram(target, &target.meaning().prepare(search)?, width)
}

/// The fields of the events that a search finds, the most frequent first.
///
/// # Errors
/// See [`search`].
pub fn fields(target: &Target<'_>, search: &Search) -> Result<Vec<Field>> {
    survey::fields(target, &target.meaning().prepare(search)?)
}

/// The most frequent values of a field among the events that a search finds. Numbers of one amount
/// are one value, whatever their type.
///
/// # Errors
/// See [`search`].
pub fn values(target: &Target<'_>, search: &Search, field: &str, limit: usize) -> Result<Values> {
    frequent::values(target, &target.meaning().prepare(search)?, field, limit)
}

/// The events around an event in the order of time: so many before it, itself, so many after it,
/// oldest first. `search` and the target's span of time narrow the neighbours, never the event
/// itself.
///
/// # Errors
/// `NotFound` when the snapshot has no event with this number.
pub fn context(
    target: &Target<'_>,
    search: &Search,
    seq: Seq,
    before: usize,
    after: usize,
) -> Result<Found> {
    let node = target.meaning().prepare(search)?;
    let event = locate(target, seq)?;
    let neighbours = |order, limit| {
        let wanted = Wanted { order, after: Some(event.place), as_of: None, limit };
        first(target, &node, wanted)
    };
    let mut hits = neighbours(Order::Newest, before)?;
    hits.reverse();
    hits.push(event);
    hits.extend(neighbours(Order::Oldest, after)?);
    found(target, &hits, None, None)
}

/// Where the event with a number is.
fn locate(target: &Target<'_>, seq: Seq) -> Result<Hit> {
    for (number, part) in target.snapshot.parts().iter().enumerate() {
        let (first, last) = part.seqs();
        if seq < first || last < seq {
            continue;
        }
        target.budget.check()?;
        let seqs = part.system(System::Seq)?;
        if let Some(row) = seqs.iter().position(|other| *other as u64 == seq.0) {
            let time = Timestamp(part.system(System::Time)?[row]);
            let place = Place { time, seq };
            return Ok(Hit { place, part: number as u32, row: row as u32 });
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("there is no event with the number {}", seq.0)))
}

/// The answer to a query with pipes. A query without pipes answers the newest events as rows: up to
/// [`ledgerline_model::limits::SEARCH_PAGE_MAX`], with the columns `_time`, `_id`, `_severity`,
/// `_message` and then every field of theirs by name.
///
/// # Errors
/// See [`search`].
pub fn analyse(target: &Target<'_>, query: &Query) -> Result<Table> {
    pipes::run(target, query)
}

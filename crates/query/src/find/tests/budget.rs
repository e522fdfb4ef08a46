//! Queries stop when they are told to, and when they need too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledgerline_model::convention::Conventions;
use ledgerline_model::event::{Event, Value};
use ledgerline_model::id::{Seq, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_store::sample::{Lies, snapshot};
use ledgerline_store::snapshot::Snapshot;

use super::sample::{START, batch, budget};
use crate::answer::{Order, Page};
use crate::budget::{Budget, Limits};
use crate::error::ErrorKind;
use crate::find::{Target, analyse, fields, histogram, search, values};
use crate::lang::ast::{Aggregate, GroupKey, Measure, Pipe, Query, Search};
use crate::lang::width::Width;

fn sampled() -> Snapshot {
    let event = |number: i64| Event {
        seq: Seq(0),
        id: String::new(),
        time: Timestamp(START + number),
        received: Timestamp(START),
        severity: Severity::INFO,
        fields: vec![("k".to_owned(), Value::Str(format!("value {number}")))],
    };
    let batches = [0, 1_000].map(|first| {
        let events: Vec<Event> = (first..first + 1_000).map(event).collect();
        (batch(Timestamp(START), &events), Lies::Segments)
    });
    let tenant = TenantId::from_bytes([7; 16]).expect("not all zero");
    snapshot(tenant, batches.into()).expect("it lies in memory")
}

fn stats(of: Aggregate, keys: &[&str]) -> Query {
    let keys = keys.iter().map(|key| GroupKey::Field((*key).to_owned())).collect();
    let measures = vec![Measure::new(of, Some("m".to_owned()))];
    Query { search: Search::All, pipes: vec![Pipe::Stats { measures, keys }] }
}

/// What every question answers under a budget.
fn errors(budget: &Budget) -> Vec<Option<ErrorKind>> {
    let (snapshot, conventions) = (sampled(), Conventions::default());
    let target = Target {
        snapshot: &snapshot,
        conventions: &conventions,
        range: TimeRange::ALL,
        now: Timestamp(START),
        budget,
    };
    let page = Page { limit: 2_000, order: Order::Newest, after: None, as_of: None, fields: None };
    let width = Width::from_seconds(1).expect("it is positive");
    let kind = |error: crate::Error| error.kind();
    vec![
        search(&target, &Search::All, &page).map_err(kind).err(),
        histogram(&target, &Search::All, width).map_err(kind).err(),
        fields(&target, &Search::All).map_err(kind).err(),
        values(&target, &Search::All, "k", 5).map_err(kind).err(),
        analyse(&target, &stats(Aggregate::Count, &["k", "_seq"])).map_err(kind).err(),
        analyse(&target, &stats(Aggregate::Values("k".to_owned()), &[])).map_err(kind).err(),
    ]
}

#[test]
fn a_cancelled_query_stops() {
    let budget = budget(Limits::default());
    assert_eq!(errors(&budget), [None; 6]);
    budget.cancel();
    assert_eq!(errors(&budget), [Some(ErrorKind::Cancelled); 6]);
}

#[test]
fn a_query_that_takes_too_long_stops() {
    // Every look at the clock takes a second.
    let seconds = AtomicU64::new(0);
    let clock = Arc::new(move || Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed)));
    let limits = Limits { timeout: Duration::ZERO, ..Limits::default() };
    assert_eq!(errors(&Budget::new(limits, clock)), [Some(ErrorKind::Timeout); 6]);
}

#[test]
fn a_query_that_needs_too_much_memory_stops_and_gives_it_back() {
    let limits = Limits { memory_bytes: 50_000, ..Limits::default() };
    let budget = budget(limits);
    let expected = [true, false, false, true, true, true];
    let memory = expected.map(|too_much| too_much.then_some(ErrorKind::Memory));
    assert_eq!(errors(&budget), memory);
    assert!(budget.take(50_000).is_ok(), "nothing is held after an answer");
}

/// Events of which each has a long text of its own, so that they lie in pages and no dictionary.
fn long_texts(count: i64) -> Snapshot {
    let event = |number: i64| Event {
        seq: Seq(0),
        id: String::new(),
        time: Timestamp(START + number),
        received: Timestamp(START),
        severity: Severity::INFO,
        fields: vec![("k".to_owned(), Value::Str(long_text(number)))],
    };
    let events: Vec<Event> = (0..count).map(event).collect();
    let batches = events.chunks(100).map(|events| batch(Timestamp(START), events));
    let tenant = TenantId::from_bytes([7; 16]).expect("not all zero");
    snapshot(tenant, batches.map(|batch| (batch, Lies::Segments)).collect()).expect("a sample")
}

fn long_text(number: i64) -> String {
    format!("{number:04} {}", "x".repeat(100_000))
}

#[test]
fn what_there_is_no_memory_for_is_not_read() {
    let (snapshot, conventions) = (long_texts(400), Conventions::default());
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let scanned = |ask: &dyn Fn(&Target<'_>) -> Option<ErrorKind>, expected| {
        let before = snapshot.scanned_bytes();
        let (budget, range, now) = (budget(limits), TimeRange::ALL, Timestamp(START));
        let (snapshot, conventions) = (&snapshot, &conventions);
        let target = Target { snapshot, conventions, range, now, budget: &budget };
        assert_eq!(ask(&target), expected);
        assert!(budget.take(8 << 20).is_ok(), "nothing is held after an answer");
        snapshot.scanned_bytes() - before
    };
    let query = |query: Query| {
        move |target: &Target<'_>| analyse(target, &query).map_err(|error| error.kind()).err()
    };
    let of = |aggregate: fn(String) -> Aggregate| stats(aggregate("k".to_owned()), &[]);
    let all = scanned(&query(of(Aggregate::Max)), None);
    let page = Page { limit: 400, order: Order::Newest, after: None, as_of: None, fields: None };
    let search =
        |target: &Target<'_>| search(target, &Search::All, &page).map_err(|e| e.kind()).err();
    let by_text = stats(Aggregate::Count, &["k"]);
    let sorted = Query {
        search: Search::All,
        pipes: vec![Pipe::Sort(vec![crate::lang::ast::SortKey {
            column: "k".to_owned(),
            direction: crate::lang::ast::Direction::Ascending,
        }])],
    };
    let memory = Some(ErrorKind::Memory);
    for read in [
        scanned(&search, memory),
        scanned(&query(by_text), memory),
        scanned(&query(of(Aggregate::Values)), memory),
        scanned(&query(sorted), memory),
    ] {
        assert!(read < all / 2, "{read} of {all} bytes");
    }
}

#[test]
fn what_is_computed_of_long_texts_needs_no_memory_for_all_of_them() {
    use crate::answer::Cell;
    let (snapshot, conventions) = (long_texts(400), Conventions::default());
    let budget = budget(Limits { memory_bytes: 2 << 20, ..Limits::default() });
    let (range, now) = (TimeRange::ALL, Timestamp(START));
    let target =
        Target { snapshot: &snapshot, conventions: &conventions, range, now, budget: &budget };
    let answer = |of: fn(String) -> Aggregate| {
        let table = analyse(&target, &stats(of("k".to_owned()), &[])).expect("there is memory");
        table.rows[0][0].clone()
    };
    let before = snapshot.scanned_bytes();
    assert_eq!(answer(Aggregate::CountOf), Cell::I64(400));
    assert_eq!(snapshot.scanned_bytes(), before, "it is known how many there are");
    assert_eq!(answer(Aggregate::Distinct), Cell::I64(400));
    assert_eq!(answer(Aggregate::Min), Cell::Str(long_text(0)));
    assert_eq!(answer(Aggregate::Max), Cell::Str(long_text(399)));
    assert_eq!(answer(Aggregate::Sum), Cell::Null);
    let found = values(&target, &Search::All, "k", 2).expect("there is memory");
    let top = [0, 1].map(|number| (Cell::Str(long_text(number)), 1));
    assert_eq!(found.top, top);
    assert_eq!((found.distinct, found.events, found.found), (400, 400, 400));
}

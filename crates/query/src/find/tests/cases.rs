//! Points that are easy to get wrong, one by one.

use ledgerline_model::event::{Event, Value};
use ledgerline_model::id::{Seq, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_store::sample::{Lies, snapshot};
use ledgerline_store::snapshot::Snapshot;

use super::sample::{START, asked, batch, budget};
use crate::answer::{Cell, Order, Page, Table};
use crate::budget::Limits;
use crate::error::ErrorKind;
use crate::find::{Target, analyse, context, search, values};
use crate::lang::ast::{
    Aggregate, Direction, GroupKey, Literal, Measure, Phrase, Pipe, Predicate, Query, Search,
    SortKey, Term,
};
use crate::lang::pattern::{Part, Pattern};

fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn event(fields: Vec<(&str, Value)>) -> Event {
    Event {
        seq: Seq(0),
        id: String::new(),
        time: Timestamp(START),
        received: Timestamp(START),
        severity: Severity::UNSPECIFIED,
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

fn sampled(events: &[Event], lies: Lies) -> Snapshot {
    let tenant = TenantId::from_bytes([7; 16]).expect("not all zero");
    snapshot(tenant, vec![(batch(Timestamp(START), events), lies)]).expect("it lies in memory")
}

/// The numbers of the events that a search finds, in memory and in a segment alike.
fn found(events: &[Event], wanted: &Search) -> Vec<u64> {
    let page = Page { limit: 100, order: Order::Oldest, after: None, as_of: None, fields: None };
    let mut answers = [Lies::Memory, Lies::Segments].map(|lies| {
        let snapshot = sampled(events, lies);
        let found = asked(&snapshot, TimeRange::ALL, |target| search(target, wanted, &page));
        let events = found.expect("the search runs").events;
        events.into_iter().map(|event| event.seq.0).collect::<Vec<u64>>()
    });
    assert_eq!(answers[0], answers[1], "memory and segments agree");
    std::mem::take(&mut answers[0])
}

fn words(words: &str) -> Search {
    Search::Text(Term::Words(Phrase::new(words).expect("not empty")))
}

fn field(name: &str, predicate: Predicate) -> Search {
    Search::Field { name: name.to_owned(), predicate }
}

fn equals(name: &str, literal: &str) -> Search {
    field(name, Predicate::Equals(Literal(literal.to_owned())))
}

fn count_by(key: &str) -> Pipe {
    Pipe::Stats {
        measures: vec![Measure::new(Aggregate::Count, Some("n".to_owned()))],
        keys: vec![GroupKey::Field(key.to_owned())],
    }
}

fn analysed(events: &[Event], pipes: Vec<Pipe>) -> Table {
    let snapshot = sampled(events, Lies::Segments);
    let query = Query { search: Search::All, pipes };
    asked(&snapshot, TimeRange::ALL, |target| analyse(target, &query)).expect("the query runs")
}

#[test]
fn words_look_in_the_message_and_elsewhere_only_without_one() {
    let events = [
        event(vec![("message", text("Alpha beta")), ("other", text("gamma"))]),
        event(vec![("other", text("gamma")), ("n", Value::I64(5))]),
        event(vec![("message", Value::I64(7)), ("msg", text("gamma"))]),
    ];
    assert_eq!(found(&events, &words("ALPHA")), [0]);
    assert_eq!(found(&events, &words("gamma")), [1, 2], "not in event 0, which has a message");
    assert_eq!(found(&events, &words("gam")), [0_u64; 0], "words are whole");
    let every = Term::Words(Phrase::new("gamma").expect("not empty"));
    assert_eq!(found(&events, &Search::EveryField(every)), [0, 1, 2]);
    let number = Term::Words(Phrase::new("5").expect("not empty"));
    assert_eq!(found(&events, &Search::EveryField(number)), [1]);
}

#[test]
fn a_field_that_is_a_message_is_searched_by_words_and_compared_whole_only_on_demand() {
    let events = [event(vec![("Message", text("Logon type 3"))]), event(vec![("x", text("3"))])];
    assert_eq!(found(&events, &equals("Message", "logon")), [0]);
    assert_eq!(found(&events, &equals("_message", "type 3")), [0]);
    let whole = Predicate::Compare {
        comparison: crate::lang::ast::Comparison::Equal,
        literal: Literal("logon".to_owned()),
    };
    assert_eq!(found(&events, &field("Message", whole)), [0_u64; 0]);
}

#[test]
fn a_name_may_have_columns_of_several_kinds() {
    let events = [
        event(vec![("EventID", Value::I64(4624))]),
        event(vec![("EventID", Value::F64(4624.0))]),
        event(vec![("EventID", text("4624"))]),
        event(vec![("EventID", Value::Json("[1,4624]".to_owned()))]),
        event(vec![("EventID", Value::I64(4625))]),
        event(vec![]),
    ];
    assert_eq!(found(&events, &equals("EventID", "4624")), [0, 1, 2, 3]);
    assert_eq!(found(&events, &equals("EventID", "4624").negated()), [4, 5]);
    assert_eq!(found(&events, &field("EventID", Predicate::Exists)), [0, 1, 2, 3, 4]);
    let snapshot = sampled(&events, Lies::Segments);
    let top = asked(&snapshot, TimeRange::ALL, |t| values(t, &Search::All, "EventID", 2))
        .expect("the values are counted");
    assert_eq!(top.top, [(Cell::I64(4624), 2), (Cell::I64(4625), 1)]);
    assert_eq!((top.distinct, top.events, top.found), (4, 5, 6));
}

#[test]
fn substrings_are_found_in_the_rest_of_words_that_the_index_cuts() {
    let long = format!("{}Mimikatz", "x".repeat(100));
    let hash = "a".repeat(64);
    let events = [
        event(vec![("message", text(&long))]),
        event(vec![("message", text(&hash))]),
        event(vec![("message", text("a mimikatz.exe"))]),
    ];
    let parts = [Part::Run, Part::Literal("mimikatz".to_owned()), Part::Run];
    let pattern = Pattern::new(parts).expect("it has wildcards");
    assert_eq!(found(&events, &field("_message", Predicate::Wildcard(pattern))), [0, 2]);
    assert_eq!(found(&events, &words(&hash)), [1]);
    assert_eq!(found(&events, &words(&long[..100])), [0_u64; 0], "that is no whole word");
    assert_eq!(found(&events, &words(&long)), [0]);
}

#[test]
fn what_json_cannot_say_has_its_place_too() {
    let numbers = [f64::NAN, 1.0, f64::NEG_INFINITY, f64::INFINITY, -f64::NAN, 2.5];
    let events: Vec<Event> =
        numbers.iter().map(|number| event(vec![("x", Value::F64(*number))])).collect();
    let table = analysed(&events, vec![count_by("x")]);
    let keys: Vec<String> = table.rows.iter().map(|row| format!("{:?}", row[0])).collect();
    assert_eq!(keys, ["F64(-inf)", "I64(1)", "F64(2.5)", "F64(inf)", "F64(NaN)"]);
    assert_eq!(table.rows[4][1], Cell::I64(2));
    assert_eq!(found(&events, &equals("x", "nan")), [0, 4]);
}

#[test]
fn groups_are_ordered_and_limited_and_null_comes_last() {
    let events = [
        event(vec![("k", text("b"))]),
        event(vec![]),
        event(vec![("k", text("a"))]),
        event(vec![("k", Value::I64(9))]),
        event(vec![]),
        event(vec![]),
    ];
    let table = analysed(&events, vec![count_by("k")]);
    let keys: Vec<Cell> = table.rows.iter().map(|row| row[0].clone()).collect();
    let (a, b) = (Cell::Str("a".to_owned()), Cell::Str("b".to_owned()));
    assert_eq!(keys, [Cell::I64(9), a, b, Cell::Null]);
    let most = SortKey { column: "n".to_owned(), direction: Direction::Descending };
    let table = analysed(&events, vec![count_by("k"), Pipe::Sort(vec![most]), Pipe::Limit(2)]);
    let expected = [vec![Cell::Null, Cell::I64(3)], vec![Cell::I64(9), Cell::I64(1)]];
    assert_eq!(table.rows, expected);
}

#[test]
fn statistics_of_no_events_are_one_row() {
    let measures = [
        Aggregate::Count,
        Aggregate::Distinct("x".to_owned()),
        Aggregate::Values("x".to_owned()),
        Aggregate::Sum("x".to_owned()),
        Aggregate::Max("x".to_owned()),
    ];
    let measures = measures.into_iter().map(|of| Measure::new(of, Some("m".to_owned())));
    let stats = Pipe::Stats { measures: measures.collect(), keys: Vec::new() };
    let snapshot = sampled(&[event(vec![])], Lies::Memory);
    let query = Query { search: words("nowhere"), pipes: vec![stats] };
    let table = asked(&snapshot, TimeRange::ALL, |target| analyse(target, &query));
    let none = vec![Cell::I64(0), Cell::I64(0), Cell::List(Vec::new()), Cell::Null, Cell::Null];
    assert_eq!(table.expect("the query runs").rows, [none]);
}

#[test]
fn a_table_says_when_rows_are_left_out() {
    let events: Vec<Event> = (0..10).map(|n| event(vec![("n", Value::I64(n))])).collect();
    let snapshot = sampled(&events, Lies::Segments);
    let conventions = ledgerline_model::convention::Conventions::default();
    let budget = budget(Limits { rows_max: 3, ..Limits::default() });
    let target = Target {
        snapshot: &snapshot,
        conventions: &conventions,
        range: TimeRange::ALL,
        now: Timestamp(START),
        budget: &budget,
    };
    for pipes in [vec![], vec![count_by("n")], vec![Pipe::Fields(vec!["n".to_owned()])]] {
        let table = analyse(&target, &Query { search: Search::All, pipes }).expect("it runs");
        assert_eq!((table.rows.len(), table.is_complete), (3, false));
    }
    let limited = Query { search: Search::All, pipes: vec![Pipe::Limit(2)] };
    let table = analyse(&target, &limited).expect("it runs");
    assert_eq!((table.rows.len(), table.is_complete), (2, true));
}

#[test]
fn the_context_of_no_event_is_not_found() {
    let snapshot = sampled(&[event(vec![])], Lies::Segments);
    let around =
        |seq| asked(&snapshot, TimeRange::ALL, |target| context(target, &Search::All, seq, 1, 1));
    assert_eq!(around(Seq(0)).expect("it is there").events.len(), 1);
    assert_eq!(around(Seq(1)).expect_err("it is not").kind(), ErrorKind::NotFound);
}

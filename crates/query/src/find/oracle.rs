//! The plainest possible reading of what searches and pipes mean: event by event, without indexes,
//! dictionaries or parts. Tests compare the real thing with it.

mod pipes;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use ledgerline_model::batch::Kind;
use ledgerline_model::convention::Conventions;
use ledgerline_model::event::{Event, Value};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_model::word::{contains_words, folded};
use regex::Regex;

use self::pipes::{OrdCell, keyed};
use crate::answer::{Bar, Cell, Field, Values};
use crate::lang::ast::{Comparison, Literal, Number, Predicate, Search, Term};
use crate::lang::time;
use crate::lang::width::Width;

/// What everything is asked of.
pub(super) struct Oracle<'a> {
    pub(super) conventions: &'a Conventions,
    pub(super) range: TimeRange,
    pub(super) now: Timestamp,
    pub(super) events: &'a [Event],
}

/// The cells of an event or a row of a table, by name.
type Row = BTreeMap<String, Cell>;

fn cell(value: &Value) -> Cell {
    match value.clone() {
        Value::Str(text) => Cell::Str(text),
        Value::I64(number) => Cell::I64(number),
        Value::F64(number) => Cell::F64(number),
        Value::Bool(truth) => Cell::Bool(truth),
        Value::Json(text) => Cell::Json(text),
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null | Cell::List(_) => String::new(),
        Cell::Str(text) | Cell::Json(text) => text.clone(),
        Cell::I64(number) => number.to_string(),
        Cell::F64(number) => format!("{number:?}"),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Time(time) => chrono::DateTime::from_timestamp_nanos(time.0)
            .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    }
}

fn number(cell: &Cell) -> Option<Number> {
    match cell {
        Cell::I64(number) => Some(Number::Integer(*number)),
        Cell::F64(number) if number.is_finite() => Some(Number::Float(*number)),
        Cell::Json(text) => Number::parse(text),
        _ => None,
    }
}

fn amount(cell: &Cell) -> Option<Number> {
    match cell {
        Cell::Str(text) => Number::parse(text),
        other => number(other),
    }
}

fn compare_numbers(a: Number, b: Number) -> Ordering {
    // The whole part exactly, then what is behind the point.
    let split = |number| match number {
        Number::Integer(number) => (i128::from(number), 0.0),
        Number::Float(number) => (number.floor() as i128, number - number.floor()),
    };
    let ((a, a_rest), (b, b_rest)) = (split(a), split(b));
    a.cmp(&b).then_with(|| f64::total_cmp(&a_rest, &b_rest))
}

/// The value itself, or the elements of an array.
fn elements(cell: &Cell) -> Vec<Cell> {
    match cell {
        Cell::List(cells) => cells.clone(),
        Cell::Json(json) if json.starts_with('[') => {
            let Ok(serde_json::Value::Array(members)) = serde_json::from_str(json) else {
                return vec![cell.clone()];
            };
            members
                .into_iter()
                .map(|member| match member {
                    serde_json::Value::String(text) => Cell::Str(text),
                    serde_json::Value::Bool(truth) => Cell::Bool(truth),
                    other => match other.as_i64() {
                        Some(number) => Cell::I64(number),
                        None => Cell::Json(other.to_string()),
                    },
                })
                .collect()
        }
        other => vec![other.clone()],
    }
}

/// What is looked for inside texts.
fn term(term: &Term) -> Box<dyn Fn(&str) -> bool> {
    match term {
        Term::Words(phrase) => words(phrase.text()),
        Term::Wildcard(pattern) => matches(&pattern.regex_within()),
        Term::Regex(regex) => {
            let regex = regex.regex().clone();
            Box::new(move |text| regex.is_match(text))
        }
    }
}

fn words(needle: &str) -> Box<dyn Fn(&str) -> bool> {
    let needle = folded(needle);
    Box::new(move |text| contains_words(&folded(text), &needle))
}

fn matches(expression: &str) -> Box<dyn Fn(&str) -> bool> {
    thread_local! {
        // The oracle asks for the same expression with every event.
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    let regex = COMPILED.with_borrow_mut(|compiled| {
        let new = || Regex::new(expression).expect("the expressions of tests compile");
        compiled.entry(expression.to_owned()).or_insert_with(new).clone()
    });
    Box::new(move |text| regex.is_match(text))
}

fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    let Some(order) = order else { return false };
    match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    }
}

fn in_span(value: i64, start: i64, end: i64) -> Ordering {
    if value < start {
        Ordering::Less
    } else if value < end {
        Ordering::Equal
    } else {
        Ordering::Greater
    }
}

impl<'a> Oracle<'a> {
    /// Every field of an event that has a name, the virtual ones too.
    fn row(&self, event: &Event) -> Row {
        let mut row: Row =
            event.fields.iter().map(|(name, value)| (name.clone(), cell(value))).collect();
        row.remove("_message");
        row.insert("_time".into(), Cell::Time(event.time));
        row.insert("_received".into(), Cell::Time(event.received));
        row.insert("_seq".into(), Cell::I64(event.seq.0 as i64));
        row.insert("_id".into(), Cell::Str(event.id.clone()));
        if event.severity != Severity::UNSPECIFIED {
            row.insert("_severity".into(), Cell::I64(event.severity.number().into()));
        }
        if let Some(message) = self.message(event) {
            row.insert("_message".into(), Cell::Str(message));
        }
        row
    }

    pub(super) fn message(&self, event: &Event) -> Option<String> {
        self.conventions.message.iter().find_map(|key| {
            event.fields.iter().find_map(|(name, value)| match value {
                Value::Str(text) if name == key => Some(text.clone()),
                _ => None,
            })
        })
    }

    fn holds_event(&self, search: &Search, event: &Event) -> bool {
        let fields: Row =
            event.fields.iter().map(|(name, value)| (name.clone(), cell(value))).collect();
        self.holds(search, &self.row(event), &fields, self.message(event).as_deref())
    }

    fn holds(&self, search: &Search, row: &Row, fields: &Row, message: Option<&str>) -> bool {
        let all = |search: &Search| self.holds(search, row, fields, message);
        match search {
            Search::All => true,
            Search::And(members) => members.iter().all(all),
            Search::Or(members) => members.iter().any(all),
            Search::Not(inner) => !all(inner),
            Search::Text(wanted) => {
                let wanted = term(wanted);
                match message {
                    Some(message) => wanted(message),
                    None => {
                        fields.values().any(|cell| matches!(cell, Cell::Str(text) if wanted(text)))
                    }
                }
            }
            Search::EveryField(wanted) => {
                let wanted = term(wanted);
                fields
                    .values()
                    .flat_map(elements)
                    .any(|cell| cell != Cell::Null && wanted(&text(&cell)))
            }
            Search::Field { name, predicate } => row
                .get(name)
                .filter(|cell| **cell != Cell::Null)
                .is_some_and(|cell| self.satisfies(name, cell, predicate)),
        }
    }

    fn satisfies(&self, name: &str, cell: &Cell, predicate: &Predicate) -> bool {
        if *predicate == Predicate::Exists {
            return true;
        }
        let is_message =
            name == "_message" || self.conventions.message.iter().any(|key| key == name);
        elements(cell).iter().any(|cell| {
            let text =
                if name == "_severity" { severity_name(cell).to_owned() } else { text(cell) };
            match predicate {
                Predicate::Exists => true,
                Predicate::Equals(literal) if is_message => words(&literal.0)(&text),
                Predicate::Equals(literal) => self.equals(name, cell, literal, folded),
                Predicate::Compare { comparison: Comparison::Equal, literal } => {
                    self.equals(name, cell, literal, str::to_owned)
                }
                Predicate::Words(phrase) => words(phrase.text())(&text),
                Predicate::Wildcard(pattern) => matches(&pattern.regex_whole())(&text),
                Predicate::Regex(regex) => regex.regex().is_match(&text),
                Predicate::Compare { comparison, literal } => {
                    holds(*comparison, self.compare(name, cell, literal))
                }
                Predicate::Range { low, high } => {
                    let low = match low {
                        Bound::Unbounded => true,
                        Bound::Included(literal) => {
                            holds(Comparison::GreaterOrEqual, self.compare(name, cell, literal))
                        }
                        Bound::Excluded(literal) => {
                            holds(Comparison::Greater, self.compare(name, cell, literal))
                        }
                    };
                    let high = match high {
                        Bound::Unbounded => true,
                        Bound::Included(literal) => {
                            holds(Comparison::LessOrEqual, self.compare(name, cell, literal))
                        }
                        Bound::Excluded(literal) => {
                            holds(Comparison::Less, self.compare(name, cell, literal))
                        }
                    };
                    low && high
                }
            }
        })
    }

    fn equals(&self, name: &str, cell: &Cell, literal: &Literal, read: fn(&str) -> String) -> bool {
        if matches!(cell, Cell::Time(_)) || name == "_severity" {
            return self.compare(name, cell, literal) == Some(Ordering::Equal);
        }
        match (number(cell), literal.number()) {
            (Some(a), Some(b)) => compare_numbers(a, b) == Ordering::Equal,
            _ => read(&text(cell)) == read(&literal.0),
        }
    }

    fn compare(&self, name: &str, cell: &Cell, literal: &Literal) -> Option<Ordering> {
        if let Cell::Time(time) = cell {
            let range = time::range(&literal.0, self.now)?;
            return Some(in_span(time.0, range.start.0, range.end.0));
        }
        if let Some(wanted) = literal.number() {
            return Some(compare_numbers(amount(cell)?, wanted));
        }
        if let (true, Cell::I64(number)) = (name == "_severity", cell) {
            let named = i64::from(Severity::from_text(&literal.0)?.number());
            let end = if named % 4 == 1 { named + 4 } else { named + 1 };
            return Some(in_span(*number, named, end));
        }
        Some(folded(&text(cell)).cmp(&folded(&literal.0)))
    }

    /// The events that a search finds, the newest first.
    pub(super) fn search(&self, search: &Search) -> Vec<&'a Event> {
        let mut found: Vec<&'a Event> = self
            .events
            .iter()
            .filter(|event| self.range.contains(event.time) && self.holds_event(search, event))
            .collect();
        found.sort_by_key(|event| std::cmp::Reverse((event.time, event.seq)));
        found
    }

    pub(super) fn histogram(&self, search: &Search, width: Width) -> Vec<Bar> {
        let mut bars: BTreeMap<Timestamp, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for event in self.search(search) {
            let bar = bars.entry(width.floor(event.time)).or_default();
            *bar.entry(event.severity.name()).or_default() += 1;
        }
        let bar = |(start, severities): (Timestamp, BTreeMap<&'static str, u64>)| Bar {
            start,
            count: severities.values().sum(),
            severities: severities.into_iter().collect(),
        };
        bars.into_iter().map(bar).collect()
    }

    pub(super) fn fields(&self, search: &Search) -> Vec<Field> {
        let found = self.search(search);
        let mut fields: BTreeMap<&str, BTreeMap<Kind, u64>> = BTreeMap::new();
        for (name, value) in found.iter().flat_map(|event| &event.fields) {
            let kind = match value {
                Value::Str(_) => Kind::Str,
                Value::I64(_) => Kind::I64,
                Value::F64(_) => Kind::F64,
                Value::Bool(_) => Kind::Bool,
                Value::Json(_) => Kind::Json,
            };
            *fields.entry(name).or_default().entry(kind).or_default() += 1;
        }
        let mut fields: Vec<Field> = fields
            .into_iter()
            .map(|(name, kinds)| {
                let events = kinds.values().sum::<u64>();
                let share = events as f64 / found.len() as f64;
                Field { name: name.into(), kinds: kinds.into_iter().collect(), events, share }
            })
            .collect();
        fields.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
        fields
    }

    pub(super) fn values(&self, search: &Search, field: &str, limit: usize) -> Values {
        let found = self.search(search);
        let mut counts: BTreeMap<OrdCell, u64> = BTreeMap::new();
        for event in &found {
            if let Some(cell) = self.row(event).remove(field) {
                *counts.entry(OrdCell(keyed(cell))).or_default() += 1;
            }
        }
        let distinct = counts.len() as u64;
        let events = counts.values().sum();
        let mut top: Vec<(Cell, u64)> =
            counts.into_iter().map(|(cell, count)| (cell.0, count)).collect();
        top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        top.truncate(limit);
        Values { top, distinct, events, found: found.len() as u64 }
    }
}

fn severity_name(cell: &Cell) -> &'static str {
    match cell {
        Cell::I64(number) => super::part_scan::severity(*number).name(),
        _ => "",
    }
}

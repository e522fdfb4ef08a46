//! Answers, before they are written for the wire.

use ledgerline_model::batch::Kind;
use ledgerline_model::event::Event;
use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;

/// In which order events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// The latest event time first; of equal times, the later number first.
    #[default]
    Newest,
    /// The other way round.
    Oldest,
}

/// Which of the events that are found are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many at most.
    pub limit: usize,
    /// In which order.
    pub order: Order,
    /// Only those after this place in that order: where the page before ended.
    pub after: Option<Place>,
    /// Only events with numbers below this: all pages of an answer see what the first saw.
    pub as_of: Option<Seq>,
    /// Which fields are wanted; all when nothing is said. Virtual fields (`_time`, …) are always in
    /// an [`Event`].
    pub fields: Option<Vec<String>>,
}

/// A place in the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The event time.
    pub time: Timestamp,
    /// The number.
    pub seq: Seq,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The events, in order.
    pub events: Vec<Event>,
    /// For each event its message, if it has one: the value of the first message key that it has.
    pub messages: Vec<Option<String>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// One bar of a histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Where its span of time starts.
    pub start: Timestamp,
    /// How many events it has.
    pub count: u64,
    /// How many of each severity name (`""` for none), in the order of the names.
    pub severities: Vec<(&'static str, u64)>,
}

/// What is known of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its types, and in how many of the found events each.
    pub kinds: Vec<(Kind, u64)>,
    /// In how many of the found events it is.
    pub events: u64,
    /// The same as a share of the found events, 0 to 1.
    pub share: f64,
}

/// The most frequent values of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The values and how often each occurs, the most frequent first, equal ones in their order.
    pub top: Vec<(Cell, u64)>,
    /// How many distinct values there are.
    pub distinct: u64,
    /// How many of the found events have the field.
    pub events: u64,
    /// How many events were found.
    pub found: u64,
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A text.
    Str(String),
    /// A whole number.
    I64(i64),
    /// Any other number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Time(Timestamp),
    /// Compact JSON text.
    Json(String),
    /// A list.
    List(Vec<Cell>),
}

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Whether no row was left out because of [`crate::Limits::rows_max`].
    pub is_complete: bool,
}

//! Searches.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Event;
use super::{Page, Stats};

/// Which events.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "query": "level:info", "from": "-1h", "limit": 10}))]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// The query, such as `level:error "connection reset"`; every event when nothing is said.
    #[serde(default = "everything")]
    #[schema(example = "level:info")]
    pub query: String,
    /// Only events from this time on: RFC 3339, or relative to now, such as `-1h`.
    #[schema(min_length = 1)]
    pub from: Option<String>,
    /// Only events before this time.
    #[schema(min_length = 1)]
    pub to: Option<String>,
    /// How many events: 100 when nothing is said.
    #[schema(minimum = 1, maximum = 10_000)]
    pub limit: Option<usize>,
    /// `newest` first, or `oldest` first.
    #[serde(default)]
    pub order: Order,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Which fields are wanted; all when nothing is said.
    pub fields: Option<Vec<String>>,
}

/// `*`, the query that finds every event.
fn everything() -> String {
    "*".to_owned()
}

/// In which order events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The latest event first.
    #[default]
    Newest,
    /// The earliest event first.
    Oldest,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct SearchResponse {
    /// The events, in order.
    pub data: Vec<Event>,
    /// Where it goes on.
    pub page: Page,
    /// What it cost.
    pub stats: Stats,
}

/// How many events, by time.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "query": "*", "width": "1h"}))]
#[serde(deny_unknown_fields)]
pub struct HistogramRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// The query; every event when nothing is said.
    #[serde(default = "everything")]
    pub query: String,
    /// Only events from this time on.
    #[schema(min_length = 1)]
    pub from: Option<String>,
    /// Only events before this time.
    #[schema(min_length = 1)]
    pub to: Option<String>,
    /// How much time a bar spans, such as `5m` or `1d`; about 60 bars when nothing is said and both
    /// `from` and `to` are, else `1d`.
    #[schema(example = "1h")]
    pub width: Option<String>,
}

/// How many events, by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistogramResponse {
    /// The bars that have events, by time.
    pub data: Vec<Bar>,
    /// How much time a bar spans.
    #[schema(example = "1h")]
    pub width: String,
    /// What it cost.
    pub stats: Stats,
}

/// One bar of a histogram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bar {
    /// Where its span of time starts.
    #[schema(format = DateTime)]
    pub start: String,
    /// How many events it has.
    pub count: u64,
    /// How many of each severity; those without one under the empty name.
    pub severities: std::collections::BTreeMap<String, u64>,
}

/// What fields events have.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "query": "*"}))]
#[serde(deny_unknown_fields)]
pub struct FieldsRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// The query; every event when nothing is said.
    #[serde(default = "everything")]
    pub query: String,
    /// Only events from this time on.
    #[schema(min_length = 1)]
    pub from: Option<String>,
    /// Only events before this time.
    #[schema(min_length = 1)]
    pub to: Option<String>,
}

/// The fields of the events that were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldsResponse {
    /// The fields, the most frequent first.
    pub data: Vec<Field>,
    /// What it cost.
    pub stats: Stats,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its types (`string`, `integer`, `float`, `boolean`, `json`), and in how many events each.
    pub types: std::collections::BTreeMap<String, u64>,
    /// In how many of the events that were found it is.
    pub events: u64,
    /// The same as a share of them, 0 to 1.
    pub share: f64,
}

/// Which values a field has.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "field": "level"}))]
#[serde(deny_unknown_fields)]
pub struct ValuesRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// The field.
    #[schema(example = "level")]
    pub field: String,
    /// The query; every event when nothing is said.
    #[serde(default = "everything")]
    pub query: String,
    /// Only events from this time on.
    #[schema(min_length = 1)]
    pub from: Option<String>,
    /// Only events before this time.
    #[schema(min_length = 1)]
    pub to: Option<String>,
    /// How many values: 10 when nothing is said.
    #[schema(minimum = 1, maximum = 1_000)]
    pub limit: Option<usize>,
}

/// The most frequent values of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValuesResponse {
    /// The values, the most frequent first.
    pub data: Vec<ValueCount>,
    /// How many distinct values there are.
    pub distinct: u64,
    /// How many of the events that were found have the field.
    pub events: u64,
    /// How many events were found.
    pub found: u64,
    /// What it cost.
    pub stats: Stats,
}

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValueCount {
    /// The value.
    #[schema(value_type = serde_json::Value)]
    pub value: serde_json::Value,
    /// In how many events it is.
    pub count: u64,
}

/// What happened before and after an event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "seq": 0, "before": 5, "after": 5}))]
#[serde(deny_unknown_fields)]
pub struct ContextRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// The event's `_seq`.
    #[schema(example = 0)]
    pub seq: u64,
    /// How many events before it: 10 when nothing is said.
    #[schema(maximum = 1_000)]
    pub before: Option<usize>,
    /// How many events after it: 10 when nothing is said.
    #[schema(maximum = 1_000)]
    pub after: Option<usize>,
    /// Only neighbours that this query finds.
    #[serde(default = "everything")]
    pub query: String,
}

/// An event among its neighbours.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct ContextResponse {
    /// The events, the earliest first.
    pub data: Vec<Event>,
    /// What it cost.
    pub stats: Stats,
}

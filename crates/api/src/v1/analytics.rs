//! Analysis: pipes and SQL.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Stats;

/// A query with pipes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"dataset": "app", "query": "* | stats count() by level"}))]
#[serde(deny_unknown_fields)]
pub struct AnalyticsRequest {
    /// The dataset.
    #[schema(example = "app", min_length = 1, max_length = 64)]
    pub dataset: String,
    /// A search, and what is done with the events that it finds.
    #[schema(example = "* | stats count() by level")]
    pub query: String,
    /// Only events from this time on: RFC 3339, or relative to now, such as `-1h`.
    #[schema(min_length = 1)]
    pub from: Option<String>,
    /// Only events before this time.
    #[schema(min_length = 1)]
    pub to: Option<String>,
}

/// One SELECT.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// The statement; a dataset is a table of its name.
    #[schema(example = "SELECT level, count(*) FROM app GROUP BY level")]
    pub sql: String,
}

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TableResponse {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub rows: Vec<Vec<serde_json::Value>>,
    /// What it cost.
    pub stats: Stats,
}

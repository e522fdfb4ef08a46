//! Requests and answers of `/api/v1`, a file per resource. What a request may say is closed:
//! unknown and repeated fields are errors.

pub mod analytics;
pub mod audit;
pub mod auth;
pub mod datasets;
pub mod event;
pub mod filters;
pub mod health;
pub mod holds;
pub mod ingest;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod logs;
pub mod schemas;
pub mod search;
pub mod tenants;
pub mod users;
pub mod workos;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// How many stored bytes were read.
    pub scanned_bytes: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Whether nothing was left out.
    pub complete: bool,
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// Given with the same request, answers the next page; null at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// A list of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The records.
    pub data: Vec<T>,
}

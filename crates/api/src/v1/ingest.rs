//! What became of events that were sent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a body is compressed.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, pattern = "^(gzip|x-gzip|zstd|identity)?$", example = "gzip")]
pub struct Compression(pub String);

/// What became of the events of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestResponse {
    /// How many events are stored durably, those among them that were stored before.
    pub accepted: u64,
    /// How many events were not taken.
    pub rejected: u64,
    /// How many of the accepted events had been stored before, under the same id.
    pub duplicates: u64,
    /// The first of those that were not taken.
    pub errors: Vec<LineError>,
    /// What proves the rest; null when nothing was stored.
    pub receipt: Option<Receipt>,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineError {
    /// Its line in the body, or its number in the array, counted from 1.
    pub line: u64,
    /// The stable name of the reason.
    #[schema(example = "invalid_json")]
    pub code: String,
    /// The reason in words.
    pub detail: String,
}

/// Where stored events lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The number of the first event that was stored.
    pub first_seq: u64,
    /// How many events were stored.
    pub stored: u64,
    /// When they were received.
    #[schema(format = DateTime)]
    pub received_at: String,
}

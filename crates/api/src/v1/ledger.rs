//! The ledger of an audit dataset.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The keys of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerKeys)]
pub struct Keys {
    /// The log's id.
    pub log_id: String,
    /// What its checkpoints and its keys are named by.
    #[schema(example = "logs.example.com/0198f0c2-7f3e-4c4a-9d1b-2f6a8c0e5b71")]
    pub origin: String,
    /// The keys, the first one first.
    pub keys: Vec<Key>,
}

/// A key of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerKey)]
pub struct Key {
    /// The key as C2SP signed-note writes it.
    pub vkey: String,
    /// From which size of the log on it signs.
    pub since: u64,
    /// From which size on another key signs.
    pub until: Option<u64>,
}

/// A log gets a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reason": "yearly rotation"}))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Why, in words: 1 to 1,000 characters, for the record in `_audit`.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// A log has a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rotated {
    /// The log's id.
    pub log_id: String,
    /// The id of the ledger's entry that tells it, signed by both keys.
    pub id: String,
    /// Its place in the ledger.
    pub seq: u64,
    /// The key that signed so far, as C2SP signed-note writes it.
    pub old_key: String,
    /// The key that signs from here on.
    pub new_key: String,
    /// From which size of the log on it signs.
    pub since: u64,
}

//! Datasets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a dataset holds.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatasetKind {
    /// Events of any form.
    Logs,
    /// Audit events, which a ledger proves.
    Audit,
}

/// A dataset is made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "app", "settings": {"retention_days": 90}}))]
#[serde(deny_unknown_fields)]
pub struct CreateDataset {
    /// Its name: 1 to 64 characters of a-z, 0-9, '-', '_' and '.', a letter or digit first.
    #[schema(example = "app", max_length = 64, pattern = r"^[a-z0-9](\.?[a-z0-9_-])*\.?$")]
    pub name: String,
    /// What it holds: `logs`, or `audit` events, which its ledger proves. It cannot be changed.
    #[serde(default = "logs")]
    #[schema(default = "logs", example = "logs", value_type = DatasetKind)]
    pub kind: String,
    /// What is set for it.
    #[serde(default, deserialize_with = "crate::object::object")]
    pub settings: Settings,
}

fn logs() -> String {
    "logs".to_owned()
}

/// What a tenant can set for a dataset. What is not said is as usual.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"message_key": "what", "retention_days": 90}))]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The key that holds an event's time, before the usual ones.
    #[schema(example = "happened", min_length = 1, max_length = 1_024)]
    pub time_key: Option<String>,
    /// The key that holds an event's message, before the usual ones.
    #[schema(min_length = 1, max_length = 1_024)]
    pub message_key: Option<String>,
    /// The key that holds an event's severity, before the usual ones.
    #[schema(min_length = 1, max_length = 1_024)]
    pub severity_key: Option<String>,
    /// For how many days events are kept; for ever when there is no number.
    #[schema(minimum = 1, maximum = 36_500)]
    pub retention_days: Option<u32>,
    /// After how many days events are moved to the archive, where the operator has one. They are
    /// found as before, more slowly.
    #[schema(minimum = 1)]
    pub hot_days: Option<u32>,
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dataset {
    /// Its name.
    #[schema(example = "app")]
    pub name: String,
    /// What it holds: `logs` or `audit` events.
    #[schema(example = "logs", value_type = DatasetKind)]
    pub kind: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// What is set for it.
    pub settings: Settings,
    /// How much of it is stored.
    pub usage: Usage,
}

/// How much of a dataset is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// How many events.
    pub events: u64,
    /// Their size as they were sent.
    pub bytes_in: u64,
    /// Bytes on the disk.
    pub bytes_stored: u64,
    /// How many segments.
    pub segments: u64,
    /// How many of the stored bytes lie in the archive.
    pub bytes_archived: u64,
}

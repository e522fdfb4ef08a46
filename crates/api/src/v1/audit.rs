//! What a tenant sets for its audit events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings for audit events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"retention_presets": ["pci_dss"], "unknown_actions": "warn"}))]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Rules of retention that hold: `pci_dss` (365 days), `hipaa` (6 years), `soc2` (365 days). No
    /// event is removed before the longest of them is over.
    pub retention_presets: Vec<String>,
    /// What becomes of events whose action has no schema: `off` (nothing), `warn` or `strict`.
    #[schema(example = "off")]
    pub unknown_actions: String,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { retention_presets: Vec::new(), unknown_actions: "off".to_owned() }
    }
}

/// What is masked in audit events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "ingest": [{"detector": "card", "action": "last4"}],
    "reading": [{"roles": ["user"], "rules": [{"detector": "email", "action": "hash"}]}]
}))]
#[serde(deny_unknown_fields, default)]
pub struct Masks {
    /// What is masked when events come in: nobody can read it again.
    pub ingest: Vec<MaskRule>,
    /// What is masked when somebody reads.
    pub reading: Vec<ReadingMasks>,
}

/// What is masked for some readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingMasks {
    /// For whom: `admin`, `auditor`, `user`, and `key` for API keys.
    #[schema(example = json!(["user", "key"]))]
    pub roles: Vec<String>,
    /// What.
    pub rules: Vec<MaskRule>,
}

/// What is looked for, where, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskRule {
    /// `email`, `phone`, `card`, `iban`, `ip`, `jwt`, `api_key`, `private_key`, `url_password`,
    /// `secret` or `custom`.
    #[schema(example = "email")]
    pub detector: String,
    /// `drop` (nothing is left), `hash` (equal values have equal hashes) or `last4`.
    #[schema(example = "hash")]
    pub action: String,
    /// In which fields, such as `metadata.*`; in all, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// What findings of a `custom` detector are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The regular expression of a `custom` detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// What is going to be removed because its time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Until when it looks ahead.
    #[schema(format = DateTime)]
    pub until: String,
    /// The events, those that go first before the others. Only what lies in segments is told: what
    /// came in the last minutes is not over its time.
    pub data: Vec<Planned>,
}

/// Events that lie in one segment, and go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Planned {
    /// The dataset.
    #[schema(example = "audit")]
    pub dataset: String,
    /// The number of the first.
    pub first_seq: u64,
    /// The number of the last.
    pub last_seq: u64,
    /// How many there are.
    pub events: u64,
    /// When the newest of them happened, or was received, whichever was later.
    #[schema(format = DateTime)]
    pub newest: String,
    /// When their time is over: by the dataset's `retention_days`, or by the presets, whichever is
    /// longer.
    #[schema(format = DateTime)]
    pub would_go_at: String,
    /// Whether that is so already and nothing blocks it: the next run removes them.
    pub due: bool,
    /// The ids of the holds that keep them. While any hold is on, a dataset of audit events keeps
    /// all that it has.
    pub blocked_by: Vec<String>,
}

//! What a tenant sets for its audit events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule of retention.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// PCI DSS.
    PciDss,
    /// HIPAA.
    Hipaa,
    /// SOC 2.
    Soc2,
}

/// What is looked for in audit events, to be masked.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Numbers of payment cards.
    Card,
    /// Numbers of bank accounts.
    Iban,
    /// IP addresses.
    Ip,
    /// JSON Web Tokens.
    Jwt,
    /// Keys of clouds and APIs.
    ApiKey,
    /// Private keys.
    PrivateKey,
    /// Passwords in URLs.
    UrlPassword,
    /// Values of fields that are called like secrets.
    Secret,
    /// A pattern of the tenant's own.
    Custom,
}

/// What becomes of what is found.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MaskAction {
    /// Nothing is left.
    Drop,
    /// A hash is left: equal values have equal hashes.
    Hash,
    /// The last four characters are left.
    Last4,
}

/// For whom something is masked.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    /// Admins.
    Admin,
    /// Auditors.
    Auditor,
    /// Users.
    User,
    /// API keys.
    Key,
}

/// The settings for audit events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"retention_presets": ["pci_dss"], "unknown_actions": "warn"}))]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Rules of retention that hold: `pci_dss` (365 days), `hipaa` (6 years), `soc2` (365 days). No
    /// event is removed before the longest of them is over.
    #[schema(value_type = Vec<Preset>)]
    pub retention_presets: Vec<String>,
    /// What becomes of events whose action has no schema: `off` (nothing), `warn` or `strict`.
    #[schema(example = "off", value_type = super::schemas::Mode)]
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
    #[serde(deserialize_with = "crate::object::objects")]
    #[schema(max_items = 100)]
    pub ingest: Vec<MaskRule>,
    /// What is masked when somebody reads.
    #[serde(deserialize_with = "crate::object::objects")]
    #[schema(max_items = 20)]
    pub reading: Vec<ReadingMasks>,
}

/// What is masked for some readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingMasks {
    /// For whom: `admin`, `auditor`, `user`, and `key` for API keys.
    #[schema(example = json!(["user", "key"]), min_items = 1, value_type = Vec<Reader>)]
    pub roles: Vec<String>,
    /// What.
    #[serde(deserialize_with = "crate::object::objects")]
    #[schema(max_items = 100)]
    pub rules: Vec<MaskRule>,
}

/// What is looked for, where, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskRule {
    /// `email`, `phone`, `card`, `iban`, `ip`, `jwt`, `api_key`, `private_key`, `url_password`,
    /// `secret` or `custom`.
    #[schema(example = "email", value_type = Detector)]
    pub detector: String,
    /// `drop` (nothing is left), `hash` (equal values have equal hashes) or `last4`.
    #[schema(example = "hash", value_type = MaskAction)]
    pub action: String,
    /// In which fields, such as `metadata.*`; in all, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 50)]
    pub fields: Option<Vec<String>>,
    /// What findings of a `custom` detector are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9_-]+$")]
    pub name: Option<String>,
    /// The regular expression of a `custom` detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1_024)]
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

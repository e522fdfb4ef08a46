//! Audit events.
//!
//! The types here describe what is on the wire; events themselves are never read into them, because
//! their exact bytes are what the ledger proves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{Fault, Problem};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Its id, as the sender knows it.
    #[schema(example = "user_123", min_length = 1, max_length = 255)]
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schema(example = "user", min_length = 1, max_length = 255)]
    pub kind: Option<String>,
    /// Its name.
    #[schema(example = "Ada Lovelace", max_length = 255)]
    pub name: Option<String>,
    /// The session in which it acted.
    #[schema(min_length = 1, max_length = 255)]
    pub session: Option<String>,
    /// More of it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
}

/// What was acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// What it is.
    #[serde(rename = "type")]
    #[schema(example = "document", min_length = 1, max_length = 255)]
    pub kind: String,
    /// Its id.
    #[schema(example = "doc_42", min_length = 1, max_length = 255)]
    pub id: String,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: Option<String>,
}

/// What else was acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What it is.
    #[serde(rename = "type")]
    #[schema(example = "folder", min_length = 1, max_length = 255)]
    pub kind: String,
    /// Its id.
    #[schema(example = "folder_7", min_length = 1, max_length = 255)]
    pub id: String,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: Option<String>,
    /// More of it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
}

/// An audit event, as it is sent: who did what to what, when, from where, and what it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "action": "document.update",
    "actor": {"id": "user_123", "type": "user", "name": "Ada Lovelace"},
    "resource": {"type": "document", "id": "doc_42"},
    "ip": "203.0.113.7",
    "before": {"title": "Draft"},
    "after": {"title": "Final"}
}))]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// What was done.
    #[schema(
        example = "document.update",
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9._:/-]+$"
    )]
    pub action: String,
    /// Who did it.
    pub actor: Actor,
    /// To what.
    pub resource: Resource,
    /// To what else.
    #[schema(max_items = 50)]
    pub targets: Option<Vec<Target>>,
    /// When, with its offset from UTC; when it was received, if nothing is said.
    #[schema(format = DateTime, example = "2026-01-31T12:00:00+01:00")]
    pub occurred_at: Option<String>,
    /// `INFO` where nothing is said.
    pub severity: Option<Severity>,
    /// `success` where nothing is said.
    pub outcome: Option<Outcome>,
    /// From which address.
    #[schema(example = "203.0.113.7")]
    pub ip: Option<String>,
    /// With which program.
    #[schema(max_length = 1024)]
    pub user_agent: Option<String>,
    /// From which place.
    #[schema(max_length = 255)]
    pub location: Option<String>,
    /// In which request; events of one request are found together.
    #[schema(min_length = 1, max_length = 255)]
    pub request_id: Option<String>,
    /// In words.
    #[schema(max_length = 8192)]
    pub message: Option<String>,
    /// The state before: any JSON.
    #[schema(value_type = Option<serde_json::Value>)]
    pub before: Option<serde_json::Value>,
    /// The state after: any JSON. What differs is kept as `changes`.
    #[schema(value_type = Option<serde_json::Value>)]
    pub after: Option<serde_json::Value>,
    /// More of it: at most 50 KiB, 200 keys and 16 levels.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
    /// The sender's own id: an event with it is stored once within 24 hours.
    #[schema(min_length = 1, max_length = 255)]
    pub id: Option<String>,
}

/// How severe what happened is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditSeverity)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// As usual.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
    /// Somebody should look now.
    Critical,
}

/// How what was done ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditOutcome)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and went wrong.
    Failure,
    /// It was not allowed.
    Denied,
    /// Its sender does not know.
    Unknown,
}

/// An audit event, as it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its number within the dataset, and its place in the ledger.
    pub seq: u64,
    /// When it was received; not there where `fields` leaves it out, as all that follows.
    #[schema(format = DateTime)]
    pub received_at: Option<String>,
    /// What differs between `before` and `after`, where both were sent: `path`, and `before` and
    /// `after` there.
    #[schema(value_type = Option<Vec<Object>>)]
    pub changes: Option<Vec<serde_json::Value>>,
    /// With `history=true`: its amendments, the first one first.
    #[schema(value_type = Option<Vec<Object>>)]
    pub history: Option<Vec<serde_json::Value>>,
    /// With `proof=true`: what proves it.
    #[schema(value_type = Option<Object>)]
    pub proof: Option<serde_json::Value>,
    /// What was sent, `occurred_at`, `severity` and `outcome` always; with amendments laid over it.
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, serde_json::Value>)]
    pub event: serde_json::Map<String, serde_json::Value>,
}

/// What the ledger says of a stored event at once: proofs follow with the next checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditReceipt)]
pub struct Receipt {
    /// The log of the dataset.
    pub log_id: String,
    /// The event's place in it.
    pub seq: u64,
    /// The hash of its entry, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf_hash: Option<String>,
}

/// An audit event is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// Its id.
    pub id: String,
    /// Its number within the dataset.
    pub seq: u64,
    /// When it was received.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// What to keep, to have it proven later.
    pub receipt: Receipt,
    /// Whether it was stored before, by an earlier request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// In what it does not follow the schema of its action, where that only warns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
}

/// Some audit events are sent at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// At most 1,000.
    #[schema(max_items = 1000)]
    pub events: Vec<NewEvent>,
}

/// A file as AWS CloudTrail delivers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"Records": [{
    "eventID": "6a8f1f0a-5d07-4a3e-9c15-000000000001",
    "eventTime": "2026-01-31T12:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"},
    "requestParameters": {"bucketName": "plans", "key": "q1.pdf"}
}]}))]
pub struct CloudTrail {
    /// At most 1,000.
    #[serde(rename = "Records")]
    #[schema(max_items = 1000, value_type = Vec<Object>)]
    pub records: Vec<serde_json::Value>,
}

/// What became of each of some events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// How many are stored, those included that were stored before.
    pub accepted: u64,
    /// How many are not.
    pub rejected: u64,
    /// How many were stored before, by an earlier request.
    #[serde(default)]
    pub duplicates: u64,
    /// What became of each, in the order in which they were sent.
    pub results: Vec<BulkResult>,
}

/// What became of one of some events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// The status that it would have had alone: 201 when it is stored, 200 when it was before.
    pub status: u16,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its number within the dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What to keep, to have it proven later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Why it is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<BulkError>,
    /// In what it does not follow the schema of its action, where that only warns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
}

/// Why one of some events is not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkError {
    /// The stable name of the reason.
    pub code: String,
    /// The reason in words.
    pub detail: String,
    /// Which parts of the event are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// A page of audit events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Listing {
    /// The events.
    pub data: Vec<Event>,
    /// Where the next page begins.
    pub page: super::Page,
}

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamFrame {
    /// Events, by rising `seq`.
    Rows {
        /// The events.
        rows: Vec<Event>,
        /// Where a stream goes on after them.
        cursor: String,
    },
    /// Nothing came for a while, and the stream is well.
    Heartbeat {
        /// Where a stream goes on.
        cursor: String,
    },
    /// The stream ends.
    Error {
        /// Why.
        problem: Problem,
    },
}

/// What is added to an event later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"severity": "CRITICAL", "note": "confirmed by the security team"}))]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// Another severity.
    pub severity: Option<Severity>,
    /// Metadata that is added or replaced key by key; `null` removes a key.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
    /// A note.
    #[schema(max_length = 8192)]
    pub note: Option<String>,
}

/// Why something is erased or removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reason": "request of the person concerned, ticket 4711"}))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words: 1 to 1,000 characters, nothing personal, because it is kept.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// All that one person's events say is erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"actor": "user_123", "reason": "request of the person concerned"}))]
#[serde(deny_unknown_fields)]
pub struct SubjectErasure {
    /// The id of the actor.
    #[schema(min_length = 1, max_length = 255)]
    pub actor: String,
    /// In words; nothing personal, because it is kept.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// Something was erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// The event that says so in the ledger; nothing when there was nothing to erase.
    #[schema(value_type = Option<Event>)]
    pub erasure: Option<serde_json::Value>,
    /// How many events were erased.
    pub events: u64,
    /// From how many damaged files that were set aside (`*.quarantined`) it could not be erased,
    /// since they cannot be read. Whoever runs the server has to remove them.
    #[serde(default)]
    pub unread_files: u64,
}

/// One group of counted events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// The value that they have in common; `null` for those that have none.
    #[schema(value_type = Option<String>)]
    pub key: serde_json::Value,
    /// How many there are.
    pub count: u64,
    /// When the first of them happened.
    #[schema(format = DateTime)]
    pub first_at: Option<String>,
    /// When the last of them happened.
    #[schema(format = DateTime)]
    pub last_at: Option<String>,
}

/// Counted events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// How many events were found.
    pub total: u64,
    /// The groups: the largest first, those by time in their order.
    pub groups: Vec<Group>,
    /// What it cost.
    pub stats: super::Stats,
}

/// An event of one request, and which dataset it is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Correlated {
    /// The dataset.
    pub dataset: String,
    /// The event, as that dataset's kind is read.
    #[schema(value_type = Object)]
    pub event: serde_json::Value,
}

/// Everything that is known of one request, in the order of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CorrelatedListing {
    /// The events.
    pub data: Vec<Correlated>,
    /// Whether that is all.
    pub complete: bool,
}

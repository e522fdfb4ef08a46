//! Audit events as WorkOS takes them: its words, not ours.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An audit event is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WorkOsNewEvent)]
pub struct NewEvent {
    /// The tenant, by its id or its name.
    #[schema(example = "acme")]
    pub organization_id: String,
    /// The event: `action`, `occurred_at`, `actor`, `targets`, `context`, and perhaps `version` and
    /// `metadata`.
    #[schema(value_type = Object, example = json!({
        "action": "user.signed_in",
        "occurred_at": "2026-01-31T12:00:00Z",
        "actor": {"id": "user_123", "type": "user"},
        "targets": [{"id": "team_1", "type": "team"}],
        "context": {"location": "203.0.113.7"}
    }))]
    pub event: serde_json::Value,
}

/// An audit event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WorkOsCreated)]
pub struct Created {
    /// True.
    pub success: bool,
}

/// An audit event is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WorkOsRefused)]
pub struct Refused {
    /// Why, in words.
    pub message: String,
    /// Why, as programs tell it apart: the codes of all other paths.
    pub code: String,
    /// Which parts of the body are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<WorkOsFault>,
}

/// One part of a body that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkOsFault {
    /// What is wrong with it, as programs tell it apart.
    pub code: String,
    /// The same in words.
    pub message: String,
    /// Where it is, as a JSON Pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

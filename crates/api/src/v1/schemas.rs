//! Schemas: how the events of an action must look.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What becomes of an event that does not follow its schema.
#[derive(Debug, ToSchema)]
#[schema(as = SchemaMode)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is refused.
    Strict,
    /// Its sender is told.
    Warn,
    /// Nothing.
    Off,
}

/// A schema is put.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "mode": "strict",
    "json_schema": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "required": ["plan"]}},
        "required": ["metadata"]
    }
}))]
#[serde(deny_unknown_fields)]
pub struct NewSchema {
    /// Which version this is to be: the one after the newest. Said or not, versions count up
    /// from 1.
    #[schema(minimum = 1)]
    pub version: Option<u32>,
    /// What becomes of an event that does not follow it: `strict` (it is refused), `warn` (its
    /// sender is told) or `off` (nothing).
    #[schema(example = "strict", value_type = Mode)]
    pub mode: String,
    /// A JSON Schema of draft 2020-12 for the event as it is stored; without it the schema only
    /// says that there is such an action.
    #[schema(value_type = Option<Object>)]
    pub json_schema: Option<Box<RawValue>>,
}

/// One version of a schema.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schema {
    /// The action whose events it describes.
    #[schema(example = "document.update")]
    pub action: String,
    /// Its number, counted from 1.
    #[schema(example = 1)]
    pub version: u32,
    /// What becomes of an event that does not follow it.
    #[schema(example = "strict", value_type = Mode)]
    pub mode: String,
    /// When it was put.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Whether it is the version that events are held against whose senders name none.
    pub newest: bool,
    /// What its events look like.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub json_schema: Option<Box<RawValue>>,
}

/// The newest version of a schema, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaEntry {
    /// The action whose events it describes.
    #[schema(example = "document.update")]
    pub action: String,
    /// Its number, counted from 1.
    #[schema(example = 1)]
    pub version: u32,
    /// What becomes of an event that does not follow it.
    #[schema(example = "strict", value_type = Mode)]
    pub mode: String,
    /// When it was put.
    #[schema(format = DateTime)]
    pub created_at: String,
}

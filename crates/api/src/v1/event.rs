//! One event on the wire.
//!
//! Its fields under the sender's own dotted keys, and beside them what Ledgerline knows of it under
//! `_time`, `_received`, `_id`, `_seq`, `_severity`, `_severity_number` and `_message`. Where the
//! sender used such a name, Ledgerline's stands.

use std::collections::BTreeMap;

use ledgerline_model::event::{self, Value};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::time::rfc3339;

/// The names that Ledgerline gives, in the order in which they are written.
pub const VIRTUAL: [&str; 7] =
    ["_time", "_received", "_id", "_seq", "_severity", "_severity_number", "_message"];

/// One event, as a client reads it.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct Event {
    /// When it happened.
    #[serde(rename = "_time")]
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.000000000Z")]
    pub time: String,
    /// When it was received.
    #[serde(rename = "_received")]
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.120000000Z")]
    pub received: String,
    /// The sender's own id, or one that Ledgerline gave.
    #[serde(rename = "_id")]
    #[schema(example = "0198f0c2-7f3e-7c4a-9d1b-2f6a8c0e5b71")]
    pub id: String,
    /// Its number within the dataset.
    #[serde(rename = "_seq")]
    #[schema(example = 41)]
    pub seq: u64,
    /// The name of its severity, if one was recognised.
    #[serde(rename = "_severity")]
    #[schema(example = "INFO")]
    pub severity: Option<String>,
    /// The OpenTelemetry number of its severity, 1 to 24.
    #[serde(rename = "_severity_number")]
    #[schema(example = 9)]
    pub severity_number: Option<u8>,
    /// Its message, if one was recognised.
    #[serde(rename = "_message")]
    #[schema(example = "Hello, Ledgerline")]
    pub message: Option<String>,
    /// The sender's own fields under their dotted keys.
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, serde_json::Value>)]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// One event, as it is written.
#[derive(Debug)]
pub struct WireEvent<'a> {
    /// The event.
    pub event: &'a event::Event,
    /// Its message.
    pub message: Option<&'a str>,
}

impl Serialize for WireEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { event, message } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_time", &rfc3339(event.time))?;
        map.serialize_entry("_received", &rfc3339(event.received))?;
        map.serialize_entry("_id", &event.id)?;
        map.serialize_entry("_seq", &event.seq.0)?;
        if event.severity.number() > 0 {
            map.serialize_entry("_severity", event.severity.name())?;
            map.serialize_entry("_severity_number", &event.severity.number())?;
        }
        if let Some(message) = message {
            map.serialize_entry("_message", message)?;
        }
        for (name, value) in &event.fields {
            if !VIRTUAL.contains(&name.as_str()) {
                map.serialize_entry(name, &WireValue(value))?;
            }
        }
        map.end()
    }
}

/// One value on the wire.
#[derive(Debug)]
pub struct WireValue<'a>(pub &'a Value);

impl Serialize for WireValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Str(text) => serializer.serialize_str(text),
            Value::I64(number) => serializer.serialize_i64(*number),
            Value::F64(number) => serializer.serialize_f64(*number),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Json(text) => json_text(text, serializer),
        }
    }
}

/// Stored JSON text as JSON; as a text, should it not be JSON after all.
///
/// # Errors
/// The serializer's.
pub fn json_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => raw.serialize(serializer),
        Err(_) => serializer.serialize_str(text),
    }
}

#[cfg(test)]
mod tests {
    use ledgerline_model::id::Seq;
    use ledgerline_model::severity::Severity;
    use ledgerline_model::time::Timestamp;

    use super::*;

    #[test]
    fn an_event_is_flat_and_its_json_is_json() {
        let event = event::Event {
            seq: Seq(7),
            id: "x".to_owned(),
            time: Timestamp(0),
            received: Timestamp(1),
            severity: Severity::UNSPECIFIED,
            fields: vec![
                ("_seq".to_owned(), Value::Str("forged".to_owned())),
                ("a.b".to_owned(), Value::Json("[1,null]".to_owned())),
                ("broken".to_owned(), Value::Json("[1,".to_owned())),
                ("n".to_owned(), Value::F64(0.5)),
            ],
        };
        let text = serde_json::to_string(&WireEvent { event: &event, message: Some("hi") });
        assert_eq!(
            text.expect("an event is JSON"),
            "{\"_time\":\"1970-01-01T00:00:00.000000000Z\",\
             \"_received\":\"1970-01-01T00:00:00.000000001Z\",\"_id\":\"x\",\"_seq\":7,\
             \"_message\":\"hi\",\"a.b\":[1,null],\"broken\":\"[1,\",\"n\":0.5}"
        );
    }
}

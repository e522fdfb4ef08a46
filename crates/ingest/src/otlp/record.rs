//! One record of OTLP to the fields of an event.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use ledgerline_model::batch::Field;
use ledgerline_model::limits;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::decode::compact::{write_f64, write_text};
use crate::error::Error;
use crate::events::Events;
use crate::refusal::Refusal;

/// Where records come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    resource: &'a Resource,
    scope: &'a InstrumentationScope,
    size_bytes: usize,
}

impl<'a> Origin<'a> {
    pub(super) fn new(resource: &'a Resource, scope: &'a InstrumentationScope) -> Self {
        Self { resource, scope, size_bytes: resource.encoded_len() + scope.encoded_len() }
    }
}

/// Takes one record after the other.
#[derive(Debug)]
pub(super) struct Records<'a> {
    events: &'a mut Events,
    /// How many there were so far.
    records: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(events: &'a mut Events) -> Self {
        Self { events, records: 0 }
    }

    /// Takes a record that is `size_bytes` long as it was sent; `decode` is not called for one that
    /// is too long.
    pub(super) fn take(
        &mut self,
        origin: &Origin<'_>,
        size_bytes: usize,
        decode: impl FnOnce() -> Result<LogRecord, Refusal>,
    ) -> Result<(), Error> {
        self.records += 1;
        let is_too_large = size_bytes + origin.size_bytes > limits::EVENT_BYTES_MAX;
        let record = if is_too_large { Err(Refusal::EventTooLarge) } else { decode() };
        match record.and_then(|record| write_record(origin, &record, self.events)) {
            Ok(()) => self.events.commit(size_bytes),
            Err(refusal) => self.events.reject(self.records, &refusal),
        }
        self.events.check_size()
    }
}

fn write_record(
    origin: &Origin<'_>,
    record: &LogRecord,
    events: &mut Events,
) -> Result<(), Refusal> {
    let mut fields = Fields { events, key: String::new() };
    if let Some(value) = record.body.as_ref().and_then(|body| body.value.as_ref()) {
        fields.key.push_str("body");
        fields.value(value, 1)?;
    }
    fields.text("severity_text", &record.severity_text)?;
    fields.text("event_name", &record.event_name)?;
    fields.text("trace_id", &hex(&record.trace_id))?;
    fields.text("span_id", &hex(&record.span_id))?;
    fields.text("observed_time", &rfc3339(record.observed_time_unix_nano))?;
    fields.count("trace_flags", record.flags & 0xFF)?;
    fields.count("dropped_attributes_count", record.dropped_attributes_count)?;
    fields.attributes("", &record.attributes)?;
    fields.text("scope.name", &origin.scope.name)?;
    fields.text("scope.version", &origin.scope.version)?;
    fields.attributes("scope.", &origin.scope.attributes)?;
    fields.attributes("resource.", &origin.resource.attributes)?;
    let severity = u8::try_from(record.severity_number)
        .ok()
        .and_then(Severity::from_number)
        .filter(|severity| *severity != Severity::UNSPECIFIED)
        .or_else(|| Severity::from_text(&record.severity_text))
        .unwrap_or_default();
    events.set_head(time(record), severity);
    Ok(())
}

fn time(record: &LogRecord) -> Option<Timestamp> {
    let times = [record.time_unix_nano, record.observed_time_unix_nano];
    let time = times.into_iter().find(|time| *time != 0)?;
    Some(Timestamp(i64::try_from(time).unwrap_or(i64::MAX)))
}

/// Writes the fields of one record.
struct Fields<'a> {
    events: &'a mut Events,
    /// The key of the current field.
    key: String,
}

impl Fields<'_> {
    /// A text, unless it is empty.
    fn text(&mut self, key: &str, text: &str) -> Result<(), Refusal> {
        if !text.is_empty() {
            self.events.put_plain(key, Field::Str(text))?;
        }
        Ok(())
    }

    /// A count, unless it is 0.
    fn count(&mut self, key: &str, count: u32) -> Result<(), Refusal> {
        if count > 0 {
            self.events.put_plain(key, Field::I64(i64::from(count)))?;
        }
        Ok(())
    }

    fn attributes(&mut self, prefix: &str, attributes: &[KeyValue]) -> Result<(), Refusal> {
        for attribute in attributes {
            self.key.clear();
            self.key.push_str(prefix);
            self.key.push_str(&attribute.key);
            self.optional(attribute.value.as_ref(), 1)?;
        }
        self.key.clear();
        Ok(())
    }

    fn optional(&mut self, value: Option<&AnyValue>, depth: usize) -> Result<(), Refusal> {
        match value.and_then(|value| value.value.as_ref()) {
            Some(value) => self.value(value, depth),
            None => self.put(Field::Json("null")),
        }
    }

    /// A value under the current key; a list of pairs makes a field of each, under its dotted key.
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Refusal> {
        if depth > limits::EVENT_DEPTH_MAX {
            return Err(Refusal::TooDeep);
        }
        match value {
            Value::StringValue(text) => self.put(Field::Str(text)),
            Value::BoolValue(value) => self.put(Field::Bool(*value)),
            Value::IntValue(value) => self.put(Field::I64(*value)),
            Value::DoubleValue(value) if value.is_finite() => self.put(Field::F64(*value)),
            Value::DoubleValue(value) => self.put(Field::Str(not_finite(*value))),
            Value::BytesValue(bytes) => self.put(Field::Str(&STANDARD.encode(bytes))),
            Value::KvlistValue(pairs) if !pairs.values.is_empty() => {
                let length = self.key.len();
                for pair in &pairs.values {
                    self.key.push('.');
                    self.key.push_str(&pair.key);
                    self.optional(pair.value.as_ref(), depth + 1)?;
                    self.key.truncate(length);
                }
                Ok(())
            }
            Value::ArrayValue(_) | Value::KvlistValue(_) | Value::StringValueStrindex(_) => {
                let mut json = String::new();
                write_json(Some(value), depth, &mut json)?;
                self.put(Field::Json(&json))
            }
        }
    }

    /// A field under the current key, or under `attributes.` when the event has the key already.
    fn put(&mut self, field: Field<'_>) -> Result<(), Refusal> {
        if !self.events.put_plain(&self.key, field)? {
            let key = format!("attributes.{}", self.key);
            self.events.put_plain(&key, field)?;
        }
        Ok(())
    }
}

fn write_json(value: Option<&Value>, depth: usize, out: &mut String) -> Result<(), Refusal> {
    if depth > limits::EVENT_DEPTH_MAX {
        return Err(Refusal::TooDeep);
    }
    match value {
        // An index into a table that requests of logs do not have counts as no value.
        None | Some(Value::StringValueStrindex(_)) => out.push_str("null"),
        Some(Value::StringValue(text)) => write_text(text, out),
        Some(Value::BoolValue(value)) => out.push_str(if *value { "true" } else { "false" }),
        Some(Value::IntValue(value)) => out.push_str(&value.to_string()),
        Some(Value::DoubleValue(value)) if value.is_finite() => write_f64(*value, out),
        Some(Value::DoubleValue(value)) => write_text(not_finite(*value), out),
        Some(Value::BytesValue(bytes)) => write_text(&STANDARD.encode(bytes), out),
        Some(Value::ArrayValue(array)) => {
            out.push('[');
            for (index, item) in array.values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item.value.as_ref(), depth + 1, out)?;
            }
            out.push(']');
        }
        Some(Value::KvlistValue(pairs)) => {
            out.push('{');
            for (index, pair) in pairs.values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(&pair.key, out);
                out.push(':');
                let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
                write_json(value, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// What JSON has no number for. Source: the JSON mapping of protobuf.
fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}

/// Nanoseconds since 1970 as text; nothing for 0, which means that there is no time.
fn rfc3339(nanoseconds: u64) -> String {
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or_default();
    let fraction = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    match DateTime::from_timestamp(seconds, fraction) {
        Some(time) if nanoseconds != 0 => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        _ => String::new(),
    }
}

//! The messages of OTLP as they stand in JSON: names in camel case, ids in hexadecimal of any case,
//! 64-bit numbers as texts or numbers, enumerations as numbers; unknown fields are passed over, and
//! `null` is the same as a missing field.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1 as resource;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::refusal::Refusal;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Resource {
    attributes: Option<Vec<KeyValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Scope {
    name: Option<String>,
    version: Option<String>,
    attributes: Option<Vec<KeyValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Record {
    time_unix_nano: Option<Number<u64>>,
    observed_time_unix_nano: Option<Number<u64>>,
    severity_number: Option<i32>,
    severity_text: Option<String>,
    body: Option<AnyValue>,
    attributes: Option<Vec<KeyValue>>,
    dropped_attributes_count: Option<u32>,
    flags: Option<u32>,
    trace_id: Option<String>,
    span_id: Option<String>,
    event_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeyValue {
    key: Option<String>,
    value: Option<AnyValue>,
}

/// A list of values or of pairs, which is an object with one field.
#[derive(Debug, Deserialize)]
struct List<T> {
    #[serde(default = "Option::default")]
    values: Option<Vec<T>>,
}

#[derive(Debug, Default)]
struct AnyValue(Option<Value>);

impl From<Resource> for resource::Resource {
    fn from(source: Resource) -> Self {
        Self { attributes: pairs(source.attributes), ..Self::default() }
    }
}

impl From<Scope> for common::InstrumentationScope {
    fn from(source: Scope) -> Self {
        Self {
            name: source.name.unwrap_or_default(),
            version: source.version.unwrap_or_default(),
            attributes: pairs(source.attributes),
            ..Self::default()
        }
    }
}

impl TryFrom<Record> for LogRecord {
    type Error = Refusal;

    fn try_from(source: Record) -> Result<Self, Refusal> {
        Ok(Self {
            time_unix_nano: source.time_unix_nano.map_or(0, |number| number.0),
            observed_time_unix_nano: source.observed_time_unix_nano.map_or(0, |number| number.0),
            severity_number: source.severity_number.unwrap_or_default(),
            severity_text: source.severity_text.unwrap_or_default(),
            body: source.body.map(|AnyValue(value)| common::AnyValue { value }),
            attributes: pairs(source.attributes),
            dropped_attributes_count: source.dropped_attributes_count.unwrap_or_default(),
            flags: source.flags.unwrap_or_default(),
            trace_id: from_hex(source.trace_id.as_deref())?,
            span_id: from_hex(source.span_id.as_deref())?,
            event_name: source.event_name.unwrap_or_default(),
        })
    }
}

fn pairs(source: Option<Vec<KeyValue>>) -> Vec<common::KeyValue> {
    let pair = |source: KeyValue| common::KeyValue {
        key: source.key.unwrap_or_default(),
        value: source.value.map(|AnyValue(value)| common::AnyValue { value }),
        ..common::KeyValue::default()
    };
    source.unwrap_or_default().into_iter().map(pair).collect()
}

fn from_hex(text: Option<&str>) -> Result<Vec<u8>, Refusal> {
    let text = text.unwrap_or_default().as_bytes();
    let digit =
        |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = text
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    bytes.ok_or_else(|| Refusal::InvalidJson("an id is not hexadecimal".to_owned()))
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyValueVisitor).map(Self)
    }
}

struct AnyValueVisitor;

impl<'de> Visitor<'de> for AnyValueVisitor {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut value = None;
        while let Some(key) = map.next_key::<String>()? {
            let next = match key.as_str() {
                "stringValue" => map.next_value::<Option<String>>()?.map(Value::StringValue),
                "boolValue" => map.next_value::<Option<bool>>()?.map(Value::BoolValue),
                "intValue" => {
                    map.next_value::<Option<Number<i64>>>()?.map(|value| Value::IntValue(value.0))
                }
                "doubleValue" => map
                    .next_value::<Option<Number<f64>>>()?
                    .map(|value| Value::DoubleValue(value.0)),
                "arrayValue" => map.next_value::<Option<List<AnyValue>>>()?.map(array),
                "kvlistValue" => map.next_value::<Option<List<KeyValue>>>()?.map(|list| {
                    Value::KvlistValue(common::KeyValueList { values: pairs(list.values) })
                }),
                "bytesValue" => {
                    let text = map.next_value::<Option<String>>()?;
                    let bytes = text.map(|text| STANDARD.decode(text)).transpose();
                    bytes.map_err(A::Error::custom)?.map(Value::BytesValue)
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            value = next.or(value);
        }
        Ok(value)
    }
}

fn array(list: List<AnyValue>) -> Value {
    let values = list.values.unwrap_or_default().into_iter();
    let values = values.map(|AnyValue(value)| common::AnyValue { value }).collect();
    Value::ArrayValue(common::ArrayValue { values })
}

/// A number, or a text that is one.
#[derive(Debug, Default, Clone, Copy)]
struct Number<T>(T);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText<T> {
    Number(T),
    Text(String),
}

impl<'de, T: Deserialize<'de> + FromStr> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_| D::Error::custom(format!("`{text}` is not a number that fits"))),
        }
    }
}

//! Single values: their text, their amount, their elements.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_store::column::ValueRef;
use serde_json::value::RawValue;

use crate::lang::ast::{BEYOND, Number};

/// One value of an event or of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    Str(&'a str),
    I64(i64),
    F64(f64),
    Bool(bool),
    Json(&'a str),
    Time(Timestamp),
    Severity(Severity),
}

impl<'a> From<ValueRef<'a>> for Scalar<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Str(text) => Self::Str(text),
            ValueRef::I64(number) => Self::I64(number),
            ValueRef::F64(number) => Self::F64(number),
            ValueRef::Bool(truth) => Self::Bool(truth),
            ValueRef::Json(text) => Self::Json(text),
        }
    }
}

impl<'a> Scalar<'a> {
    /// The value as text: numbers and truths as JSON writes them, times as RFC 3339 does.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Str(text) | Self::Json(text) => Cow::Borrowed(text),
            Self::I64(number) => Cow::Owned(number.to_string()),
            Self::F64(number) => Cow::Owned(format!("{number:?}")),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Time(time) => Cow::Owned(time_text(time)),
            Self::Severity(severity) => Cow::Borrowed(severity.name()),
        }
    }

    /// The amount of a value that is a number. Infinities and the like have none, and neither has a
    /// text, whatever it says.
    pub(super) fn number(self) -> Option<Number> {
        match self {
            Self::I64(number) => Some(Number::Integer(number)),
            Self::F64(number) => number.is_finite().then_some(Number::Float(number)),
            Self::Json(text) => Number::parse(text),
            Self::Severity(severity) => Some(Number::Integer(severity.number().into())),
            Self::Str(_) | Self::Bool(_) | Self::Time(_) => None,
        }
    }

    /// The amount of a value that is a number or a text that is one.
    pub(super) fn amount(self) -> Option<Number> {
        match self {
            Self::Str(text) => Number::parse(text),
            other => other.number(),
        }
    }

    /// Whether the value, or, if it is an array, one element of it, satisfies a test.
    pub(super) fn any(self, mut test: impl FnMut(Scalar<'_>) -> bool) -> bool {
        let Self::Json(text) = self else { return test(self) };
        if !text.starts_with('[') {
            return test(self);
        }
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) else { return test(self) };
        elements.into_iter().any(|element| test_element(element.get(), &mut test))
    }
}

fn test_element(json: &str, test: &mut impl FnMut(Scalar<'_>) -> bool) -> bool {
    if let Ok(number) = json.parse() {
        return test(Scalar::I64(number));
    }
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => test(Scalar::Str(&text)),
            Err(_) => test(Scalar::Json(json)),
        },
        Some(b't') => test(Scalar::Bool(true)),
        Some(b'f') => test(Scalar::Bool(false)),
        _ => test(Scalar::Json(json)),
    }
}

fn time_text(time: Timestamp) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The whole number of the same amount, if there is one.
pub(super) fn whole(float: f64) -> Option<i64> {
    ((-BEYOND..BEYOND).contains(&float) && float.trunc() == float).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_looked_into_and_other_json_is_not() {
        let mut seen = Vec::new();
        let json = r#"["a\"b", 5, 1.5, true, null, [1], {"x": 2}]"#;
        assert!(!Scalar::Json(json).any(|value| {
            seen.push(value.text().into_owned());
            false
        }));
        assert_eq!(seen, ["a\"b", "5", "1.5", "true", "null", "[1]", r#"{"x": 2}"#]);
        assert!(Scalar::Json("{}").any(|value| value.text() == "{}"));
        assert!(!Scalar::Json("[]").any(|_| true));
    }
}

//! Whether an answer is what a step expects.

use regex::Regex;
use serde_json::{Map, Value};

use crate::node::Answer;

/// How much of an answer a failure shows.
const SHOWN_CHARACTERS_MAX: usize = 600;

/// Checks an answer. What the expectation names with `$save` goes to `saved`.
pub(super) fn check(
    expected: &Value,
    answer: &Answer,
    saved: &mut Map<String, Value>,
) -> Result<(), String> {
    match expected {
        Value::Number(status) => is_status(status.as_u64(), answer),
        Value::String(text) => {
            let (status, code) = text.split_once(' ').ok_or("an error is `STATUS CODE`")?;
            is_status(status.parse().ok(), answer)?;
            is_problem(code, answer)
        }
        Value::Object(parts) => {
            is_status(parts.get("status").and_then(Value::as_u64), answer)?;
            parts.iter().try_for_each(|(name, part)| is_part(name, part, answer, saved))
        }
        _ => Err("an expectation is a status, an error, or an object".to_owned()),
    }
}

/// Checks a message of a WebSocket.
pub(super) fn message(
    expected: &Value,
    message: &Value,
    saved: &mut Map<String, Value>,
) -> Result<(), String> {
    found(expected, Some(message), "", saved)
}

fn is_status(expected: Option<u64>, answer: &Answer) -> Result<(), String> {
    let expected = expected.ok_or("an expectation has a status")?;
    if u64::from(answer.status) == expected {
        return Ok(());
    }
    Err(format!("status {} instead of {expected}", answer.status))
}

fn is_part(
    name: &str,
    part: &Value,
    answer: &Answer,
    saved: &mut Map<String, Value>,
) -> Result<(), String> {
    match name {
        "status" => Ok(()),
        "code" => is_problem(part.as_str().unwrap_or_default(), answer),
        "headers" => {
            for (name, expected) in part.as_object().ok_or("headers have names")? {
                let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
                let value = value.map(|text| Value::String(text.to_owned()));
                found(expected, value.as_ref(), &format!("header {name}"), saved)?;
            }
            Ok(())
        }
        "json" => found(part, Some(&parsed(&answer.text())?), "", saved),
        "text" => found(part, Some(&Value::String(answer.text())), "text", saved),
        "ndjson" => {
            let lines: Result<Vec<Value>, String> = answer.text().lines().map(parsed).collect();
            found(part, Some(&Value::Array(lines?)), "", saved)
        }
        _ => Err(format!("an expectation has no part {name}")),
    }
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

/// Whether the answer is a problem (RFC 9457) of this code, told as all of them are.
fn is_problem(code: &str, answer: &Answer) -> Result<(), String> {
    let media = answer.header("content-type");
    if media != "application/problem+json" {
        return Err(format!("the media type of an error is {media}"));
    }
    let expected = serde_json::json!({
        "type": format!("/docs/errors/{code}"),
        "title": {"$type": "string"},
        "status": answer.status,
        "code": code,
        "detail": {"$type": "string"},
        "request_id": answer.header("x-request-id"),
        "retryable": {"$type": "boolean"},
    });
    found(&expected, Some(&parsed(&answer.text())?), "", &mut Map::new())
}

/// Whether a value is there as it is expected. `at` says where, as a JSON Pointer.
fn found(
    expected: &Value,
    value: Option<&Value>,
    at: &str,
    saved: &mut Map<String, Value>,
) -> Result<(), String> {
    let is_test = |members: &Map<String, Value>| {
        !members.is_empty() && members.keys().all(|name| name.starts_with('$'))
    };
    if let Value::Object(tests) = expected
        && is_test(tests)
    {
        return tests.iter().try_for_each(|(name, of)| passes(name, of, value, at, saved));
    }
    let value = value.ok_or_else(|| format!("{at} is not there"))?;
    match (expected, value) {
        (Value::Object(members), Value::Object(values)) => {
            members.iter().try_for_each(|(name, expected)| {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                found(expected, values.get(name), &at, saved)
            })
        }
        (Value::Array(items), Value::Array(values)) => {
            if items.len() != values.len() {
                return Err(format!("{at} has {} items instead of {}", values.len(), items.len()));
            }
            let mut pairs = items.iter().zip(values).enumerate();
            pairs.try_for_each(|(index, (item, value))| {
                found(item, Some(value), &format!("{at}/{index}"), saved)
            })
        }
        (expected, value) if expected == value => Ok(()),
        (expected, value) => {
            Err(format!("{at} is {} instead of {expected}", shortened(&value.to_string())))
        }
    }
}

/// Whether a value passes one test, such as `$type`.
fn passes(
    name: &str,
    of: &Value,
    value: Option<&Value>,
    at: &str,
    saved: &mut Map<String, Value>,
) -> Result<(), String> {
    if name == "$absent" {
        return if value.is_none() { Ok(()) } else { Err(format!("{at} is there")) };
    }
    let value = value.ok_or_else(|| format!("{at} is not there"))?;
    let shown = || shortened(&value.to_string());
    let unless = |is_good: bool, why: String| if is_good { Ok(()) } else { Err(why) };
    match name {
        "$save" => {
            saved.insert(of.as_str().ok_or("$save has a name")?.to_owned(), value.clone());
            Ok(())
        }
        "$type" => unless(kind(value) == of, format!("{at} is {} and no {of}", shown())),
        "$exact" => unless(value == of, format!("{at} is {} instead of {of}", shown())),
        "$match" => {
            let pattern = Regex::new(of.as_str().unwrap_or_default());
            let pattern = pattern.map_err(|error| error.to_string())?;
            let is_match = value.as_str().is_some_and(|text| pattern.is_match(text));
            unless(is_match, format!("{at} does not match {of}: {}", shown()))
        }
        "$length" => {
            let length = value.as_array().map(Vec::len);
            let length = length.or_else(|| value.as_str().map(|text| text.chars().count()));
            let is_so = length.is_some_and(|length| Some(length as u64) == of.as_u64());
            unless(is_so, format!("{at} is not of length {of}: {}", shown()))
        }
        "$each" => {
            let values = value.as_array().ok_or_else(|| format!("{at} is no list"))?;
            values.iter().try_for_each(|value| found(of, Some(value), at, saved))
        }
        "$has" => {
            let values = value.as_array().ok_or_else(|| format!("{at} is no list"))?;
            for wanted in of.as_array().ok_or("$has has a list")? {
                let mut all = values.iter();
                let is_there = all.any(|value| found(wanted, Some(value), at, saved).is_ok());
                unless(is_there, format!("{at} has no {wanted}: {}", shown()))?;
            }
            Ok(())
        }
        _ => Err(format!("there is no test {name}")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The beginning of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

#[test]
fn a_value_is_compared_as_the_format_says() {
    use serde_json::json;
    let value = json!({"a": 1, "b": [{"c": "xyz"}, {"c": "y"}], "d": null});
    let check = |expected: Value| found(&expected, Some(&value), "", &mut Map::new());
    for good in [
        json!({}),
        json!({"a": 1, "d": null}),
        json!({"a": {"$type": "integer"}, "e": {"$absent": true}}),
        json!({"b": [{"c": {"$match": "^x"}}, {}]}),
        json!({"b": {"$has": [{"c": "y"}], "$length": 2, "$each": {"c": {"$type": "string"}}}}),
        json!({"$exact": value}),
    ] {
        assert_eq!(check(good.clone()), Ok(()), "{good}");
    }
    for bad in [
        json!({"a": 2}),
        json!({"a": {"$type": "string"}}),
        json!({"a": {"$absent": true}}),
        json!({"e": 1}),
        json!({"b": [{}]}),
        json!({"b": {"$has": [{"c": "z"}]}}),
        json!({"b": {"$each": {"c": "y"}}}),
        json!({"$exact": {"a": 1}}),
        json!({"a": {"$unknown": 1}}),
    ] {
        assert!(check(bad.clone()).is_err(), "{bad}");
    }
    let mut saved = Map::new();
    let save = json!({"b": [{"c": {"$save": "first", "$type": "string"}}, {}]});
    assert_eq!(found(&save, Some(&value), "", &mut saved), Ok(()));
    assert_eq!(saved["first"], "xyz");
}

//! Values with the variables in them filled in, and those that are made.

use serde_json::{Map, Value};

/// A value with every `${name}` replaced, and every `$repeat`, `$text` and `$merge` made.
pub(super) fn filled(value: &Value, variables: &Map<String, Value>) -> Result<Value, String> {
    match value {
        Value::String(text) => filled_text(text, variables),
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::Object(members) => match members.iter().next() {
            Some((name, of)) if members.len() == 1 && name == "$repeat" => repeat(of, variables),
            Some((name, of)) if members.len() == 1 && name == "$text" => long_text(of),
            Some((name, of)) if members.len() == 1 && name == "$merge" => merge(of, variables),
            _ => {
                let member = |(name, value): (&String, &Value)| {
                    Ok((name.clone(), filled(value, variables)?))
                };
                members.iter().map(member).collect::<Result<Map<_, _>, String>>().map(Value::Object)
            }
        },
        other => Ok(other.clone()),
    }
}

fn filled_text(text: &str, variables: &Map<String, Value>) -> Result<Value, String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or("a variable ends with }")?;
        let value = named(name, variables)?;
        if before.is_empty() && behind.is_empty() && written.is_empty() {
            // Alone, a variable keeps its type.
            return Ok(value.clone());
        }
        written.push_str(before);
        written.push_str(&super::text(value));
        rest = behind;
    }
    written.push_str(rest);
    Ok(Value::String(written))
}

fn named<'a>(name: &str, variables: &'a Map<String, Value>) -> Result<&'a Value, String> {
    let unknown = || format!("there is no variable {name}");
    let mut steps = name.split('.');
    let first = steps.next().and_then(|step| variables.get(step)).ok_or_else(unknown)?;
    let part = |value: &'a Value, step: &str| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    };
    steps.try_fold(first, part).ok_or_else(unknown)
}

/// `{count, value}`: a list of that many, in whose values `${index}` counts from 0.
fn repeat(of: &Value, variables: &Map<String, Value>) -> Result<Value, String> {
    let count = of["count"].as_u64().ok_or("$repeat has a count")?;
    let one = |index: u64| {
        let mut inner = variables.clone();
        inner.insert("index".to_owned(), index.into());
        filled(&of["value"], &inner)
    };
    (0..count).map(one).collect()
}

/// `{count, of}`: a text of that many times the same.
fn long_text(of: &Value) -> Result<Value, String> {
    let count = of["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    let part = of["of"].as_str().ok_or("$text has a text `of`")?;
    Ok(Value::String(part.repeat(count.ok_or("$text has a count")?)))
}

/// Some values, each laid over those before it (RFC 7396).
fn merge(of: &Value, variables: &Map<String, Value>) -> Result<Value, String> {
    let mut merged = Value::Null;
    for layer in of.as_array().ok_or("$merge has a list")? {
        lay(&mut merged, filled(layer, variables)?);
    }
    Ok(merged)
}

fn lay(base: &mut Value, layer: Value) {
    let Value::Object(layer) = layer else {
        *base = layer;
        return;
    };
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    if let Value::Object(members) = base {
        for (name, value) in layer {
            match value {
                Value::Null => drop(members.remove(&name)),
                value => lay(members.entry(name).or_insert(Value::Null), value),
            }
        }
    }
}

#[test]
fn values_are_filled_and_made() {
    use serde_json::json;
    let variables = json!({"n": 7, "t": {"id": "x"}, "l": ["y"]});
    let variables = variables.as_object().cloned().unwrap_or_default();
    let check = |value: &Value, made: &Value| {
        assert_eq!(filled(value, &variables).as_ref(), Ok(made));
    };
    check(&json!({"a": "${n}", "b": ["/${t.id}/${n}"]}), &json!({"a": 7, "b": ["/x/7"]}));
    check(&json!("${l.0}"), &json!("y"));
    check(&json!({"$text": {"of": "ab", "count": 2}}), &json!("abab"));
    check(
        &json!({"$repeat": {"count": 2, "value": {"i": "${index}"}}}),
        &json!([{"i": 0}, {"i": 1}]),
    );
    let merge = json!({"$merge": [{"a": {"b": 1, "c": 2}}, {"a": {"b": null}, "d": "${n}"}]});
    check(&merge, &json!({"a": {"c": 2}, "d": 7}));
    assert!(filled(&json!("${t.no}"), &variables).is_err());
}

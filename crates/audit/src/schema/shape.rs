//! Whether a JSON schema is cheap to check: what it refers to is counted as often as it is referred
//! to, so that neither circles nor references that multiply keep a server busy.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Invalid, code};
use crate::json::pointer;

/// Where the JSON schema stands in what was sent.
pub(super) const ROOT: &str = "/json_schema";
/// The most parts of a schema, with references replaced by what they refer to.
pub const SCHEMA_PARTS_MAX: u64 = 10_000;
/// The most regular expressions of a schema, counted likewise.
pub const SCHEMA_PATTERNS_MAX: u64 = 64;
/// The longest chain of references and nested parts.
const CHAIN_MAX: usize = 200;

/// Keywords that make it depend on where a schema is used, or on names, what it refers to.
const REFUSED: [&str; 5] =
    ["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$anchor", "$vocabulary"];
/// What the address of the draft ends with.
const DRAFT: &str = "json-schema.org/draft/2020-12/schema";

/// Checks a JSON schema.
pub(super) fn check(schema: &Value) -> Result<(), Invalid> {
    if let Some(draft) = schema.get("$schema")
        && !draft.as_str().is_some_and(|draft| draft.trim_end_matches('#').ends_with(DRAFT))
    {
        return Err(bad("/$schema", "a schema is one of the draft 2020-12"));
    }
    let mut counter = Counter { schema, sizes: HashMap::new() };
    let size = counter.size("", schema, 0)?;
    if size.parts > SCHEMA_PARTS_MAX {
        return Err(too_complex(
            "",
            &format!("more than {SCHEMA_PARTS_MAX} parts, as referred to"),
        ));
    }
    if size.patterns > SCHEMA_PATTERNS_MAX {
        let what = format!("more than {SCHEMA_PATTERNS_MAX} patterns, as referred to");
        return Err(too_complex("", &what));
    }
    Ok(())
}

/// How large a part is with all that it refers to.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    parts: u64,
    patterns: u64,
}

struct Counter<'s> {
    schema: &'s Value,
    /// By pointer; nothing for a part that is being counted.
    sizes: HashMap<String, Option<Size>>,
}

impl Counter<'_> {
    fn size(&mut self, at: &str, part: &Value, depth: usize) -> Result<Size, Invalid> {
        match self.sizes.get(at) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(too_complex(at, "the schema refers to itself in a circle")),
            None => {}
        }
        if depth > CHAIN_MAX {
            return Err(too_complex(at, "a chain of references is too long"));
        }
        let mut size = Size::default();
        let mut add = |part: Size| {
            size.parts = size.parts.saturating_add(part.parts);
            size.patterns = size.patterns.saturating_add(part.patterns);
        };
        match part {
            Value::Object(members) => {
                self.sizes.insert(at.to_owned(), None);
                add(Size { parts: 1, patterns: patterns(members) });
                refuse_keywords(at, members)?;
                for (name, value) in members {
                    add(self.size(&pointer(at, name), value, depth + 1)?);
                }
                if let Some(Value::String(target)) = members.get("$ref") {
                    add(self.referred(&pointer(at, "$ref"), target, depth + 1)?);
                }
                self.sizes.insert(at.to_owned(), Some(size));
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    add(self.size(&pointer(at, &index.to_string()), item, depth + 1)?);
                }
            }
            _ => {}
        }
        Ok(size)
    }

    fn referred(&mut self, at: &str, target: &str, depth: usize) -> Result<Size, Invalid> {
        let local = target.strip_prefix('#').filter(|local| !local.contains('%'));
        let found = local.and_then(|local| self.schema.pointer(local));
        match (local, found) {
            (Some(local), Some(found)) => self.size(local, found, depth),
            (Some(_), None) => Err(bad(at, "there is nothing at the end of this reference")),
            (None, _) => Err(bad(at, "a reference is one within the schema, as `#/$defs/name`")),
        }
    }
}

/// How many regular expressions an object of a schema has.
fn patterns(members: &Map<String, Value>) -> u64 {
    let one = u64::from(members.get("pattern").is_some_and(Value::is_string));
    let named = members.get("patternProperties").and_then(Value::as_object);
    one + named.map_or(0, |named| named.len() as u64)
}

fn refuse_keywords(at: &str, members: &Map<String, Value>) -> Result<(), Invalid> {
    let is_used = |name: &&str| members.get(*name).is_some_and(|value| !value.is_object());
    // A property may have any name: what stands there is another schema.
    if let Some(name) = REFUSED.iter().find(|name| is_used(name)) {
        return Err(bad(&pointer(at, name), "this keyword is not supported"));
    }
    if !at.is_empty() && members.get("$id").is_some_and(Value::is_string) {
        return Err(bad(&pointer(at, "$id"), "only the whole schema has an id"));
    }
    Ok(())
}

fn bad(at: &str, detail: &str) -> Invalid {
    Invalid { code: code::BAD_SCHEMA, pointer: format!("{ROOT}{at}"), detail: detail.to_owned() }
}

fn too_complex(at: &str, detail: &str) -> Invalid {
    Invalid {
        code: code::SCHEMA_TOO_COMPLEX,
        pointer: format!("{ROOT}{at}"),
        detail: detail.to_owned(),
    }
}

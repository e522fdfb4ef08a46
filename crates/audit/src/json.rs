//! JSON as it was written: values keep the digits and escapes of their sender.

mod number;
mod parse;

use std::borrow::Cow;
use std::fmt;

use crate::error::{Invalid, Refusal, code};
use crate::writer::ObjectWriter;

pub(crate) use number::is_same_number;
pub(crate) use parse::{Parsed, parse};

/// The deepest nesting of anything that is read.
pub const DEPTH_MAX: usize = ledgerline_model::limits::EVENT_DEPTH_MAX;

/// The text of one JSON value, without white space between its parts. Numbers and texts are as
/// their sender wrote them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(String);

impl Json {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// When the text is no JSON, is nested deeper than [`DEPTH_MAX`], or has a key twice.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        Ok(read(text)?.json())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the text says.
    pub(crate) fn tree(&self) -> Tree<'_> {
        // A text of this type has been read before; null stands for what cannot be.
        parse(self.0.as_bytes()).map_or(Tree { text: "null", node: Node::Null }, |parsed| {
            debug_assert!(parsed.duplicates.is_empty());
            parsed.tree
        })
    }

    /// An object with a member more, behind the others, unless it has one of that name.
    pub(crate) fn with_member(object: Option<&Self>, name: &str, value: &str) -> Self {
        let mut writer = ObjectWriter::new();
        let tree = object.map(Self::tree);
        for (key, value) in tree.as_ref().and_then(Tree::as_object).unwrap_or_default() {
            writer.raw_key(key.text, value.text);
        }
        if tree.as_ref().and_then(|tree| tree.get(name)).is_none() {
            writer.raw(name, value);
        }
        Self::trusted(writer.finish())
    }

    /// Takes a text that is known to be the compact text of a value.
    pub(crate) fn trusted(text: String) -> Self {
        debug_assert!(parse(text.as_bytes()).is_ok(), "{text}");
        Self(text)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One value within a text.
#[derive(Debug, Clone)]
pub(crate) struct Tree<'a> {
    /// The text of the value, with any white space within.
    pub(crate) text: &'a str,
    pub(crate) node: Node<'a>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// The digits are the value's text.
    Number,
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Object(Vec<(Key<'a>, Tree<'a>)>),
}

/// The key of a member.
#[derive(Debug, Clone)]
pub(crate) struct Key<'a> {
    /// As it was written, with its quotes.
    pub(crate) text: &'a str,
    pub(crate) name: Cow<'a, str>,
}

impl<'a> Tree<'a> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&[(Key<'a>, Tree<'a>)]> {
        match &self.node {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Tree<'a>]> {
        match &self.node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The member of that name; nothing when there is none, or this is no object.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.as_object()?.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// What the value is called in sentences.
    pub(crate) fn kind(&self) -> &'static str {
        match self.node {
            Node::Null => "null",
            Node::Bool(_) => "a boolean",
            Node::Number => "a number",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Object(_) => "an object",
        }
    }

    /// How deep the value is nested: 0 for one that is neither list nor object.
    pub(crate) fn depth(&self) -> usize {
        let within = match &self.node {
            Node::List(items) => items.iter().map(Tree::depth).max(),
            Node::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
            _ => return 0,
        };
        1 + within.unwrap_or(0)
    }

    /// How many keys the objects within have together.
    pub(crate) fn keys(&self) -> usize {
        match &self.node {
            Node::List(items) => items.iter().map(Tree::keys).sum(),
            Node::Object(members) => {
                members.len() + members.iter().map(|(_, value)| value.keys()).sum::<usize>()
            }
            _ => 0,
        }
    }

    /// The text without white space between its parts.
    pub(crate) fn json(&self) -> Json {
        let mut text = String::with_capacity(self.text.len());
        compact(self.text, &mut text);
        Json(text)
    }

    /// The value as `serde_json` has it. A number beyond its reach becomes the nearest within.
    pub(crate) fn value(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.node {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Number => number::value(self.text),
            Node::Text(text) => Value::String(text.to_string()),
            Node::List(items) => Value::Array(items.iter().map(Tree::value).collect()),
            Node::Object(members) => Value::Object(
                members.iter().map(|(key, value)| (key.name.to_string(), value.value())).collect(),
            ),
        }
    }
}

/// Writes the text of a value without white space between its parts.
fn compact(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut at = 0;
    let mut in_text = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_text = !in_text,
            b'\\' => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' if !in_text => {
                out.push_str(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&text[start..]);
}

/// Reads a text in which no key occurs twice.
pub(crate) fn read(text: &[u8]) -> Result<Tree<'_>, Refusal> {
    let parsed = parse(text).map_err(|fault| Refusal::one(fault.code, "", fault.detail))?;
    match parsed.duplicates.into_iter().next() {
        None => Ok(parsed.tree),
        Some(pointer) => Err(Refusal::one(code::DUPLICATE_KEY, pointer, DUPLICATE)),
    }
}

/// Reads the text of an object in which no key occurs twice; what it is called is for the sentence.
pub(crate) fn read_object<'a>(text: &'a [u8], what: &str) -> Result<Tree<'a>, Refusal> {
    let tree = read(text)?;
    if tree.as_object().is_none() {
        let detail = format!("{what} is a JSON object, and this is {}", tree.kind());
        return Err(Refusal::one(code::NOT_AN_OBJECT, "", detail));
    }
    Ok(tree)
}

const DUPLICATE: &str = "the object has this key twice";

impl Parsed<'_> {
    /// A fault for each key that occurs twice.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Invalid> {
        self.duplicates.iter().map(|pointer| Invalid {
            code: code::DUPLICATE_KEY,
            pointer: pointer.clone(),
            detail: DUPLICATE.to_owned(),
        })
    }
}

/// The pointer (RFC 6901) to a member or an item of what another points to.
pub(crate) fn pointer(parent: &str, name: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + name.len() + 1);
    pointer.push_str(parent);
    push_name(&mut pointer, name);
    pointer
}

/// Appends one step to a pointer.
pub(crate) fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

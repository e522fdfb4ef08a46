//! Nested objects to fields with dotted keys.

use ledgerline_model::batch::Field;
use simd_json::{Node, StaticNode};

use crate::events::Events;
use crate::refusal::Refusal;

use super::compact::{is_large, write_node};

/// Walks the tape of an object and gives its fields to the current event.
#[derive(Debug, Default)]
pub(super) struct Flattener {
    /// The key of the current field, within nested objects.
    key: String,
    /// The JSON text of the current field.
    json: String,
}

/// A tape, and the places where a text on it is a number.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    nodes: &'a [Node<'a>],
    large: &'a [usize],
}

impl Flattener {
    /// Gives the current event the fields of the object on the tape.
    pub(super) fn flatten(
        &mut self,
        nodes: &[Node<'_>],
        large: &[usize],
        events: &mut Events,
    ) -> Result<(), Refusal> {
        let Some(Node::Object { len, .. }) = nodes.first() else {
            return Err(Refusal::NotAnObject);
        };
        self.key.clear();
        let source = Source { nodes, large };
        let mut at = 1;
        let mut has_objects = false;
        for _ in 0..*len {
            let Node::String(key) = nodes[at] else { return Err(Refusal::NotAnObject) };
            at = match nodes[at + 1] {
                Node::Object { len, .. } if len > 0 => {
                    has_objects = true;
                    self.key.push_str(key);
                    let next = self.object(source, at + 1, len, events)?;
                    self.key.clear();
                    next
                }
                _ => self.field(source, key, at + 1, events)?,
            };
        }
        if has_objects { check_keys(source, 0) } else { Ok(()) }
    }

    /// The fields of an object within the event. The depth is bounded by the parser.
    fn object(
        &mut self,
        source: Source<'_>,
        start: usize,
        len: usize,
        events: &mut Events,
    ) -> Result<usize, Refusal> {
        self.key.push('.');
        let prefix = self.key.len();
        let mut at = start + 1;
        let mut has_objects = false;
        for _ in 0..len {
            let Node::String(key) = source.nodes[at] else { return Err(Refusal::NotAnObject) };
            self.key.push_str(key);
            at = match source.nodes[at + 1] {
                Node::Object { len, .. } if len > 0 => {
                    has_objects = true;
                    self.object(source, at + 1, len, events)?
                }
                _ => {
                    let key = std::mem::take(&mut self.key);
                    let next = self.field(source, &key, at + 1, events);
                    self.key = key;
                    next?
                }
            };
            self.key.truncate(prefix);
        }
        if has_objects {
            check_keys(source, start)?;
        }
        Ok(at)
    }

    /// A field that is not a nested object, and where the next key is.
    #[inline]
    fn field(
        &mut self,
        source: Source<'_>,
        key: &str,
        at: usize,
        events: &mut Events,
    ) -> Result<usize, Refusal> {
        let field = match source.nodes[at] {
            Node::String(text) if !is_large(source.large, at) => Field::Str(text),
            Node::Static(StaticNode::Bool(value)) => Field::Bool(value),
            Node::Static(StaticNode::I64(value)) => Field::I64(value),
            Node::Static(StaticNode::F64(value)) => Field::F64(value),
            Node::Static(StaticNode::U64(value)) if i64::try_from(value).is_ok() => {
                Field::I64(value.cast_signed())
            }
            _ => {
                self.json.clear();
                let next = write_node(source.nodes, at, source.large, &mut self.json);
                events.put(key, Field::Json(&self.json))?;
                return Ok(next);
            }
        };
        events.put(key, field)?;
        Ok(at + 1)
    }
}

/// Whether no key of the object occurs twice. The batch notices when a field does, but not when the
/// value is an object, as flattening leaves no field of that name.
fn check_keys(source: Source<'_>, start: usize) -> Result<(), Refusal> {
    let Node::Object { len, .. } = source.nodes[start] else { return Ok(()) };
    let mut keys = Vec::with_capacity(len);
    let mut at = start + 1;
    for _ in 0..len {
        if let Node::String(key) = source.nodes[at] {
            keys.push(key);
        }
        at += 2 + match source.nodes[at + 1] {
            Node::Object { count, .. } | Node::Array { count, .. } => count,
            Node::String(_) | Node::Static(_) => 0,
        };
    }
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Refusal::DuplicateKey(pair[0].to_owned())),
        None => Ok(()),
    }
}

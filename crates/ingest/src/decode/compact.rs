//! JSON text without spaces, for values that are kept as such.

use std::fmt::Write;

use simd_json::{Node, StaticNode};

/// Writes the value at a place of a tape, and says where the next begins. `large` are the places of
/// numbers that the tape holds as texts.
pub(super) fn write_node(
    nodes: &[Node<'_>],
    at: usize,
    large: &[usize],
    out: &mut String,
) -> usize {
    match nodes[at] {
        Node::String(text) if is_large(large, at) => out.push_str(text),
        Node::String(text) => write_text(text, out),
        Node::Static(value) => write_static(value, out),
        Node::Array { len, .. } => {
            let mut next = at + 1;
            out.push('[');
            for index in 0..len {
                if index > 0 {
                    out.push(',');
                }
                next = write_node(nodes, next, large, out);
            }
            out.push(']');
            return next;
        }
        Node::Object { len, .. } => {
            let mut next = at + 1;
            out.push('{');
            for index in 0..len {
                if index > 0 {
                    out.push(',');
                }
                next = write_node(nodes, next, &[], out);
                out.push(':');
                next = write_node(nodes, next, large, out);
            }
            out.push('}');
            return next;
        }
    }
    at + 1
}

/// Whether the text at a place of a tape is a number.
#[inline]
pub(super) fn is_large(large: &[usize], at: usize) -> bool {
    !large.is_empty() && large.binary_search(&at).is_ok()
}

fn write_static(value: StaticNode, out: &mut String) {
    match value {
        StaticNode::Null => out.push_str("null"),
        StaticNode::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        StaticNode::I64(value) => write_display(value, out),
        StaticNode::U64(value) => write_display(value, out),
        StaticNode::F64(value) => write_f64(value, out),
    }
}

fn write_display(value: impl std::fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("writing to a string cannot fail");
}

/// The shortest text that reads as the same number.
pub(crate) fn write_f64(value: f64, out: &mut String) {
    let text = serde_json::to_string(&value).expect("a number is always JSON");
    out.push_str(&text);
}

/// A text in quotes. Control characters, quotes and backslashes are escaped, nothing else.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0..=0x1F => "",
            _ => continue,
        };
        out.push_str(&text[start..at]);
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}").expect("writing to a string cannot fail");
        } else {
            out.push_str(escape);
        }
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}

//! Numbers that neither 64 bits nor a double can hold. Their digits are kept as they are.

use serde_json::value::RawValue;
use simd_json::{Node, StaticNode};

/// A number that was replaced: which of the text's numbers it is, counted from 0, and its digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Large {
    number: usize,
    text: String,
}

/// Replaces every number that is too large by a 0 and spaces.
pub(super) fn replace_large(text: &mut [u8]) -> Vec<Large> {
    let mut large = Vec::new();
    let mut numbers = 0;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => at = end_of_text(text, at),
            b'-' | b'0'..=b'9' => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = at + text[at..].iter().take_while(is_part).count();
                if let Some(number) = too_large(&text[at..end]) {
                    large.push(Large { number: numbers, text: number });
                    text[at..end].fill(b' ');
                    text[at] = b'0';
                }
                numbers += 1;
                at = end;
            }
            _ => at += 1,
        }
    }
    large
}

/// Puts the replaced numbers onto the tape as texts, and says at which places they are.
pub(super) fn put_back<'a>(tape: &mut [Node<'a>], large: &'a [Large]) -> Vec<usize> {
    let mut places = Vec::with_capacity(large.len());
    let mut numbers = 0;
    for (place, node) in tape.iter_mut().enumerate() {
        let Some(next) = large.get(places.len()) else { break };
        if let Node::Static(StaticNode::I64(_) | StaticNode::U64(_) | StaticNode::F64(_)) = node {
            if numbers == next.number {
                *node = Node::String(&next.text);
                places.push(place);
            }
            numbers += 1;
        }
    }
    places
}

/// Behind the closing quote of the text that begins here.
fn end_of_text(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The number, if it is one and no other type can hold it.
fn too_large(number: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(number).ok()?;
    let is_whole = number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    let fits = if is_whole {
        text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
    } else {
        text.parse::<f64>().is_ok_and(f64::is_finite)
    };
    if fits || serde_json::from_str::<&RawValue>(text).is_err() {
        return None;
    }
    Some(text.to_owned())
}

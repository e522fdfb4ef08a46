//! A question, and where in it the server found fault.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{self, Client, Position};
use crate::failure::Failure;
use crate::printable::printable;

/// Asks, and points into `query` when the server says where it is wrong.
pub(crate) fn ask<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    question: &Value,
    query: &str,
) -> Result<T, Failure> {
    let answer = client.post_json(path, question)?;
    let position = if answer.status.is_success() { None } else { answer.problem().position };
    match position.and_then(|position| pointed(query, position)) {
        Some(pointed) => Err(client::refusal(answer.status, &answer.problem()).context(pointed)),
        None => answer.json(),
    }
}

/// The line of the query at fault with carets under the fault, which may be just behind its end.
fn pointed(query: &str, position: Position) -> Option<String> {
    let byte = |character: usize| {
        query.char_indices().map(|(at, _)| at).nth(character).unwrap_or(query.len())
    };
    let start = byte(position.start);
    let fault = query.get(start..byte(position.end))?.split('\n').next().unwrap_or_default();
    let line_start = query[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = query[start..].find('\n').map_or(query.len(), |at| start + at);
    let width = |text: &str| printable(text).chars().count();
    let line = printable(&query[line_start..line_end]);
    let indent = " ".repeat(width(&query[line_start..start]));
    let carets = "^".repeat(width(fault).max(1));
    Some(format!("  {line}\n  {indent}{carets}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, start: usize, end: usize, expected: &str) {
        assert_eq!(pointed(query, Position { start, end }).as_deref(), Some(expected), "{query}");
    }

    #[test]
    fn carets_stand_under_the_fault() {
        check("a:1 OR", 4, 6, "  a:1 OR\n      ^^");
        check("a:(", 3, 3, "  a:(\n     ^");
        check("ü:(x", 3, 4, "  ü:(x\n     ^");
        check("*\n| stat x\n", 4, 8, "  | stat x\n    ^^^^");
        check("a\tb:(", 4, 99, "  a\\tb:(\n       ^");
    }

    #[test]
    fn a_position_that_is_not_the_querys_points_nowhere() {
        assert_eq!(pointed("abc", Position { start: 2, end: 1 }), None);
    }
}

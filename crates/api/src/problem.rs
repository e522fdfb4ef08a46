//! Errors on the wire: `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code::Code;

/// The media type of an error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the code's page in the documentation.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors/dataset_not_found")]
    pub kind: String,
    /// What the code means, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// The stable name of what went wrong.
    #[schema(example = "dataset_not_found")]
    pub code: String,
    /// The request, as it stands in the server's logs and in `_audit`.
    #[serde(default)]
    pub request_id: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Which parts of the request, or which of its events, are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// Where in the query the fault lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What may have been meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// With `events_rejected`: how many events were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
    /// With `events_rejected`: how many events were not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<u64>,
    /// With `events_rejected`: how many events were stored before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<u64>,
}

/// One part of a request that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Which part of a JSON body (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/password")]
    pub pointer: Option<String>,
    /// Which line of a body of events, or which number in its array, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The stable name of the reason.
    #[schema(example = "invalid_json")]
    pub code: String,
    /// The reason in words.
    pub detail: String,
}

/// A place in a query's text, counted in characters from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// The first character at fault.
    pub start: usize,
    /// The first character after those.
    pub end: usize,
}

impl Position {
    /// The place of a span of bytes in the query's text.
    #[must_use]
    pub fn in_text(text: &str, span: &std::ops::Range<usize>) -> Self {
        let characters = |bytes: usize| text.char_indices().filter(|(at, _)| *at < bytes).count();
        Self { start: characters(span.start), end: characters(span.end) }
    }
}

impl Problem {
    /// An error that says no more than its code and a detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/docs/errors/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().to_owned(),
            request_id: String::new(),
            retryable: code.is_retryable(),
            errors: Vec::new(),
            position: None,
            hint: None,
            accepted: None,
            rejected: None,
            duplicates: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters() {
        let text = "grüße \"x";
        let span = text.find('"').map(|at| at..at + 1);
        let position = span.map(|span| Position::in_text(text, &span));
        assert_eq!(position, Some(Position { start: 6, end: 7 }));
    }

    #[test]
    fn absent_parts_are_not_written() {
        let text = serde_json::to_string(&Problem::new(Code::NotFound, "no such user"));
        let text = text.expect("a problem is JSON");
        assert!(!text.contains("position") && !text.contains("rejected"), "{text}");
        assert!(text.contains("\"type\":\"/docs/errors/not_found\""), "{text}");
    }
}

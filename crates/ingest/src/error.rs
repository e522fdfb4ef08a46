//! What is answered about a body or an event that is not taken.

/// The longest detail. Some quote the sender's text, which may be as long as an event.
const DETAIL_BYTES_MAX: usize = 300;

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where it begins in the body: its line, or its number in a JSON array or an OTLP request,
    /// counted from 1.
    pub line: u64,
    /// A stable name of the reason, such as `invalid_json`.
    pub code: &'static str,
    /// The reason in words.
    pub detail: String,
}

impl Reject {
    pub(crate) fn new(line: u64, code: &'static str, detail: String) -> Self {
        Self { line, code, detail: shortened(detail) }
    }
}

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The whole body is malformed.
    Invalid,
    /// A limit was exceeded; the error names it.
    TooLarge,
}

/// The whole body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// What the caller should do.
    pub kind: ErrorKind,
    /// A stable name of the reason: `batch_too_large`, `ratio_exceeded`, `invalid_encoding`, or
    /// for OTLP also `invalid_json`, `invalid_protobuf` and `event_too_large`.
    pub code: &'static str,
    /// The reason in words.
    pub detail: String,
}

impl Error {
    pub(crate) fn invalid(code: &'static str, detail: String) -> Self {
        Self { kind: ErrorKind::Invalid, code, detail: shortened(detail) }
    }

    pub(crate) fn too_large(code: &'static str, detail: String) -> Self {
        Self { kind: ErrorKind::TooLarge, code, detail: shortened(detail) }
    }
}

fn shortened(mut detail: String) -> String {
    if detail.len() > DETAIL_BYTES_MAX {
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        detail.push('…');
    }
    detail
}

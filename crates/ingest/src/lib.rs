//! From bytes to a [`Batch`]: decoding, and finding each event's time, message and severity.
//!
//! This room never waits, never reads a clock or a disk, and never knows who sends.

use ledgerline_model::batch::Batch;
use ledgerline_model::convention::Conventions;
use ledgerline_model::time::Timestamp;

/// How a body is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON array of objects, one object, or objects one after the other (NDJSON): told apart by
    /// the first bytes.
    Json,
    /// A line of text an event; the whole line is the message.
    Text,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// What all events of a request have in common.
#[derive(Debug, Clone)]
pub struct Reception {
    /// When they were received.
    pub received: Timestamp,
    /// Which keys mean what.
    pub conventions: Conventions,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its line in the body, or its number in the array, counted from 1.
    pub line: u64,
    /// A stable name of the reason, such as `invalid_json`.
    pub code: &'static str,
    /// The reason in words.
    pub detail: String,
}

/// The decoded body.
#[derive(Debug)]
pub struct Admitted {
    /// The events that were taken.
    pub batch: Batch,
    /// How many were not.
    pub rejected: u64,
    /// The first `limits::REJECTS_NAMED_MAX` of those.
    pub rejects: Vec<Reject>,
    /// SHA-256 over the decompressed body.
    pub digest: [u8; 32],
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
    /// A stable name of the reason, such as `batch_too_large`.
    pub code: &'static str,
    /// The reason in words.
    pub detail: String,
}

/// Takes a body piece by piece and never holds the whole of it.
#[derive(Debug)]
pub struct Admission {}

impl Admission {
    /// Begins a body.
    #[must_use]
    pub fn new(format: Format, encoding: Encoding, reception: Reception) -> Self {
        let _ = (format, encoding, reception);
        todo!()
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When the whole body is refused.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        let _ = piece;
        todo!()
    }

    /// About how many bytes of memory the events take that were read so far.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        todo!()
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When the whole body is refused.
    pub fn finish(self) -> Result<Admitted, Error> {
        todo!()
    }
}

/// The layout of an OTLP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpFormat {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Decodes a whole OTLP `ExportLogsServiceRequest`, already decompressed (see [`decompress`]).
///
/// # Errors
/// When the body is malformed or a limit is exceeded.
pub fn admit_otlp(
    body: &[u8],
    format: OtlpFormat,
    reception: &Reception,
) -> Result<Admitted, Error> {
    let _ = (body, format, reception);
    todo!()
}

/// Decompresses a whole body within the limits.
///
/// # Errors
/// When it is malformed or a limit is exceeded.
pub fn decompress(body: &[u8], encoding: Encoding) -> Result<Vec<u8>, Error> {
    let _ = (body, encoding);
    todo!()
}

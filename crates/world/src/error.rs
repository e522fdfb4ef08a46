//! What can go wrong outside, and what the caller can do about it.

use std::borrow::Cow;
use std::io;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for does not exist.
    NotFound,
    /// Another process holds the data folder.
    Busy,
    /// The disk refused; try again later.
    Unavailable,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A path or a file that cannot be meant.
    Invalid,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: Cow<'static, str>,
    #[source]
    source: Option<io::Error>,
}

/// The result of this room's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the disk has no room left.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        self.source.as_ref().is_some_and(|source| full.contains(&source.kind()))
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// An error of the disk about a file.
    pub(crate) fn io(path: &std::path::Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Unavailable,
        };
        Self { kind, what: path.display().to_string().into(), source: Some(source) }
    }
}

//! What can go wrong here, and what the caller can do about it.

use ledgerline_world::BlobPath;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too much is waiting; nothing was stored; try again later.
    Busy,
    /// The disk is nearly full; nothing was stored; try again later.
    DiskFull,
    /// Another request with the same key is on its way; try again later.
    InFlight,
    /// The same idempotency key came with other contents.
    Conflict,
    /// The disk failed: whether the events are stored is not known, and the process must end.
    Unknown,
    /// Stored bytes are not what was written; the error names the file and the place.
    Corrupt,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: String,
    #[source]
    source: Option<ledgerline_world::Error>,
}

/// The result of this room's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// Bytes of a file that are not what was written there.
    pub(crate) fn corrupt(path: &BlobPath, offset: u64, what: &str) -> Self {
        Self::new(ErrorKind::Corrupt, format!("{path} at byte {offset}: {what}"))
    }

    /// An error of the disk, while nothing that was acknowledged is at stake.
    pub(crate) fn disk(what: impl Into<String>, source: ledgerline_world::Error) -> Self {
        let kind = match source.kind() {
            _ if source.is_disk_full() => ErrorKind::DiskFull,
            ledgerline_world::ErrorKind::Corrupt => ErrorKind::Corrupt,
            ledgerline_world::ErrorKind::Unavailable => ErrorKind::Busy,
            _ => ErrorKind::Bug,
        };
        Self { kind, what: what.into(), source: Some(source) }
    }
}

//! What can go wrong in this room, and what the caller can do about it.

use std::borrow::Cow;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for does not exist.
    NotFound,
    /// Too much is waiting; try again later.
    Busy,
    /// The disk or another means is missing just now; try again later.
    Unavailable,
    /// The disk failed: whether the change was made is not known, and the process must end.
    Unknown,
    /// Stored bytes are not what was written: they are named, and nothing made of them is served.
    Corrupt,
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
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of this room's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    pub(crate) fn corrupt(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Corrupt, what)
    }

    pub(crate) fn bug(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Bug, what)
    }

    pub(crate) fn compress(source: std::io::Error) -> Self {
        Self {
            kind: ErrorKind::Bug,
            what: "the compressor refused".into(),
            source: Some(Box::new(source)),
        }
    }

    /// The same error, in which what should exist does not.
    pub(crate) fn or_missing(mut self) -> Self {
        if self.kind == ErrorKind::NotFound {
            self.kind = ErrorKind::Corrupt;
        }
        self
    }

    /// The same error, with the object that it is about.
    pub(crate) fn about(mut self, object: impl std::fmt::Display) -> Self {
        self.what = format!("{object}: {}", self.what).into();
        self
    }

    /// An error of the disk.
    pub(crate) fn disk(what: &'static str, source: std::io::Error) -> Self {
        Self::caused(ErrorKind::Unavailable, what, source)
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        what: impl Into<Cow<'static, str>>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { kind, what: what.into(), source: Some(Box::new(source)) }
    }
}

impl From<ledgerline_world::Error> for Error {
    fn from(error: ledgerline_world::Error) -> Self {
        use ledgerline_world::ErrorKind as World;
        let kind = match error.kind() {
            World::NotFound => ErrorKind::NotFound,
            World::Busy => ErrorKind::Busy,
            World::Unavailable => ErrorKind::Unavailable,
            World::Corrupt => ErrorKind::Corrupt,
            World::Invalid | World::Bug => ErrorKind::Bug,
        };
        Self::caused(kind, "a sealed object", error)
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

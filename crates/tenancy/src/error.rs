//! What can go wrong with the records, and what the caller can do about it.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::ErrorCode;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such record, or it may not be seen.
    NotFound,
    /// The credential is wrong, expired, revoked or malformed; which of them is not told.
    Unauthenticated,
    /// The scope does not allow it.
    Denied,
    /// The input is invalid; the error says which field and why.
    Invalid,
    /// There is such a record already.
    Conflict,
    /// Too many attempts; try again later.
    Busy,
    /// The database cannot be written or read just now.
    Unavailable,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room. Its text names no secret, no address and nothing that a tenant wrote.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: Cow<'static, str>,
    field: Option<&'static str>,
    retry_after: Option<Duration>,
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

    /// The field of the input that is invalid or taken, such as `password`.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// After how long to try again, of an error that says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, what: what.into(), field: None, retry_after: None, source: None }
    }

    pub(crate) fn invalid(field: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), ..Self::new(ErrorKind::Invalid, what) }
    }

    pub(crate) fn conflict(field: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), ..Self::new(ErrorKind::Conflict, what) }
    }

    pub(crate) fn busy(retry_after: Duration) -> Self {
        let what = "too many attempts";
        Self { retry_after: Some(retry_after), ..Self::new(ErrorKind::Busy, what) }
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new(ErrorKind::NotFound, what)
    }

    pub(crate) fn corrupt(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Corrupt, what)
    }

    /// The one answer to every credential that is not good.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(ErrorKind::Unauthenticated, "the credential is not valid")
    }

    pub(crate) fn denied() -> Self {
        Self::new(ErrorKind::Denied, "not allowed")
    }

    /// The error and what caused it, on one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    pub(crate) fn with_source(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The same error, with whose records it is about.
    pub(crate) fn about(mut self, whose: impl std::fmt::Display) -> Self {
        self.what = format!("{whose}: {}", self.what).into();
        self
    }
}

/// An error of the database about a statement of ours, whose text holds no values.
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sql;
        let (kind, what) = match &error {
            Sql::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    (ErrorKind::Corrupt, "the database is damaged")
                }
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure => {
                    (ErrorKind::Unavailable, "the database is not available")
                }
                _ => (ErrorKind::Bug, "the database refused a statement"),
            },
            Sql::FromSqlConversionFailure(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::InvalidColumnType(..)
            | Sql::Utf8Error(..) => (ErrorKind::Corrupt, "a record is not what was written"),
            _ => (ErrorKind::Bug, "the database refused a statement"),
        };
        Self::new(kind, what).with_source(error)
    }
}

/// An error of the world: of the disk, or of bytes that do not open.
impl From<ledgerline_world::Error> for Error {
    fn from(error: ledgerline_world::Error) -> Self {
        use ledgerline_world::ErrorKind as World;
        let (kind, what) = match error.kind() {
            World::Corrupt => (ErrorKind::Corrupt, "a sealed record does not open"),
            World::NotFound | World::Busy | World::Unavailable => {
                (ErrorKind::Unavailable, "the data folder is not available")
            }
            World::Invalid | World::Bug => (ErrorKind::Bug, "the data folder refused"),
        };
        Self::new(kind, what).with_source(error)
    }
}

/// Whether a statement failed because a value that must be unique is there already.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
            || failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
}

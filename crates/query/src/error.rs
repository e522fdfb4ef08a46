//! What can go wrong with a question, and what the caller can do about it.

use std::ops::Range;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no query; [`Error::span`] says where.
    Syntax,
    /// It is a query, but one that means nothing here, such as a sum over an unknown function.
    Invalid,
    /// It exceeds a limit, which the error names.
    TooBig,
    /// It names a dataset that does not exist.
    NotFound,
    /// It needed more memory than a query may take.
    Memory,
    /// It took longer than a query may take.
    Timeout,
    /// Whoever asked went away.
    Cancelled,
    /// Stored bytes are not what was written.
    Corrupt,
    /// The disk is missing just now.
    Unavailable,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: String,
    span: Option<Range<usize>>,
    hint: Option<String>,
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

    /// The bytes of the query's text that are at fault.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// What may have been meant.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// There is no such dataset, or whoever asks may not see it.
    #[must_use]
    pub fn no_dataset(name: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("there is no dataset {name}"))
    }

    /// What is needed to open a dataset is missing just now.
    pub fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::caused(ErrorKind::Unavailable, "the dataset cannot be opened", source)
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), span: None, hint: None, source: None }
    }

    /// The same error once more, without its source, for where only a borrow of it is left.
    pub(crate) fn again(&self) -> Self {
        let (span, hint) = (self.span.clone(), self.hint.clone());
        Self { kind: self.kind, what: self.what.clone(), span, hint, source: None }
    }

    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    pub(crate) fn hinting(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        what: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { source: Some(Box::new(source)), ..Self::new(kind, what) }
    }
}

impl From<ledgerline_store::error::Error> for Error {
    fn from(error: ledgerline_store::error::Error) -> Self {
        use ledgerline_store::error::ErrorKind as Store;
        let kind = match error.kind() {
            Store::NotFound | Store::Busy | Store::Unavailable | Store::Unknown => {
                ErrorKind::Unavailable
            }
            Store::Corrupt => ErrorKind::Corrupt,
            Store::Bug => ErrorKind::Bug,
        };
        Self::caused(kind, "the events cannot be read", error)
    }
}

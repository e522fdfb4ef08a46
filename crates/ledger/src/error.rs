//! What can be wrong with what was handed in, by what a verifier should answer.

use std::borrow::Cow;

/// What is wrong, as coarse as the exit codes of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A signature does not hold, or those that hold do not satisfy the policy.
    Signature,
    /// A commitment or a proof does not fit: this is not what the log holds.
    NotIncluded,
    /// Two trees of one log contradict each other.
    Inconsistent,
    /// Something that is needed for the claim is missing.
    Incomplete,
    /// Bytes that are not of the format.
    Malformed,
    /// The hashes to compute from could not be read; nothing is known about them.
    Unavailable,
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
    /// An error of this kind. The text is a lower-case fragment without a full stop.
    #[must_use]
    pub fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// What a reader of hashes answers when it cannot read.
    #[must_use]
    pub fn unavailable(
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind: ErrorKind::Unavailable, what: what.into(), source: Some(source.into()) }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The code that a verifier exits with: 2 signature or policy, 3 not included, 4 inconsistent,
    /// 6 incomplete, 64 for input that cannot be used.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Signature => 2,
            ErrorKind::NotIncluded => 3,
            ErrorKind::Inconsistent => 4,
            ErrorKind::Incomplete => 6,
            ErrorKind::Malformed | ErrorKind::Unavailable => 64,
        }
    }

    /// The same error, with what it is about.
    #[must_use]
    pub fn about(mut self, subject: impl std::fmt::Display) -> Self {
        self.what = format!("{subject}: {}", self.what).into();
        self
    }

    pub(crate) fn signature(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Signature, what)
    }

    pub(crate) fn not_included(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotIncluded, what)
    }

    pub(crate) fn inconsistent(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Inconsistent, what)
    }

    pub(crate) fn malformed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Malformed, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_exit_codes_and_keep_their_cause() {
        let codes = [
            (ErrorKind::Signature, 2),
            (ErrorKind::NotIncluded, 3),
            (ErrorKind::Inconsistent, 4),
            (ErrorKind::Incomplete, 6),
            (ErrorKind::Malformed, 64),
            (ErrorKind::Unavailable, 64),
        ];
        for (kind, code) in codes {
            let error = Error::new(kind, "it is so").about("line 3");
            assert_eq!((error.kind(), error.exit_code()), (kind, code));
            assert_eq!(error.to_string(), "line 3: it is so");
        }
        let error = Error::unavailable("tile/0/000", "the disk is gone");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let cause = std::error::Error::source(&error).expect("it has a cause");
        assert_eq!(cause.to_string(), "the disk is gone");
    }
}

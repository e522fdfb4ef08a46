//! What a check ends with.

use ledgerline_ledger::{Error, ErrorKind};

/// What a check ends with: a code for programs and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code: 0 sound, 2 signature or policy, 3 not included, 4 inconsistent, 5 included
    /// and erased, 6 incomplete, 64 input that cannot be used.
    pub code: u8,
    /// What was found, in lines.
    pub text: String,
}

impl Outcome {
    /// Everything holds, and every payload is there.
    pub(crate) fn sound(text: String) -> Self {
        Self { code: 0, text }
    }

    /// Everything holds, and the payload was erased or retired.
    pub(crate) fn erased(text: String) -> Self {
        Self { code: 5, text }
    }

    /// Input that cannot be used at all.
    pub(crate) fn unusable(what: impl std::fmt::Display) -> Self {
        Self { code: 64, text: format!("UNUSABLE INPUT\n{what}\n") }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let verdict = match error.kind() {
            ErrorKind::Signature => "NOT TRUSTED",
            ErrorKind::NotIncluded => "NOT INCLUDED",
            ErrorKind::Inconsistent => "INCONSISTENT",
            ErrorKind::Incomplete => "INCOMPLETE",
            ErrorKind::Malformed | ErrorKind::Unavailable => "UNUSABLE INPUT",
        };
        Self { code: error.exit_code(), text: format!("{verdict}\n{error}\n") }
    }
}

impl From<Result<Outcome, Error>> for Outcome {
    fn from(result: Result<Outcome, Error>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

//! What a dataset holds.

use std::fmt;
use std::str::FromStr;

/// What a dataset holds, from its first event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum DatasetKind {
    /// Events of any form.
    #[default]
    Logs,
    /// Audit events: of one form, numbered without gaps, each an entry of the dataset's ledger.
    Audit,
}

/// A text that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the kind of a dataset is logs or audit")]
pub struct DatasetKindError;

impl DatasetKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Logs, Self::Audit];

    /// The kind's name, as stored and as on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for DatasetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DatasetKind {
    type Err = DatasetKindError;

    fn from_str(text: &str) -> Result<Self, DatasetKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(DatasetKindError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_its_name() {
        for kind in DatasetKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("Audit".parse::<DatasetKind>(), Err(DatasetKindError));
    }
}

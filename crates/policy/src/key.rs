//! The scopes of an API key, as text: `ingest:*`, `ingest:logs:*`, `ingest:logs:<dataset>`,
//! `ingest:audit:*`, `ingest:audit:<dataset>`, `query:*`, `query:<dataset>` and `admin:*`.

use std::fmt;
use std::str::FromStr;

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::DatasetName;

use crate::action::{Action, Role};

/// Which datasets a key scope reaches. Reserved datasets are never among them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every dataset that is not reserved.
    Every,
    /// This one.
    One(DatasetName),
}

impl Reach {
    /// Whether the dataset is within reach.
    #[must_use]
    pub fn covers(&self, dataset: &DatasetName) -> bool {
        match self {
            Self::Every => !dataset.is_reserved(),
            Self::One(one) => one == dataset,
        }
    }
}

/// One thing that an API key may do. A key has a list of them, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// `ingest:*`: append events of every kind to every dataset, and read nothing.
    Ingest,
    /// `ingest:logs:*` or `ingest:logs:<dataset>`: append logs, and read nothing.
    IngestLogs(Reach),
    /// `ingest:audit:*` or `ingest:audit:<dataset>`: append audit events, and read nothing.
    IngestAudit(Reach),
    /// `query:*` or `query:<dataset>`: read events, and append nothing.
    Query(Reach),
    /// `admin:*`: all that an admin may do. It could make itself a key for anything, so nothing
    /// would be gained by withholding events from it.
    Admin,
}

/// A text that is no key scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key scope is one of ingest:*, ingest:logs:*, ingest:logs:<dataset>, ingest:audit:*, \
     ingest:audit:<dataset>, query:*, query:<dataset> and admin:*, and a dataset that it names is not reserved"
)]
pub struct KeyScopeError;

impl KeyScope {
    /// Whether the scope lets its key append events of a kind to the dataset.
    pub(crate) fn appends(&self, dataset: &DatasetName, kind: DatasetKind) -> bool {
        match self {
            Self::Ingest | Self::Admin => !dataset.is_reserved(),
            Self::IngestLogs(reach) => {
                kind == DatasetKind::Logs && !dataset.is_reserved() && reach.covers(dataset)
            }
            Self::IngestAudit(reach) => {
                kind == DatasetKind::Audit && !dataset.is_reserved() && reach.covers(dataset)
            }
            Self::Query(_) => false,
        }
    }

    /// Whether the scope lets its key read the dataset.
    pub(crate) fn reads(&self, dataset: &DatasetName) -> bool {
        match self {
            Self::Admin => true,
            Self::Query(reach) => reach.covers(dataset),
            Self::Ingest | Self::IngestLogs(_) | Self::IngestAudit(_) => false,
        }
    }

    /// Whether the scope has the action on anything at all.
    pub(crate) fn has(&self, action: Action) -> bool {
        match self {
            Self::Ingest | Self::IngestLogs(_) | Self::IngestAudit(_) => action == Action::Append,
            Self::Query(_) => matches!(action, Action::Read | Action::ListDatasets),
            Self::Admin => Role::Admin.has(action),
        }
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingest => f.write_str("ingest:*"),
            Self::IngestLogs(Reach::Every) => f.write_str("ingest:logs:*"),
            Self::IngestLogs(Reach::One(dataset)) => write!(f, "ingest:logs:{dataset}"),
            Self::IngestAudit(Reach::Every) => f.write_str("ingest:audit:*"),
            Self::IngestAudit(Reach::One(dataset)) => write!(f, "ingest:audit:{dataset}"),
            Self::Query(Reach::Every) => f.write_str("query:*"),
            Self::Query(Reach::One(dataset)) => write!(f, "query:{dataset}"),
            Self::Admin => f.write_str("admin:*"),
        }
    }
}

impl FromStr for KeyScope {
    type Err = KeyScopeError;

    fn from_str(text: &str) -> Result<Self, KeyScopeError> {
        let reach = |text: &str| match text {
            "*" => Ok(Reach::Every),
            name => match name.parse::<DatasetName>() {
                Ok(dataset) if !dataset.is_reserved() => Ok(Reach::One(dataset)),
                _ => Err(KeyScopeError),
            },
        };
        match text {
            "ingest:*" => return Ok(Self::Ingest),
            "admin:*" => return Ok(Self::Admin),
            _ => {}
        }
        if let Some(dataset) = text.strip_prefix("ingest:logs:") {
            Ok(Self::IngestLogs(reach(dataset)?))
        } else if let Some(dataset) = text.strip_prefix("ingest:audit:") {
            Ok(Self::IngestAudit(reach(dataset)?))
        } else if let Some(dataset) = text.strip_prefix("query:") {
            Ok(Self::Query(reach(dataset)?))
        } else {
            Err(KeyScopeError)
        }
    }
}

//! Conventions: which of an event's keys is its time, its message and its severity. `ingest` reads
//! times and severities by them, `query` finds the message by them, so both follow one list.

/// Keys that hold the time of an event, the best first.
pub const TIME_KEYS: &[&str] = &[
    "@timestamp",
    "_time",
    "timestamp",
    "time",
    "ts",
    "eventTime",
    "event_time",
    "occurred_at",
    "created_at",
    "datetime",
    "date",
    "Timestamp",
    "TimeCreated",
    "EventTime",
    "__REALTIME_TIMESTAMP",
];

/// Keys that hold the message of an event, the best first.
pub const MESSAGE_KEYS: &[&str] =
    &["message", "msg", "Message", "log", "body", "MESSAGE", "_message", "text"];

/// Keys that hold the severity of an event, the best first.
pub const SEVERITY_KEYS: &[&str] = &[
    "severity",
    "Severity",
    "level",
    "Level",
    "log.level",
    "severity_text",
    "SeverityText",
    "loglevel",
    "lvl",
    "PRIORITY",
    "SeverityValue",
];

/// The key that holds the id that a sender gave to an event.
pub const ID_KEY: &str = "_id";

/// How the keys begin under which the evidence of audit events is kept beside their fields. No
/// sender may use such a key, and no reader sees one. Its character is the last that there is, so
/// that these columns come after all others.
pub const EVIDENCE_PREFIX: char = '\u{10FFFF}';

/// The key of an event's payload: the exact bytes that the ledger commits to.
pub const PAYLOAD_KEY: &str = "\u{10FFFF}payload";

/// The key of the salt of that commitment, in base64.
pub const SALT_KEY: &str = "\u{10FFFF}salt";

/// Whether a key is one of evidence.
#[must_use]
pub fn is_evidence(key: &str) -> bool {
    key.starts_with(EVIDENCE_PREFIX)
}

/// Which keys of one dataset's events mean what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conventions {
    /// Keys that hold the time, the first that an event has is taken.
    pub time: Vec<String>,
    /// Keys that hold the message, likewise.
    pub message: Vec<String>,
    /// Keys that hold the severity, likewise.
    pub severity: Vec<String>,
    /// The key that holds the id that a sender gave to an event.
    pub id: &'static str,
}

impl Default for Conventions {
    fn default() -> Self {
        Self::with(None, None, None)
    }
}

impl Conventions {
    /// The keys that a tenant set for a dataset, each before those that are usual.
    #[must_use]
    pub fn with(time: Option<&str>, message: Option<&str>, severity: Option<&str>) -> Self {
        let keys = |first: Option<&str>, usual: &[&str]| {
            let others = usual.iter().copied().filter(|key| Some(*key) != first);
            first.into_iter().chain(others).map(str::to_owned).collect()
        };
        Self {
            time: keys(time, TIME_KEYS),
            message: keys(message, MESSAGE_KEYS),
            severity: keys(severity, SEVERITY_KEYS),
            id: ID_KEY,
        }
    }

    /// The keys of audit events, whose form is fixed.
    #[must_use]
    pub fn audit() -> Self {
        let key = |key: &str| vec![key.to_owned()];
        Self {
            time: key("occurred_at"),
            message: key("message"),
            severity: key("severity"),
            id: "id",
        }
    }
}

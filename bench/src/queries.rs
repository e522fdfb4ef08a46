//! The thirteen questions.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A query with pipes.
    Analyse,
    /// The newest hundred events, with every field.
    Newest,
}

/// A question and its gate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// Its name, the same as in the script for ClickHouse.
    pub(crate) name: &'static str,
    /// The query.
    pub(crate) query: &'static str,
    /// What is asked for.
    pub(crate) ask: Ask,
    /// How long it may take when the data was read before, in milliseconds.
    pub(crate) gate_ms: Option<f64>,
}

const fn analyse(name: &'static str, query: &'static str, gate_ms: Option<f64>) -> Question {
    Question { name, query, ask: Ask::Analyse, gate_ms }
}

const fn newest(name: &'static str, query: &'static str, gate_ms: Option<f64>) -> Question {
    Question { name, query, ask: Ask::Newest, gate_ms }
}

/// All of them.
pub(crate) const QUESTIONS: [Question; 13] = [
    analyse("needle", r#""fddc55f3-b938-5f8f-4c00-000000000400" | stats count()"#, Some(25.0)),
    analyse("absent", "zzqxabsent | stats count()", Some(25.0)),
    analyse("phrase", r#""Network connection detected" | stats count()"#, None),
    analyse("substring", "_message:*mimikatz* | stats count()", Some(200.0)),
    analyse("equal", "Channel:Security EventID:4624 | stats count()", Some(25.0)),
    newest("latest", "*", Some(50.0)),
    newest("latest-where", "EventID:4688", None),
    analyse("by-channel", "* | stats count() by Channel", Some(25.0)),
    analyse("by-event", "* | stats count() as n by EventID | sort -n | limit 10", Some(25.0)),
    analyse("top-high", "* | stats count() as n by ProcessGuid | sort -n | limit 10", None),
    analyse("distinct", "* | stats distinct(Image)", Some(25.0)),
    analyse("by-day", "* | stats count() by 1d", Some(25.0)),
    analyse("word-by-day", "powershell | stats count() by 1d, Hostname", None),
];

//! Reading severities from fields and from lines of text.

use ledgerline_model::batch::Field;
use ledgerline_model::severity::Severity;

/// How far into a line, behind its time, a severity is looked for.
const WINDOW_BYTES: usize = 64;
/// What libraries write bare; anything else must stand in brackets to be told from prose.
const BARE: [&str; 12] = [
    "TRACE",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARN",
    "WARNING",
    "ERROR",
    "SEVERE",
    "CRITICAL",
    "ALERT",
    "FATAL",
    "EMERGENCY",
];

/// What a key's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Nothing: libraries do not agree on what `"level": 30` is.
    Unknown,
    /// OpenTelemetry `SeverityNumber`, 1 to 24.
    OpenTelemetry,
    /// Syslog and journald, 0 (emergency) to 7 (debug).
    Syslog,
}

impl Numbers {
    /// What the numbers of a key mean, by its name.
    pub(crate) fn of_key(key: &str) -> Self {
        let last = key.rsplit('.').next().unwrap_or(key);
        let is = |names: [&str; 2]| names.iter().any(|name| last.eq_ignore_ascii_case(name));
        if is(["severity_number", "severitynumber"]) {
            Self::OpenTelemetry
        } else if is(["priority", "syslog_severity"]) {
            Self::Syslog
        } else {
            Self::Unknown
        }
    }

    fn severity(self, number: i64) -> Option<Severity> {
        match self {
            Self::Unknown => None,
            Self::OpenTelemetry => {
                let number = u8::try_from(number).ok().filter(|number| *number > 0)?;
                Severity::from_number(number)
            }
            Self::Syslog => of_syslog(u8::try_from(number).ok()?),
        }
    }
}

/// The severity that a field's value is.
pub(crate) fn of_field(field: Field<'_>, numbers: Numbers) -> Option<Severity> {
    match field {
        Field::Str(text) => Severity::from_text(text).or_else(|| {
            (numbers != Numbers::Unknown).then(|| numbers.severity(text.trim().parse().ok()?))?
        }),
        Field::I64(number) => numbers.severity(number),
        Field::F64(_) | Field::Bool(_) | Field::Json(_) => None,
    }
}

/// Source: RFC 5424, table 2; OpenTelemetry log data model, appendix B.
pub(crate) fn of_syslog(number: u8) -> Option<Severity> {
    let number = match number {
        0 => 21,
        1 => 19,
        2 => 18,
        3 => 17,
        4 => 13,
        5 => 10,
        6 => 9,
        7 => 5,
        _ => return None,
    };
    Severity::from_number(number)
}

/// The severity that stands near the start of a text: a word in capitals such as `INFO`, or a word
/// in brackets such as `[error]`.
pub(crate) fn near_start(text: &str) -> Option<Severity> {
    let bytes = text.as_bytes();
    let window = &bytes[..bytes.len().min(WINDOW_BYTES)];
    let mut at = 0;
    while at < window.len() {
        if !window[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = bytes[at..].iter().take_while(is_part).count();
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + length).copied();
        if let Some(severity) = of_word(&text[at..at + length], before, after) {
            return Some(severity);
        }
        at += length;
    }
    None
}

fn of_word(word: &str, before: Option<u8>, after: Option<u8>) -> Option<Severity> {
    // A digit, a `_` or a letter beyond ASCII before it makes it the end of another word.
    let is_cut = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    let is_bracketed = before == Some(b'[') && after == Some(b']') && word.len() > 1;
    if (is_bracketed || BARE.contains(&word)) && !is_cut {
        return Severity::from_text(word);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_only_under_keys_that_say_what_they_mean() {
        for (key, field, number) in [
            ("level", Field::I64(30), None),
            ("level", Field::Str("warn"), Some(13)),
            ("SeverityValue", Field::I64(2), None),
            ("severity_number", Field::I64(17), Some(17)),
            ("severity_number", Field::I64(0), None),
            ("severity_number", Field::I64(25), None),
            ("log.SeverityNumber", Field::Str(" 9 "), Some(9)),
            ("PRIORITY", Field::I64(3), Some(17)),
            ("PRIORITY", Field::Str("6"), Some(9)),
            ("PRIORITY", Field::I64(8), None),
            ("PRIORITY", Field::I64(-1), None),
            ("PRIORITY", Field::Bool(true), None),
        ] {
            let severity = of_field(field, Numbers::of_key(key)).map(Severity::number);
            assert_eq!(severity, number, "{key} {field:?}");
        }
    }

    #[test]
    fn a_line_has_the_severity_that_stands_near_its_start() {
        for (line, number) in [
            (" 148 INFO dfs.DataNode: PacketResponder", Some(9)),
            (" - WARN  [SendWorker:1] - left", Some(13)),
            (" [notice] workerEnv.init() ok", Some(10)),
            (" [error] mod_jk child", Some(17)),
            (" - app.main - CRITICAL - out of disk", Some(18)),
            (" combo sshd: check pass; error while reading", None),
            (" INFORMATION", None),
            (" MY_INFO", None),
            (" 1INFO éINFO", None),
            (" [e]", None),
            ("", None),
        ] {
            assert_eq!(near_start(line).map(Severity::number), number, "{line}");
        }
    }
}

//! Severity: the OpenTelemetry severity number and its short names.

/// OpenTelemetry `SeverityNumber`, 1 (TRACE) to 24 (FATAL4); 0 is "not given".
/// Source: OpenTelemetry log data model, "Field: SeverityNumber".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Severity(u8);

impl Severity {
    /// Not given.
    pub const UNSPECIFIED: Self = Self(0);
    /// TRACE.
    pub const TRACE: Self = Self(1);
    /// DEBUG.
    pub const DEBUG: Self = Self(5);
    /// INFO.
    pub const INFO: Self = Self(9);
    /// WARN.
    pub const WARN: Self = Self(13);
    /// ERROR.
    pub const ERROR: Self = Self(17);
    /// FATAL.
    pub const FATAL: Self = Self(21);

    /// The severity with this number, if it is one of 0 to 24.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number <= 24).then_some(Self(number))
    }

    /// The number, 0 to 24.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The name of its range: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`, or nothing when
    /// it was not given.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "",
            1..=4 => "TRACE",
            5..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            _ => "FATAL",
        }
    }

    /// Reads the words that logging libraries, syslog and Windows write, in any letter case.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let is = |words: &[&str]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        Some(match () {
            () if is(&["trace", "finest", "finer", "verbose", "trc"]) => Self::TRACE,
            () if is(&["debug", "dbg", "fine", "d"]) => Self::DEBUG,
            () if is(&["info", "information", "informational", "inf", "i", "audit_success"]) => {
                Self::INFO
            }
            () if is(&["notice", "note"]) => Self(10),
            () if is(&["warn", "warning", "wrn", "w", "audit_failure"]) => Self::WARN,
            () if is(&["error", "err", "severe", "e"]) => Self::ERROR,
            () if is(&["critical", "crit", "alert"]) => Self(18),
            () if is(&["fatal", "emergency", "emerg", "panic", "f"]) => Self::FATAL,
            () => return None,
        })
    }
}

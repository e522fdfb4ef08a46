//! What a command ends with: an exit code, or an error and what to do about it.

use std::io::{self, Write};

/// The exit code of a command that ran.
pub(crate) type Outcome = u8;

/// Everything that was asked for is done.
pub(crate) const DONE: u8 = 0;
/// It is not done, or not wholly.
pub(crate) const FAILED: u8 = 1;
/// The command line is not understood.
pub(crate) const USAGE: u8 = 2;
/// A check ran and found something.
pub(crate) const FINDINGS: u8 = 3;
/// Ctrl-C, as shells count it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command could not do what was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    context: Option<String>,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// A failure in words: a lower-case fragment.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), context: None, hint: None, code: FAILED }
    }

    /// A failure with its causes behind it.
    pub(crate) fn caused(message: &str, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = format!("{message}: {cause}");
        let mut next = cause.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            next = cause.source();
        }
        Self::new(text)
    }

    /// Nobody reads the output any more, as after `| head`: not worth a word.
    pub(crate) fn unread() -> Self {
        Self { code: DONE, ..Self::new("") }
    }

    /// What the person can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Another exit code than [`FAILED`].
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Lines to show between the message and the hint, such as the query and a caret under it.
    pub(crate) fn context(mut self, context: String) -> Self {
        self.context = Some(context);
        self
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// What went wrong, without the hint.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The whole text, as it is printed.
    pub(crate) fn text(&self) -> String {
        if self.message.is_empty() {
            return String::new();
        }
        let mut text = format!("error: {}\n", self.message);
        if let Some(context) = &self.context {
            text.push_str(context);
            text.push('\n');
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }

    /// Prints it to standard error, as far as that can be written.
    pub(crate) fn print(&self) {
        drop(io::stderr().lock().write_all(self.text().as_bytes()));
    }
}

impl From<io::Error> for Failure {
    /// For standard output alone: other files are opened with a message of their own.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::unread();
        }
        Self::caused("standard output cannot be written", &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_error_context_hint() {
        let failure = Failure::new("the query is wrong").context("a:\n ^".into()).hint("quote it");
        assert_eq!(failure.text(), "error: the query is wrong\na:\n ^\nhint: quote it\n");
        assert_eq!(failure.code(), FAILED);
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.text().as_str(), failure.code()), ("", DONE));
    }

    #[test]
    fn causes_are_told_once() {
        let failure = Failure::caused("a.log cannot be read", &io::Error::other("no such disk"));
        assert_eq!(failure.message(), "a.log cannot be read: no such disk");
    }
}

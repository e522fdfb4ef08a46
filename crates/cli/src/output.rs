//! Standard output and the colours on it.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use crate::failure::Failure;

/// Standard output, locked and buffered. A closed pipe ends the command quietly.
#[derive(Debug)]
pub(crate) struct Output {
    writer: BufWriter<StdoutLock<'static>>,
    /// Whether a person reads along.
    pub(crate) is_terminal: bool,
}

impl Output {
    /// Locks standard output.
    pub(crate) fn open() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self { writer: BufWriter::with_capacity(64 << 10, stdout.lock()), is_terminal }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        Ok(writeln!(self.writer, "{line}")?)
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.writer.flush()?)
    }

    /// The colours that suit: none in a pipe or under `NO_COLOR`.
    pub(crate) fn palette(&self) -> Palette {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Palette { is_coloured: self.is_terminal && !forbidden }
    }
}

/// Writes a line to standard error, as far as that can be written.
pub(crate) fn note(line: impl Display) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Whether standard error is a terminal.
pub(crate) fn notes_are_seen() -> bool {
    io::stderr().is_terminal()
}

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Less important than its surroundings.
    Dim,
    /// A name.
    Cyan,
    /// All is well.
    Green,
    /// Look here.
    Yellow,
    /// Something is wrong.
    Red,
}

/// The colours of one output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    is_coloured: bool,
}

impl Palette {
    /// A palette with or without colours.
    #[cfg(test)]
    pub(crate) fn new(is_coloured: bool) -> Self {
        Self { is_coloured }
    }

    /// The text in a colour.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Dim => "2",
            Colour::Cyan => "36",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Red => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(Palette::new(false).paint(Colour::Red, "x"), "x");
        assert_eq!(Palette::new(true).paint(Colour::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Palette::new(true).paint(Colour::Red, ""), "");
    }
}

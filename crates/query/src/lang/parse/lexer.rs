//! Characters to words, quoted texts and regular expressions. What a character means depends on
//! where it stands, so the parser asks for what it expects instead of reading a list of tokens.

use std::ops::Range;

use ledgerline_model::limits::{QUERY_BYTES_MAX, QUERY_TOKENS_MAX, REGEX_BYTES_MAX};

use super::{syntax, too_big};
use crate::error::Result;
use crate::lang::pattern::{Part, Pattern};

/// Where a word stands, which decides what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A word to look for, or the name of a field.
    Term,
    /// The value of a field.
    Value,
    /// An end of a range.
    Bound,
    /// A name in a pipe.
    Name,
}

impl Place {
    pub(super) fn ends_at(self, c: char) -> bool {
        c.is_whitespace()
            || c == '"'
            || match self {
                Self::Term => matches!(c, '(' | ')' | '|' | ':' | '=' | '<' | '>'),
                Self::Value => matches!(c, '(' | ')' | '|'),
                Self::Bound => matches!(c, ']' | '}'),
                Self::Name => matches!(c, '(' | ')' | '|' | ':' | '=' | '<' | '>' | ','),
            }
    }
}

/// Whether a backslash before this character takes its meaning away. Before any other character a
/// backslash is itself, so that `C:\Windows` can be written as it is.
pub(in crate::lang) fn is_escapable(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\\' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | ':' | '*' | '?' | '/' | '<'
        )
        || matches!(c, '>' | '=' | '~' | '-' | '!' | ',' | '+' | '&')
}

/// A word, perhaps with wildcards.
#[derive(Debug, Clone)]
pub(super) struct Word {
    parts: Vec<Part>,
    pub(super) span: Range<usize>,
}

/// What a [`Word`] is.
pub(super) enum Meaning {
    /// Plain text, never empty.
    Plain(String),
    /// `*`
    Everything,
    /// Text with wildcards.
    Wild(Pattern),
}

impl Word {
    pub(super) fn meaning(self) -> Meaning {
        if let [Part::Literal(text)] = self.parts.as_slice() {
            return Meaning::Plain(text.clone());
        }
        Pattern::new(self.parts).map_or(Meaning::Everything, Meaning::Wild)
    }
}

/// A regular expression as it stands between its slashes.
pub(super) struct Slashed {
    /// The text between the slashes.
    pub(super) pattern: String,
    /// Where all of it stands, slashes included.
    pub(super) span: Range<usize>,
}

/// Reads a text from its start to its end and counts what it reads.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(too_big("bytes", QUERY_BYTES_MAX));
        }
        Ok(Self { text, at: 0, tokens: 0 })
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Where the next character stands; at the end of the text, where one would stand.
    pub(super) fn here(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Goes back to a place that was read before.
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// Reads a sign, if it is there.
    pub(super) fn eat(&mut self, sign: &str) -> Result<bool> {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
            self.count()?;
        }
        Ok(found)
    }

    fn count(&mut self) -> Result<()> {
        self.tokens += 1;
        if self.tokens > QUERY_TOKENS_MAX {
            return Err(too_big("tokens", QUERY_TOKENS_MAX).at(self.here()));
        }
        Ok(())
    }

    /// Reads a word; none if what stands here begins none.
    pub(super) fn word(&mut self, place: Place) -> Result<Option<Word>> {
        let start = self.at;
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.peek() {
            if place.ends_at(c) {
                break;
            }
            let after = self.at + c.len_utf8();
            match (c, self.text[after..].chars().next()) {
                ('\\', None) => return Err(dangling_backslash(self.at)),
                ('\\', Some(escaped)) if is_escapable(escaped) => {
                    literal.push(escaped);
                    self.at = after + escaped.len_utf8();
                    continue;
                }
                ('*' | '?', _) => {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(if c == '*' { Part::Run } else { Part::One });
                }
                _ => literal.push(c),
            }
            self.at = after;
        }
        if self.at == start {
            return Ok(None);
        }
        parts.push(Part::Literal(literal));
        parts.retain(|part| !matches!(part, Part::Literal(text) if text.is_empty()));
        self.count()?;
        let is_wild = parts.iter().any(|part| !matches!(part, Part::Literal(_)));
        if is_wild && self.at - start > REGEX_BYTES_MAX {
            let limit = too_big("bytes for a word with wildcards", REGEX_BYTES_MAX);
            return Err(limit.at(start..self.at));
        }
        Ok(Some(Word { parts, span: start..self.at }))
    }

    /// Reads a text in quotes, of which the first stands here.
    pub(super) fn quoted(&mut self) -> Result<(String, Range<usize>)> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + offset + 1;
                    self.count()?;
                    return Ok((text, start..self.at));
                }
                '\\' => {
                    text.push(chars.next_if(|(_, c)| matches!(c, '"' | '\\')).map_or(c, |e| e.1))
                }
                _ => text.push(c),
            }
        }
        let hint = if self.rest().ends_with("\\\"") {
            "a backslash takes the meaning from the quote behind it: write `\\\\\"`"
        } else {
            "close the quote with `\"`; write `\\\"` for a quote inside"
        };
        Err(syntax("the quote is not closed", start..start + 1).hinting(hint))
    }

    /// Reads a regular expression, of which the first slash stands here.
    pub(super) fn slashed(&mut self) -> Result<Slashed> {
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '/' => {
                    self.at = start + offset + 1;
                    self.count()?;
                    let pattern = self.text[start + 1..start + offset].to_owned();
                    return Ok(Slashed { pattern, span: start..self.at });
                }
                _ => {}
            }
        }
        let word = self.stretch(start);
        Err(syntax("the regular expression is not closed", start..start + 1).hinting(format!(
            "close it with `/`, or, to look for a slash, put quotes around it: `\"{word}\"`"
        )))
    }

    /// What stands from a place up to the next space, as it is written: for hints.
    pub(super) fn stretch(&self, from: usize) -> &'a str {
        let rest = &self.text[from..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ')' | '|' | '"'));
        let stretch = &rest[..end.unwrap_or(rest.len())];
        let longest = stretch.char_indices().nth(40).map_or(stretch.len(), |(at, _)| at);
        &stretch[..longest]
    }
}

fn dangling_backslash(at: usize) -> crate::error::Error {
    syntax("nothing follows the backslash", at..at + 1)
        .hinting("to look for a backslash, write `\\\\`")
}

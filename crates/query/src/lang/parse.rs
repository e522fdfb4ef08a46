//! Text to tree.

mod aggregate;
mod lexer;
mod pipe;
mod search;
mod suggest;
#[cfg(test)]
mod tests;
mod value;

use std::ops::Range;

use ledgerline_model::limits::{KEY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_NODES_MAX};

use self::lexer::Lexer;
use self::search::Target;
use super::ast::{Query, Search};
use crate::error::{Error, ErrorKind, Result};

pub(super) use self::aggregate::{is_aggregate, is_function};
pub(super) use self::lexer::is_escapable;
pub(super) use self::pipe::starts_like_width;
#[cfg(test)]
pub(super) use self::value::is_empty;

/// Parses a query: a search, and pipes if there are any. An empty search finds every event.
///
/// # Errors
/// `Syntax` with the span that is wrong and mostly a hint; `Invalid`, likewise, where two
/// columns of an answer would have one name, a time is none, or a range is empty; `TooBig` at one
/// of the `QUERY_…` and `REGEX_…` limits of [`ledgerline_model::limits`].
pub fn parse(text: &str) -> Result<Query> {
    let mut parser = Parser::new(text)?;
    let search = parser.whole_search()?;
    let pipes = parser.pipes()?;
    match parser.lexer.peek() {
        None => Ok(Query { search, pipes }),
        Some(_) => Err(parser.stray()),
    }
}

/// Parses a search, where no pipes may follow.
///
/// # Errors
/// As [`parse`], and `Syntax` at a pipe.
pub fn parse_search(text: &str) -> Result<Search> {
    let mut parser = Parser::new(text)?;
    let search = parser.whole_search()?;
    match parser.lexer.peek() {
        None => Ok(search),
        Some('|') if !parser.lexer.rest().starts_with("||") => {
            let here = parser.lexer.here();
            Err(syntax("no pipe may follow a search here", here)
                .hinting("to look for the character, put it in quotes: `\"|\"`"))
        }
        Some(_) => Err(parser.stray()),
    }
}

/// Where the parsing is, and how much of the limits is used up.
#[derive(Debug)]
struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
    nodes: usize,
    regexes: usize,
    /// Columns of the latest `stats` that may be called by their function alone, and their names:
    /// `count` is short for `count()`.
    short_names: Vec<(String, String)>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self> {
        Ok(Self {
            lexer: Lexer::new(text)?,
            depth: 0,
            nodes: 0,
            regexes: 0,
            short_names: Vec::new(),
        })
    }

    /// The search up to the first pipe or the end.
    fn whole_search(&mut self) -> Result<Search> {
        self.lexer.skip_space();
        let is_empty = match self.lexer.peek() {
            None => true,
            Some('|') => !self.lexer.rest().starts_with("||"),
            Some(_) => false,
        };
        if is_empty { Ok(Search::All) } else { self.either(&Target::Text) }
    }

    /// Counts one more node of the tree.
    fn node(&mut self) -> Result<()> {
        self.nodes += 1;
        if self.nodes > QUERY_NODES_MAX {
            return Err(too_big("nodes", QUERY_NODES_MAX).at(self.lexer.here()));
        }
        Ok(())
    }

    /// Goes one parenthesis deeper.
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > QUERY_DEPTH_MAX {
            return Err(too_big("nested parentheses", QUERY_DEPTH_MAX).at(self.lexer.here()));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Reads a word with a meaning of its own, such as `AND`, if it is there and ends there.
    fn eat_keyword(&mut self, keyword: &str) -> Result<bool> {
        Ok(self.is_at_keyword(keyword) && self.lexer.eat(keyword)?)
    }

    fn is_at_keyword(&self, keyword: &str) -> bool {
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"');
        let after = self.lexer.rest().strip_prefix(keyword);
        after.is_some_and(|after| after.chars().next().is_none_or(ends))
    }

    /// What a name without quotes means.
    fn named(&self, name: String, span: Range<usize>) -> Result<String> {
        let is_short = |(short, _): &&(String, String)| {
            *short == name && self.lexer.text()[span.clone()] == name
        };
        match self.short_names.iter().find(is_short) {
            Some((_, column)) => Ok(column.clone()),
            None => self.checked_name(name, span),
        }
    }

    /// The name of a field, if it is not too long.
    fn checked_name(&self, name: String, span: Range<usize>) -> Result<String> {
        if name.len() > KEY_BYTES_MAX {
            return Err(too_big("bytes for a field's name", KEY_BYTES_MAX).at(span));
        }
        Ok(name)
    }

    /// The error for a character that cannot stand where it stands.
    fn stray(&self) -> Error {
        let here = self.lexer.here();
        match self.lexer.peek() {
            Some('|') if self.lexer.rest().starts_with("||") => {
                syntax("`||` is no operator", here.start..here.start + 2)
                    .hinting("write `OR`, in capitals")
            }
            Some('|') => syntax("a pipe cannot stand in parentheses", here)
                .hinting("for either of two terms write `OR`, in capitals"),
            Some(')') => syntax("no parenthesis is open that this one could close", here)
                .hinting("remove it, or, to look for it, put it in quotes: `\")\"`"),
            Some(c) => syntax(format!("`{c}` cannot stand here"), here)
                .hinting(format!("to look for the character, put it in quotes: `\"{c}\"`")),
            None => syntax("the query ends too early", here),
        }
    }
}

fn syntax(what: impl Into<String>, span: Range<usize>) -> Error {
    Error::new(ErrorKind::Syntax, what).at(span)
}

fn too_big(unit: &str, limit: usize) -> Error {
    Error::new(ErrorKind::TooBig, format!("the query exceeds the limit of {limit} {unit}"))
}

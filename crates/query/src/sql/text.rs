//! From text to tree: what can be refused by counting is refused before anything is parsed.

use std::collections::HashSet;
use std::ops::Range;

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};
use ledgerline_model::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TOKENS_MAX};

use crate::error::{Error, ErrorKind, Result};

/// The deepest nesting of parentheses after one another. The parser tries more than one reading of
/// each, so its work doubles with every one of them; nobody writes more than a few.
const OPEN_PARENTHESES_MAX: usize = 8;

/// One parsed statement and the words in it.
pub(super) struct Parsed {
    /// The tree.
    pub(super) statement: Statement,
    /// Every identifier and keyword, unquoted: a superset of the columns that it may mean.
    pub(super) words: HashSet<String>,
}

/// Parses exactly one statement.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(too_big(format!("the query is longer than {QUERY_BYTES_MAX} bytes")));
    }
    let tokens = tokens(text)?;
    let words = tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    });
    let words = words.collect();
    let dialect = GenericDialect {};
    let parsed = Parser::new(&dialect)
        .with_recursion_limit(QUERY_DEPTH_MAX)
        .with_tokens_with_locations(tokens)
        .parse_statements();
    let mut statements = parsed.map_err(|error| fault(text, &error))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(Parsed { statement, words }),
        (None, _) => Err(Error::new(ErrorKind::Syntax, "the query is empty")),
        _ => Err(Error::new(ErrorKind::Invalid, "only one statement is allowed")),
    }
}

/// A limit that was exceeded.
pub(super) fn too_big(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::TooBig, what)
}

/// The bytes that a span of lines and columns covers, if it lies in the text.
pub(super) fn bytes_of(text: &str, span: Span) -> Option<Range<usize>> {
    let start = offset(text, span.start)?;
    let end = offset(text, span.end).unwrap_or(text.len());
    Some(start..end.max(start))
}

fn tokens(text: &str) -> Result<Vec<TokenWithSpan>> {
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        let error_at = Error::new(ErrorKind::Syntax, error.message.to_lowercase());
        match offset(text, error.location) {
            Some(at) => error_at.at(at..text.len().min(at + 1).max(at)),
            None => error_at,
        }
    })?;
    let count = tokens.iter().filter(|token| !is_space(&token.token)).count();
    if count > QUERY_TOKENS_MAX {
        return Err(too_big(format!("the query has more than {QUERY_TOKENS_MAX} tokens")));
    }
    check_nesting(&tokens)?;
    Ok(tokens)
}

fn is_space(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_) | Token::EOF)
}

/// How deep parentheses, CASE and NOT stand in one another. The parser counts too, but where it
/// stops at its limit it tries another reading, and then faults that.
fn check_nesting(tokens: &[TokenWithSpan]) -> Result<()> {
    let (mut depth, mut cases, mut negations, mut open) = (0_usize, 0_usize, 0_usize, 0_usize);
    for token in tokens.iter().map(|token| &token.token).filter(|token| !is_space(token)) {
        let keyword = match token {
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        negations = if keyword == Keyword::NOT { negations + 1 } else { 0 };
        match keyword {
            Keyword::CASE => cases += 1,
            Keyword::END => cases = cases.saturating_sub(1),
            _ => {}
        }
        match token {
            Token::LParen => (depth, open) = (depth + 1, open + 1),
            Token::RParen => (depth, open) = (depth.saturating_sub(1), 0),
            _ => open = 0,
        }
        if depth.max(cases).max(negations) >= QUERY_DEPTH_MAX {
            return Err(deep());
        }
        if open > OPEN_PARENTHESES_MAX {
            let what = format!("more than {OPEN_PARENTHESES_MAX} parentheses open at one place");
            return Err(too_big(what));
        }
    }
    Ok(())
}

/// The tree is deeper than it may be.
pub(super) fn deep() -> Error {
    too_big(format!("the query is nested deeper than {QUERY_DEPTH_MAX}"))
}

fn fault(text: &str, error: &ParserError) -> Error {
    let (ParserError::ParserError(what) | ParserError::TokenizerError(what)) = error else {
        return deep();
    };
    let (what, location) = match what.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, location(place)),
        None => (what.as_str(), None),
    };
    let mut what = what.trim().to_owned();
    if let Some(first) = what.get(..1) {
        let first = first.to_lowercase();
        what.replace_range(..1, &first);
    }
    let at = location.and_then(|location| offset(text, location)).unwrap_or(text.len());
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    Error::new(ErrorKind::Syntax, what).at(at..at + width)
}

/// Reads `3, Column: 14`.
fn location(place: &str) -> Option<Location> {
    let (line, column) = place.split_once(", Column: ")?;
    Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
}

/// Where a line and column, both counted from 1 and in characters, is in the text.
fn offset(text: &str, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line.checked_sub(1)?).ok()?;
    let column = usize::try_from(location.column.checked_sub(1)?).ok()?;
    let mut start = 0;
    for _ in 0..line {
        start += text[start..].find('\n')? + 1;
    }
    let rest = &text[start..];
    let within = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(column)?;
    Some(start + within)
}

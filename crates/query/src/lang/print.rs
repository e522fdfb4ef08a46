//! Tree to text: the shortest that is still easy to read. What the parser reads from it is the same
//! tree. Only a query near a limit may print longer than can be read again, since a group such as
//! `name:(a OR b)` prints as its terms.

#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Bound;

use super::ast::{
    Aggregate, Comparison, Direction, GroupKey, Literal, Measure, Percent, Pipe, Predicate, Query,
    Renaming, Search, SortKey, Term,
};
use super::parse::{is_aggregate, is_escapable, is_function, starts_like_width};
use super::pattern::{Part, Pattern};
use super::regex_literal::RegexLiteral;

/// The words that mean something in a pipe.
const PIPE_WORDS: [&str; 4] = ["as", "by", "asc", "desc"];

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the pipes.
    First,
    /// In `where`, where the name of a function alone is short for its column.
    Piped,
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.search)?;
        self.pipes.iter().try_for_each(|pipe| write!(f, " | {pipe}"))
    }
}

impl Display for Search {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        search(f, self, Stage::First)
    }
}

/// A member in parentheses if it would not hold together without.
fn member(f: &mut Formatter<'_>, member: &Search, stage: Stage, is_loose: bool) -> fmt::Result {
    if !is_loose {
        return search(f, member, stage);
    }
    f.write_char('(')?;
    search(f, member, stage)?;
    f.write_char(')')
}

fn search(f: &mut Formatter<'_>, tree: &Search, stage: Stage) -> fmt::Result {
    match tree {
        Search::All => f.write_char('*'),
        Search::And(members) => {
            for (at, inner) in members.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { " " })?;
                member(f, inner, stage, matches!(inner, Search::Or(_)))?;
            }
            Ok(())
        }
        Search::Or(members) => {
            for (at, inner) in members.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { " OR " })?;
                member(f, inner, stage, false)?;
            }
            Ok(())
        }
        Search::Not(inner) => {
            f.write_char('-')?;
            member(f, inner, stage, matches!(**inner, Search::And(_) | Search::Or(_)))
        }
        Search::Text(Term::Words(phrase)) => text(f, phrase.text(), is_plain_word(phrase.text())),
        Search::Text(Term::Wildcard(pattern)) => write!(f, "{pattern}"),
        Search::Text(Term::Regex(regex)) => write!(f, "{regex}"),
        Search::EveryField(Term::Words(phrase)) => {
            f.write_str("*:")?;
            text(f, phrase.text(), is_plain_value(phrase.text()))
        }
        Search::EveryField(Term::Wildcard(pattern)) => write!(f, "*:{pattern}"),
        Search::EveryField(Term::Regex(regex)) => write!(f, "*:{regex}"),
        Search::Field { name, predicate } => {
            let is_short = stage == Stage::Piped && is_function(name);
            text(f, name, is_plain_name(name) && !is_short)?;
            write!(f, ":{predicate}")
        }
    }
}

/// What stands behind the colon.
impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(literal) => write!(f, "{literal}"),
            Self::Words(phrase) => {
                f.write_char('~')?;
                text(f, phrase.text(), is_plain_value(phrase.text()))
            }
            Self::Wildcard(pattern) => write!(f, "{pattern}"),
            Self::Regex(regex) => write!(f, "{regex}"),
            Self::Compare { comparison, literal } => write!(f, "{comparison}{literal}"),
            Self::Range { low, high } => {
                f.write_char(if matches!(low, Bound::Excluded(_)) { '{' } else { '[' })?;
                bound(f, low)?;
                f.write_str(" TO ")?;
                bound(f, high)?;
                f.write_char(if matches!(high, Bound::Excluded(_)) { '}' } else { ']' })
            }
            Self::Exists => f.write_char('*'),
        }
    }
}

fn bound(f: &mut Formatter<'_>, bound: &Bound<Literal>) -> fmt::Result {
    match bound {
        Bound::Unbounded => f.write_char('*'),
        Bound::Included(Literal(value)) | Bound::Excluded(Literal(value)) => {
            let ends = |c: char| c.is_whitespace() || matches!(c, ']' | '}' | '"');
            let is_plain = !value.is_empty() && !value.contains(ends) && !has_wild_sign(value);
            text(f, value, is_plain && value != "TO")
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text(f, &self.0, is_plain_value(&self.0))
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

/// As it is written in a query, signs that mean something escaped.
impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.parts() {
            match part {
                Part::Run => f.write_char('*')?,
                Part::One => f.write_char('?')?,
                Part::Literal(text) => {
                    for c in text.chars() {
                        if is_escapable(c) {
                            f.write_char('\\')?;
                        }
                        f.write_char(c)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// With the slashes around it.
impl Display for RegexLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.pattern().replace('/', "\\/"))
    }
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stats { measures, keys } => {
                f.write_str("stats ")?;
                list(f, measures, Display::fmt)?;
                f.write_str(if keys.is_empty() { "" } else { " by " })?;
                list(f, keys, Display::fmt)
            }
            Self::Sort(keys) => {
                f.write_str("sort ")?;
                list(f, keys, Display::fmt)
            }
            Self::Limit(rows) => write!(f, "limit {rows}"),
            Self::Fields(names) => {
                f.write_str("fields ")?;
                list(f, names, |name, f| column(f, name))
            }
            Self::Where(condition) => {
                f.write_str("where ")?;
                search(f, condition, Stage::Piped)
            }
            Self::Rename(renamings) => {
                f.write_str("rename ")?;
                list(f, renamings, Display::fmt)
            }
            Self::Uniq(names) => {
                f.write_str("uniq by ")?;
                list(f, names, |name, f| column(f, name))
            }
        }
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { ", " })?;
        print(item, f)?;
    }
    Ok(())
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.aggregate)?;
        let Some(name) = &self.name else { return Ok(()) };
        f.write_str(" as ")?;
        column(f, name)
    }
}

/// As in `count()`, which is the name of its column too.
impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (function, field) = match self {
            Self::Count => return f.write_str("count()"),
            Self::CountOf(field) => ("count", field),
            Self::Sum(field) => ("sum", field),
            Self::Average(field) => ("avg", field),
            Self::Min(field) => ("min", field),
            Self::Max(field) => ("max", field),
            Self::Distinct(field) => ("distinct", field),
            Self::Values(field) => ("values", field),
            Self::Percentile { field, percent } => {
                let is_whole = percent.thousandths() % 1_000 == 0;
                f.write_str(if is_whole { "p" } else { "percentile" })?;
                if is_whole {
                    write!(f, "{percent}")?;
                }
                f.write_char('(')?;
                text(f, field, is_plain_pipe_name(field))?;
                return if is_whole { f.write_char(')') } else { write!(f, ", {percent})") };
            }
        };
        write!(f, "{function}(")?;
        text(f, field, is_plain_pipe_name(field))?;
        f.write_char(')')
    }
}

/// Without the sign and without needless zeros, as in `99.9`.
impl Display for Percent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.thousandths() / 1_000, self.thousandths() % 1_000);
        if decimals == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{decimals:03}").trim_end_matches('0'))
    }
}

impl Display for GroupKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) if starts_like_width(name) => text(f, name, false),
            Self::Field(name) => column(f, name),
            Self::Time(width) => write!(f, "{width}"),
        }
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.direction == Direction::Descending {
            f.write_char('-')?;
        }
        column(f, &self.column)
    }
}

impl Display for Renaming {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        column(f, &self.source)?;
        f.write_str(" as ")?;
        column(f, &self.target)
    }
}

/// A column, which may be called as the aggregate that made it.
fn column(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    text(f, name, is_plain_pipe_name(name) || is_aggregate(name))
}

/// A text as it is if it is plain, in quotes otherwise.
fn text(f: &mut Formatter<'_>, text: &str, is_plain: bool) -> fmt::Result {
    if is_plain {
        return f.write_str(text);
    }
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

fn has_wild_sign(text: &str) -> bool {
    text.contains(['*', '?', '\\'])
}

/// Whether the text reads as one word to look for.
fn is_plain_word(text: &str) -> bool {
    is_plain_name(text) && !matches!(text, "AND" | "OR" | "NOT")
}

/// Whether the text reads as the name of a field.
fn is_plain_name(text: &str) -> bool {
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | '|' | ':' | '=' | '<' | '>');
    !text.is_empty()
        && !text.contains(ends)
        && !has_wild_sign(text)
        && !text.starts_with(['-', '!', '/'])
        && !text.starts_with("&&")
}

/// Whether the text reads as the name of a column.
fn is_plain_pipe_name(text: &str) -> bool {
    is_plain_name(text)
        && !text.contains(',')
        && !text.starts_with('+')
        && !PIPE_WORDS.contains(&text)
        && !is_function(text)
}

/// Whether the text reads as the value of a field.
fn is_plain_value(text: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | '|');
    !text.is_empty()
        && !text.contains(ends)
        && !has_wild_sign(text)
        && !text.starts_with(['=', '<', '>', '~', '[', '{', '/', '!'])
}

//! What stands behind `name:` and `*:`.

use std::ops::{Bound, Range};

use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_model::word;

use super::lexer::{Meaning, Place};
use super::search::{empty_quotes, words};
use super::{Parser, syntax};
use crate::error::{Error, ErrorKind, Result};
use crate::lang::ast::{Comparison, Literal, Phrase, Predicate, Search, Term, compare_numbers};
use crate::lang::time;

/// The signs of comparison; a longer one stands before its beginning.
const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

impl Parser<'_> {
    /// What the value of the field must satisfy.
    pub(super) fn predicate(&mut self, name: &str) -> Result<Predicate> {
        match self.lexer.peek() {
            Some('"') => {
                let (text, span) = self.lexer.quoted()?;
                self.check_apart()?;
                Ok(Predicate::Equals(literal_of(name, text, span)?))
            }
            Some('/') => Ok(Predicate::Regex(self.regex()?)),
            Some('[' | '{') => self.range(name),
            Some('~') => Ok(Predicate::Words(self.words_of_value()?)),
            Some('<' | '>' | '=') => self.comparison(name),
            _ => {
                let Some(word) = self.lexer.word(Place::Value)? else {
                    return Err(self.stray());
                };
                self.check_apart()?;
                let span = word.span.clone();
                Ok(match word.meaning() {
                    Meaning::Everything => Predicate::Exists,
                    Meaning::Plain(text) => Predicate::Equals(literal_of(name, text, span)?),
                    Meaning::Wild(pattern) => Predicate::Wildcard(pattern),
                })
            }
        }
    }

    /// `*:…`: only what is looked for inside a text.
    pub(super) fn in_every_field(&mut self) -> Result<Search> {
        let here = self.lexer.here();
        let term = match self.lexer.peek() {
            Some('/') => Term::Regex(self.regex()?),
            Some('~') => Term::Words(self.words_of_value()?),
            Some('"') => {
                let (text, span) = self.lexer.quoted()?;
                self.check_apart()?;
                Term::Words(Phrase::new(text).ok_or_else(|| empty_quotes(span))?)
            }
            Some('[' | '{' | '<' | '>' | '=') => {
                let hint = "name the field, as in `status:>=500`";
                return Err(syntax("every field at once cannot be compared", here).hinting(hint));
            }
            _ => {
                let Some(word) = self.lexer.word(Place::Value)? else {
                    return Err(self.stray());
                };
                self.check_apart()?;
                match word.meaning() {
                    Meaning::Everything => return Ok(Search::All),
                    Meaning::Plain(text) => words(text),
                    Meaning::Wild(pattern) => Term::Wildcard(pattern),
                }
            }
        };
        Ok(Search::EveryField(term))
    }

    /// `~word`, `~"a phrase"`
    fn words_of_value(&mut self) -> Result<Phrase> {
        self.lexer.eat("~")?;
        let (literal, span) = self.literal("~")?;
        Phrase::new(literal.0).ok_or_else(|| empty_quotes(span))
    }

    fn comparison(&mut self, name: &str) -> Result<Predicate> {
        let start = self.lexer.at();
        let rest = self.lexer.rest();
        let signs = &rest[..rest.find(|c| !matches!(c, '<' | '>' | '=')).unwrap_or(rest.len())];
        let Some((sign, comparison)) = COMPARISONS.into_iter().find(|(sign, _)| *sign == signs)
        else {
            let value = self.lexer.stretch(start + signs.len());
            let meant = match signs {
                "=>" => format!("{name}:>={value}"),
                "=<" => format!("{name}:<={value}"),
                "<>" => format!("-{name}:{value}"),
                _ => format!("{name}:={value}"),
            };
            let what = format!("`{signs}` does not compare");
            return Err(syntax(what, start..start + signs.len())
                .hinting(format!("write `{meant}`; put quotes around a value with such signs")));
        };
        self.lexer.eat(sign)?;
        let (Literal(text), span) = self.literal(sign)?;
        Ok(Predicate::Compare { comparison, literal: literal_of(name, text, span)? })
    }

    /// The literal right behind a sign.
    fn literal(&mut self, sign: &str) -> Result<(Literal, Range<usize>)> {
        let found = if self.lexer.peek() == Some('"') {
            self.lexer.quoted()?
        } else if let Some(word) = self.lexer.word(Place::Value)? {
            let span = word.span.clone();
            let Meaning::Plain(text) = word.meaning() else {
                return Err(syntax(format!("no wildcards can follow `{sign}`"), span)
                    .hinting("quotes make `*` and `?` plain"));
            };
            (text, span)
        } else {
            let start = self.lexer.at() - sign.len();
            return Err(syntax(format!("no value follows `{sign}`"), start..self.lexer.at())
                .hinting("write the value directly behind it, without a space"));
        };
        self.check_apart()?;
        Ok((Literal(found.0), found.1))
    }

    /// `[a TO b]` and its kin, of which the first bracket stands here.
    fn range(&mut self, name: &str) -> Result<Predicate> {
        let open = self.lexer.here();
        let low_is_in = self.lexer.eat("[")?;
        if !low_is_in {
            self.lexer.eat("{")?;
        }
        let low = self.bound(name, &open)?;
        self.lexer.skip_space();
        if !self.eat_keyword("TO")? {
            return Err(match self.lexer.peek() {
                None => unclosed(open),
                Some(_) => syntax("`TO` must stand between the ends of a range", self.lexer.here())
                    .hinting("write `[1 TO 5]`, with `TO` in capitals and spaces around it"),
            });
        }
        let high = self.bound(name, &open)?;
        self.lexer.skip_space();
        let high_is_in = self.lexer.eat("]")?;
        if !high_is_in && !self.lexer.eat("}")? {
            return Err(match self.lexer.peek() {
                None => unclosed(open),
                Some(_) => syntax("a range has two ends", self.lexer.here())
                    .hinting("close it with `]` or `}`; put quotes around an end with spaces"),
            });
        }
        self.check_apart()?;
        let bound = |literal: Option<Literal>, is_in: bool| match literal {
            None => Bound::Unbounded,
            Some(literal) if is_in => Bound::Included(literal),
            Some(literal) => Bound::Excluded(literal),
        };
        Ok(match (bound(low, low_is_in), bound(high, high_is_in)) {
            (Bound::Unbounded, Bound::Unbounded) => Predicate::Exists,
            (low, high) if is_empty(name, &low, &high) => {
                let span = open.start..self.lexer.at();
                return Err(Error::new(ErrorKind::Invalid, "no value lies in this range")
                    .at(span)
                    .hinting("the lower end stands first: `[1 TO 5]`"));
            }
            (low, high) => Predicate::Range { low, high },
        })
    }

    /// One end of a range; none for `*`.
    fn bound(&mut self, name: &str, open: &Range<usize>) -> Result<Option<Literal>> {
        self.lexer.skip_space();
        if self.lexer.peek() == Some('"') {
            let (text, span) = self.lexer.quoted()?;
            return literal_of(name, text, span).map(Some);
        }
        let missing = |span| {
            syntax("an end of the range is missing", span)
                .hinting("write `*` for an end that is open, as in `[5 TO *]`")
        };
        if self.is_at_keyword("TO") {
            return Err(missing(self.lexer.at()..self.lexer.at() + 2));
        }
        let Some(word) = self.lexer.word(Place::Bound)? else {
            return Err(match self.lexer.peek() {
                None => unclosed(open.clone()),
                Some(_) => missing(self.lexer.here()),
            });
        };
        let span = word.span.clone();
        match word.meaning() {
            Meaning::Everything => Ok(None),
            Meaning::Plain(text) => literal_of(name, text, span).map(Some),
            Meaning::Wild(_) => Err(syntax("an end of a range cannot have wildcards", span)
                .hinting("`*` alone is an open end; quotes make `*` and `?` plain")),
        }
    }
}

/// The fields that are points in time.
fn is_time(name: &str) -> bool {
    matches!(name, "_time" | "_received")
}

/// A literal for a field; one for a time must name one.
fn literal_of(name: &str, text: String, span: Range<usize>) -> Result<Literal> {
    if is_time(name) && time::range(&text, PRESENTS[0]).is_none() {
        return Err(Error::new(ErrorKind::Invalid, "this is no time").at(span).hinting(
            "write `2020-09-21`, `2020-09-21T10:15`, seconds since 1970, `now-15m`, or `now-1d/d` \
             for yesterday",
        ));
    }
    Ok(Literal(text))
}

/// Early and late in a day and a week, for what a time means that depends on the present.
const PRESENTS: [Timestamp; 2] =
    [Timestamp(1_000_081_800 * Timestamp::SECOND), Timestamp(1_000_683_000 * Timestamp::SECOND)];

/// Whether no value can lie between two ends, whenever that is asked.
pub(in crate::lang) fn is_empty(name: &str, low: &Bound<Literal>, high: &Bound<Literal>) -> bool {
    let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
        (low, high)
    else {
        return false;
    };
    if is_time(name) {
        return is_empty_time(low, high);
    }
    let order = match (a.number(), b.number()) {
        (Some(a), Some(b)) => compare_numbers(a, b),
        // Names of severities stand for numbers.
        (None, None) if name != "_severity" => word::folded(&a.0).cmp(&word::folded(&b.0)),
        _ => return false,
    };
    let are_in = matches!((low, high), (Bound::Included(_), Bound::Included(_)));
    order.is_gt() || order.is_eq() && !are_in
}

fn is_empty_time(low: &Bound<Literal>, high: &Bound<Literal>) -> bool {
    let spans = PRESENTS.map(|now| {
        let span = |literal: &Literal| time::range(&literal.0, now).unwrap_or(TimeRange::ALL);
        (low.as_ref().map(span), high.as_ref().map(span))
    });
    let [early, late] = spans;
    // A date and something that depends on the present compare differently every day.
    (early.0 == late.0) == (early.1 == late.1)
        && spans.iter().all(|(low, high)| {
            let between = time::between(*low, *high);
            between.start >= between.end
        })
}

fn unclosed(open: Range<usize>) -> Error {
    syntax("the range is not closed", open)
        .hinting("write `[1 TO 5]`; put quotes around a value that begins with a bracket")
}

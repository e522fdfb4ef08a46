//! What `stats` computes, as in `count()` and `percentile(f, 99.9)`.

use std::ops::Range;

use super::lexer::{Meaning, Place};
use super::suggest::nearest;
use super::{Parser, syntax};
use crate::error::{Error, Result};
use crate::lang::ast::{Aggregate, Percent};

/// The functions that are suggested for a name that is none. Every `p` with a share is one too.
const FUNCTIONS: [&str; 11] =
    ["count", "sum", "avg", "min", "max", "distinct", "values", "percentile", "p50", "p95", "p99"];

/// Other names of the functions, which are read but never printed.
const ALIASES: [(&str, &str); 2] = [("count_distinct", "distinct"), ("uniq", "distinct")];

/// How other languages call them.
const FOREIGN: [(&str, &str); 12] = [
    ("mean", "avg"),
    ("average", "avg"),
    ("median", "p50"),
    ("dc", "distinct"),
    ("cardinality", "distinct"),
    ("uniq_values", "values"),
    ("list", "values"),
    ("total", "sum"),
    ("quantile", "percentile"),
    ("perc", "percentile"),
    ("minimum", "min"),
    ("maximum", "max"),
];

/// Whether a text is the name of a function, which a column of the name alone may be short for.
pub(in crate::lang) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
        || ALIASES.iter().any(|(alias, _)| *alias == name)
        || short_percent(name).is_some()
}

/// Whether a text is an aggregate as it is printed, so that it can stand without quotes as the name
/// of the column that it makes.
pub(in crate::lang) fn is_aggregate(text: &str) -> bool {
    let parsed = Parser::new(text).and_then(|mut parser| {
        let (aggregate, span) = parser.aggregate()?;
        Ok((aggregate, span.end == text.len()))
    });
    matches!(parsed, Ok((aggregate, true)) if aggregate.to_string() == text)
}

impl Parser<'_> {
    /// A function and what it is of.
    pub(super) fn aggregate(&mut self) -> Result<(Aggregate, Range<usize>)> {
        self.lexer.skip_space();
        let Some(word) = self.lexer.word(Place::Name)? else {
            let what = "a function is missing";
            return Err(syntax(what, self.lexer.here()).hinting("as in `stats count()`"));
        };
        let span = word.span.clone();
        let name = self.lexer.text()[span.clone()].to_owned();
        if self.lexer.peek() != Some('(') {
            return Err(not_called(&name, span));
        }
        self.arguments(&name, span)
    }

    /// What stands behind a function's name, from the parenthesis on.
    pub(super) fn arguments(
        &mut self,
        name: &str,
        span: Range<usize>,
    ) -> Result<(Aggregate, Range<usize>)> {
        if !is_function(name) {
            return Err(unknown(name, span));
        }
        let open = self.lexer.here();
        self.lexer.eat("(")?;
        let field = self.field_of(name, &span)?;
        self.lexer.skip_space();
        let percent = match (self.lexer.eat(",")?, name == "percentile") {
            (true, true) => Some(self.percent()?),
            (false, true) => return Err(missing_percent(span.start..self.lexer.at())),
            (true, false) => {
                let at = self.lexer.at();
                let what = format!("`{name}` is of one field only");
                let hint = "for several, name the function again: `sum(a), sum(b)`";
                return Err(syntax(what, at - 1..at).hinting(hint));
            }
            (false, false) => short_percent(name),
        };
        self.lexer.skip_space();
        if !self.lexer.eat(")")? {
            return Err(self.not_closed(open));
        }
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        let aggregate = aggregate(name, field, percent).ok_or_else(|| {
            syntax(format!("`{name}` needs a field"), span.start..self.lexer.at())
                .hinting(format!("name it in the parentheses: `{name}(field)`"))
        })?;
        Ok((aggregate, span.start..self.lexer.at()))
    }

    /// The field that a function is of, if one is named.
    fn field_of(&mut self, function: &str, span: &Range<usize>) -> Result<Option<String>> {
        self.lexer.skip_space();
        if self.lexer.peek() == Some('"') {
            let (name, span) = self.lexer.quoted()?;
            return Ok(Some(self.checked_name(name, span)?));
        }
        let Some(word) = self.lexer.word(Place::Name)? else {
            return Ok(None);
        };
        let at = word.span.clone();
        match word.meaning() {
            Meaning::Plain(name) => {
                self.check_name_start(&at)?;
                Ok(Some(self.named(name, at)?))
            }
            Meaning::Everything if function == "count" => Ok(None),
            Meaning::Everything | Meaning::Wild(_) => {
                Err(syntax(format!("`{function}` is of one field, without wildcards"), at)
                    .hinting(format!("as in `{function}(bytes)`; only `count(*)` is of all"))
                    .at(span.start..self.lexer.at()))
            }
        }
    }

    fn percent(&mut self) -> Result<Percent> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        let word = self.lexer.word(Place::Name)?;
        let span = word.map_or_else(|| self.lexer.here(), |word| word.span);
        percent(&self.lexer.text()[span.clone()]).ok_or_else(|| {
            syntax("a percentile is a number from 0 to 100", start..span.end)
                .hinting("as in `percentile(latency, 99.9)`, with at most three decimals")
        })
    }

    fn not_closed(&self, open: Range<usize>) -> Error {
        let here = self.lexer.here();
        match self.lexer.peek() {
            None | Some('|') => syntax("the parenthesis is not closed", open)
                .hinting("close it with `)` behind the field"),
            Some('(') => syntax("a function cannot be of another function", here)
                .hinting("for a column of that name, put it in quotes: `sum(\"count()\")`"),
            Some(_) => syntax("a function is of one field only", here)
                .hinting("put quotes around a name with spaces or signs: `sum(\"my field\")`"),
        }
    }
}

fn aggregate(name: &str, field: Option<String>, percent: Option<Percent>) -> Option<Aggregate> {
    if name == "count" {
        return Some(field.map_or(Aggregate::Count, Aggregate::CountOf));
    }
    let field = field?;
    Some(match name {
        "sum" => Aggregate::Sum(field),
        "avg" => Aggregate::Average(field),
        "min" => Aggregate::Min(field),
        "max" => Aggregate::Max(field),
        "distinct" => Aggregate::Distinct(field),
        "values" => Aggregate::Values(field),
        _ => Aggregate::Percentile { field, percent: percent? },
    })
}

/// `p95`
fn short_percent(name: &str) -> Option<Percent> {
    name.strip_prefix('p').and_then(percent)
}

/// Up to three digits before the point and three behind it.
fn percent(text: &str) -> Option<Percent> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| {
        (1..=3).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    Percent::from_thousandths(whole * 1_000 + decimals)
}

fn unknown(name: &str, span: Range<usize>) -> Error {
    let foreign = FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(name));
    let meant = foreign.map(|(_, meant)| *meant).or_else(|| nearest(name, FUNCTIONS));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the functions are {}", FUNCTIONS.join(", ")),
    };
    syntax("there is no function of this name", span).hinting(hint)
}

fn not_called(name: &str, span: Range<usize>) -> Error {
    match name {
        "count" => syntax("`count` needs parentheses", span).hinting("write `count()`"),
        _ if is_function(name) => syntax(format!("`{name}` needs a field"), span)
            .hinting(format!("name it in parentheses: `{name}(field)`")),
        _ => match nearest(name, FUNCTIONS) {
            Some(_) => unknown(name, span),
            None => syntax("a function must stand here", span)
                .hinting("as in `stats count() by service`"),
        },
    }
}

fn missing_percent(span: Range<usize>) -> Error {
    syntax("`percentile` needs a field and a percentage", span)
        .hinting("as in `percentile(latency, 99.9)`")
}

//! The tree of a query.
//!
//! A tree is normal: no `And` directly in an `And`, no `Or` directly in an `Or`, both with at least
//! two members, no `Not` directly in a `Not`. The parser makes only normal trees; who builds one by
//! hand uses [`Search::and`], [`Search::or`] and [`Search::negated`], which keep it so. For a
//! normal tree that the parser would accept, printing and parsing again gives the same tree.

use std::cmp::Ordering;
use std::ops::Bound;

use super::pattern::Pattern;
use super::regex_literal::RegexLiteral;
use super::width::Width;

/// A whole query: which events, and what is done with them, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// Which events.
    pub search: Search,
    /// What is done with them, the first pipe first. Empty: the events themselves are the answer.
    pub pipes: Vec<Pipe>,
}

/// Which events, or, in [`Pipe::Where`], which rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Search {
    /// `*`: every event.
    All,
    /// Every member holds. At least two members, none of them an `And` or an `All`.
    And(Vec<Self>),
    /// Some member holds. At least two members, none of them an `Or` or an `All`.
    Or(Vec<Self>),
    /// The inner search does not hold. An event without a field satisfies `NOT field:x`.
    Not(Box<Self>),
    /// A bare word, phrase, wildcard or regular expression: looked for in the event's message; in
    /// an event without one, in each of its text values.
    Text(Term),
    /// `*:term`: looked for in the message and in every field, numbers and booleans by their text.
    EveryField(Term),
    /// `name:…`: the field exists and its value satisfies the predicate. Of an array, one element
    /// that does is enough.
    Field {
        /// The customer's own name, case-sensitive, dots included, or one of the virtual fields
        /// `_time`, `_message`, `_severity`, `_id`, `_seq`, `_received`.
        name: String,
        /// What the value must satisfy.
        predicate: Predicate,
    },
}

/// What is looked for inside a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// `word` or `"a phrase"`: stands in the text as whole words, case folded, as
    /// `ledgerline_model::word::contains_words` decides.
    Words(Phrase),
    /// `pow*`: some stretch of the text matches, whose ends do not cut a word in two;
    /// [`Pattern::regex_within`] is the exact meaning.
    Wildcard(Pattern),
    /// `/…/`: the expression matches somewhere in the text.
    Regex(RegexLiteral),
}

/// What the value of a field must satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// `name:value`, `name:"a value"`: equals the whole value: a number by its amount when the
    /// literal is a number too (4624 equals 4624.0), anything else by its text, case folded.
    ///
    /// On `_message`, and on a field that is the dataset's message, it means [`Predicate::Words`];
    /// on `_time` and `_received` it means the span of time that the literal names (see
    /// [`time::range`](super::time::range)).
    Equals(Literal),
    /// `name:~word`, `name:~"a phrase"`: stands in the value's text as whole words, case folded.
    Words(Phrase),
    /// `name:a*b`: the whole value matches, case folded; [`Pattern::regex_whole`] is the exact
    /// meaning.
    Wildcard(Pattern),
    /// `name:/…/`: the expression matches somewhere in the value's text.
    Regex(RegexLiteral),
    /// `name:>=5`: the value compares so with the literal.
    Compare {
        /// How it compares.
        comparison: Comparison,
        /// The right-hand side.
        literal: Literal,
    },
    /// `name:[1 TO 5]`, `name:{1 TO 5}`, mixed or open at one end. At least one end is bounded;
    /// open at both ends is [`Predicate::Exists`].
    Range {
        /// The lower end.
        low: Bound<Literal>,
        /// The upper end.
        high: Bound<Literal>,
    },
    /// `name:*`: the event has the field.
    Exists,
}

/// How a value compares with a literal.
///
/// If the literal [is a number](Literal::number), values that are numbers, and texts that are
/// numbers by the same rule, compare by amount, and all other values do not match. If it is not,
/// texts compare by their case-folded code points and other values by their text. `_time` and
/// `_received` compare as [`time::range`](super::time::range) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`: as [`Predicate::Equals`], but of exactly this text, letter case included, and of the
    /// whole value on the message too.
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A literal value, as it was written, without its quotes and escapes. Quoting changes nothing but
/// the meaning of special characters: `"4624"` is the number 4624 too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Literal(pub String);

/// The amount of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number, always finite.
    Float(f64),
}

impl Literal {
    /// The literal's amount, if it is a number as JSON writes them (leading zeros are allowed too):
    /// no `+`, no hexadecimal, no infinities.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        Number::parse(&self.0)
    }
}

impl Number {
    /// The amount of a text, by the rule of [`Literal::number`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = |c: u8| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-');
        let ends_in_digit = digits.ends_with(|c: char| c.is_ascii_digit());
        if !digits.starts_with(|c: char| c.is_ascii_digit())
            || !ends_in_digit
            || !digits.bytes().all(plain)
        {
            return None;
        }
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float)
    }
}

/// Numbers by amount, exactly.
pub(crate) fn compare_numbers(a: Number, b: Number) -> Ordering {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
        (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Number::Integer(a), Number::Float(b)) => compare_mixed(a, b),
        (Number::Float(a), Number::Integer(b)) => compare_mixed(b, a).reverse(),
    }
}

/// 2^63, the first number beyond whole numbers of 64 bits.
pub(crate) const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn compare_mixed(integer: i64, float: f64) -> Ordering {
    // What is no number at all comes behind all numbers.
    if float.is_nan() || float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    integer
        .cmp(&(whole as i64))
        .then_with(|| 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal))
}

/// Words to look for: never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phrase(String);

impl Phrase {
    /// A phrase, unless the text is empty.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The text as it was written, not folded.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Search {
    /// Every one of the searches holds. Of none, everything.
    #[must_use]
    pub fn and(members: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Self::And(inner) => flat.extend(inner),
                Self::All => {}
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.swap_remove(0),
            _ => Self::And(flat),
        }
    }

    /// Some one of the searches holds. Of none, nothing.
    #[must_use]
    pub fn or(members: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Self::Or(inner) => flat.extend(inner),
                Self::All => return Self::All,
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Not(Box::new(Self::All)),
            1 => flat.swap_remove(0),
            _ => Self::Or(flat),
        }
    }

    /// The search does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// One step of the analysis, from rows to rows. The first step's rows are the events, with a column
/// for each field; those of a later step are what the step before it made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pipe {
    /// `stats count(), sum(x) as total by service, 5m`: one row per distinct combination of the
    /// keys (one row in all, also of no events, when there are no keys). Columns: the keys in
    /// order, then the measures. A row that lacks a key's field groups under null.
    Stats {
        /// At least one.
        measures: Vec<Measure>,
        /// What the rows are grouped by.
        keys: Vec<GroupKey>,
    },
    /// `sort -n, name`: reorders the rows; equal rows keep their order, null comes last.
    Sort(Vec<SortKey>),
    /// `limit 10`: keeps the first rows.
    Limit(u64),
    /// `fields a, b`: keeps these columns, in this order.
    Fields(Vec<String>),
    /// `where n:>5`: keeps the rows for which the search holds over their columns.
    Where(Search),
    /// `rename a as b, c as d`: old and new names, applied at once.
    Rename(Vec<Renaming>),
    /// `uniq by a, b`: of the rows equal in these columns, keeps the first.
    Uniq(Vec<String>),
}

/// One computed column of [`Pipe::Stats`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measure {
    /// What is computed.
    pub aggregate: Aggregate,
    /// The column's name, unless it is the printed aggregate; see [`Measure::column`].
    pub name: Option<String>,
}

impl Measure {
    /// A measure. A name equal to the default is left out.
    #[must_use]
    pub fn new(aggregate: Aggregate, name: Option<String>) -> Self {
        let name = name.filter(|name| *name != aggregate.to_string());
        Self { aggregate, name }
    }

    /// The name of the column: the given one, else the printed aggregate, as in `count()`.
    #[must_use]
    pub fn column(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.aggregate.to_string())
    }
}

/// What is computed over the rows of a group. Rows without the field do not take part; over no rows
/// at all `count` and `distinct` are 0, `values` is empty and all others are null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `count()`: the number of rows.
    Count,
    /// `count(f)`: the number of rows that have the field.
    CountOf(String),
    /// `sum(f)`: of numbers, and of texts that are numbers.
    Sum(String),
    /// `avg(f)`: the arithmetic mean, as `sum`.
    Average(String),
    /// `min(f)`: of numbers by amount; of texts, if there is no number, by code points.
    Min(String),
    /// `max(f)`: as `min`.
    Max(String),
    /// `distinct(f)`: the number of distinct values.
    Distinct(String),
    /// `values(f)`: the distinct values themselves, in order, the first
    /// `ledgerline_model::limits::QUERY_LIST_MAX` of them.
    Values(String),
    /// `p95(f)`, `percentile(f, 99.9)`: the value below which that share of the values lies.
    Percentile {
        /// The field.
        field: String,
        /// The share.
        percent: Percent,
    },
}

/// A share from 0 to 100 percent, in steps of a thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// From thousandths of a percent; none above 100,000.
    #[must_use]
    pub fn from_thousandths(thousandths: u32) -> Option<Self> {
        (thousandths <= 100_000).then_some(Self(thousandths))
    }

    /// In thousandths of a percent.
    #[must_use]
    pub fn thousandths(self) -> u32 {
        self.0
    }

    /// As a fraction from 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 100_000.0
    }
}

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// A field; the column has its name.
    Field(String),
    /// `1d`: spans of `_time` of that width, aligned as [`Width::floor`] says; the column is named
    /// [`TIME_COLUMN`] and holds the start of the span.
    Time(Width),
}

/// The name of the column that [`GroupKey::Time`] makes.
pub const TIME_COLUMN: &str = "_time";

impl GroupKey {
    /// The name of the column.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::Field(name) => name,
            Self::Time(_) => TIME_COLUMN,
        }
    }
}

/// One column to order by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The column.
    pub column: String,
    /// Which way.
    pub direction: Direction,
}

/// An order. Numbers come before texts in either direction, each in its own order; null comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `x` or `+x`: the smallest first.
    Ascending,
    /// `-x`: the largest first.
    Descending,
}

/// One renamed column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Renaming {
    /// The name before.
    pub source: String,
    /// The name after.
    pub target: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_amount_beyond_the_precision_of_floats() {
        use Number::{Float, Integer};
        for (a, b, expected) in [
            (Integer(4624), Float(4624.0), Ordering::Equal),
            (Integer(i64::MAX), Float(BEYOND), Ordering::Less),
            (Integer(i64::MIN), Float(-BEYOND), Ordering::Equal),
            (Integer(9_007_199_254_740_993), Float(9_007_199_254_740_992.0), Ordering::Greater),
            (Integer(-1), Float(-1.5), Ordering::Greater),
            (Integer(0), Float(-0.0), Ordering::Equal),
            (Integer(1), Float(1e300), Ordering::Less),
        ] {
            assert_eq!(compare_numbers(a, b), expected, "{a:?} {b:?}");
            assert_eq!(compare_numbers(b, a), expected.reverse(), "{b:?} {a:?}");
        }
    }
}

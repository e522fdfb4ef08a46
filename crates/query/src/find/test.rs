//! What a value must satisfy, ready to be tested against many.

use std::cmp::Ordering;
use std::ops::Bound;

use ledgerline_model::batch::Kind;
use ledgerline_model::limits::REGEX_SIZE_MAX;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_model::word;
use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};

use super::scalar::Scalar;
use crate::error::{Error, ErrorKind, Result};
use crate::lang::ast::{self, Comparison, Number, compare_numbers};
use crate::lang::time;

/// A test of single values.
#[derive(Debug)]
pub(super) enum Test {
    /// Every value.
    Any,
    Equal(Literal),
    Words(Words),
    Regex(Regex),
    Compare(Comparison, Literal),
    Range(Bound<Literal>, Bound<Literal>),
}

/// A literal, and all that it may mean.
#[derive(Debug)]
pub(super) struct Literal {
    text: String,
    folded: String,
    number: Option<Number>,
    time: Option<TimeRange>,
    /// The first and the last severity number that it names.
    severities: Option<(i64, i64)>,
}

impl Literal {
    pub(super) fn new(literal: &ast::Literal, now: Timestamp) -> Self {
        Self {
            text: literal.0.clone(),
            folded: word::folded(&literal.0),
            number: literal.number(),
            time: time::range(&literal.0, now),
            severities: severities(&literal.0),
        }
    }

    fn equals(&self, value: Scalar<'_>) -> bool {
        match (value, value.number(), self.number) {
            (Scalar::Time(_) | Scalar::Severity(_), ..) => {
                self.compare(value) == Some(Ordering::Equal)
            }
            (_, Some(a), Some(b)) => compare_numbers(a, b).is_eq(),
            (Scalar::Str(text), ..) if text.is_ascii() => text.eq_ignore_ascii_case(&self.folded),
            _ => word::folded(&value.text()) == self.folded,
        }
    }

    /// The same, of exactly this text.
    fn is(&self, value: Scalar<'_>) -> bool {
        match (value, value.number(), self.number) {
            (Scalar::Time(_) | Scalar::Severity(_), ..) => {
                self.compare(value) == Some(Ordering::Equal)
            }
            (_, Some(a), Some(b)) => compare_numbers(a, b).is_eq(),
            _ => value.text() == self.text,
        }
    }

    /// How a value compares with the literal, or with the span that it means; nothing where the two
    /// do not compare.
    fn compare(&self, value: Scalar<'_>) -> Option<Ordering> {
        match (value, self.number) {
            (Scalar::Time(time), _) => {
                let range = self.time?;
                Some(if range.contains(time) {
                    Ordering::Equal
                } else if time < range.start {
                    Ordering::Less
                } else {
                    Ordering::Greater
                })
            }
            (_, Some(number)) => Some(compare_numbers(value.amount()?, number)),
            (Scalar::Severity(severity), None) => {
                let (first, last) = self.severities?;
                let number = i64::from(severity.number());
                Some(if number < first {
                    Ordering::Less
                } else if number > last {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                })
            }
            (_, None) => Some(word::folded(&value.text()).cmp(&self.folded)),
        }
    }
}

/// The numbers that a severity's name means: those of its range, or just one for names such as
/// `notice`, which stand for a number within a range.
fn severities(text: &str) -> Option<(i64, i64)> {
    let severity = Severity::from_text(text)?;
    let number = i64::from(severity.number());
    let is_first = (number - 1) % 4 == 0;
    Some((number, if is_first { number + 3 } else { number }))
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}

/// Whole words to be found in texts.
#[derive(Debug)]
pub(super) struct Words {
    folded: String,
    finder: Finder<'static>,
}

impl Words {
    pub(super) fn new(text: &str) -> Self {
        let folded = word::folded(text);
        Self { finder: Finder::new(folded.as_bytes()).into_owned(), folded }
    }

    fn stand_in(&self, text: &str, scratch: &mut String) -> bool {
        if text.len() < self.folded.len() && text.is_ascii() {
            return false;
        }
        word::fold(text, scratch);
        self.finder.find(scratch.as_bytes()).is_some()
            && word::contains_words(scratch, &self.folded)
    }
}

/// Compiles the expression of a wildcard.
pub(super) fn wildcard_regex(expression: &str) -> Result<Test> {
    let compiled = RegexBuilder::new(expression).size_limit(REGEX_SIZE_MAX).build();
    compiled
        .map(Test::Regex)
        .map_err(|error| Error::caused(ErrorKind::TooBig, "a wildcard is too complex", error))
}

impl Test {
    /// Whether a single value satisfies the test. `scratch` saves an allocation for each value.
    pub(super) fn holds(&self, value: Scalar<'_>, scratch: &mut String) -> bool {
        match self {
            Self::Any => true,
            Self::Equal(literal) => literal.equals(value),
            Self::Words(words) => words.stand_in(&value.text(), scratch),
            Self::Regex(regex) => regex.is_match(&value.text()),
            Self::Compare(Comparison::Equal, literal) => literal.is(value),
            Self::Compare(comparison, literal) => {
                literal.compare(value).is_some_and(|ordering| holds(*comparison, ordering))
            }
            Self::Range(low, high) => {
                is_within(value, low, Comparison::GreaterOrEqual, Comparison::Greater)
                    && is_within(value, high, Comparison::LessOrEqual, Comparison::Less)
            }
        }
    }

    /// The same, of an array that one of its elements does.
    pub(super) fn holds_any(&self, value: Scalar<'_>, scratch: &mut String) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (_, Scalar::Json(_)) => value.any(|value| self.holds(value, scratch)),
            _ => self.holds(value, scratch),
        }
    }

    /// Whether some value of a kind, within bounds if there are any, can satisfy the test.
    pub(super) fn is_possible(&self, kind: Kind, bounds: Option<(i64, i64)>) -> bool {
        match kind {
            Kind::I64 => self.is_possible_of_integers(bounds),
            Kind::Bool => {
                let mut scratch = String::new();
                [false, true].iter().any(|truth| self.holds(Scalar::Bool(*truth), &mut scratch))
            }
            Kind::Str | Kind::F64 | Kind::Json => true,
        }
    }

    fn is_possible_of_integers(&self, bounds: Option<(i64, i64)>) -> bool {
        if let Self::Words(words) = self {
            return words.folded.bytes().all(|c| c.is_ascii_digit() || c == b'-');
        }
        let (least, most) = bounds.unwrap_or((i64::MIN, i64::MAX));
        let order = |literal: &Literal, bound| {
            let number = literal.number?;
            Some(compare_numbers(Number::Integer(bound), number))
        };
        let reaches_down = |literal: &Literal| order(literal, least).is_none_or(Ordering::is_le);
        let reaches_up = |literal: &Literal| order(literal, most).is_none_or(Ordering::is_ge);
        match self {
            Self::Equal(literal) | Self::Compare(Comparison::Equal, literal) => {
                literal.number.is_some() && reaches_down(literal) && reaches_up(literal)
            }
            Self::Compare(Comparison::Less | Comparison::LessOrEqual, literal) => {
                reaches_down(literal)
            }
            Self::Compare(_, literal) => reaches_up(literal),
            Self::Range(low, high) => {
                let (low, high) = (bounded(low), bounded(high));
                low.is_none_or(reaches_up) && high.is_none_or(reaches_down)
            }
            Self::Any | Self::Words(_) | Self::Regex(_) => true,
        }
    }
}

fn bounded(bound: &Bound<Literal>) -> Option<&Literal> {
    match bound {
        Bound::Included(literal) | Bound::Excluded(literal) => Some(literal),
        Bound::Unbounded => None,
    }
}

fn is_within(
    value: Scalar<'_>,
    bound: &Bound<Literal>,
    included: Comparison,
    excluded: Comparison,
) -> bool {
    let (literal, comparison) = match bound {
        Bound::Unbounded => return true,
        Bound::Included(literal) => (literal, included),
        Bound::Excluded(literal) => (literal, excluded),
    };
    literal.compare(value).is_some_and(|ordering| holds(comparison, ordering))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(text: &str) -> Test {
        Test::Equal(Literal::new(&ast::Literal(text.to_owned()), Timestamp(0)))
    }

    fn compare(comparison: Comparison, text: &str) -> Test {
        Test::Compare(comparison, Literal::new(&ast::Literal(text.to_owned()), Timestamp(0)))
    }

    fn holds(test: &Test, value: Scalar<'_>) -> bool {
        test.holds_any(value, &mut String::new())
    }

    #[test]
    fn numbers_are_equal_by_amount_and_texts_by_their_text() {
        let test = equal("4624");
        assert!(holds(&test, Scalar::I64(4624)));
        assert!(holds(&test, Scalar::F64(4624.0)));
        assert!(holds(&test, Scalar::Str("4624")));
        assert!(!holds(&test, Scalar::Str("4624.0")));
        assert!(holds(&test, Scalar::Json(r#"[1, "4624"]"#)));
        assert!(!holds(&test, Scalar::Json(r#"[1, "46240"]"#)));
        assert!(holds(&equal("SECURITY"), Scalar::Str("Security")));
        assert!(holds(&equal("TRUE"), Scalar::Bool(true)));
        assert!(holds(&equal("100000000000000000000"), Scalar::Json("1e20")));
        assert!(holds(&equal("k"), Scalar::Str("\u{212a}")));
    }

    #[test]
    fn exactly_equal_is_in_the_same_case() {
        let test = |text| compare(Comparison::Equal, text);
        assert!(holds(&test("Security"), Scalar::Str("Security")));
        assert!(!holds(&test("SECURITY"), Scalar::Str("Security")));
        assert!(holds(&test("4624"), Scalar::F64(4624.0)));
        assert!(!holds(&test("4624"), Scalar::Str("4624.0")));
        assert!(!holds(&test("TRUE"), Scalar::Bool(true)));
        assert!(holds(&test("a"), Scalar::Json(r#"["b", "a"]"#)));
        assert!(!holds(&test("k"), Scalar::Str("\u{212a}")));
    }

    #[test]
    fn numeric_literals_compare_only_with_numbers() {
        let test = compare(Comparison::Greater, "9");
        assert!(holds(&test, Scalar::Str("10")));
        assert!(!holds(&test, Scalar::Str("abc")));
        assert!(!holds(&test, Scalar::Bool(true)));
        let test = compare(Comparison::Greater, "B");
        assert!(holds(&test, Scalar::Str("c")));
        assert!(!holds(&test, Scalar::Str("A")));
        assert!(!holds(&test, Scalar::I64(10)), "its text is 10, which is less");
    }

    #[test]
    fn severities_have_names_and_numbers() {
        let severity = |number| Scalar::Severity(Severity::from_number(number).unwrap_or_default());
        assert!(holds(&equal("error"), severity(17)));
        assert!(holds(&equal("ERROR"), severity(20)));
        assert!(!holds(&equal("ERROR"), severity(21)));
        assert!(holds(&equal("18"), severity(18)));
        assert!(!holds(&equal("notice"), severity(9)));
        assert!(holds(&compare(Comparison::GreaterOrEqual, "warn"), severity(13)));
        assert!(!holds(&compare(Comparison::Greater, "warn"), severity(16)));
        assert!(holds(&compare(Comparison::Greater, "16"), severity(17)));
    }

    #[test]
    fn impossible_tests_of_integers_are_known_without_reading_them() {
        let bounds = Some((10, 20));
        let possible = |test: &Test| test.is_possible(Kind::I64, bounds);
        assert!(possible(&equal("10")) && possible(&equal("20.0")));
        assert!(!possible(&equal("9")) && !possible(&equal("21")) && !possible(&equal("x")));
        assert!(possible(&compare(Comparison::Less, "11")));
        assert!(!possible(&compare(Comparison::Less, "9")));
        assert!(!possible(&compare(Comparison::Greater, "21")));
        assert!(possible(&compare(Comparison::Greater, "abc")));
    }
}

//! A search made ready to run: every literal, expression and hint prepared once.

use ledgerline_model::convention::Conventions;
use ledgerline_model::time::Timestamp;
use ledgerline_model::word;

use super::hint::Hint;
use super::needle::Needle;
use super::test::{Literal, Test, Words, wildcard_regex};
use crate::error::Result;
use crate::lang::Search;
use crate::lang::ast::{self, Predicate, Term};

/// A search made ready.
#[derive(Debug)]
pub(super) enum Node {
    All,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// In the message, or, without one, in each text.
    Text(Check),
    /// In every field.
    Every(Check),
    /// In one field.
    Field(Name, Check),
}

/// A test, what the word index knows of it, and what to look for in texts.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) test: Test,
    pub(super) hint: Hint,
    pub(super) needle: Option<Needle>,
}

/// What a name in a query stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Time,
    Received,
    Severity,
    Id,
    Seq,
    Message,
    /// A field of the sender's.
    Field(String),
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        match name {
            "_time" => Self::Time,
            "_received" => Self::Received,
            "_severity" => Self::Severity,
            "_id" => Self::Id,
            "_seq" => Self::Seq,
            "_message" => Self::Message,
            field => Self::Field(field.to_owned()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Time => "_time",
            Self::Received => "_received",
            Self::Severity => "_severity",
            Self::Id => "_id",
            Self::Seq => "_seq",
            Self::Message => "_message",
            Self::Field(field) => field,
        }
    }
}

/// What the literals and names of a query depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning<'a> {
    pub(super) conventions: &'a Conventions,
    pub(super) now: Timestamp,
}

impl Meaning<'_> {
    pub(super) fn prepare(&self, search: &Search) -> Result<Node> {
        let all = |members: &[Search]| -> Result<Vec<Node>> {
            members.iter().map(|member| self.prepare(member)).collect()
        };
        Ok(match search {
            Search::All => Node::All,
            Search::And(members) => Node::And(all(members)?),
            Search::Or(members) => Node::Or(all(members)?),
            Search::Not(inner) => Node::Not(Box::new(self.prepare(inner)?)),
            Search::Text(term) => Node::Text(check_of_term(term)?),
            Search::EveryField(term) => Node::Every(check_of_term(term)?),
            Search::Field { name, predicate } => {
                let name = Name::new(name);
                let check = self.check(&name, predicate)?;
                Node::Field(name, check)
            }
        })
    }

    fn check(&self, name: &Name, predicate: &Predicate) -> Result<Check> {
        let literal = |literal: &ast::Literal| Literal::new(literal, self.now);
        Ok(match predicate {
            Predicate::Equals(ast::Literal(text)) if self.is_message(name) => check_of_words(text),
            Predicate::Equals(text) => {
                let hint = Hint::of_words(&text.0);
                Check { hint, ..unhinted(Test::Equal(literal(text))) }
            }
            Predicate::Compare { comparison: ast::Comparison::Equal, literal: text } => {
                let hint = Hint::of_words(&text.0);
                let test = Test::Compare(ast::Comparison::Equal, literal(text));
                Check { hint, ..unhinted(test) }
            }
            Predicate::Words(phrase) => check_of_words(phrase.text()),
            Predicate::Wildcard(pattern) => Check {
                test: wildcard_regex(&pattern.regex_whole())?,
                hint: Hint::of_pattern(pattern),
                needle: Needle::of_pattern(pattern, true),
            },
            Predicate::Regex(regex) => check_of_regex(regex.regex()),
            Predicate::Compare { comparison, literal: text } => {
                unhinted(Test::Compare(*comparison, literal(text)))
            }
            Predicate::Range { low, high } => {
                let (low, high) = (low.as_ref().map(literal), high.as_ref().map(literal));
                unhinted(Test::Range(low, high))
            }
            Predicate::Exists => unhinted(Test::Any),
        })
    }

    fn is_message(&self, name: &Name) -> bool {
        match name {
            Name::Message => true,
            Name::Field(name) => self.conventions.message.contains(name),
            _ => false,
        }
    }
}

fn unhinted(test: Test) -> Check {
    Check { test, hint: Hint::default(), needle: None }
}

fn check_of_words(text: &str) -> Check {
    Check {
        test: Test::Words(Words::new(text)),
        hint: Hint::of_words(text),
        needle: Needle::of_words(&word::folded(text)),
    }
}

fn check_of_regex(regex: &regex::Regex) -> Check {
    let hint = Hint::of_regex(regex.as_str());
    let needle = hint.only_piece().and_then(Needle::possible);
    Check { test: Test::Regex(regex.clone()), hint, needle }
}

fn check_of_term(term: &Term) -> Result<Check> {
    Ok(match term {
        Term::Words(phrase) => check_of_words(phrase.text()),
        Term::Wildcard(pattern) => Check {
            test: wildcard_regex(&pattern.regex_within())?,
            hint: Hint::of_pattern(pattern),
            needle: Needle::of_pattern(pattern, false),
        },
        Term::Regex(regex) => check_of_regex(regex.regex()),
    })
}

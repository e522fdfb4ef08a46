//! Masking: personal data and secrets in the texts of a JSON document are replaced, the same way
//! when events come in and when somebody reads who may not see everything.
//!
//! What was found becomes `[masked:email]`, `[hash:2f1a…]` or `[…1234]`. Keys of objects stay, as
//! do the members that say what an event is and when it happened. What is masked once is not
//! masked again.

mod checksum;
mod detector;
mod find;
mod hmac;
mod rule;
mod walk;

use std::fmt;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::error::{Refusal, code};
use crate::json;
use crate::record::Record;

pub use detector::Detector;
pub use rule::{Action, FieldPattern, MASK_PATTERN_BYTES_MAX, RULES_MAX, Rule, read_rules};

use find::{Span, find};
use walk::Walker;

/// The most often that one text is searched: what one replacement lays bare, such as a number
/// that had more digits next to it, is found in the next round.
const ROUNDS_MAX: usize = 8;
/// The memory that one compiled pattern, and the set of all of them, may take.
const REGEX_BYTES_MAX: usize = 4 << 20;

/// What was masked at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// Where, as a JSON Pointer (RFC 6901).
    pub path: String,
    /// What was found: the name of the detector.
    pub detector: String,
    /// How often.
    pub count: usize,
}

/// Rules that are ready for use.
pub struct Masker {
    rules: Vec<Ready>,
    /// Every pattern of every rule, so that a text without any of them is searched once.
    prefilter: RegexSet,
    /// The rule of each pattern in `prefilter`.
    owners: Vec<usize>,
    key: [u8; 32],
}

/// A rule with its patterns compiled.
struct Ready {
    rule: Rule,
    regexes: Vec<Regex>,
}

impl fmt::Debug for Masker {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<&Rule> = self.rules.iter().map(|ready| &ready.rule).collect();
        f.debug_struct("Masker").field("rules", &rules).finish_non_exhaustive()
    }
}

impl Masker {
    /// Makes the rules ready. `key` is the tenant's: with it, and only with it, equal values have
    /// equal hashes.
    ///
    /// # Errors
    /// `bad_pattern` for a pattern that is no regular expression or too large a one, with the
    /// number of its rule as pointer.
    pub fn new(rules: Vec<Rule>, key: [u8; 32]) -> Result<Self, Refusal> {
        let mut ready = Vec::with_capacity(rules.len());
        let (mut patterns, mut owners) = (Vec::new(), Vec::new());
        for (index, rule) in rules.into_iter().enumerate() {
            let mut regexes = Vec::new();
            for pattern in rule.detector().patterns() {
                let compiled = RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
                regexes.push(compiled.map_err(|error| bad_pattern(index, &error))?);
                patterns.push(pattern.to_owned());
                owners.push(index);
            }
            ready.push(Ready { rule, regexes });
        }
        let set_bytes_max = REGEX_BYTES_MAX * patterns.len().max(1);
        let prefilter = RegexSetBuilder::new(&patterns).size_limit(set_bytes_max).build();
        let prefilter = prefilter.map_err(|error| bad_pattern(0, &error))?;
        Ok(Self { rules: ready, prefilter, owners, key })
    }

    /// A document with everything masked that the rules find in its texts, without white space
    /// between its parts, and what was masked. Records of erasures, retirements and key rotations
    /// have nothing to mask and stay as they are.
    ///
    /// # Errors
    /// When the bytes are no JSON.
    pub fn apply(&self, payload: &[u8]) -> Result<(Vec<u8>, Vec<Masked>), Refusal> {
        let tree = json::read(payload)?;
        let is_kept = matches!(
            Record::of_tree(&tree),
            Some(Record::Erasure | Record::Retirement | Record::KeyRotation)
        );
        if self.rules.is_empty() || is_kept {
            return Ok((tree.json().as_str().as_bytes().to_vec(), Vec::new()));
        }
        let mut walker = Walker::new(self);
        walker.document(&tree);
        Ok(walker.finish())
    }

    /// Masks one text; `is_open` says which rules apply where it stands. Nothing when nothing was
    /// found. `found` is told the number of the rule for every finding.
    fn mask_text(
        &self,
        text: &str,
        is_open: &[bool],
        found: &mut impl FnMut(usize),
    ) -> Option<String> {
        let mut masked: Option<String> = None;
        for _ in 0..ROUNDS_MAX {
            let text = masked.as_deref().unwrap_or(text);
            let spans = self.spans(text, is_open);
            if spans.is_empty() {
                break;
            }
            masked = Some(self.replaced(text, &spans, found));
        }
        masked
    }

    /// What is to be replaced in a text: rising, no two overlapping.
    fn spans(&self, text: &str, is_open: &[bool]) -> Vec<Span> {
        let hits = self.prefilter.matches(text);
        if !hits.matched_any() {
            return Vec::new();
        }
        let mut spans = Vec::new();
        let mut pattern_of_rule = 0;
        for (pattern, owner) in self.owners.iter().enumerate() {
            let is_first = pattern == 0 || self.owners[pattern - 1] != *owner;
            pattern_of_rule = if is_first { 0 } else { pattern_of_rule + 1 };
            if hits.matched(pattern) && is_open[*owner] {
                let ready = &self.rules[*owner];
                let regex = &ready.regexes[pattern_of_rule];
                find(ready.rule.detector(), pattern_of_rule, regex, text, *owner, &mut spans);
            }
        }
        self.united(spans)
    }

    /// Spans that overlap become one, with the action that shows the least.
    fn united(&self, mut spans: Vec<Span>) -> Vec<Span> {
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.rule));
        let mut united: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match united.last_mut() {
                Some(last) if span.start < last.end => {
                    last.end = last.end.max(span.end);
                    if self.action(span.rule) < self.action(last.rule) {
                        last.rule = span.rule;
                    }
                }
                _ => united.push(span),
            }
        }
        united
    }

    fn action(&self, rule: usize) -> Action {
        self.rules[rule].rule.action()
    }

    fn replaced(&self, text: &str, spans: &[Span], found: &mut impl FnMut(usize)) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in spans {
            out.push_str(&text[at..span.start]);
            out.push_str(&self.replacement(span.rule, &text[span.start..span.end]));
            at = span.end;
            found(span.rule);
        }
        out.push_str(&text[at..]);
        out
    }

    /// What stands in the place of a value.
    fn replacement(&self, rule: usize, value: &str) -> String {
        match self.action(rule) {
            Action::Hash => format!("[hash:{}]", hmac::short_hash(&self.key, value.as_bytes())),
            Action::Last4 => match last_four(value) {
                Some(last) => format!("[…{last}]"),
                None => self.dropped(rule),
            },
            Action::Drop => self.dropped(rule),
        }
    }

    fn dropped(&self, rule: usize) -> String {
        format!("[masked:{}]", self.rules[rule].rule.detector().name())
    }
}

/// The last four letters or digits of a value that has many more of them.
fn last_four(value: &str) -> Option<String> {
    const SHORTEST: usize = 9;
    let characters: Vec<char> = value.chars().filter(|c| c.is_alphanumeric()).collect();
    (characters.len() >= SHORTEST).then(|| characters[characters.len() - 4..].iter().collect())
}

fn bad_pattern(rule: usize, error: &regex::Error) -> Refusal {
    Refusal::one(code::BAD_PATTERN, format!("/{rule}/pattern"), error.to_string())
}

#[cfg(test)]
mod tests;

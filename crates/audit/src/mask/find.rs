//! Candidates that patterns find, checked one by one.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::checksum::{iban_end, is_card};
use super::detector::Detector;

/// Something that is to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The number of the rule that found it.
    pub(super) rule: usize,
}

/// What masking leaves in the place of a value.
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[(?:masked:[a-z0-9_-]{1,64}|hash:[0-9a-f]{16}|…[\p{Alphabetic}\p{N}]{1,4})\]")
        .expect("a pattern that never changes")
});

/// Whether the text is one that masking left, and nothing else.
pub(super) fn is_marker(text: &str) -> bool {
    MARKER.find(text).is_some_and(|found| found.len() == text.len())
}

/// Collects what one pattern of a detector finds in a text.
pub(super) fn find(
    detector: &Detector,
    pattern: usize,
    regex: &Regex,
    text: &str,
    rule: usize,
    spans: &mut Vec<Span>,
) {
    let mut put = |start, end| spans.push(Span { start, end, rule });
    match (detector, pattern) {
        (Detector::Card, _) => cards(regex, text, put),
        (Detector::Iban, _) => ibans(regex, text, put),
        (Detector::Ip, 0) => ipv4(regex, text, put),
        (Detector::Ip, _) => ipv6(regex, text, put),
        (Detector::Phone, 0) => international_phones(regex, text, put),
        (Detector::Phone, _) => national_phones(regex, text, put),
        (Detector::UrlPassword | Detector::Secret, _) => {
            for captures in regex.captures_iter(text) {
                if let Some(value) = captures.get(1)
                    && !is_marker(value.as_str())
                {
                    put(value.start(), value.end());
                }
            }
        }
        (Detector::Custom { .. }, _) => custom(regex, text, put),
        (Detector::Email | Detector::Jwt | Detector::ApiKey | Detector::PrivateKey, _) => {
            for found in regex.find_iter(text) {
                put(found.start(), found.end());
            }
        }
    }
}

/// A pattern of the tenant's own may find anything, even what masking left: that stays.
fn custom(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    let markers: Vec<_> = MARKER.find_iter(text).collect();
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(1).or_else(|| captures.get(0)) else { continue };
        let touches =
            markers.iter().any(|mark| found.start() < mark.end() && mark.start() < found.end());
        if !found.is_empty() && !touches {
            put(found.start(), found.end());
        }
    }
}

fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

fn behind(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

fn is_word(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_alphanumeric() || character == '_')
}

/// Whether no word goes on before or behind.
fn is_free(text: &str, start: usize, end: usize) -> bool {
    !is_word(before(text, start)) && !is_word(behind(text, end))
}

/// Whether the text goes on behind with one of the separators and a digit.
fn goes_on(text: &str, end: usize, separators: &[char]) -> bool {
    let rest = text[end..].strip_prefix(separators);
    rest.is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Cards within runs of digits. A run may hold more than a card, such as a date behind it, so each
/// stretch of whole groups of digits is tried, the longest first.
fn cards(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    for run in regex.find_iter(text) {
        let groups = groups(run.as_str(), run.start());
        let mut first = 0;
        while first < groups.len() {
            let last = (first..groups.len())
                .take_while(|last| digits(&groups[first..=*last]) <= 19)
                .filter(|last| {
                    let (start, end) = (groups[first].0, groups[*last].1);
                    is_card(&text[start..end]) && is_free(text, start, end)
                })
                .last();
            match last {
                Some(last) => {
                    put(groups[first].0, groups[last].1);
                    first = last + 1;
                }
                None => first += 1,
            }
        }
    }
}

/// Where the groups of digits of a run begin and end.
fn groups(run: &str, offset: usize) -> Vec<(usize, usize)> {
    let mut groups = Vec::new();
    let mut at = 0;
    for group in run.split([' ', '-']) {
        groups.push((offset + at, offset + at + group.len()));
        at += group.len() + 1;
    }
    groups
}

fn digits(groups: &[(usize, usize)]) -> usize {
    groups.iter().map(|(start, end)| end - start).sum()
}

fn ibans(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(found) = regex.find_at(text, at) {
        match iban_end(text, found.start()) {
            Some(end) if !is_word(behind(text, end)) => {
                put(found.start(), end);
                at = end;
            }
            // The pattern begins with a letter, which is one byte.
            _ => at = found.start() + 1,
        }
    }
}

fn ipv4(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    for found in regex.find_iter(text) {
        let (start, end) = (found.start(), found.end());
        let is_part = before(text, start) == Some('.') || goes_on(text, end, &['.']);
        if is_free(text, start, end) && !is_part && found.as_str().parse::<Ipv4Addr>().is_ok() {
            put(start, end);
        }
    }
}

fn ipv6(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    for found in regex.find_iter(text) {
        let start = found.start();
        // A colon behind may belong to the sentence.
        let whole = found.as_str();
        let address = [whole, whole.strip_suffix(':').unwrap_or(whole)]
            .into_iter()
            .find(|candidate| candidate.parse::<Ipv6Addr>().is_ok());
        let Some(address) = address else { continue };
        let end = start + address.len();
        // `a::b` is as likely a path of a program.
        let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit && is_free(text, start, end) {
            put(start, end);
        }
    }
}

/// How many digits a telephone number has, the code of its country included (E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

fn digits_in(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Numbers with a plus sign. What follows one may look as if it went on, such as a date: groups of
/// digits are left out from the end until the number is one that can be.
fn international_phones(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    for found in regex.find_iter(text) {
        let mut number = found.as_str();
        while digits_in(number) > *PHONE_DIGITS.end() {
            let shorter = number.rfind([' ', '.', '/', '-']).unwrap_or_default();
            number = &number[..shorter];
        }
        let (start, end) = (found.start(), found.start() + number.len());
        if PHONE_DIGITS.contains(&digits_in(number)) && is_free(text, start, end) {
            put(start, end);
        }
    }
}

fn national_phones(regex: &Regex, text: &str, mut put: impl FnMut(usize, usize)) {
    for found in regex.find_iter(text) {
        let (start, end) = (found.start(), found.end());
        let is_part = matches!(before(text, start), Some('.' | '-' | '/' | '+'))
            || goes_on(text, end, &['.', '-', '/', ':', ' ']);
        let is_number = PHONE_DIGITS.contains(&digits_in(found.as_str()));
        if is_number && is_free(text, start, end) && !is_part {
            put(start, end);
        }
    }
}

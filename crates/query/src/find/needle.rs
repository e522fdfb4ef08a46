//! Finding the texts of a page that satisfy a test by looking through the page as a whole.

use ledgerline_model::word::is_word_char;
use ledgerline_store::column::Texts;
use memchr::memmem::Finder;

use super::rowset::RowSet;
use super::scalar::Scalar;
use super::test::Test;
use crate::lang::pattern::{Part, Pattern};

/// Bytes that stand in every text that satisfies a test, once its ASCII letters are in lower case,
/// unless the text has one of the characters beyond ASCII that are ASCII letters without regard to
/// case.
#[derive(Debug)]
pub(super) struct Needle {
    finder: Finder<'static>,
    folding: Vec<Finder<'static>>,
    hit: Hit,
}

/// What it means that the needle was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hit {
    /// The text satisfies the test.
    Sure,
    /// It does if neither end of the needle cuts a word in two.
    OfWords,
    /// It must be tested.
    Possible,
}

/// A shorter needle is found too often to be worth it.
const POSSIBLE_BYTES_MIN: usize = 3;

/// The characters beyond ASCII that are an ASCII letter without regard to case.
const FOLDING: [(u8, char); 3] = [(b'k', '\u{212a}'), (b'i', '\u{130}'), (b's', '\u{17f}')];

impl Needle {
    /// For whole words, folded.
    pub(super) fn of_words(folded: &str) -> Option<Self> {
        if folded.is_ascii() && !folded.is_empty() {
            return Some(Self::new(folded, Hit::OfWords));
        }
        Self::possible(longest_run(folded))
    }

    /// For a pattern that must match the whole text, or within it.
    pub(super) fn of_pattern(pattern: &Pattern, whole: bool) -> Option<Self> {
        if let (Some(text), true) = (pattern.substring(), whole)
            && text.is_ascii()
        {
            return Some(Self::new(text, Hit::Sure));
        }
        let literals = pattern.parts().iter().filter_map(|part| match part {
            Part::Literal(text) => Some(longest_run(text)),
            Part::One | Part::Run => None,
        });
        Self::possible(literals.max_by_key(|run| run.len())?)
    }

    /// For a text of which this is a part, if it is long enough.
    pub(super) fn possible(text: &str) -> Option<Self> {
        (text.len() >= POSSIBLE_BYTES_MIN).then(|| Self::new(text, Hit::Possible))
    }

    fn new(text: &str, hit: Hit) -> Self {
        let text = text.to_ascii_lowercase();
        let folding = FOLDING.iter().filter(|(letter, _)| text.as_bytes().contains(letter));
        let finder = |c: char| Finder::new(c.encode_utf8(&mut [0; 4]).as_bytes()).into_owned();
        Self {
            folding: folding.map(|(_, c)| finder(*c)).collect(),
            finder: Finder::new(text.as_bytes()).into_owned(),
            hit,
        }
    }
}

/// The longest run of ASCII characters.
fn longest_run(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii()).max_by_key(|run| run.len()).unwrap_or_default()
}

/// How many bytes of texts are looked through at once: they stay in the processor's cache.
const CHUNK_BYTES: usize = 256 << 10;

/// Looks through texts, page after page.
#[derive(Debug)]
pub(super) struct TextScan<'a> {
    pub(super) test: &'a Test,
    pub(super) needle: Option<&'a Needle>,
    /// The rows that matter.
    pub(super) within: &'a RowSet,
    lower: Vec<u8>,
    scratch: String,
}

impl<'a> TextScan<'a> {
    pub(super) fn new(test: &'a Test, needle: Option<&'a Needle>, within: &'a RowSet) -> Self {
        Self { test, needle, within, lower: Vec::new(), scratch: String::new() }
    }

    /// Adds the rows whose texts satisfy the test.
    pub(super) fn scan(&mut self, texts: &Texts<'_>, found: &mut RowSet) {
        let Some(needle) = self.needle else {
            (0..texts.ends.len()).for_each(|index| self.test_text(texts, index, found));
            return;
        };
        let mut first = 0;
        while first < texts.ends.len() {
            let limit = texts.span(first).start + CHUNK_BYTES;
            let fit = texts.ends[first..].partition_point(|end| *end as usize <= limit);
            let end = first + fit.max(1);
            self.scan_chunk(needle, texts, first..end, found);
            first = end;
        }
    }

    fn scan_chunk(
        &mut self,
        needle: &Needle,
        texts: &Texts<'_>,
        chunk: std::ops::Range<usize>,
        found: &mut RowSet,
    ) {
        let start = texts.span(chunk.start).start;
        let mut lower = std::mem::take(&mut self.lower);
        let is_ascii = lower_case(&texts.bytes[start..texts.span(chunk.end - 1).end], &mut lower);
        let length = needle.finder.needle().len();
        let (mut at, mut index) = (0, chunk.start);
        while let Some(hit) = needle.finder.find(&lower[at..]) {
            let hit = at + hit;
            index +=
                texts.ends[index..chunk.end].partition_point(|end| *end as usize <= start + hit);
            let span = texts.span(index);
            let span = span.start - start..span.end - start;
            if hit + length > span.end {
                at = hit + 1;
                continue;
            }
            at = span.end;
            if !self.within.contains(texts.rows.get(index)) {
                continue;
            }
            match needle.hit {
                Hit::Sure => found.insert(texts.rows.get(index)),
                Hit::Possible => self.test_text(texts, index, found),
                Hit::OfWords => match is_whole(&lower[span.clone()], hit - span.start, length) {
                    Some(true) => found.insert(texts.rows.get(index)),
                    Some(false) => at = hit + 1,
                    None => self.test_text(texts, index, found),
                },
            }
        }
        if !is_ascii {
            for finder in &needle.folding {
                for hit in finder.find_iter(&lower) {
                    let index = texts.ends.partition_point(|end| *end as usize <= start + hit);
                    self.test_text(texts, index, found);
                }
            }
        }
        self.lower = lower;
    }

    fn test_text(&mut self, texts: &Texts<'_>, index: usize, found: &mut RowSet) {
        let row = texts.rows.get(index);
        if self.within.contains(row)
            && self.test.holds(Scalar::Str(texts.get(index)), &mut self.scratch)
        {
            found.insert(row);
        }
    }
}

/// Puts bytes into a buffer, ASCII letters in lower case. Returns whether all are ASCII.
fn lower_case(bytes: &[u8], lower: &mut Vec<u8>) -> bool {
    lower.resize(bytes.len(), 0);
    let mut all = 0;
    // One pass, which the compiler turns into wide instructions.
    for (to, from) in lower.iter_mut().zip(bytes) {
        *to = from.to_ascii_lowercase();
        all |= from;
    }
    all.is_ascii()
}

/// Whether neither end of a stretch of a text cuts a word in two; nothing if that depends on
/// characters beyond ASCII.
fn is_whole(text: &[u8], at: usize, length: usize) -> Option<bool> {
    let cuts = |inner: u8, outer: Option<&u8>| {
        let Some(outer) = outer.filter(|_| is_word_char(char::from(inner))) else {
            return Some(false);
        };
        outer.is_ascii().then(|| is_word_char(char::from(*outer)))
    };
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let cut_before = cuts(text[at], before)?;
    let cut_after = cuts(text[at + length - 1], text.get(at + length))?;
    Some(!cut_before && !cut_after)
}

#[cfg(test)]
mod tests {
    use ledgerline_model::strings::Strings;
    use ledgerline_store::column::Rows;
    use proptest::prelude::*;

    use super::*;
    use crate::find::test::Words;
    use crate::lang::pattern::Part::{Literal, Run};

    fn found(test: &Test, needle: Option<&Needle>, texts: &[String]) -> Vec<u32> {
        let count = texts.len() as u32;
        let (strings, rows) = (texts.iter().collect::<Strings>(), Rows::Span(0..count));
        let texts = Texts { rows: &rows, ends: strings.ends(), bytes: strings.bytes() };
        let (within, mut found) = (RowSet::all(count), RowSet::none(count));
        TextScan::new(test, needle, &within).scan(&texts, &mut found);
        found.iter().collect()
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[ak\u{212a}i\u{130}s\u{17f}SK. é\u{307}]{0,8}", 1..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn a_needle_finds_the_texts_that_satisfy_the_test(
            texts in texts(),
            words in "[akisé. ]{1,4}",
        ) {
            let folded = ledgerline_model::word::folded(&words);
            let (test, needle) = (Test::Words(Words::new(&words)), Needle::of_words(&folded));
            prop_assert_eq!(found(&test, needle.as_ref(), &texts), found(&test, None, &texts));
            let pattern = Pattern::new([Run, Literal(words), Run]).expect("it has wildcards");
            let needle = Needle::of_pattern(&pattern, true);
            let test = crate::find::test::wildcard_regex(&pattern.regex_whole())?;
            prop_assert_eq!(found(&test, needle.as_ref(), &texts), found(&test, None, &texts));
        }
    }
}

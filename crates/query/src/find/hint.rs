//! What the word index can say of a test before any text is read.

use ledgerline_model::word::{self, WORD_BYTES_MAX, is_word_char};
use ledgerline_store::part::{Part, Place};
use memchr::memmem::Finder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::error::Result;
use crate::lang::pattern::{self, Pattern};

/// Words, and a piece of a word, that a text must have to satisfy a test.
#[derive(Debug, Default)]
pub(super) struct Hint {
    /// Every one of these words, folded.
    words: Vec<String>,
    /// In some word, one of these pieces, ASCII in lower case. Empty: nothing is known.
    pieces: Vec<Finder<'static>>,
}

/// The shortest piece worth a walk through the list of words.
const PIECE_BYTES_MIN: usize = 2;
/// The most pieces of an expression with alternatives.
const PIECES_MAX: usize = 16;

impl Hint {
    /// Every word of a text.
    pub(super) fn of_words(text: &str) -> Self {
        let folded = word::folded(text);
        let indexed = word::words(&folded).filter(|word| Part::is_indexed(word));
        let mut words: Vec<String> = indexed.map(str::to_owned).collect();
        words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Self { words, pieces: Vec::new() }
    }

    /// The longest piece of a word that a wildcard pattern names.
    pub(super) fn of_pattern(pattern: &Pattern) -> Self {
        let mut longest = String::new();
        for part in pattern.parts() {
            if let pattern::Part::Literal(text) = part {
                longest = longer(longest, longest_piece(text));
            }
        }
        Self::of_pieces(vec![longest])
    }

    /// Pieces of words one of which every match of a regular expression has.
    pub(super) fn of_regex(expression: &str) -> Self {
        // Without regard to case, whatever the expression says: that can only find more.
        let parsed = ParserBuilder::new().case_insensitive(true).build().parse(expression);
        Self::of_pieces(parsed.ok().and_then(|hir| required(&hir)).unwrap_or_default())
    }

    fn of_pieces(pieces: Vec<String>) -> Self {
        if pieces.len() > PIECES_MAX || !pieces.iter().all(|piece| is_useful(piece)) {
            return Self::default();
        }
        let finder = |piece: String| Finder::new(piece.as_bytes()).into_owned();
        Self { words: Vec::new(), pieces: pieces.into_iter().map(finder).collect() }
    }

    /// The piece that every match has, if it is one and the same.
    pub(super) fn only_piece(&self) -> Option<&str> {
        match &self.pieces[..] {
            [only] => std::str::from_utf8(only.needle()).ok(),
            _ => None,
        }
    }

    /// Where in a part texts may satisfy the test.
    pub(super) fn place(&self, part: &Part) -> Result<Place> {
        let mut place = Place::Anywhere;
        for word in &self.words {
            place = both(place, part.word(word)?);
            if place == Place::Nowhere {
                return Ok(place);
            }
        }
        if !self.pieces.is_empty() {
            place = both(place, part.words(|word| self.may_hold(word))?);
        }
        Ok(place)
    }

    fn may_hold(&self, word: &[u8]) -> bool {
        // The index keeps only the first bytes of a longer word: the piece may be in the rest.
        if word.len() > WORD_BYTES_MAX {
            return true;
        }
        if self.pieces.iter().any(|piece| piece.find(word).is_some()) {
            return true;
        }
        // U+017F, the long s, is matched by an `s` without regard to case, but folded to itself.
        !word.is_ascii() && std::str::from_utf8(word).is_ok_and(|word| self.holds_long_s(word))
    }

    fn holds_long_s(&self, word: &str) -> bool {
        let plain = word.replace('\u{17f}', "s");
        self.pieces.iter().any(|piece| piece.find(plain.as_bytes()).is_some())
    }
}

/// Short numbers are not in the index, so a piece that may be within one says nothing.
fn is_useful(piece: &str) -> bool {
    piece.len() >= PIECE_BYTES_MIN && Part::is_indexed(piece)
}

fn longer(a: String, b: String) -> String {
    let value = |piece: &str| (is_useful(piece), piece.len());
    if value(&b) > value(&a) { b } else { a }
}

/// The longest run of ASCII characters of one word, in lower case.
fn longest_piece(text: &str) -> String {
    let runs = text.split(|c: char| !c.is_ascii() || !is_word_char(c));
    runs.map(str::to_ascii_lowercase).fold(String::new(), longer)
}

/// Where both hold: one value of one column satisfies both, so its block and column are in both.
fn both(a: Place, b: Place) -> Place {
    match (a, b) {
        (Place::Nowhere, _) | (_, Place::Nowhere) => Place::Nowhere,
        (Place::Anywhere, other) | (other, Place::Anywhere) => other,
        (Place::At { mut columns, mut blocks }, Place::At { columns: c, blocks: b }) => {
            columns.retain(|column| c.binary_search(column).is_ok());
            blocks.intersect(&b);
            if columns.is_empty() || blocks.is_empty() {
                Place::Nowhere
            } else {
                Place::At { columns, blocks }
            }
        }
    }
}

/// Pieces one of which is in every match; nothing when none are known.
fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => {
            let mut run = String::new();
            push_char(hir, &mut run);
            best(&run)
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(members) => required_of_sequence(members),
        HirKind::Alternation(branches) => {
            let pieces: Option<Vec<_>> = branches.iter().map(required).collect();
            pieces.map(|pieces| pieces.into_iter().flatten().collect())
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

fn best(run: &str) -> Option<Vec<String>> {
    let piece = longest_piece(run);
    is_useful(&piece).then(|| vec![piece])
}

/// Of the runs of single characters and of the other members, the one whose shortest piece is the
/// longest.
fn required_of_sequence(members: &[Hir]) -> Option<Vec<String>> {
    let mut candidates = Vec::new();
    let mut run = String::new();
    for member in members {
        if !push_char(member, &mut run) {
            candidates.extend(best(&run));
            run.clear();
            candidates.extend(required(member));
        }
    }
    candidates.extend(best(&run));
    candidates.into_iter().max_by_key(|pieces| pieces.iter().map(String::len).min())
}

/// Appends what a member of a sequence stands for, if that is a fixed text but for its case.
fn push_char(hir: &Hir, run: &mut String) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => run.push_str(text),
            Err(_) => return false,
        },
        HirKind::Class(Class::Unicode(class)) => {
            let letters: Vec<(char, char)> =
                class.ranges().iter().map(|range| (range.start(), range.end())).collect();
            let Some((start, _)) = letters.first() else { return false };
            let lower = start.to_ascii_lowercase();
            let same = |c: char| c.to_ascii_lowercase() == lower || is_fold_of(c, lower);
            if !letters.iter().all(|(start, end)| start == end && same(*start)) {
                return false;
            }
            run.push(lower);
        }
        _ => return false,
    }
    true
}

/// The two characters beyond ASCII that are an ASCII letter without regard to case.
fn is_fold_of(c: char, lower: char) -> bool {
    matches!((c, lower), ('\u{17f}', 's') | ('\u{212a}', 'k'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::pattern::Part::{Literal, One, Run};

    fn pieces(hint: &Hint) -> Vec<String> {
        hint.pieces
            .iter()
            .map(|piece| String::from_utf8_lossy(piece.needle()).into_owned())
            .collect()
    }

    #[test]
    fn the_longest_piece_of_a_pattern_is_looked_for() {
        let literal = |text: &str| Literal(text.to_owned());
        for (parts, expected) in [
            (vec![Run, literal("Mimikatz"), Run], vec!["mimikatz"]),
            (vec![literal("C:\\System32\\cmd"), Run], vec!["system32"]),
            (vec![Run, literal("grüße_an")], vec!["e_an"]),
            (vec![Run, literal("123"), Run], vec![]),
            (vec![Run, literal("1234"), One], vec!["1234"]),
            (vec![literal("a"), Run, literal("-")], vec![]),
        ] {
            let pattern = Pattern::new(parts).expect("it has wildcards");
            assert_eq!(pieces(&Hint::of_pattern(&pattern)), expected, "{pattern:?}");
        }
    }

    #[test]
    fn what_every_match_of_an_expression_has_is_looked_for() {
        for (expression, expected) in [
            ("mimi(katz)?", vec!["mimi"]),
            ("(?i)MimiKatz|lsass", vec!["mimikatz", "lsass"]),
            ("foo|b.", vec![]),
            (r"\d+ powershell\.exe", vec!["powershell"]),
            ("(abc)+d*", vec!["abc"]),
            ("x?", vec![]),
            (".*", vec![]),
        ] {
            assert_eq!(pieces(&Hint::of_regex(expression)), expected, "{expression}");
        }
    }

    #[test]
    fn words_are_looked_up_the_longest_first() {
        let hint = Hint::of_words("The 12 PowerShell, the exe");
        assert_eq!(hint.words, ["powershell", "exe", "the"]);
        assert!(hint.pieces.is_empty());
    }
}

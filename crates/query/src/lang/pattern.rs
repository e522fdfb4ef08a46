//! Wildcard patterns.

use ledgerline_model::word;

/// One part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// These very characters, case folded. Never empty, never beside another `Literal`.
    Literal(String),
    /// `?`: exactly one character.
    One,
    /// `*`: any run of characters, the empty one too. Never beside another `Run`.
    Run,
}

/// A text with wildcards: at least one, and not `*` alone, which means something else wherever a
/// pattern may stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Vec<Part>);

/// A character that belongs to a word, as `ledgerline_model::word::is_word_char` decides.
const WORD: &str = r"[\p{Alphabetic}\p{N}_]";
/// Its opposite.
const NOT_WORD: &str = r"[^\p{Alphabetic}\p{N}_]";
/// Neither part of a word nor white space.
const MARK: &str = r"[^\p{Alphabetic}\p{N}_\s]";

impl Pattern {
    /// A pattern of these parts, joined where equal kinds stand side by side; none if there is no
    /// wildcard in it or if it is `*` alone.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Option<Self> {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (Some(Part::Literal(text)), Part::Literal(more)) => text.push_str(&more),
                (Some(Part::Run), Part::Run) => {}
                (_, Part::Literal(text)) if text.is_empty() => {}
                // `*?` and `?*` mean the same; the run is written last.
                (Some(last @ Part::Run), Part::One) => {
                    *last = Part::One;
                    joined.push(Part::Run);
                }
                (_, part) => joined.push(part),
            }
        }
        let wild = joined.iter().any(|part| !matches!(part, Part::Literal(_)));
        (wild && joined != [Part::Run]).then_some(Self(joined))
    }

    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The text, not folded, of a pattern `*text*`, which asks for a substring.
    #[must_use]
    pub fn substring(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Run, Part::Literal(text), Part::Run] => Some(text),
            _ => None,
        }
    }

    /// The text, not folded, of a pattern `text*`, which asks for a prefix of a whole value.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Literal(text), Part::Run] => Some(text),
            _ => None,
        }
    }

    /// A regular expression (syntax of the `regex` crate, flags included) that matches exactly the
    /// values that the pattern matches as a whole.
    #[must_use]
    pub fn regex_whole(&self) -> String {
        let mut regex = String::from(r"(?is)\A");
        for part in &self.0 {
            match part {
                Part::Literal(text) => regex.push_str(&regex_syntax::escape(text)),
                Part::One => regex.push('.'),
                Part::Run => regex.push_str(".*"),
            }
        }
        regex.push_str(r"\z");
        regex
    }

    /// A regular expression that matches somewhere in exactly the texts in which the pattern finds
    /// a stretch. Here `*` and `?` stand for characters other than white space, and neither end of
    /// the stretch cuts a word in two: `pow*` finds `powershell`, and `*shell` does, but `shell?`
    /// does not.
    #[must_use]
    pub fn regex_within(&self) -> String {
        let mut regex = String::from("(?is)");
        let last = self.0.len() - 1;
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Literal(text) => {
                    if at == 0 && text.starts_with(word::is_word_char) {
                        regex.push_str(&format!(r"(?:\A|{NOT_WORD})"));
                    }
                    regex.push_str(&regex_syntax::escape(text));
                    if at == last && text.ends_with(word::is_word_char) {
                        regex.push_str(&format!(r"(?:\z|{NOT_WORD})"));
                    }
                }
                Part::One => regex.push_str(&one_within(at == 0, at == last)),
                Part::Run => regex.push_str(r"\S*"),
            }
        }
        regex
    }
}

/// `?` within a text: at an end of the pattern, a word's character must be the last on its side.
fn one_within(first: bool, last: bool) -> String {
    let before = if first { format!(r"(?:\A|{NOT_WORD})") } else { String::new() };
    let after = if last { format!(r"(?:\z|{NOT_WORD})") } else { String::new() };
    if first || last { format!("(?:{before}{WORD}{after}|{MARK})") } else { r"\S".to_owned() }
}

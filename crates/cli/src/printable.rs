//! Foreign text on a terminal: a log line must not move the cursor, colour the screen, or turn the
//! reading direction, so that what a person sees is what was logged.

use std::borrow::Cow;

/// Whether a terminal would act on the character, or show text in another order than it is in:
/// C0, DEL, C1, line separators and the bidirectional controls of Unicode (UAX #9).
fn acts(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line, with every such character written as an escape: `\n`, `\t`, `\u{202e}`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |character, out| match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        other => out.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
    })
}

/// JSON text with every such character written as JSON's own escape. The value stays the same.
pub(crate) fn printable_json(text: &str) -> Cow<'_, str> {
    escaped(text, |character, out| out.push_str(&format!("\\u{:04x}", u32::from(character))))
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) { escape(character, &mut out) } else { out.push(character) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(printable("Übung 漢字 ok"), "Übung 漢字 ok");
        assert_eq!(printable("a\u{1b}[31mred"), "a\\u{1b}[31mred");
        assert_eq!(printable("a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(printable("\u{9b}2J\u{202e}evil\u{7f}"), "\\u{9b}2J\\u{202e}evil\\u{7f}");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "k": "a\u{85}\u{202e}b" });
        let text = printable_json(&value.to_string()).into_owned();
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}

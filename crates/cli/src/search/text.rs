//! The one thing the client must know of the query language: whether a query has pipes.

/// Whether a `|` stands outside of quotes and regular expressions.
pub(super) fn has_pipes(query: &str) -> bool {
    let mut characters = query.chars();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        match character {
            '|' => return true,
            '\\' => drop(characters.next()),
            '"' => skip_to('"', &mut characters),
            // A slash starts a regular expression where a value can start, and nowhere else.
            '/' if matches!(before, ':' | '(' | '!' | '-') || before.is_whitespace() => {
                skip_to('/', &mut characters);
            }
            _ => {}
        }
        before = character;
    }
    false
}

fn skip_to(end: char, characters: &mut std::str::Chars<'_>) {
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            _ if character == end => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_are_told_from_text() {
        for query in ["* | stats count()", "a|b", "\"x|y\" | limit 1", "path:/a|b/ | limit 1"] {
            assert!(has_pipes(query), "{query}");
        }
        for query in ["*", "\"a|b\"", "path:/a|b/", "/a|b/", "a\\|b", "\"a\\\"|\"", "\"open |"] {
            assert!(!has_pipes(query), "{query}");
        }
    }
}

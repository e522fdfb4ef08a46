//! Errors shown under the text that they are about.

use crate::error::Error;

/// How much of a long line is shown before the caret and from it on, in characters.
const BEFORE_MAX: usize = 50;
const AFTER_MAX: usize = 50;

impl Error {
    /// Two lines for a terminal: the line of the query that is at fault, and `^^^` under the place;
    /// of a long line only what stands near it. None for an error without a span, or of another
    /// text. A character is taken to be one column wide.
    #[must_use]
    pub fn caret(&self, query: &str) -> Option<String> {
        let span = self.span()?;
        let (before, at_fault) = (query.get(..span.start)?, query.get(span.clone())?);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = query[span.start..].find('\n').map_or(query.len(), |at| span.start + at);
        let column = query[line_start..span.start].chars().count();
        let skipped = column.saturating_sub(BEFORE_MAX);
        let shown: String = query[line_start..line_end]
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .skip(skipped)
            .take(column - skipped + AFTER_MAX)
            .collect();
        let width = at_fault.chars().take_while(|c| *c != '\n').count().clamp(1, AFTER_MAX);
        Some(format!("{shown}\n{}{}", " ".repeat(column - skipped), "^".repeat(width)))
    }
}

#[cfg(test)]
mod tests {
    use crate::lang::parse;

    fn caret(query: &str) -> Option<String> {
        parse(query).expect_err(query).caret(query)
    }

    #[test]
    fn the_place_is_marked() {
        assert_eq!(caret("a | stast").as_deref(), Some("a | stast\n    ^^^^^"));
        assert_eq!(caret("grün (b").as_deref(), Some("grün (b\n     ^"));
        assert_eq!(caret("a OR").as_deref(), Some("a OR\n  ^^"));
        assert_eq!(caret("a\n\t(b\nc").as_deref(), Some(" (b\n ^"));
    }

    #[test]
    fn a_long_line_is_cut() {
        let query = format!("{} \"b {}", "a".repeat(300), "c ".repeat(300));
        let shown = caret(&query).expect("a span");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0].chars().count(), 100);
        assert_eq!(lines[1], format!("{}^", " ".repeat(50)));
    }

    #[test]
    fn another_text_has_no_place() {
        let error = parse("a | stast").expect_err("no such pipe");
        assert_eq!(error.caret("a"), None);
    }
}

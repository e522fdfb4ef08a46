//! Regular expressions in a query.

use std::hash::{Hash, Hasher};

use ledgerline_model::limits::{REGEX_BYTES_MAX, REGEX_SIZE_MAX};
use regex::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};

/// A regular expression that compiles within the limits. Its syntax is that of the `regex` crate.
/// It ignores case unless it says `(?-i)`, and it matches anywhere in a text unless it says `^` or
/// `$`.
#[derive(Debug, Clone)]
pub struct RegexLiteral {
    pattern: String,
    regex: Regex,
}

impl RegexLiteral {
    /// Compiles a pattern, which stands without the slashes around it. A slash may be written `\/`,
    /// as in a query; [`RegexLiteral::pattern`] has it as `/`.
    ///
    /// # Errors
    /// `Syntax` for no regular expression or an empty one, with the span within the
    /// pattern; `TooBig` for one of more than [`REGEX_BYTES_MAX`] bytes or more than
    /// [`REGEX_SIZE_MAX`] when compiled.
    pub fn new(pattern: &str) -> Result<Self> {
        if pattern.is_empty() {
            return Err(Error::new(ErrorKind::Syntax, "the regular expression is empty"));
        }
        if pattern.len() > REGEX_BYTES_MAX {
            let what =
                format!("the regular expression exceeds the limit of {REGEX_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::TooBig, what));
        }
        check_syntax(pattern)?;
        let pattern = with_plain_slashes(pattern);
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(REGEX_SIZE_MAX)
            .build()
            .map_err(not_compiled)?;
        Ok(Self { pattern, regex })
    }

    /// The pattern, without the slashes around it.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The compiled expression, which ignores case by itself. Cloning it is cheap.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// Two are equal when their patterns are.
impl PartialEq for RegexLiteral {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for RegexLiteral {}

impl Hash for RegexLiteral {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
    }
}

/// The `regex` crate tells only in prose where a pattern is wrong; the parser below it tells where.
fn check_syntax(pattern: &str) -> Result<()> {
    let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(true).build();
    let (what, span) = match parser.parse(pattern) {
        Ok(_) => return Ok(()),
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), *error.span()),
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
        Err(other) => {
            return Err(Error::caused(ErrorKind::Syntax, "no regular expression", other));
        }
    };
    let what = format!("the regular expression is wrong: {what}");
    Err(Error::new(ErrorKind::Syntax, what).at(span.start.offset..span.end.offset))
}

fn not_compiled(error: regex::Error) -> Error {
    match error {
        regex::Error::CompiledTooBig(_) => Error::new(
            ErrorKind::TooBig,
            format!("the regular expression exceeds the limit of {REGEX_SIZE_MAX} bytes compiled"),
        )
        .hinting("a repetition such as `{1,500}` of a large class takes much memory"),
        other => Error::caused(ErrorKind::Syntax, "the regular expression is wrong", other),
    }
}

fn with_plain_slashes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('/')) => {}
            ('\\', Some(escaped)) => {
                plain.push('\\');
                plain.push(escaped);
                chars.next();
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ignores_case_and_matches_anywhere() {
        let literal = RegexLiteral::new("time[- ]?out").expect("a valid pattern");
        assert!(literal.regex().is_match("Connection TIMEOUT after 5 s"));
        let exact = RegexLiteral::new("(?-i)Timeout$").expect("a valid pattern");
        assert!(exact.regex().is_match("a Timeout"));
        assert!(!exact.regex().is_match("a timeout"));
    }

    #[test]
    fn slashes_are_plain_inside() {
        for (written, kept) in
            [(r"a\/b", "a/b"), ("a/b", "a/b"), (r"a\\\/b", r"a\\/b"), (r"\d[\/]", r"\d[/]")]
        {
            assert_eq!(RegexLiteral::new(written).expect(written).pattern(), kept);
        }
        assert_eq!(RegexLiteral::new("a/b").ok(), RegexLiteral::new(r"a\/b").ok());
    }

    #[test]
    fn limits_hold() {
        let long = "a".repeat(REGEX_BYTES_MAX + 1);
        let error = RegexLiteral::new(&long).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::TooBig);
        let error = RegexLiteral::new(r"(\w{100}){100}").expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::TooBig);
        let nested = format!("{}a{}", "(".repeat(500), ")".repeat(500));
        assert_eq!(RegexLiteral::new(&nested).expect_err("nested").kind(), ErrorKind::Syntax);
    }

    #[test]
    fn errors_say_where() {
        let error = RegexLiteral::new("ab(c").expect_err("unclosed");
        assert_eq!(error.span(), Some(2..3));
        assert!(error.to_string().contains("unclosed group"), "{error}");
    }
}

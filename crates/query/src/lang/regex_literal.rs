//! Regular expressions in a query.

use std::hash::{Hash, Hasher};

use regex::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};

/// A regular expression that compiles within the limits.
#[derive(Debug, Clone)]
pub struct RegexLiteral(Regex);

impl RegexLiteral {
    /// Compiles an expression, which ignores case unless it says otherwise.
    ///
    /// # Errors
    /// `Syntax` for no regular expression.
    pub fn new(expression: &str) -> Result<Self> {
        let compiled = RegexBuilder::new(expression).case_insensitive(true).build();
        compiled
            .map(Self)
            .map_err(|error| Error::caused(ErrorKind::Syntax, "no regular expression", error))
    }

    /// The expression, compiled.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl PartialEq for RegexLiteral {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for RegexLiteral {}

impl Hash for RegexLiteral {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

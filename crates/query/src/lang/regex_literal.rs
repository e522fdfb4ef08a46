//! Regular expressions in a query.

use std::hash::{Hash, Hasher};

use regex::Regex;

/// A regular expression that compiles within the limits.
#[derive(Debug, Clone)]
pub struct RegexLiteral(Regex);

impl RegexLiteral {
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

#[cfg(test)]
impl From<Regex> for RegexLiteral {
    fn from(regex: Regex) -> Self {
        Self(regex)
    }
}

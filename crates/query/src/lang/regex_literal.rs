//! Regular expressions in a query.

/// A regular expression that compiles within the limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegexLiteral(String);

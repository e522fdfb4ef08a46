//! Where an object lies within its tenant.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// The longest path.
pub(crate) const BYTES_MAX: usize = 200;

/// The place of an object within its tenant: parts of `a-z`, `0-9`, `.`, `_` and `-`, joined by
/// `/`. No part begins with a dot, so none leads out of the tenant's folder.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobPath(String);

impl BlobPath {
    /// Takes a path.
    ///
    /// # Errors
    /// `Invalid` for anything but what the type says.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
        let part =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed);
        if text.len() <= BYTES_MAX && text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::new(ErrorKind::Invalid, "not a path within a tenant"))
        }
    }

    /// The object or folder below this one.
    ///
    /// # Errors
    /// As [`BlobPath::parse`].
    pub fn join(&self, below: &str) -> Result<Self> {
        Self::parse(&format!("{}/{below}", self.0))
    }

    /// The last part.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobPath({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for good in ["a", "segments/1/ab-c_d.lls", "journal/00.log"] {
            assert!(BlobPath::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "/a", "a/", "a//b", "..", "a/../b", ".a", "A", "a\\b", "a\0", "%2e"] {
            assert!(BlobPath::parse(bad).is_err(), "{bad}");
        }
        assert!(BlobPath::parse(&"a".repeat(201)).is_err());
    }
}

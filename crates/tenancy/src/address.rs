//! Addresses of people.

use std::fmt;

use crate::error::{Error, Result};

/// The longest address (RFC 5321, 4.5.3.1.3, less the angle brackets).
const BYTES_MAX: usize = 254;

/// An address that a person logs in with, folded to lower case: two that differ only in case are
/// one person's.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Takes an address. Whether mail reaches it is not known: `operator@localhost` is one.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("email", "an address is name@host, of at most 254 bytes");
        if text.len() > BYTES_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong());
        }
        let folded = text.to_lowercase();
        match folded.split_once('@') {
            Some((name, host))
                if !name.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && folded.len() <= BYTES_MAX =>
            {
                Ok(Self(folded))
            }
            _ => Err(wrong()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_bounded() {
        let folded = Address::parse("Ada@Example.COM").map(|address| address.0);
        assert_eq!(folded.ok().as_deref(), Some("ada@example.com"));
        let long = format!("{}@b", "a".repeat(253));
        for bad in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", long.as_str()] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}

//! Identifiers and names. Each is parsed once, by the one constructor that can fail.

use std::fmt;
use std::str::FromStr;

use crate::time::Timestamp;

/// Why a text is not the id or name it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not 32 hexadecimal digits, or all of them zero.
    #[error("an id is 32 lower-case hexadecimal digits, not all zero")]
    Id,
    /// Not a UUID in its lower-case text form.
    #[error("an event id is a UUID: 36 characters, lower-case hexadecimal digits and hyphens")]
    EventId,
    /// A dataset name outside of the allowed alphabet or length.
    #[error(
        "a dataset name has 1 to 64 characters of a-z, 0-9, '-', '_' and '.', and starts with a \
         letter, a digit or '_'"
    )]
    Dataset,
    /// A tenant name outside of the allowed alphabet or length.
    #[error("a tenant name has 1 to 64 characters of a-z, 0-9 and '-', and starts with a letter")]
    Tenant,
}

macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes 16 bytes; all zero is refused, so that no "empty" id can ever stand for
            /// something.
            ///
            /// # Errors
            /// [`NameError::Id`] when every byte is zero.
            pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, NameError> {
                if bytes == [0; 16] { Err(NameError::Id) } else { Ok(Self(bytes)) }
            }

            /// The 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let text = text.as_bytes();
                if text.len() != 32 {
                    return Err(NameError::Id);
                }
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
                    let digit = |c: u8| match c {
                        b'0'..=b'9' => Ok(c - b'0'),
                        b'a'..=b'f' => Ok(c - b'a' + 10),
                        _ => Err(NameError::Id),
                    };
                    *byte = digit(pair[0])? << 4 | digit(pair[1])?;
                }
                Self::from_bytes(bytes)
            }
        }
    };
}

id16! {
    /// A customer company, the first partition of everything. Opens nothing by itself: access is a
    /// `Scope`, which `policy` makes. Its text form, 32 hexadecimal digits, names the tenant's
    /// folder.
    TenantId
}
id16! {
    /// One segment of a dataset; its text form names the segment's files.
    SegmentId
}
id16! {
    /// A user, an API key, a session or another control record.
    RecordId
}

/// The id that Ledgerline gives to an event: a UUID of version 7 (RFC 9562, 5.7). All events of one
/// commit count on from one random number, which is the monotonic method of RFC 9562, 6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

impl EventId {
    /// How many bits of an id are random.
    pub const RANDOM_BITS: u32 = 74;

    /// The id of the event at an offset within its commit. `base` has [`EventId::RANDOM_BITS`]
    /// bits.
    #[must_use]
    pub fn derived(received: Timestamp, base: u128, offset: u64) -> Self {
        let milliseconds = (received.0.div_euclid(1_000_000) as u64) & ((1 << 48) - 1);
        let random = base.wrapping_add(u128::from(offset)) & ((1 << Self::RANDOM_BITS) - 1);
        let (high, low) = (random >> 62, random & ((1 << 62) - 1));
        let id = u128::from(milliseconds) << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low;
        Self(id.to_be_bytes())
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The millisecond of the receipt that the id carries.
    #[must_use]
    pub fn received(&self) -> Timestamp {
        let milliseconds = u128::from_be_bytes(self.0) >> 80;
        Timestamp(milliseconds as i64 * 1_000_000)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for EventId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let hyphens = text.len() == 36
            && text
                .bytes()
                .enumerate()
                .all(|(at, c)| (c == b'-') == matches!(at, 8 | 13 | 18 | 23));
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if !hyphens || digits.bytes().any(|c| !c.is_ascii_hexdigit() || c.is_ascii_uppercase()) {
            return Err(NameError::EventId);
        }
        let id = u128::from_str_radix(&digits, 16).map_err(|_| NameError::EventId)?;
        Ok(Self(id.to_be_bytes()))
    }
}

/// A dataset's number within its tenant. Paths and segments carry it, never the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatasetId(pub u32);

/// An event's dense number within its dataset, counted from 0 in the order of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(pub u64);

/// The name of a dataset, as its tenant wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatasetName(String);

impl DatasetName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is one of Ledgerline's own (`_audit`, `_usage`), which only it writes to.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('_')
    }
}

impl FromStr for DatasetName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.".contains(&c);
        let first = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let bytes = text.as_bytes();
        let ok = (1..=64).contains(&bytes.len())
            && bytes.iter().all(|c| allowed(*c))
            && first(bytes[0])
            && !text.contains("..");
        if ok { Ok(Self(text.to_owned())) } else { Err(NameError::Dataset) }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name by which an operator and a login know a tenant; unique, and may be reused after the
/// tenant is deleted, which its [`TenantId`] never is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(String);

impl TenantName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        let ok = (1..=64).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-');
        if ok { Ok(Self(text.to_owned())) } else { Err(NameError::Tenant) }
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_the_nil_id() {
        let text = "0123456789abcdef0123456789abcdef";
        assert_eq!(text.parse::<TenantId>().map(|id| id.to_string()), Ok(text.to_owned()));
        for bad in ["", "0", &"0".repeat(32), &"A".repeat(32), &"g".repeat(32), &"é".repeat(16)] {
            assert_eq!(bad.parse::<TenantId>(), Err(NameError::Id), "{bad}");
        }
    }

    #[test]
    fn dataset_names_never_look_like_paths() {
        for good in ["a", "windows-security", "_audit", "app.web_1", "0"] {
            assert!(good.parse::<DatasetName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", ".", "..", "a/b", "a..b", "A", "-a", "a\0", "%2e", "ä", long.as_str()] {
            assert_eq!(bad.parse::<DatasetName>(), Err(NameError::Dataset), "{bad}");
        }
    }
}

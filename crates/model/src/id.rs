//! Identifiers and names. Each is parsed once, by the one constructor that can fail.

use std::fmt;
use std::str::FromStr;

/// Why a text is not the id or name it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not 32 hexadecimal digits, or all of them zero.
    #[error("an id is 32 lower-case hexadecimal digits, not all zero")]
    Id,
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
    /// `Scope`, which `policy` makes. Its text form, 32 hexadecimal digits, names the tenant's folder.
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

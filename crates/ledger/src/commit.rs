//! Commitments: what an entry says of a payload without saying what is in it.
//!
//! A payload's salt is 32 random bytes of its own. Without the salt nobody can find out what was
//! committed to by trying; so erasing payload and salt erases what the commitment could reveal.

use std::fmt;

use crate::error::Result;
use crate::hash::{self, Hash};
use crate::log_id::parse_uuid;
use crate::text;

/// The random bytes that hide a payload's content in its commitment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl Salt {
    /// The salt in base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        text::base64(&self.0)
    }

    /// Reads what [`Salt::to_base64`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when it is not the base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self> {
        Ok(Self(text::parse_base64_array(text)?))
    }
}

/// Says nothing of the salt: logs outlive payloads.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

/// An event's id in its entry: the UUID's bytes when the id is one as text with hyphens and
/// lower-case digits, otherwise the first 16 bytes of SHA-256("ll/id/1" ‖ salt ‖ id).
#[must_use]
pub fn event_id(id: &str, salt: &Salt) -> [u8; 16] {
    parse_uuid(id).unwrap_or_else(|| {
        let Hash(bytes) = hash::of(&[b"ll/id/1", &salt.0, id.as_bytes()]);
        *bytes.first_chunk().expect("a hash has more than 16 bytes")
    })
}

/// The commitment to a payload's bytes: SHA-256("ll/blob/1" ‖ salt ‖ length u64 ‖ bytes).
#[must_use]
pub fn blob(salt: &Salt, bytes: &[u8]) -> Hash {
    hash::of(&[b"ll/blob/1", &salt.0, &(bytes.len() as u64).to_be_bytes(), bytes])
}

/// The commitment to one field that is kept beside the payload's bytes:
/// SHA-256("ll/field/1" ‖ salt ‖ name's length u32 ‖ name ‖ value's length u32 ‖ value).
///
/// # Panics
/// When name or value has 4 GiB or more.
#[must_use]
pub fn field(salt: &[u8; 16], name: &str, value: &[u8]) -> Hash {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a field is short").to_be_bytes();
    let (name_length, value_length) = (length(name.as_bytes()), length(value));
    hash::of(&[b"ll/field/1", salt, &name_length, name.as_bytes(), &value_length, value])
}

/// The commitment in an entry: SHA-256("ll/payload/1" ‖ blob ‖ count u16 ‖ fields in the order of
/// their names).
///
/// # Panics
/// When there are 65,536 fields or more.
#[must_use]
pub fn payload(blob: &Hash, fields: &[Hash]) -> Hash {
    let count = u16::try_from(fields.len()).expect("a payload has few fields").to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![b"ll/payload/1", &blob.0, &count];
    parts.extend(fields.iter().map(|field| field.0.as_slice()));
    hash::of(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::of;

    #[test]
    fn commitments_are_hashes_of_what_the_format_says() {
        let salt = Salt([7; 32]);
        let expected = of(&[b"ll/blob/1", &[7; 32], &[0, 0, 0, 0, 0, 0, 0, 2], b"{}"]);
        assert_eq!(blob(&salt, b"{}"), expected);
        let one = field(&[1; 16], "name", b"value!");
        let parts: [&[u8]; 6] =
            [b"ll/field/1", &[1; 16], &[0, 0, 0, 4], b"name", &[0, 0, 0, 6], b"value!"];
        assert_eq!(one, of(&parts));
        let parts: [&[u8]; 3] = [b"ll/payload/1", &expected.0, &[0, 0]];
        assert_eq!(payload(&expected, &[]), of(&parts));
        let parts: [&[u8]; 5] = [b"ll/payload/1", &expected.0, &[0, 2], &one.0, &expected.0];
        assert_eq!(payload(&expected, &[one, expected]), of(&parts));
    }

    #[test]
    fn an_id_is_a_uuid_or_hidden() {
        let salt = Salt([7; 32]);
        let id = "0198c1f2-7a5b-7c3d-8e4f-a1b2c3d4e5f6";
        assert_eq!(event_id(id, &salt), parse_uuid(id).expect("a UUID"));
        let upper = id.to_uppercase();
        for id in [upper.as_str(), "order 7", ""] {
            let Hash(hash) = of(&[b"ll/id/1", &[7; 32], id.as_bytes()]);
            assert_eq!(event_id(id, &salt), hash[..16]);
        }
    }

    #[test]
    fn a_salt_is_not_shown() {
        let salt = Salt([9; 32]);
        assert_eq!(format!("{salt:?}"), "Salt");
        assert_eq!(Salt::from_base64(&salt.to_base64()).expect("as written"), salt);
    }
}

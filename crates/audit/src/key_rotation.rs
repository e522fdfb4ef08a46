//! Key rotations: the record that a log's signing key was replaced, signed by both keys.

use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal};
use crate::json;
use crate::members::{Members, TextRule};
use crate::moment::written;
use crate::record::{KIND, Record};
use crate::writer::ObjectWriter;

/// A key or a signature is far shorter.
const KEY: TextRule =
    TextRule { bytes_max: 1 << 10, may_be_empty: false, may_have_controls: false };

/// The replacement of a key. The texts are those of the ledger; nothing here looks into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// The verifier key that was in use.
    pub old_key: String,
    /// The verifier key that is in use from here on.
    pub new_key: String,
    /// The signature by the old key, in base64.
    pub old_signature: String,
    /// The signature by the new key, in base64.
    pub new_signature: String,
}

impl KeyRotation {
    /// The bytes that are stored:
    ///
    /// ```text
    /// {"id","kind":"key_rotation","old_key","new_key","old_signature","new_signature",
    ///  "occurred_at"}
    /// ```
    #[must_use]
    pub fn payload(&self, id: &str, at: Timestamp) -> Vec<u8> {
        let mut object = ObjectWriter::new();
        object
            .text("id", id)
            .text(KIND, Record::KeyRotation.as_str())
            .text("old_key", &self.old_key)
            .text("new_key", &self.new_key)
            .text("old_signature", &self.old_signature)
            .text("new_signature", &self.new_signature)
            .text("occurred_at", &written(at));
        object.finish().into_bytes()
    }

    /// Reads the bytes that [`KeyRotation::payload`] made.
    ///
    /// # Errors
    /// When the bytes are not those of a stored key rotation.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(payload, "a key rotation")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        Record::KeyRotation.check(&mut faults, members);
        let mut text = |name| members.required_text(&mut faults, name, KEY);
        let texts =
            (text("old_key"), text("new_key"), text("old_signature"), text("new_signature"));
        let rotation = match texts {
            (Some(old_key), Some(new_key), Some(old_signature), Some(new_signature)) => {
                Some(Self { old_key, new_key, old_signature, new_signature })
            }
            _ => None,
        };
        faults.finish(rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_read_as_it_is_written() {
        let rotation = KeyRotation {
            old_key: "logs.example/1+aa+bb".to_owned(),
            new_key: "logs.example/1+cc+dd".to_owned(),
            old_signature: "c2ln".to_owned(),
            new_signature: "bmV3".to_owned(),
        };
        let payload = rotation.payload("k1", Timestamp(0));
        let expected = concat!(
            r#"{"id":"k1","kind":"key_rotation","old_key":"logs.example/1+aa+bb","#,
            r#""new_key":"logs.example/1+cc+dd","old_signature":"c2ln","new_signature":"bmV3","#,
            r#""occurred_at":"1970-01-01T00:00:00.000000000Z"}"#,
        );
        assert_eq!(String::from_utf8_lossy(&payload), expected);
        assert_eq!(KeyRotation::from_payload(&payload), Ok(rotation));
        let refusal = KeyRotation::from_payload(br#"{"kind":"erasure","old_key":""}"#);
        let codes: Vec<&str> =
            refusal.expect_err("faults").faults().iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["bad_value", "empty", "missing", "missing", "missing"]);
    }
}

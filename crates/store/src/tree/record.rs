//! An entry of a ledger as it is kept: what the dataset's log does not say of all of them.
//!
//! ```text
//! record = kind u8 | received_ns u64 | event_id [16] | payload_commit [32]      (57 bytes)
//! ```

use ledgerline_ledger::entry::Kind;
use ledgerline_ledger::hash::Hash;

pub(crate) const RECORD_BYTES: usize = 57;

/// What is kept of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) received_ns: u64,
    pub(crate) event_id: [u8; 16],
    pub(crate) commit: Hash,
}

impl Record {
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        to.push(self.kind.to_byte());
        to.extend_from_slice(&self.received_ns.to_be_bytes());
        to.extend_from_slice(&self.event_id);
        to.extend_from_slice(&self.commit.0);
    }

    /// Nothing for bytes that are no record.
    pub(crate) fn read(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (received_ns, rest) = rest.split_first_chunk::<8>()?;
        let (event_id, rest) = rest.split_first_chunk::<16>()?;
        Some(Self {
            kind: Kind::ALL.into_iter().find(|known| known.to_byte() == *kind)?,
            received_ns: u64::from_be_bytes(*received_ns),
            event_id: *event_id,
            commit: Hash(rest.try_into().ok()?),
        })
    }
}

/// The kind that a payload says it is of. It stands right behind the id, which comes first.
pub(crate) fn kind_of(payload: &str) -> Option<Kind> {
    let mut escaped = false;
    let rest = payload.strip_prefix("{\"id\":\"")?;
    let end = rest.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })?;
    let Some(rest) = rest[end + 1..].strip_prefix(",\"kind\":\"") else { return Some(Kind::Event) };
    match rest.split('"').next()? {
        "amendment" => Some(Kind::Amendment),
        "erasure" => Some(Kind::Erasure),
        "key_rotation" => Some(Kind::KeyRotation),
        "retirement" => Some(Kind::Retirement),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            let record = Record {
                kind,
                received_ns: u64::MAX - 7,
                event_id: std::array::from_fn(|at| at as u8),
                commit: Hash(std::array::from_fn(|at| 200 - at as u8)),
            };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            let bytes: [u8; RECORD_BYTES] = bytes.try_into().expect("its length");
            assert_eq!(Record::read(&bytes), Some(record));
        }
        assert_eq!(Record::read(&[5; RECORD_BYTES]), None);
    }

    #[test]
    fn the_kind_stands_behind_the_id() {
        let kinds = [
            (r#"{"id":"a"}"#, Some(Kind::Event)),
            (r#"{"id":"a\",\"kind\":\"erasure","action":"x"}"#, Some(Kind::Event)),
            (r#"{"id":"a\\","kind":"amendment"}"#, Some(Kind::Amendment)),
            (r#"{"id":"a","kind":"erasure"}"#, Some(Kind::Erasure)),
            (r#"{"id":"a","kind":"key_rotation"}"#, Some(Kind::KeyRotation)),
            (r#"{"id":"a","kind":"retirement"}"#, Some(Kind::Retirement)),
            (r#"{"id":"a","kind":"other"}"#, None),
            (r#"{"action":"x"}"#, None),
            (r#"{"id":"a"#, None),
        ];
        for (payload, kind) in kinds {
            assert_eq!(kind_of(payload), kind, "{payload}");
        }
    }
}

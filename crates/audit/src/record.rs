//! What else stands among the events of an audit dataset: records about events, and who made them.

use crate::error::{Faults, code};
use crate::event::ID;
use crate::json::{self, Tree};
use crate::members::Members;
use crate::writer::ObjectWriter;

/// The member that tells records from events, which have none of that name.
pub const KIND: &str = "kind";

/// What a stored payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    /// An event that somebody sent.
    Event,
    /// Something that was added to an event.
    Amendment,
    /// Events whose content was erased.
    Erasure,
    /// Events that were removed when their time was over.
    Retirement,
    /// The log's signing key was replaced.
    KeyRotation,
}

impl Record {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Event, Self::Amendment, Self::Erasure, Self::Retirement, Self::KeyRotation];

    /// The name of the kind: what its payload has as `kind`, but for events, which have none.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Amendment => "amendment",
            Self::Erasure => "erasure",
            Self::Retirement => "retirement",
            Self::KeyRotation => "key_rotation",
        }
    }

    /// What a payload is; nothing when it is no JSON object or of no known kind.
    #[must_use]
    pub fn of_payload(payload: &[u8]) -> Option<Self> {
        Self::of_tree(&json::read_object(payload, "a payload").ok()?)
    }

    pub(crate) fn of_tree(tree: &Tree<'_>) -> Option<Self> {
        let Some(kind) = tree.get(KIND) else { return Some(Self::Event) };
        let kind = kind.as_text()?;
        Self::ALL.into_iter().find(|record| *record != Self::Event && record.as_str() == kind)
    }

    /// A fault unless the payload is of this kind.
    pub(crate) fn check(self, faults: &mut Faults, members: Members<'_, '_>) {
        if members.get(KIND).and_then(Tree::as_text) != Some(self.as_str()) {
            let detail = format!("the payload is not of the kind `{}`", self.as_str());
            faults.push(code::BAD_VALUE, members.at(KIND), detail);
        }
    }
}

/// Who made a record: a user, a key or a duty of Ledgerline itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Tells it from every other of its kind.
    pub id: String,
    /// What it is, such as `user`, `key` or `system`.
    pub kind: String,
}

impl Author {
    pub(crate) fn json(&self) -> String {
        let mut object = ObjectWriter::new();
        object.text("id", &self.id).text("type", &self.kind);
        object.finish()
    }

    pub(crate) fn read(faults: &mut Faults, tree: &Tree<'_>, pointer: &str) -> Option<Self> {
        let members = Members::of(faults, tree, pointer)?;
        let id = members.required_text(faults, "id", ID);
        let kind = members.required_text(faults, "type", ID);
        Some(Self { id: id?, kind: kind? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_member() {
        for record in Record::ALL {
            let payload = format!(r#"{{"id":"1","kind":"{}"}}"#, record.as_str());
            let expected = (record != Record::Event).then_some(record);
            assert_eq!(Record::of_payload(payload.as_bytes()), expected, "{payload}");
        }
        assert_eq!(Record::of_payload(br#"{"id":"1"}"#), Some(Record::Event));
        for payload in [r#"{"kind":1}"#, r#"{"kind":null}"#, r#"{"kind":"other"}"#, "[]", "x"] {
            assert_eq!(Record::of_payload(payload.as_bytes()), None, "{payload}");
        }
    }
}

//! Amendments: what may be added to an event later, without touching the event.
//!
//! Who, what and when never change. The severity can be set anew, metadata can be added, replaced
//! and removed key by key, and a note can be left.

mod overlay;

use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal, code};
use crate::event::{self, METADATA, PROSE, Severity, read_severity};
use crate::json::{self, Json};
use crate::limits;
use crate::members::Members;
use crate::moment::written;
use crate::record::{Author, KIND, Record};
use crate::writer::ObjectWriter;

pub use overlay::overlay;

const MEMBERS: [&str; 3] = ["severity", "metadata", "note"];

/// What is to be amended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    severity: Option<Severity>,
    metadata: Option<Json>,
    note: Option<String>,
}

/// The event that is amended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// Its id.
    pub id: String,
    /// Its number in its dataset.
    pub seq: u64,
}

impl Amendment {
    /// Reads an amendment as it is sent: `{severity?, metadata?, note?}`. In `metadata`, `null`
    /// removes a key.
    ///
    /// # Errors
    /// `field_fixed` for each member of an event that never changes, `unknown_field` for each that
    /// an event does not have, `nothing_to_amend` for a body that says nothing, and whatever is
    /// wrong with the values.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.len() > limits::EVENT_BYTES_MAX {
            let detail = format!("larger than {} bytes", limits::EVENT_BYTES_MAX);
            return Err(Refusal::one(code::TOO_LARGE, "", detail));
        }
        let tree = json::read_object(body, "an amendment")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        let fixed = |name: &&str| event::MEMBERS.contains(name) && !MEMBERS.contains(name);
        for name in members.names().filter(fixed) {
            let detail = format!("`{name}` of an event never changes");
            faults.push(code::FIELD_FIXED, members.at(name), detail);
        }
        let known: Vec<&str> = MEMBERS.into_iter().chain(event::MEMBERS).collect();
        members.refuse_unknown(&mut faults, &known, "what is to be added goes into `metadata`");
        let amendment = Self::read(&mut faults, members);
        if faults.is_empty() && amendment.is_empty() {
            let detail = "an amendment has a severity, metadata or a note";
            faults.push(code::NOTHING_TO_AMEND, "", detail);
        }
        faults.finish(Some(amendment))
    }

    fn read(faults: &mut Faults, members: Members<'_, '_>) -> Self {
        Self {
            severity: read_severity(faults, members),
            metadata: members.object(faults, "metadata", METADATA),
            note: members.text(faults, "note", PROSE),
        }
    }

    /// Whether nothing would change: `{}` as metadata changes nothing.
    fn is_empty(&self) -> bool {
        let has_metadata = self.metadata.as_ref().is_some_and(|json| json.as_str() != "{}");
        self.severity.is_none() && !has_metadata && self.note.is_none()
    }

    /// The new severity.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// The keys that are set, or removed where they are `null`.
    #[must_use]
    pub fn metadata(&self) -> Option<&Json> {
        self.metadata.as_ref()
    }

    /// The note.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The bytes that are stored:
    ///
    /// ```text
    /// {"id","kind":"amendment","amends","amends_seq",["severity"],["metadata"],["note"],
    ///  "amended_by":{"id","type"},"occurred_at"}
    /// ```
    #[must_use]
    pub fn payload(&self, id: &str, amended: &Amended, by: &Author, at: Timestamp) -> Vec<u8> {
        let mut object = ObjectWriter::new();
        object
            .text("id", id)
            .text(KIND, Record::Amendment.as_str())
            .text("amends", &amended.id)
            .number("amends_seq", amended.seq)
            .text_if("severity", self.severity.map(Severity::as_str))
            .json_if("metadata", self.metadata.as_ref())
            .text_if("note", self.note.as_deref())
            .raw("amended_by", &by.json())
            .text("occurred_at", &written(at));
        object.finish().into_bytes()
    }

    /// Reads an amendment, and which event it is of, from the bytes that [`Amendment::payload`]
    /// made.
    ///
    /// # Errors
    /// When the bytes are not those of a stored amendment.
    pub fn from_payload(payload: &[u8]) -> Result<(Self, Amended), Refusal> {
        let tree = json::read_object(payload, "an amendment")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        Record::Amendment.check(&mut faults, members);
        let amendment = Self::read(&mut faults, members);
        let id = members.required_text(&mut faults, "amends", event::ID);
        let seq = members.required(&mut faults, "amends_seq").and_then(|tree| {
            let seq = tree.text.parse().ok();
            if seq.is_none() {
                faults.push(code::WRONG_TYPE, "/amends_seq", "a number is expected");
            }
            seq
        });
        let amended = id.zip(seq).map(|(id, seq)| Amended { id, seq });
        faults.finish(amended.map(|amended| (amendment, amended)))
    }
}

#[cfg(test)]
mod tests;

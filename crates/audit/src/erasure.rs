//! Erasures: the record that the content of events was erased, and why. The events stay in the
//! proof; what they said does not.

use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal, code};
use crate::event::ID;
use crate::json;
use crate::members::Members;
use crate::moment::written;
use crate::ranges::Ranges;
use crate::reason::read_reason;
use crate::record::{Author, KIND, Record};
use crate::writer::ObjectWriter;

/// A request to erase, read and found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    reason: String,
    subject: Option<String>,
}

/// What the record of an erasure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredErasure {
    /// The numbers of the events that were erased.
    pub erases: Ranges,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub erased_by: Author,
}

impl Erasure {
    /// Reads a request to erase events that are named elsewhere, such as by a path: `{reason}`.
    ///
    /// # Errors
    /// All that is wrong with the body.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(body, "an erasure")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        members.refuse_unknown(&mut faults, &["reason"], "an erasure has a reason");
        let reason = read_reason(&mut faults, members);
        faults.finish(reason.map(|reason| Self { reason, subject: None }))
    }

    /// Reads a request to erase every event of one actor: `{actor, reason}`. The reason is kept
    /// when the actor is forgotten, so it must not name the actor.
    ///
    /// # Errors
    /// All that is wrong with the body; `personal_data` when the reason has the actor's id in it as
    /// a word.
    pub fn parse_subject(body: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(body, "an erasure")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        members.refuse_unknown(&mut faults, &["actor", "reason"], "an erasure has a reason");
        let subject = members.required_text(&mut faults, "actor", ID);
        let reason = read_reason(&mut faults, members);
        let both = subject.zip(reason);
        if let Some((subject, reason)) = &both
            && has_word(reason, subject)
        {
            let detail = "the reason stays when the actor is forgotten, and must not name it";
            faults.push(code::PERSONAL_DATA, "/reason", detail);
        }
        faults.finish(both.map(|(subject, reason)| Self { reason, subject: Some(subject) }))
    }

    /// Why the events are to be erased.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The id of the actor whose events are to be erased. The record never has it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The bytes that are stored. `erases` has at most
    /// [`RANGES_MAX`](crate::ranges::RANGES_MAX) ranges: see [`Ranges::split`].
    ///
    /// ```text
    /// {"id","kind":"erasure","erases":[[first,last],…],"reason","erased_by":{"id","type"},
    ///  "occurred_at"}
    /// ```
    #[must_use]
    pub fn payload(&self, id: &str, erases: &Ranges, by: &Author, at: Timestamp) -> Vec<u8> {
        let mut object = ObjectWriter::new();
        object
            .text("id", id)
            .text(KIND, Record::Erasure.as_str())
            .raw("erases", &erases.json())
            .text("reason", &self.reason)
            .raw("erased_by", &by.json())
            .text("occurred_at", &written(at));
        object.finish().into_bytes()
    }
}

impl StoredErasure {
    /// Reads the bytes that [`Erasure::payload`] made.
    ///
    /// # Errors
    /// When the bytes are not those of a stored erasure.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(payload, "an erasure")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        Record::Erasure.check(&mut faults, members);
        let erases = members.required(&mut faults, "erases");
        let erases = erases.and_then(|tree| Ranges::read(&mut faults, "/erases", tree));
        let reason = read_reason(&mut faults, members);
        let by = members.required(&mut faults, "erased_by");
        let by = by.and_then(|tree| Author::read(&mut faults, tree, "/erased_by"));
        let stored = match (erases, reason, by) {
            (Some(erases), Some(reason), Some(erased_by)) => {
                Some(Self { erases, reason, erased_by })
            }
            _ => None,
        };
        faults.finish(stored)
    }
}

/// Whether a text has a word in it, in any letter case, with neither letter nor digit next to it.
#[must_use]
pub fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_free = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
    text.match_indices(&word).any(|(at, found)| {
        is_free(text[..at].chars().next_back()) && is_free(text[at + found.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests;

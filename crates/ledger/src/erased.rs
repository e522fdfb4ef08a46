//! What is left of an event whose payload was erased or retired: its entry, which still proves that
//! it was there, and the entry that says why it is gone.
//!
//! ```text
//! {"id":"<event_id as a UUID>","seq":N,"received_at":"…","proof":<proof>,"erasure":<body>}
//! proof = {"entry":"<base64>","tlog_proof":"<text>"}      in an answer
//!       | {"entry":"<base64>","path":["<base64>",…]}      in a filtered bundle
//!       | {"entry":"<base64>"}                            in a bundle of a range
//! ```
//!
//! `erasure` is there only in an answer; a bundle has its erasures in a file of their own. An
//! answer is the member `erased` of a problem, whose other members are for people and prove
//! nothing. `id` is what the entry still says: the event's id when that was a UUID; another id went
//! with the salt.

use crate::body::{Body, Form, Shown, parse_shown, place, proof_text};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::json;
use crate::log_id::uuid_text;

/// An entry without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    entry: Entry,
    shown: Shown,
    erasure: Option<Box<Body>>,
}

impl Erased {
    /// An entry without its payload, as a bundle has it.
    #[must_use]
    pub fn new(entry: Entry, shown: Shown) -> Self {
        Self { entry, shown, erasure: None }
    }

    /// The same with the erasure or retirement that says why, as an answer has it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotIncluded`] when it does not name this entry or is of another log.
    pub fn explained(mut self, erasure: Body) -> Result<Self> {
        let removes = erasure.claims().statement.removes();
        let names_this = removes.is_some_and(|ranges| ranges.contains(self.entry.seq));
        if !names_this || erasure.entry().log_id != self.entry.log_id {
            return Err(Error::not_included("the erasure does not name this entry"));
        }
        self.erasure = Some(Box::new(erasure));
        Ok(self)
    }

    /// Reads what [`Erased::to_text`] writes, without checking how inclusion is shown.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for a text of another shape, those of [`Body::parse`] for
    /// the erasure and of [`Erased::explained`]; [`crate::ErrorKind::NotIncluded`] when it is not
    /// written as the entry demands.
    pub fn parse(text: &str, form: Form) -> Result<Self> {
        let members = json::object(text)?;
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let erasure = match names[..] {
            ["id", "seq", "received_at", "proof", "erasure"] if form == Form::Answer => {
                Some(members[4].value)
            }
            ["id", "seq", "received_at", "proof"] if form != Form::Answer => None,
            _ => return Err(Error::malformed("an erased event has other members than it should")),
        };
        let (entry, shown) = parse_shown(&json::object(members[3].value)?, form)?;
        let mut erased = Self::new(entry, shown);
        if let Some(erasure) = erasure {
            erased = erased.explained(Body::parse(erasure, form)?)?;
        }
        if erased.to_text() == text {
            Ok(erased)
        } else {
            Err(Error::not_included("the erased event is not written as its entry demands"))
        }
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let id = uuid_text(&self.entry.event_id);
        let place = place(&self.entry);
        let proof = proof_text(None, &self.entry, &self.shown);
        let erasure = match &self.erasure {
            Some(body) => format!(",\"erasure\":{}", body.to_text()),
            None => String::new(),
        };
        format!("{{\"id\":\"{id}\",{place},\"proof\":{proof}{erasure}}}")
    }

    /// The entry.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// How the inclusion of the entry is shown.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The erasure or retirement that says why.
    #[must_use]
    pub fn erasure(&self) -> Option<&Body> {
        self.erasure.as_deref()
    }
}

/// One line of a bundle's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An event that is there.
    Body(Body),
    /// One whose payload is gone.
    Erased(Erased),
}

impl Line {
    /// Reads a line: it is an erased one when its proof has no salt.
    ///
    /// # Errors
    /// Those of [`Body::parse`] and [`Erased::parse`].
    pub fn parse(text: &str, form: Form) -> Result<Self> {
        let members = json::object(text)?;
        let proof = members.iter().find(|member| member.name == "proof");
        let proof = proof.ok_or_else(|| Error::malformed("a line has a member \"proof\""))?;
        let has_salt = json::object(proof.value)?.iter().any(|member| member.name == "salt");
        Ok(if has_salt {
            Self::Body(Body::parse(text, form)?)
        } else {
            Self::Erased(Erased::parse(text, form)?)
        })
    }

    /// The entry.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        match self {
            Self::Body(body) => body.entry(),
            Self::Erased(erased) => erased.entry(),
        }
    }

    /// How the inclusion of the entry is shown.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        match self {
            Self::Body(body) => body.shown(),
            Self::Erased(erased) => erased.shown(),
        }
    }
}

#[cfg(test)]
mod tests;

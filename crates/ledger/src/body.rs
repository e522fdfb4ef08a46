//! The body of an event: its payload as it is stored, and beside it what proves it.
//!
//! ```text
//! {<members of the payload>,"seq":N,"received_at":"…","history":[<body>,…],"proof":<proof>}
//! proof = {"salt":"<base64>","entry":"<base64>","tlog_proof":"<text>"}      in an answer
//!       | {"salt":"<base64>","entry":"<base64>","path":["<base64>",…]}      in a filtered bundle
//!       | {"salt":"<base64>","entry":"<base64>"}                            in a bundle of a range
//! ```
//!
//! `history` is there only in an answer, and only when the event was amended: the bodies of its
//! amendments. Reading is strict: what was understood is written anew and compared, so there is one
//! spelling of each body, and a body is refused when one byte of it is another.

use crate::commit::{self, Salt};
use crate::entry::{Entry, Kind};
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::payload::{self, Claims, Statement};
use crate::proof::PATH_MAX;
use crate::{json, text, time};

/// Where a body stands, which says how its inclusion is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By itself: with a whole proof.
    Answer,
    /// In a bundle of what a filter found: with a path to the bundle's checkpoint.
    Filter,
    /// In a bundle of a whole range: the range has one proof.
    Range,
}

/// How the inclusion of an entry is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// By a proof with its checkpoint: [`crate::proof::TlogProof`] as text.
    TlogProof(String),
    /// By the path to the root of a checkpoint that stands elsewhere.
    Path(Vec<Hash>),
    /// Together with its neighbours.
    Range,
}

/// A payload with its entry, to which it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    payload: String,
    claims: Claims,
    entry: Entry,
    salt: Salt,
    shown: Shown,
    history: Vec<Body>,
}

impl Body {
    /// Puts a payload beside its entry. `payload` is the exact text that was committed to.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for what is no payload ([`payload::read`]),
    /// [`crate::ErrorKind::NotIncluded`] when the entry is of another kind, commits to other bytes,
    /// has another event's id, or stands before a place that the payload speaks of.
    pub fn new(payload: String, entry: Entry, salt: Salt, shown: Shown) -> Result<Self> {
        let claims = payload::read(&payload)?;
        let differ = |what: &'static str| Err(Error::not_included(what));
        if claims.statement.kind() != entry.kind {
            return differ("the payload is of another kind than its entry");
        }
        if commit::payload(&commit::blob(&salt, payload.as_bytes()), &[]) != entry.commit {
            return differ("the payload is not the one that its entry commits to");
        }
        if commit::event_id(&claims.id, &salt) != entry.event_id {
            return differ("the payload's id is not the one of its entry");
        }
        if claims.statement.last().is_some_and(|last| last >= entry.seq) {
            return differ("the payload speaks of entries that came later");
        }
        Ok(Self { payload, claims, entry, salt, shown, history: Vec::new() })
    }

    /// The body with the bodies of the event's amendments, in the order of their places.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when this is no event or an amendment has a history,
    /// [`crate::ErrorKind::NotIncluded`] when one is no amendment of this event or out of order.
    pub fn with_history(mut self, history: Vec<Self>) -> Result<Self> {
        if !history.is_empty() && self.entry.kind != Kind::Event {
            return Err(Error::malformed("only an event has a history"));
        }
        let mut last = self.entry.seq;
        for body in &history {
            if !body.history.is_empty() {
                return Err(Error::malformed("an amendment has no history"));
            }
            let Statement::Amendment { amends, amends_seq } = &body.claims.statement else {
                return Err(Error::not_included("the history has something else than amendments"));
            };
            let is_of_this = (amends, *amends_seq) == (&self.claims.id, self.entry.seq)
                && body.entry.log_id == self.entry.log_id;
            if !is_of_this {
                return Err(Error::not_included("the history amends another event"));
            }
            if body.entry.seq <= last {
                return Err(Error::not_included("the history is not in the order of the log"));
            }
            last = body.entry.seq;
        }
        self.history = history;
        Ok(self)
    }

    /// Reads a body, without checking how its inclusion is shown.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for a text of another shape, and those of [`Body::new`] and
    /// [`Body::with_history`]; [`crate::ErrorKind::NotIncluded`] when the body is not written as
    /// its entry demands.
    pub fn parse(text: &str, form: Form) -> Result<Self> {
        let members = json::object(text)?;
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let begin = names.iter().position(|name| *name == "seq");
        let begin = begin.ok_or_else(|| Error::malformed("a body has a member \"seq\""))?;
        let history = match names[begin..] {
            ["seq", "received_at", "proof"] => "[]",
            ["seq", "received_at", "history", "proof"] if form == Form::Answer => {
                members[begin + 2].value
            }
            _ => return Err(Error::malformed("a body has other members than it should")),
        };
        let before = text[1..members[begin].at].strip_suffix(',').unwrap_or_default();
        let payload = format!("{{{before}}}");
        let proof = members.last().expect("a body has members").value;
        let (salt, entry, shown) = parse_proof(proof, form)?;
        let items = json::array(history)?;
        let history = items.into_iter().map(|item| Self::parse(item, form));
        let history = history.collect::<Result<_>>()?;
        let body = Self::new(payload, entry, salt, shown)?.with_history(history)?;
        if body.to_text() == text {
            Ok(body)
        } else {
            Err(Error::not_included("the body is not written as its entry demands"))
        }
    }

    /// The body as it is answered.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.payload[..self.payload.len() - 1].to_owned();
        text.push(',');
        text.push_str(&place(&self.entry));
        if !self.history.is_empty() {
            let history: Vec<String> = self.history.iter().map(Self::to_text).collect();
            text.push_str(&format!(",\"history\":[{}]", history.join(",")));
        }
        let salt = Some(&self.salt);
        text.push_str(&format!(",\"proof\":{}}}", proof_text(salt, &self.entry, &self.shown)));
        text
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// What the payload says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
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

    /// The amendments.
    #[must_use]
    pub fn history(&self) -> &[Self] {
        &self.history
    }
}

/// `"seq":N,"received_at":"…"`, from the entry.
pub(crate) fn place(entry: &Entry) -> String {
    format!("\"seq\":{},\"received_at\":\"{}\"", entry.seq, time::format(entry.received_ns))
}

/// The object that shows the inclusion of an entry.
pub(crate) fn proof_text(salt: Option<&Salt>, entry: &Entry, shown: &Shown) -> String {
    let salt = salt.map(|salt| format!("\"salt\":\"{}\",", salt.to_base64())).unwrap_or_default();
    let entry = text::base64(&entry.encode());
    let shown = match shown {
        Shown::TlogProof(text) => format!(",\"tlog_proof\":{}", json::quote(text)),
        Shown::Path(path) => {
            let path: Vec<_> =
                path.iter().map(|hash| format!("\"{}\"", hash.to_base64())).collect();
            format!(",\"path\":[{}]", path.join(","))
        }
        Shown::Range => String::new(),
    };
    format!("{{{salt}\"entry\":\"{entry}\"{shown}}}")
}

fn parse_proof(text: &str, form: Form) -> Result<(Salt, Entry, Shown)> {
    let members = json::object(text)?;
    let salt = match members.first() {
        Some(member) if member.name == "salt" => Salt::from_base64(&json::string(member.value)?)?,
        _ => return Err(Error::malformed("a proof begins with the salt")),
    };
    let (entry, shown) = parse_shown(&members[1..], form)?;
    Ok((salt, entry, shown))
}

/// The members of a proof behind the salt.
pub(crate) fn parse_shown(members: &[json::Member<'_>], form: Form) -> Result<(Entry, Shown)> {
    let wrong = || Error::malformed("a proof has other members than it should");
    let (entry, shown) = members.split_first().ok_or_else(wrong)?;
    if entry.name != "entry" {
        return Err(wrong());
    }
    let entry = Entry::decode(&text::parse_base64(&json::string(entry.value)?)?)?;
    let shown = match (form, shown) {
        (Form::Answer, [proof]) if proof.name == "tlog_proof" => {
            Shown::TlogProof(json::string(proof.value)?)
        }
        (Form::Filter, [path]) if path.name == "path" => {
            let items = json::array(path.value)?;
            if items.len() > PATH_MAX {
                return Err(wrong());
            }
            let hashes = items.into_iter().map(|item| Hash::from_base64(&json::string(item)?));
            Shown::Path(hashes.collect::<Result<_>>()?)
        }
        (Form::Range, []) => Shown::Range,
        _ => return Err(wrong()),
    };
    Ok((entry, shown))
}

#[cfg(test)]
mod tests;

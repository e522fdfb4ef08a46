//! What a payload says that a verifier must know: whose id it has, and, when it is no plain event,
//! what it states about other entries.
//!
//! A payload is one compact JSON object with a text `id`. Without a member `kind` it is an event;
//! with one it is an amendment, an erasure, a key rotation or a retirement, and has the members of
//! that kind. No payload has a member that a body adds beside the payload.

use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::ranges::SeqRanges;
use crate::rotation::Rotation;
use crate::{json, text};

/// The names of members that a body adds; no payload may have them.
pub const RESERVED: [&str; 5] = ["seq", "received_at", "history", "proof", "erased"];

/// What a payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The event's id.
    pub id: String,
    /// What it states.
    pub statement: Statement,
}

/// What a payload states about other entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Nothing: it is an event.
    Event,
    /// It adds to an earlier event.
    Amendment {
        /// The id of that event.
        amends: String,
        /// Its place.
        amends_seq: u64,
    },
    /// The payloads at these places were erased.
    Erasure(SeqRanges),
    /// Another key signs from here on.
    KeyRotation(Box<Rotation>),
    /// The payloads at these places were removed because their time was over.
    Retirement(SeqRanges),
}

impl Statement {
    /// The kind that the entry must have.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Event => Kind::Event,
            Self::Amendment { .. } => Kind::Amendment,
            Self::Erasure(_) => Kind::Erasure,
            Self::KeyRotation(_) => Kind::KeyRotation,
            Self::Retirement(_) => Kind::Retirement,
        }
    }

    /// The places whose payloads are gone because of it.
    #[must_use]
    pub fn removes(&self) -> Option<&SeqRanges> {
        match self {
            Self::Erasure(ranges) | Self::Retirement(ranges) => Some(ranges),
            Self::Event | Self::Amendment { .. } | Self::KeyRotation(_) => None,
        }
    }

    /// The last place that it speaks of. An entry speaks only of places before its own.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        match self {
            Self::Amendment { amends_seq, .. } => Some(*amends_seq),
            _ => self.removes().map(SeqRanges::last),
        }
    }
}

/// Reads a payload.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] when it is not one compact JSON object with the members that it
/// must have and none that it must not have.
pub fn read(payload: &str) -> Result<Claims> {
    let members = json::object(payload)?;
    if let Some(member) = members.iter().find(|member| RESERVED.contains(&member.name.as_str())) {
        return Err(Error::malformed(format!("a payload has no member {:?}", member.name)));
    }
    let members = Members(members);
    let statement = match members.find("kind") {
        None => Statement::Event,
        Some(kind) => match json::string(kind)?.as_str() {
            "amendment" => Statement::Amendment {
                amends: members.text("amends")?,
                amends_seq: text::parse_decimal(members.raw("amends_seq")?)?,
            },
            "erasure" => Statement::Erasure(SeqRanges::parse(members.raw("erases")?)?),
            "key_rotation" => Statement::KeyRotation(Box::new(Rotation {
                old_key: members.text("old_key")?.parse()?,
                new_key: members.text("new_key")?.parse()?,
                old_signature: text::parse_base64_array(&members.text("old_signature")?)?,
                new_signature: text::parse_base64_array(&members.text("new_signature")?)?,
            })),
            "retirement" => Statement::Retirement(SeqRanges::parse(members.raw("retires")?)?),
            kind => return Err(Error::malformed(format!("an unknown kind of payload: {kind:?}"))),
        },
    };
    Ok(Claims { id: members.text("id")?, statement })
}

struct Members<'a>(Vec<json::Member<'a>>);

impl<'a> Members<'a> {
    fn find(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|member| member.name == name).map(|member| member.value)
    }

    fn raw(&self, name: &str) -> Result<&'a str> {
        self.find(name)
            .ok_or_else(|| Error::malformed(format!("this payload has no member {name:?}")))
    }

    fn text(&self, name: &str) -> Result<String> {
        json::string(self.raw(name)?).map_err(|error| error.about(name))
    }
}

#[cfg(test)]
mod tests;

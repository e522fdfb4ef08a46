//! How audit events are written: their payloads as they are stored, with what Ledgerline knows of
//! them behind.

use ledgerline_api::time::rfc3339;
use ledgerline_audit::amendment::overlay;
use ledgerline_ledger::json;
use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;
use ledgerline_store::snapshot::Kept;

use crate::error::{Failure, Result};
use crate::masking::Mask;

/// A stored event with its amendments, the first one first.
#[derive(Debug, Clone)]
pub(crate) struct Amended {
    pub(crate) kept: Kept,
    pub(crate) amendments: Vec<Kept>,
    /// What a reader is shown who may not see all.
    pub(crate) shown: Option<Shown>,
}

/// What a reader is shown who may not see all of an event.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    payload: Option<String>,
    /// The payloads of the amendments, in their order; nothing for those that were erased.
    amendments: Vec<Option<String>>,
}

impl Amended {
    /// An event and its amendments, as the reader may see them.
    ///
    /// # Errors
    /// `data_corrupt` for a stored payload that cannot be read.
    pub(crate) fn new(kept: Kept, amendments: Vec<Kept>, mask: Option<&Mask>) -> Result<Self> {
        let mut amended = Self { kept, amendments, shown: None };
        if let Some(mask) = mask {
            let payload = amended.payload()?.map(|payload| mask.payload(&payload)).transpose()?;
            let masked = |kept: &Kept| {
                kept.evidence.as_ref().map(|evidence| mask.payload(&evidence.payload)).transpose()
            };
            let amendments = amended.amendments.iter().map(masked).collect::<Result<_>>()?;
            amended.shown = Some(Shown { payload, amendments });
        }
        Ok(amended)
    }

    /// The amendments that are not erased, with their payloads.
    pub(crate) fn history(&self) -> impl Iterator<Item = (&Kept, &str)> {
        self.amendments.iter().enumerate().filter_map(|(index, kept)| {
            let payload = match &self.shown {
                Some(shown) => shown.amendments.get(index)?.as_deref()?,
                None => kept.evidence.as_ref()?.payload.as_str(),
            };
            Some((kept, payload))
        })
    }

    /// The payload with the amendments laid over it; nothing when it was erased.
    ///
    /// # Errors
    /// `data_corrupt` for a stored payload that cannot be read.
    pub(crate) fn payload(&self) -> Result<Option<String>> {
        if let Some(shown) = &self.shown {
            return Ok(shown.payload.clone());
        }
        let Some(evidence) = &self.kept.evidence else { return Ok(None) };
        let layers: Vec<(u64, &[u8])> = self
            .amendments
            .iter()
            .filter_map(|kept| Some((kept.seq.0, kept.evidence.as_ref()?.payload.as_bytes())))
            .collect();
        if layers.is_empty() {
            return Ok(Some(evidence.payload.clone()));
        }
        let laid = overlay(evidence.payload.as_bytes(), &layers);
        let laid = laid.map_err(|refusal| Failure::internal(&refusal))?;
        String::from_utf8(laid).map(Some).map_err(|error| Failure::internal(&error))
    }

    /// The event as it is listed.
    ///
    /// # Errors
    /// As [`Amended::payload`].
    pub(crate) fn listed(&self, fields: Option<&[String]>) -> Result<Option<String>> {
        let Some(payload) = self.payload()? else { return Ok(None) };
        let written = with_place(&payload, self.kept.seq, self.kept.received);
        match fields {
            None => Ok(Some(written)),
            Some(fields) => narrowed(&written, fields).map(Some),
        }
    }
}

/// A payload with the event's number and when it was received.
pub(crate) fn with_place(payload: &str, seq: Seq, received: Timestamp) -> String {
    let inner = payload.strip_suffix('}').unwrap_or(payload);
    format!("{inner},\"seq\":{},\"received_at\":\"{}\"}}", seq.0, rfc3339(received))
}

/// An event with some of its fields only: whole members (`actor`) or what is within (`actor.id`),
/// always with its id and its number.
fn narrowed(event: &str, fields: &[String]) -> Result<String> {
    let members = json::object(event).map_err(|error| Failure::internal(&error))?;
    let mut written = String::from("{");
    for member in &members {
        let name = member.name.as_str();
        let is_whole = name == "id" || name == "seq" || fields.iter().any(|field| field == name);
        let value = if is_whole {
            Some(member.value.to_owned())
        } else {
            within(member.value, name, fields)?
        };
        if let Some(value) = value {
            if written.len() > 1 {
                written.push(',');
            }
            written.push_str(&json::quote(name));
            written.push(':');
            written.push_str(&value);
        }
    }
    written.push('}');
    Ok(written)
}

/// The parts of a member that some fields name; nothing when none does.
fn within(value: &str, name: &str, fields: &[String]) -> Result<Option<String>> {
    let inner: Vec<String> = fields
        .iter()
        .filter_map(|field| field.strip_prefix(name)?.strip_prefix('.').map(str::to_owned))
        .collect();
    if inner.is_empty() || !value.starts_with('{') {
        return Ok(None);
    }
    let mut written = String::from("{");
    for member in json::object(value).map_err(|error| Failure::internal(&error))? {
        let part = if inner.contains(&member.name) {
            Some(member.value.to_owned())
        } else {
            within(member.value, &member.name, &inner)?
        };
        if let Some(part) = part {
            if written.len() > 1 {
                written.push(',');
            }
            written.push_str(&json::quote(&member.name));
            written.push(':');
            written.push_str(&part);
        }
    }
    written.push('}');
    Ok((written.len() > 2).then_some(written))
}

/// The text of a path within an event, for a cell of a table: a text as it is, other values as
/// JSON.
pub(crate) fn cell(event: &str, path: &[&str]) -> String {
    let mut value = event.to_owned();
    for name in path {
        let Ok(members) = json::object(&value) else { return String::new() };
        let Some(member) = members.into_iter().find(|member| member.name == *name) else {
            return String::new();
        };
        value = member.value.to_owned();
    }
    if value.starts_with('"') { json::string(&value).unwrap_or(value) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"e","action":"a","actor":{"id":"u","type":"user","metadata":{"x":1,"y":[2]}},"message":"say \"hi\"","seq":3}"#;

    #[test]
    fn an_event_is_narrowed_to_fields() {
        let check = |fields: &[&str], narrow: &str| {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            assert_eq!(narrowed(EVENT, &fields).expect("an event"), narrow);
        };
        check(&[], r#"{"id":"e","seq":3}"#);
        check(&["action", "nothing"], r#"{"id":"e","action":"a","seq":3}"#);
        check(&["actor.id"], r#"{"id":"e","actor":{"id":"u"},"seq":3}"#);
        check(&["actor.metadata.y"], r#"{"id":"e","actor":{"metadata":{"y":[2]}},"seq":3}"#);
        check(&["actor.id.x", "action.b"], r#"{"id":"e","seq":3}"#);
    }

    #[test]
    fn a_cell_is_text_where_the_value_is() {
        assert_eq!(cell(EVENT, &["message"]), "say \"hi\"");
        assert_eq!(cell(EVENT, &["actor", "metadata"]), r#"{"x":1,"y":[2]}"#);
        assert_eq!(cell(EVENT, &["actor", "name"]), "");
        assert_eq!(cell(EVENT, &["seq"]), "3");
    }

    #[test]
    fn the_place_follows_the_payload() {
        let written = with_place(r#"{"id":"e"}"#, Seq(7), Timestamp(0));
        assert_eq!(written, r#"{"id":"e","seq":7,"received_at":"1970-01-01T00:00:00.000000000Z"}"#);
    }
}

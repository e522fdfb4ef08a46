//! An event as it reads with everything that was amended.

use std::collections::HashMap;

use crate::error::{Refusal, code};
use crate::json::{self, Json, Tree};
use crate::writer::ObjectWriter;

use super::Amendment;

/// An event's payload with its amendments, each given with its number in the dataset, laid over it
/// in the order of those: the severity is the last one's, metadata is merged key by key, where
/// `null` removes a key, and `note`, which stands behind all other members, is the last one's.
/// Without amendments the payload is what it was.
///
/// # Errors
/// When one of the payloads is not what it should be, or an amendment is one of another event
/// (`other_event`).
pub fn overlay(payload: &[u8], amendments: &[(u64, &[u8])]) -> Result<Vec<u8>, Refusal> {
    let event = json::read_object(payload, "an event")?;
    let mut ordered: Vec<&(u64, &[u8])> = amendments.iter().collect();
    ordered.sort_by_key(|(seq, _)| *seq);
    let mut last = Amendment { severity: None, metadata: None, note: None };
    let mut additions = Vec::new();
    for (_, amendment) in ordered {
        let (amendment, amended) = Amendment::from_payload(amendment)?;
        if event.get("id").and_then(Tree::as_text) != Some(&amended.id) {
            let detail = "the amendment is one of another event";
            return Err(Refusal::one(code::OTHER_EVENT, "/amends", detail));
        }
        last.severity = amendment.severity.or(last.severity);
        last.note = amendment.note.or(last.note);
        additions.extend(amendment.metadata);
    }
    let written = event.get("metadata").filter(|metadata| metadata.as_object().is_some());
    last.metadata = merged(written, &additions);
    Ok(write(&event, &last, !additions.is_empty()))
}

/// The event's members with new values for those that were amended.
fn write(event: &Tree<'_>, amended: &Amendment, has_new_metadata: bool) -> Vec<u8> {
    let mut object = ObjectWriter::new();
    for (key, value) in event.as_object().unwrap_or_default() {
        match (&*key.name, amended.severity) {
            ("severity", Some(severity)) => object.text("severity", severity.as_str()),
            ("metadata", _) if has_new_metadata => continue,
            _ => object.raw_key(key.text, value.json().as_str()),
        };
    }
    if has_new_metadata {
        object.json_if("metadata", amended.metadata.as_ref());
    }
    object.text_if("note", amended.note.as_deref());
    object.finish().into_bytes()
}

/// Metadata with additions laid over it; nothing when no key is left. Keys keep their places, and
/// new ones come last.
fn merged(metadata: Option<&Tree<'_>>, additions: &[Json]) -> Option<Json> {
    // The text of each key and its value; nothing where one was removed.
    let mut members: Vec<Option<(String, Json)>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (key, value) in metadata.and_then(Tree::as_object).unwrap_or_default() {
        places.insert(key.name.to_string(), members.len());
        members.push(Some((key.text.to_owned(), value.json())));
    }
    for addition in additions {
        let tree = addition.tree();
        for (key, value) in tree.as_object().unwrap_or_default() {
            if value.is_null() {
                if let Some(place) = places.remove(&*key.name) {
                    members[place] = None;
                }
                continue;
            }
            let member = Some((key.text.to_owned(), value.json()));
            match places.get(&*key.name) {
                Some(place) => members[*place] = member,
                None => {
                    places.insert(key.name.to_string(), members.len());
                    members.push(member);
                }
            }
        }
    }
    let mut object = ObjectWriter::new();
    for (key, value) in members.iter().flatten() {
        object.raw_key(key, value.as_str());
    }
    (!places.is_empty()).then(|| Json::trusted(object.finish()))
}

//! Records of AWS CloudTrail as events of our own. `docs/guides/cloudtrail.md` has the table.

mod resource;

use std::net::IpAddr;

use crate::error::{Faults, Refusal, code};
use crate::event::{Actor, Event, Outcome, Severity, check_whole, read_moment};
use crate::json::{self, Json, Key, Tree};
use crate::limits;
use crate::members::{JsonRule, Members, TextRule, read_json};
use crate::writer::ObjectWriter;

use resource::{mapped_resource, mapped_targets};

/// What a record has that finds no place of its own. A record of CloudTrail is at most 256 KiB.
const REST: JsonRule = JsonRule {
    bytes_max: limits::STATE_BYTES_MAX,
    keys_max: limits::STATE_KEYS_MAX,
    depth_max: limits::STATE_DEPTH_MAX,
};
const NAME: TextRule =
    TextRule { bytes_max: limits::ID_BYTES_MAX, may_be_empty: false, may_have_controls: false };

/// Reads one record.
///
/// # Errors
/// All that is wrong with it: `eventTime`, `eventSource` and `eventName` must be there.
pub fn parse(record: &[u8]) -> Result<Event, Refusal> {
    if record.len() > limits::EVENT_BYTES_MAX {
        let detail = format!("a record is larger than {} bytes", limits::EVENT_BYTES_MAX);
        return Err(Refusal::one(code::TOO_LARGE, "", detail));
    }
    let record = json::read(record)?;
    let mut faults = Faults::default();
    let Some(members) = Members::of(&mut faults, &record, "") else {
        return faults.finish(None);
    };
    let event = read_record(&mut faults, members);
    if let Some(event) = &event {
        check_whole(&mut faults, event, "");
    }
    faults.finish(event)
}

fn read_record(faults: &mut Faults, members: Members<'_, '_>) -> Option<Event> {
    let occurred_at = members.required(faults, "eventTime");
    let occurred_at = occurred_at.and_then(|_| read_moment(faults, members, "eventTime"));
    let source = members.required_text(faults, "eventSource", NAME);
    let name = members.required_text(faults, "eventName", NAME);
    let (outcome, severity) = ending(members);
    let ip = fitting(members, "sourceIPAddress", limits::NAME_BYTES_MAX)
        .filter(|address| address.parse::<IpAddr>().is_ok());
    let user_agent = fitting(members, "userAgent", limits::USER_AGENT_BYTES_MAX);
    let id = fitting(members, "eventID", limits::ID_BYTES_MAX);
    let request_id = fitting(members, "requestID", limits::ID_BYTES_MAX);
    let message = fitting(members, "errorMessage", limits::MESSAGE_BYTES_MAX);
    // What was given and found no place stays with the rest.
    let identity = members.get("userIdentity").and_then(Tree::as_object);
    let placed = [
        ("eventTime", true),
        ("eventID", id.is_some()),
        ("requestID", request_id.is_some()),
        ("sourceIPAddress", ip.is_some()),
        ("userAgent", user_agent.is_some()),
        ("errorMessage", message.is_some()),
        ("userIdentity", identity.is_some()),
    ];
    let placed = placed.into_iter().filter(|(_, is_placed)| *is_placed);
    let placed: Vec<&str> = placed.map(|(name, _)| name).collect();
    let rest = without(members.as_slice(), &placed)
        .and_then(|rest| read_json(faults, members.pointer(), &rest.tree(), REST))
        .map(|rest| Json::with_member(None, "cloudtrail", rest.as_str()));
    Some(Event {
        id,
        action: action(&source?, &name?),
        actor: actor(faults, members),
        resource: mapped_resource(members),
        targets: mapped_targets(members),
        occurred_at: Some(occurred_at?),
        severity,
        outcome,
        ip,
        user_agent,
        location: None,
        request_id,
        message,
        before: None,
        after: None,
        metadata: rest,
    })
}

/// A text that fits where it is to go: neither empty nor too long, nor, for an id, with control
/// characters.
fn fitting(members: Members<'_, '_>, name: &str, bytes_max: usize) -> Option<String> {
    fits(members.get(name)?.as_text()?, bytes_max)
}

fn fits(text: &str, bytes_max: usize) -> Option<String> {
    let is_fine =
        !text.is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control);
    is_fine.then(|| text.to_owned())
}

/// `s3.amazonaws.com` and `GetObject` are `s3.GetObject`. What an action cannot have becomes `_`.
fn action(source: &str, name: &str) -> String {
    let service = source.split('.').next().unwrap_or_default();
    let is_allowed =
        |character: &char| character.is_ascii_alphanumeric() || "_:-/".contains(*character);
    let allowed = |character: char| if is_allowed(&character) { character } else { '_' };
    let service = service.chars().map(allowed);
    let action = service.chain(['.']).chain(name.chars().map(allowed));
    action.take(limits::ACTION_BYTES_MAX).collect()
}

/// How the call ended.
fn ending(members: Members<'_, '_>) -> (Outcome, Severity) {
    /// Parts of error codes that say that a right was missing.
    const DENIED: [&str; 6] = [
        "accessdenied",
        "unauthorized",
        "notauthorized",
        "forbidden",
        "authfailure",
        "explicitdeny",
    ];
    let text = |name| members.get(name).and_then(Tree::as_text);
    let console = members.get("responseElements").and_then(|tree| tree.get("ConsoleLogin"));
    let is_refused_login = console.and_then(Tree::as_text) == Some("Failure");
    match text("errorCode") {
        Some(error) => {
            let error = error.to_ascii_lowercase();
            if DENIED.iter().any(|part| error.contains(part)) {
                (Outcome::Denied, Severity::Warning)
            } else {
                (Outcome::Failure, Severity::Error)
            }
        }
        None if is_refused_login => (Outcome::Denied, Severity::Warning),
        None if text("errorMessage").is_some() => (Outcome::Failure, Severity::Error),
        None => (Outcome::Success, Severity::Info),
    }
}

/// Who called. The id is the first that there is of the ARN, the principal, the service that called
/// on somebody's behalf, the user's name, the account and the type.
fn actor(faults: &mut Faults, members: Members<'_, '_>) -> Actor {
    const IDS: [&str; 7] =
        ["arn", "principalId", "invokedBy", "credentialId", "userName", "accountId", "type"];
    let Some(identity) = members.get("userIdentity") else { return nobody() };
    let part = |name: &str| {
        identity.get(name).and_then(Tree::as_text).and_then(|text| fits(text, limits::ID_BYTES_MAX))
    };
    let (id_from, id) = IDS
        .into_iter()
        .find_map(|name| part(name).map(|id| (name, id)))
        .unwrap_or(("", nobody().id));
    let issuer = identity.get("sessionContext").and_then(|context| context.get("sessionIssuer"));
    let issuer = issuer.and_then(|issuer| issuer.get("userName")).and_then(Tree::as_text);
    let issuer = issuer.and_then(|name| fits(name, limits::NAME_BYTES_MAX));
    let name = part("userName");
    let name_from = if name.is_some() { "userName" } else { "" };
    let name = name.or(issuer).or_else(|| part("invokedBy"));
    // The principal of an assumed role is `<role>:<session>`.
    let session = part("principalId")
        .and_then(|principal| Some(principal.split_once(':')?.1.to_owned()))
        .filter(|session| !session.is_empty());
    let session = session.or_else(|| part("accessKeyId"));
    let kind = part("type");
    let kind_from = if kind.is_some() { "type" } else { "" };
    let placed = [id_from, name_from, kind_from];
    let place = format!("{}/metadata", members.at("userIdentity"));
    let metadata = without(identity.as_object().unwrap_or_default(), &placed);
    let metadata = metadata.and_then(|json| read_json(faults, &place, &json.tree(), REST));
    Actor { id, kind, name, session, metadata }
}

fn nobody() -> Actor {
    Actor { id: "unknown".to_owned(), kind: None, name: None, session: None, metadata: None }
}

/// An object without some of its members, and without those that are `null`; nothing when no member
/// is left.
fn without(members: &[(Key<'_>, Tree<'_>)], names: &[&str]) -> Option<Json> {
    let mut object = ObjectWriter::new();
    let stays =
        |(key, value): &&(Key<'_>, Tree<'_>)| !value.is_null() && !names.contains(&&*key.name);
    let mut is_empty = true;
    for (key, value) in members.iter().filter(stays) {
        object.raw_key(key.text, value.json().as_str());
        is_empty = false;
    }
    (!is_empty).then(|| Json::trusted(object.finish()))
}

#[cfg(test)]
mod tests;

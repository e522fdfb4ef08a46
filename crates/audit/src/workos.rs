//! Audit events as WorkOS takes them, for those who send such already.

use std::net::IpAddr;

use crate::error::{Faults, Refusal, code};
use crate::event::{
    Event, ID, METADATA, NAME, Outcome, Resource, Severity, Target, USER_AGENT, check_whole,
    read_action, read_actor, read_moment, read_target,
};
use crate::json::{self, Json, Tree, pointer};
use crate::limits;
use crate::members::{Members, wrong_type};

/// Under which key of the metadata the version of the schema is kept.
const VERSION_KEY: &str = "schema_version";

const EVENT: &str = "/event";

/// A body as it was sent, as an event of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The organization that the event belongs to. It is for the caller to say which tenant that
    /// is, if it is the sender's at all.
    pub organization_id: String,
    /// The version of the action's schema that its sender meant.
    pub version: Option<u32>,
    /// The event.
    pub event: Event,
}

/// Reads a body:
///
/// ```text
/// {organization_id, event: {action, occurred_at, version?, actor: {type, id, name?, metadata?},
///  targets: [{type, id, name?, metadata?}, …], context: {location, user_agent?}, metadata?}}
/// ```
///
/// The first target is the resource, and stays among the targets if it has metadata, which a
/// resource does not; the others are targets. A location that is an IP address is the event's
/// address. The version is also kept as `schema_version` in the metadata.
///
/// # Errors
/// All that is wrong with the body.
pub fn parse(body: &[u8]) -> Result<Mapped, Refusal> {
    if body.len() > limits::EVENT_BYTES_MAX {
        let detail = format!("an event is larger than {} bytes", limits::EVENT_BYTES_MAX);
        return Err(Refusal::one(code::TOO_LARGE, "", detail));
    }
    let tree = json::read_object(body, "the body")?;
    let mut faults = Faults::default();
    let members = Members::new(tree.as_object().unwrap_or_default(), "");
    members.refuse_unknown(&mut faults, &["organization_id", "event"], "the event is in `event`");
    let organization_id = members.required_text(&mut faults, "organization_id", ID);
    let event = members.required(&mut faults, "event");
    let event = event.and_then(|tree| read_event(&mut faults, tree));
    if let Some((event, _)) = &event {
        check_whole(&mut faults, event, EVENT);
    }
    let both = organization_id.zip(event);
    faults.finish(both.map(|(organization_id, (event, version))| Mapped {
        organization_id,
        version,
        event,
    }))
}

fn read_event(faults: &mut Faults, tree: &Tree<'_>) -> Option<(Event, Option<u32>)> {
    let members = Members::of(faults, tree, EVENT)?;
    let known = ["action", "occurred_at", "version", "actor", "targets", "context", "metadata"];
    members.refuse_unknown(faults, &known, "what has no place of its own goes into `metadata`");
    let action = read_action(faults, members);
    let occurred_at = members.required(faults, "occurred_at");
    let occurred_at = occurred_at.and_then(|_| read_moment(faults, members, "occurred_at"));
    let version = read_version(faults, members);
    let place = members.at("actor");
    let actor = members.required(faults, "actor");
    let actor = actor.and_then(|tree| read_actor(faults, tree, &place, METADATA));
    let targets = read_targets(faults, members);
    let context = read_context(faults, members);
    let metadata = members.object(faults, "metadata", METADATA);
    let metadata = match version {
        Some(version) => {
            Some(Json::with_member(metadata.as_ref(), VERSION_KEY, &version.to_string()))
        }
        None => metadata,
    };
    let (resource, targets) = targets?;
    let event = Event {
        id: None,
        action: action?,
        actor: actor?,
        resource,
        targets,
        occurred_at: Some(occurred_at?),
        severity: Severity::default(),
        outcome: Outcome::default(),
        ip: context.ip,
        user_agent: context.user_agent,
        location: context.location,
        request_id: None,
        message: None,
        before: None,
        after: None,
        metadata,
    };
    Some((event, version))
}

fn read_version(faults: &mut Faults, members: Members<'_, '_>) -> Option<u32> {
    let version = members.get("version")?.text.parse().ok().filter(|version| *version > 0);
    if version.is_none() {
        let detail = "a version is a whole number from 1 on";
        faults.push(code::BAD_VALUE, members.at("version"), detail);
    }
    version
}

/// The first target as resource, and the others.
fn read_targets(faults: &mut Faults, members: Members<'_, '_>) -> Option<(Resource, Vec<Target>)> {
    let tree = members.required(faults, "targets")?;
    let place = members.at("targets");
    let Some(items) = tree.as_list() else {
        wrong_type(faults, &place, "a list", tree);
        return None;
    };
    if items.is_empty() || items.len() > limits::TARGETS_MAX {
        let detail = format!("1 to {} targets are expected", limits::TARGETS_MAX);
        faults.push(code::TOO_MANY, &place, detail);
        return None;
    }
    let read = |(index, item): (usize, &Tree<'_>)| {
        read_target(faults, item, &pointer(&place, &index.to_string()))
    };
    let mut targets: Vec<Target> = items.iter().enumerate().filter_map(read).collect();
    let first = targets.first()?;
    let (kind, id, name) = (first.kind.clone(), first.id.clone(), first.name.clone());
    if first.metadata.is_none() {
        targets.remove(0);
    }
    Some((Resource { kind, id, name }, targets))
}

#[derive(Debug, Default)]
struct Context {
    ip: Option<String>,
    location: Option<String>,
    user_agent: Option<String>,
}

fn read_context(faults: &mut Faults, members: Members<'_, '_>) -> Context {
    let place = members.at("context");
    let tree = members.required(faults, "context");
    let Some(members) = tree.and_then(|tree| Members::of(faults, tree, &place)) else {
        return Context::default();
    };
    members.refuse_unknown(faults, &["location", "user_agent"], "a context has nothing else");
    let location = members.required_text(faults, "location", NAME);
    let user_agent = members.text(faults, "user_agent", USER_AGENT);
    let is_ip = location.as_ref().is_some_and(|location| location.parse::<IpAddr>().is_ok());
    let (ip, location) = if is_ip { (location, None) } else { (None, location) };
    Context { ip, location, user_agent }
}

#[cfg(test)]
mod tests;

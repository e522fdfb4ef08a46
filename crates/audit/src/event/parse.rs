//! From a body to an event, or to all that is wrong with it.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::error::{Faults, Refusal, code};
use crate::json::{self, Json, Tree, pointer};
use crate::limits;
use crate::members::{JsonRule, Members, TextRule, read_json, shortened, wrong_type};
use crate::moment::{MOMENT_BYTES_MAX, Moment};

use super::payload::stored_bytes_max;
use super::{Actor, Event, Outcome, Resource, Severity, Target};

/// An id, a type or a session.
pub(crate) const ID: TextRule =
    TextRule { bytes_max: limits::ID_BYTES_MAX, may_be_empty: false, may_have_controls: false };
/// What people call something.
pub(crate) const NAME: TextRule =
    TextRule { bytes_max: limits::NAME_BYTES_MAX, may_be_empty: true, may_have_controls: true };
/// A message or a note.
pub(crate) const PROSE: TextRule =
    TextRule { bytes_max: limits::MESSAGE_BYTES_MAX, may_be_empty: true, may_have_controls: true };
/// A program.
pub(crate) const USER_AGENT: TextRule = TextRule {
    bytes_max: limits::USER_AGENT_BYTES_MAX,
    may_be_empty: true,
    may_have_controls: true,
};
/// A word from a closed list, or a text with a form of its own that is checked next.
const WORD: TextRule =
    TextRule { bytes_max: MOMENT_BYTES_MAX, may_be_empty: false, may_have_controls: true };
const ACTION: TextRule =
    TextRule { bytes_max: limits::ACTION_BYTES_MAX, may_be_empty: false, may_have_controls: true };
pub(crate) const METADATA: JsonRule = JsonRule {
    bytes_max: limits::METADATA_BYTES_MAX,
    keys_max: limits::METADATA_KEYS_MAX,
    depth_max: limits::METADATA_DEPTH_MAX,
};
/// What any JSON of a stored event may be: what is mapped to an event may have more metadata than
/// what is sent as one.
const STORED: JsonRule = JsonRule {
    bytes_max: limits::EVENT_BYTES_MAX,
    keys_max: ledgerline_model::limits::EVENT_KEYS_MAX,
    depth_max: json::DEPTH_MAX,
};
const STATE: JsonRule = JsonRule {
    bytes_max: limits::STATE_BYTES_MAX,
    keys_max: limits::STATE_KEYS_MAX,
    depth_max: limits::STATE_DEPTH_MAX,
};

/// The members that an event can be sent with, in the order in which they are stored.
pub(crate) const MEMBERS: [&str; 16] = [
    "id",
    "action",
    "actor",
    "resource",
    "targets",
    "occurred_at",
    "severity",
    "outcome",
    "ip",
    "user_agent",
    "location",
    "request_id",
    "message",
    "before",
    "after",
    "metadata",
];
/// The members that only a stored event has.
const COMPUTED: [&str; 2] = ["changes", "changes_truncated"];
const ACTOR: [&str; 5] = ["id", "type", "name", "session", "metadata"];
const RESOURCE: [&str; 3] = ["type", "id", "name"];
const TARGET: [&str; 4] = ["type", "id", "name", "metadata"];

impl Event {
    /// Reads an event as it is sent: one JSON object. Members that are `null` say as much as
    /// members that are not there, but for `before` and `after`, which may be any JSON.
    ///
    /// # Errors
    /// All that is wrong with the event, up to [`FAULTS_MAX`](crate::error::FAULTS_MAX) faults.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        read(body, false)
    }

    /// Reads an event from the bytes that [`Event::payload`] made of one.
    ///
    /// # Errors
    /// When the bytes are not those of a stored event.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Refusal> {
        read(payload, true)
    }
}

fn read(body: &[u8], is_stored: bool) -> Result<Event, Refusal> {
    if body.len() > limits::EVENT_BYTES_MAX {
        let detail = format!("an event is larger than {} bytes", limits::EVENT_BYTES_MAX);
        return Err(Refusal::one(code::TOO_LARGE, "", detail));
    }
    let parsed =
        json::parse(body).map_err(|fault| Refusal::one(fault.code, fault.pointer, fault.detail))?;
    let Some(members) = parsed.tree.as_object() else {
        let detail = format!("an event is a JSON object, and this is {}", parsed.tree.kind());
        return Err(Refusal::one(code::NOT_AN_OBJECT, "", detail));
    };
    let mut faults = Faults::default();
    faults.extend(parsed.faults());
    let members = Members::new(members, "");
    let mut known = MEMBERS.to_vec();
    if is_stored {
        known.extend(COMPUTED);
    }
    members.refuse_unknown(
        &mut faults,
        &known,
        "what has no place of its own goes into `metadata`",
    );
    let event = read_members(&mut faults, members, is_stored);
    if let Some(event) = &event {
        check_whole(&mut faults, event, "");
    }
    faults.finish(event)
}

fn read_members(faults: &mut Faults, members: Members<'_, '_>, is_stored: bool) -> Option<Event> {
    let rule = if is_stored { STORED } else { METADATA };
    // Everything is read before anything is missed, so that every fault is named.
    let id = members.text(faults, "id", ID);
    let action = read_action(faults, members);
    let actor =
        members.required(faults, "actor").and_then(|tree| read_actor(faults, tree, "/actor", rule));
    let resource = members.required(faults, "resource");
    let resource = resource.and_then(|tree| read_resource(faults, tree, "/resource"));
    let targets = read_targets(faults, members);
    let occurred_at = read_moment(faults, members, "occurred_at");
    let severity = read_severity(faults, members);
    let outcome = read_outcome(faults, members);
    // What is stored may have been masked.
    let ip =
        if is_stored { members.text(faults, "ip", WORD) } else { read_ip(faults, members, "ip") };
    let user_agent = members.text(faults, "user_agent", USER_AGENT);
    let location = members.text(faults, "location", NAME);
    let request_id = members.text(faults, "request_id", ID);
    let message = members.text(faults, "message", PROSE);
    let before = read_state(faults, members, "before");
    let after = read_state(faults, members, "after");
    let metadata = members.object(faults, "metadata", rule);
    Some(Event {
        id,
        action: action?,
        actor: actor?,
        resource: resource?,
        targets,
        occurred_at,
        severity: severity.unwrap_or_default(),
        outcome: outcome.unwrap_or_default(),
        ip,
        user_agent,
        location,
        request_id,
        message,
        before,
        after,
        metadata,
    })
}

pub(crate) fn read_action(faults: &mut Faults, members: Members<'_, '_>) -> Option<String> {
    let action = members.required_text(faults, "action", ACTION)?;
    if is_action(&action) {
        return Some(action);
    }
    let detail = "an action is made of letters, digits, `.`, `_`, `:`, `-` and `/`";
    faults.push(code::BAD_CHARACTERS, members.at("action"), detail);
    None
}

/// Whether a text, if it is no longer than allowed, is an action.
pub(crate) fn is_action(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-/".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// An actor, whose metadata follows the rule.
pub(crate) fn read_actor(
    faults: &mut Faults,
    tree: &Tree<'_>,
    pointer: &str,
    rule: JsonRule,
) -> Option<Actor> {
    let members = Members::of(faults, tree, pointer)?;
    members.refuse_unknown(
        faults,
        &ACTOR,
        "what else is known of the actor goes into its `metadata`",
    );
    let id = members.required_text(faults, "id", ID);
    let kind = members.text(faults, "type", ID);
    let name = members.text(faults, "name", NAME);
    let session = members.text(faults, "session", ID);
    let metadata = members.object(faults, "metadata", rule);
    Some(Actor { id: id?, kind, name, session, metadata })
}

fn read_resource(faults: &mut Faults, tree: &Tree<'_>, pointer: &str) -> Option<Resource> {
    let members = Members::of(faults, tree, pointer)?;
    members.refuse_unknown(
        faults,
        &RESOURCE,
        "what else is known goes into the event's `metadata`",
    );
    let kind = members.required_text(faults, "type", ID);
    let id = members.required_text(faults, "id", ID);
    let name = members.text(faults, "name", NAME);
    Some(Resource { kind: kind?, id: id?, name })
}

pub(crate) fn read_target(faults: &mut Faults, tree: &Tree<'_>, pointer: &str) -> Option<Target> {
    let members = Members::of(faults, tree, pointer)?;
    members.refuse_unknown(
        faults,
        &TARGET,
        "what else is known of the target goes into its `metadata`",
    );
    let kind = members.required_text(faults, "type", ID);
    let id = members.required_text(faults, "id", ID);
    let name = members.text(faults, "name", NAME);
    let metadata = members.object(faults, "metadata", METADATA);
    Some(Target { kind: kind?, id: id?, name, metadata })
}

fn read_targets(faults: &mut Faults, members: Members<'_, '_>) -> Vec<Target> {
    let Some(tree) = members.get("targets") else { return Vec::new() };
    let place = members.at("targets");
    let Some(items) = tree.as_list() else {
        wrong_type(faults, &place, "a list", tree);
        return Vec::new();
    };
    if items.len() > limits::TARGETS_MAX {
        let detail = format!("more than {} targets: {}", limits::TARGETS_MAX, items.len());
        faults.push(code::TOO_MANY, &place, detail);
        return Vec::new();
    }
    let read = |(index, item): (usize, &Tree<'_>)| {
        read_target(faults, item, &pointer(&place, &index.to_string()))
    };
    items.iter().enumerate().filter_map(read).collect()
}

pub(crate) fn read_moment(
    faults: &mut Faults,
    members: Members<'_, '_>,
    name: &str,
) -> Option<Moment> {
    let text = members.text(faults, name, WORD)?;
    match Moment::parse(&text) {
        Ok(moment) => Some(moment),
        Err(error) => {
            faults.push(error.code(), members.at(name), error.to_string());
            None
        }
    }
}

pub(crate) fn read_severity(faults: &mut Faults, members: Members<'_, '_>) -> Option<Severity> {
    let text = members.text(faults, "severity", WORD)?;
    let severity = Severity::from_text(&text);
    if severity.is_none() {
        let names = "a severity is one of INFO, WARNING, ERROR and CRITICAL";
        let detail = format!("{names}, not `{}`", shortened(&text));
        faults.push(code::BAD_VALUE, members.at("severity"), detail);
    }
    severity
}

fn read_outcome(faults: &mut Faults, members: Members<'_, '_>) -> Option<Outcome> {
    let text = members.text(faults, "outcome", WORD)?;
    let outcome = Outcome::from_text(&text);
    if outcome.is_none() {
        let names = "an outcome is one of success, failure, denied and unknown";
        let detail = format!("{names}, not `{}`", shortened(&text));
        faults.push(code::BAD_VALUE, members.at("outcome"), detail);
    }
    outcome
}

fn read_ip(faults: &mut Faults, members: Members<'_, '_>, name: &str) -> Option<String> {
    let text = members.text(faults, name, WORD)?;
    if text.parse::<IpAddr>().is_ok() {
        return Some(text);
    }
    let detail = format!("neither an IPv4 nor an IPv6 address: `{}`", shortened(&text));
    faults.push(code::BAD_IP, members.at(name), detail);
    None
}

/// The state before or after. `null` is a state: there was nothing, and its sender knows.
fn read_state(faults: &mut Faults, members: Members<'_, '_>, name: &str) -> Option<Json> {
    read_json(faults, &members.at(name), members.given(name)?, STATE)
}

/// What concerns several members together. `base` points to the event.
pub(crate) fn check_whole(faults: &mut Faults, event: &Event, base: &str) {
    let free = [
        ("/actor/metadata", &event.actor.metadata),
        ("/before", &event.before),
        ("/after", &event.after),
        ("/metadata", &event.metadata),
    ];
    for (place, json) in free {
        if let Some(json) = json {
            check_keys(faults, base, place, &json.tree());
        }
    }
    if stored_bytes_max(event) > limits::EVENT_BYTES_MAX {
        let detail = format!("an event is stored in more than {} bytes", limits::EVENT_BYTES_MAX);
        faults.push(code::TOO_LARGE, base, detail);
    }
}

/// Whether the keys stay different, and short enough, when nested objects are written as keys with
/// dots, which is how events are searched.
fn check_keys(faults: &mut Faults, base: &str, place: &str, tree: &Tree<'_>) {
    let mut keys = HashSet::new();
    let mut key = place[1..].replace('/', ".");
    check_object(faults, &mut keys, &mut key, &format!("{base}{place}"), tree);
}

fn check_object(
    faults: &mut Faults,
    keys: &mut HashSet<String>,
    key: &mut String,
    place: &str,
    tree: &Tree<'_>,
) {
    let members = tree.as_object().unwrap_or_default();
    if members.is_empty() {
        if key.len() > ledgerline_model::limits::KEY_BYTES_MAX {
            let max = ledgerline_model::limits::KEY_BYTES_MAX;
            let detail = format!("the key is longer than {max} bytes, with those around it");
            faults.push(code::TOO_LONG, shortened(place), detail);
        } else if !keys.insert(key.clone()) {
            let detail = format!("`{}` is written in two ways", shortened(key));
            faults.push(code::AMBIGUOUS_KEY, place, detail);
        }
        return;
    }
    let len = key.len();
    for (name, value) in members {
        key.push('.');
        key.push_str(&name.name);
        check_object(faults, keys, key, &pointer(place, &name.name), value);
        key.truncate(len);
    }
}

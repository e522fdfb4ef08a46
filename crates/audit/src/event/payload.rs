//! From an event to the bytes that are stored and proven.

use ledgerline_model::time::Timestamp;

use crate::limits;
use crate::moment::{Moment, written};
use crate::writer::{ObjectWriter, list};

use super::changes::{Budget, changes_within};
use super::{Actor, Changes, Event, Resource, Target};

/// The longest id in quotes: each of its bytes may need an escape.
const ID_TEXT_BYTES_MAX: usize = 2 * limits::ID_BYTES_MAX + 2;
/// What `"changes":[],"changes_truncated":true,` takes, with room to spare.
const CHANGES_FRAME_BYTES: usize = 48;

impl Event {
    /// The bytes that are stored: one JSON object without white space, with its members in this
    /// order, where those in brackets are only there when there is something to say:
    ///
    /// ```text
    /// id action actor resource [targets] occurred_at severity outcome [ip] [user_agent] [location]
    /// [request_id] [message] [changes] [changes_truncated] [before] [after] [metadata]
    /// ```
    ///
    /// An actor has `id`, `type`, `name`, `session` and `metadata`, a resource `type`, `id` and
    /// `name`, a target these and `metadata`, each in this order. Numbers, texts and keys of
    /// `before`, `after` and every `metadata` are as their sender wrote them.
    ///
    /// The sender's own id counts; `minted` is the id of an event whose sender gave none.
    /// `received` is when the event happened, if its sender did not say.
    #[must_use]
    pub fn payload(&self, minted: &str, received: Timestamp) -> Vec<u8> {
        let id = self.id.as_deref().unwrap_or(minted);
        let happened = self.occurred_at.as_ref().map_or_else(|| written(received), written_as);
        let changes = self.stored_changes();
        self.write(id, &happened, changes.as_ref()).finish().into_bytes()
    }

    /// What changed between `before` and `after`, as far as it is stored; nothing unless the event
    /// has both.
    #[must_use]
    pub fn stored_changes(&self) -> Option<Changes> {
        let (before, after) = (self.before.as_ref()?, self.after.as_ref()?);
        let rest = limits::EVENT_BYTES_MAX.saturating_sub(stored_bytes_max(self));
        let budget =
            Budget { changes: limits::CHANGES_MAX, bytes: rest.min(limits::CHANGES_BYTES_MAX) };
        Some(changes_within(before, after, budget))
    }

    fn write(&self, id: &str, happened: &str, changes: Option<&Changes>) -> ObjectWriter {
        let mut object = ObjectWriter::new();
        object
            .text("id", id)
            .text("action", &self.action)
            .raw("actor", &actor(&self.actor))
            .raw("resource", &resource(&self.resource));
        if !self.targets.is_empty() {
            object.raw("targets", &list(self.targets.iter().map(target)));
        }
        object
            .text("occurred_at", happened)
            .text("severity", self.severity.as_str())
            .text("outcome", self.outcome.as_str())
            .text_if("ip", self.ip.as_deref())
            .text_if("user_agent", self.user_agent.as_deref())
            .text_if("location", self.location.as_deref())
            .text_if("request_id", self.request_id.as_deref())
            .text_if("message", self.message.as_deref());
        if let Some(changes) = changes {
            object.raw("changes", &changes.json());
            if changes.is_truncated {
                object.raw("changes_truncated", "true");
            }
        }
        object
            .json_if("before", self.before.as_ref())
            .json_if("after", self.after.as_ref())
            .json_if("metadata", self.metadata.as_ref());
        object
    }
}

fn written_as(moment: &Moment) -> String {
    moment.as_str().to_owned()
}

/// The most bytes that an event takes, whatever id and time it is given, its changes not counted.
pub(super) fn stored_bytes_max(event: &Event) -> usize {
    let happened = event.occurred_at.as_ref().map_or_else(|| written(Timestamp(0)), written_as);
    event.write("", &happened, None).len() + ID_TEXT_BYTES_MAX + CHANGES_FRAME_BYTES
}

fn actor(actor: &Actor) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("id", &actor.id)
        .text_if("type", actor.kind.as_deref())
        .text_if("name", actor.name.as_deref())
        .text_if("session", actor.session.as_deref())
        .json_if("metadata", actor.metadata.as_ref());
    object.finish()
}

fn resource(resource: &Resource) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("type", &resource.kind)
        .text("id", &resource.id)
        .text_if("name", resource.name.as_deref());
    object.finish()
}

fn target(target: &Target) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("type", &target.kind)
        .text("id", &target.id)
        .text_if("name", target.name.as_deref())
        .json_if("metadata", target.metadata.as_ref());
    object.finish()
}

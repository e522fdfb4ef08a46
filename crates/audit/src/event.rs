//! The typed audit event: who did what to what, when, from where, and what it changed.

mod changes;
mod parse;
mod payload;

use std::fmt;

use crate::json::Json;
use crate::moment::Moment;

pub use changes::{Change, Changes, changes};
pub(crate) use parse::{
    ID, MEMBERS, METADATA, NAME, PROSE, USER_AGENT, check_whole, is_action, read_action,
    read_actor, read_moment, read_severity, read_target,
};

/// An audit event as it was sent.
///
/// Every value keeps the form that its sender gave it; the severity and the outcome are words from
/// a closed list and have one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub(crate) id: Option<String>,
    pub(crate) action: String,
    pub(crate) actor: Actor,
    pub(crate) resource: Resource,
    pub(crate) targets: Vec<Target>,
    pub(crate) occurred_at: Option<Moment>,
    pub(crate) severity: Severity,
    pub(crate) outcome: Outcome,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) before: Option<Json>,
    pub(crate) after: Option<Json>,
    pub(crate) metadata: Option<Json>,
}

impl Event {
    /// The id, if the sender gave one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What was done, such as `document.update` or `CREATE`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Who did it.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What it was done to.
    #[must_use]
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What else it concerned.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// When it happened, if the sender said so.
    #[must_use]
    pub fn occurred_at(&self) -> Option<&Moment> {
        self.occurred_at.as_ref()
    }

    /// How severe it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The address that it came from.
    #[must_use]
    pub fn ip(&self) -> Option<&str> {
        self.ip.as_deref()
    }

    /// The program that it came from.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// The place that it came from, in words.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The request that it belongs to.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// What it is in words.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The resource before it.
    #[must_use]
    pub fn before(&self) -> Option<&Json> {
        self.before.as_ref()
    }

    /// The resource after it.
    #[must_use]
    pub fn after(&self) -> Option<&Json> {
        self.after.as_ref()
    }

    /// What else its sender wanted to keep.
    #[must_use]
    pub fn metadata(&self) -> Option<&Json> {
        self.metadata.as_ref()
    }
}

/// Who did something: a person or a program of the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Tells it from every other actor.
    pub id: String,
    /// What it is, such as `user` or `service`.
    pub kind: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// The session that it acted in.
    pub session: Option<String>,
    /// A JSON object with whatever else.
    pub metadata: Option<Json>,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is, such as `document`.
    pub kind: String,
    /// Tells it from every other resource of its kind.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
}

/// What else an event concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: String,
    /// Tells it from every other of its kind.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// A JSON object with whatever else.
    pub metadata: Option<Json>,
}

/// How severe an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Severity {
    /// As usual.
    #[default]
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// Every severity, rising.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The severity's name, as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The severity of that name, in any letter case.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
    /// It was done.
    #[default]
    Success,
    /// It was tried and went wrong.
    Failure,
    /// It was not allowed.
    Denied,
    /// Its sender does not know.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Denied, Self::Unknown];

    /// The outcome's name, as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of that name, in any letter case.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests;

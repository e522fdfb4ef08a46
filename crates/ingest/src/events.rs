//! The events of a body so far: what was taken, what was refused, and what the current event's
//! fields say about it.

use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Field, Flags, KeyError};
use ledgerline_model::convention::{Conventions, ID_KEY};
use ledgerline_model::limits;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;

use crate::error::{Error, Reject};
use crate::refusal::Refusal;
use crate::severity::Numbers;
use crate::{Reception, severity, time};

/// The rank of a key that a convention does not name.
const UNNAMED: u16 = u16::MAX;

/// What a key means.
#[derive(Debug, Clone, Copy)]
struct Role {
    /// Its place among the keys that hold the time.
    time: u16,
    /// Its place among the keys that hold the severity.
    severity: u16,
    /// What its numbers mean, if it holds the severity.
    numbers: Numbers,
}

/// What the current event's fields say, each with the rank of the key that said it.
#[derive(Debug, Clone, Copy)]
struct Head {
    time: Option<Timestamp>,
    time_rank: u16,
    severity: Severity,
    severity_rank: u16,
}

const NO_HEAD: Head = Head {
    time: None,
    time_rank: UNNAMED,
    severity: Severity::UNSPECIFIED,
    severity_rank: UNNAMED,
};

/// Collects the events of a body.
#[derive(Debug)]
pub(crate) struct Events {
    builder: BatchBuilder,
    conventions: Conventions,
    /// By the batch's number of a key; nothing for most of them.
    roles: Vec<Option<Role>>,
    head: Head,
    rejected: u64,
    rejects: Vec<Reject>,
}

impl Events {
    pub(crate) fn new(reception: &Reception) -> Self {
        Self {
            builder: BatchBuilder::new(reception.received),
            conventions: reception.conventions.clone(),
            roles: Vec::new(),
            head: NO_HEAD,
            rejected: 0,
            rejects: Vec::new(),
        }
    }

    pub(crate) fn received(&self) -> Timestamp {
        self.builder.received()
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.builder.size_bytes()
    }

    /// Whether the events fit into memory.
    pub(crate) fn check_size(&self) -> Result<(), Error> {
        if self.builder.size_bytes() <= limits::BATCH_MEMORY_MAX {
            return Ok(());
        }
        Err(Error::too_large(
            "batch_too_large",
            format!(
                "the events of a batch take more than {} bytes of memory",
                limits::BATCH_MEMORY_MAX
            ),
        ))
    }

    /// Gives the current event a field, and learns its time and severity where the key is one that
    /// holds them. The best key whose value can be read wins.
    #[inline]
    pub(crate) fn put(&mut self, key: &str, field: Field<'_>) -> Result<(), Refusal> {
        if key == self.conventions.id {
            return self.put_id(field);
        }
        let index = self.builder.put(key, field).map_err(|error| refusal(error, key))?;
        match self.roles.get(index) {
            Some(None) => {}
            Some(Some(role)) => self.learn(*role, field),
            None => {
                let role = self.classify(index, key);
                if let Some(role) = role {
                    self.learn(role, field);
                }
            }
        }
        Ok(())
    }

    /// Gives the current event a field that says nothing about its time or severity. A key that the
    /// event has already is not an error: the first value stays, and the answer is false.
    pub(crate) fn put_plain(&mut self, key: &str, field: Field<'_>) -> Result<bool, Refusal> {
        if key == self.conventions.id {
            return self.put_id(field).map(|()| true);
        }
        match self.builder.put(key, field) {
            Ok(_) => Ok(true),
            Err(KeyError::Duplicate) => Ok(false),
            Err(error) => Err(Refusal::Key(error)),
        }
    }

    /// Sets the current event's time and severity.
    pub(crate) fn set_head(&mut self, time: Option<Timestamp>, severity: Severity) {
        self.head = Head { time, severity, ..NO_HEAD };
    }

    /// Ends the current event, which was `bytes_in` long, and keeps it.
    pub(crate) fn commit(&mut self, bytes_in: usize) {
        let (time, flags) = stamp(self.head.time, self.builder.received());
        let severity = self.head.severity;
        self.builder.commit(EventHead { time, severity, flags, bytes_in });
        self.head = NO_HEAD;
    }

    /// Gives the current event its evidence.
    pub(crate) fn put_evidence(&mut self, payload: &str, salt: &str) -> Result<(), Refusal> {
        self.builder.evidence(payload, salt).map_err(Refusal::Key)
    }

    /// Drops the current event, and counts and names it as rejected.
    pub(crate) fn reject(&mut self, line: u64, refusal: &Refusal) {
        self.builder.abandon();
        self.head = NO_HEAD;
        self.rejected += 1;
        if self.rejects.len() < limits::REJECTS_NAMED_MAX {
            self.rejects.push(Reject::new(line, refusal.code(), refusal.to_string()));
        }
    }

    /// The batch, how many events were rejected, and the first of those.
    pub(crate) fn finish(self) -> (Batch, u64, Vec<Reject>) {
        (self.builder.finish(), self.rejected, self.rejects)
    }

    /// An id is always a text, whatever its sender wrote, so that one column holds all of them.
    fn put_id(&mut self, field: Field<'_>) -> Result<(), Refusal> {
        let number;
        let id = match field {
            Field::Str(text) => text,
            Field::I64(value) => {
                number = value.to_string();
                &number
            }
            Field::F64(value) => {
                number = value.to_string();
                &number
            }
            Field::Json(text) if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => text,
            Field::Bool(_) | Field::Json(_) => return Err(Refusal::InvalidId),
        };
        if id.is_empty() || id.len() > limits::ID_BYTES_MAX {
            return Err(Refusal::InvalidId);
        }
        self.builder.str(ID_KEY, id).map_err(|error| refusal(error, ID_KEY))
    }

    #[cold]
    fn classify(&mut self, index: usize, key: &str) -> Option<Role> {
        let rank = |keys: &[String]| {
            let place = keys.iter().position(|named| named == key);
            place.and_then(|place| u16::try_from(place).ok()).unwrap_or(UNNAMED)
        };
        let time = rank(&self.conventions.time);
        let severity = rank(&self.conventions.severity);
        let role = (time != UNNAMED || severity != UNNAMED).then(|| Role {
            time,
            severity,
            numbers: Numbers::of_key(key),
        });
        // Keys come in the order of their numbers, but for `_id`, which is put elsewhere.
        self.roles.resize(index.max(self.roles.len()), None);
        self.roles.push(role);
        role
    }

    fn learn(&mut self, role: Role, field: Field<'_>) {
        if role.time < self.head.time_rank
            && let Some(time) = time_of(field, self.builder.received())
        {
            self.head.time = Some(time);
            self.head.time_rank = role.time;
        }
        if role.severity < self.head.severity_rank
            && let Some(severity) = severity::of_field(field, role.numbers)
        {
            self.head.severity = severity;
            self.head.severity_rank = role.severity;
        }
    }
}

fn refusal(error: KeyError, key: &str) -> Refusal {
    match error {
        KeyError::Duplicate => Refusal::DuplicateKey(key.to_owned()),
        other => Refusal::Key(other),
    }
}

fn time_of(field: Field<'_>, received: Timestamp) -> Option<Timestamp> {
    match field {
        Field::Str(text) => time::of_text(text, received),
        Field::I64(number) => Some(time::of_integer(number)),
        Field::F64(number) => time::of_float(number),
        Field::Bool(_) | Field::Json(_) => None,
    }
}

/// The time that an event gets, and what is strange about it.
fn stamp(time: Option<Timestamp>, received: Timestamp) -> (Timestamp, Flags) {
    let Some(time) = time else { return (received, Flags::TIME_MISSING) };
    let flags = if time.0 < received.0.saturating_sub(limits::PAST_NS_MAX) {
        Flags::FAR_PAST
    } else if time.0 > received.0.saturating_add(limits::FUTURE_NS_MAX) {
        Flags::FAR_FUTURE
    } else {
        Flags::default()
    };
    (time, flags)
}

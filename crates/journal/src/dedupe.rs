//! What was stored lately: keys of requests and ids of events, for
//! [`limits::DEDUPE_WINDOW_NS`], at most [`limits::DEDUPE_KEYS_MAX`], the oldest forgotten first.
//!
//! Keys and ids are known by marks: 128 bits of SHA-256, so that no event is ever left out because
//! its id collides with another's.

pub(crate) mod format;

use std::collections::{HashMap, HashSet, VecDeque};

use aws_lc_rs::digest::{Context, SHA256};
use ledgerline_model::id::DatasetId;
use ledgerline_model::limits;

use crate::committed::Position;
use crate::entry::EntryHead;
use crate::receipt::{IdempotencyKey, Receipt};

/// What a key or an id is known by.
pub(crate) type Mark = u128;

/// What a request's key is known by, and what was asked for with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyMark {
    pub(crate) mark: Mark,
    pub(crate) digest: [u8; 32],
}

impl KeyMark {
    /// The mark of a key, within its dataset.
    pub(crate) fn new(dataset: DatasetId, key: &IdempotencyKey) -> Self {
        Self { mark: mark(b"key", dataset, key.key.as_bytes()), digest: key.digest }
    }
}

/// The mark of an event's id, within its dataset.
pub(crate) fn id_mark(dataset: DatasetId, id: &[u8]) -> Mark {
    mark(b"id ", dataset, id)
}

fn mark(what: &[u8; 3], dataset: DatasetId, bytes: &[u8]) -> Mark {
    let mut context = Context::new(&SHA256);
    context.update(what);
    context.update(&dataset.0.to_le_bytes());
    context.update(bytes);
    let digest = context.finish();
    let half = digest.as_ref()[..16].try_into().expect("SHA-256 has 32 bytes");
    u128::from_le_bytes(half)
}

/// What is known of a request's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It was answered with this.
    Answered(Receipt),
    /// It came with other contents.
    Conflict,
}

/// The keys and ids of one tenant.
#[derive(Debug)]
pub(crate) struct Dedupe {
    keys_max: usize,
    keys: HashMap<Mark, Answer>,
    ids: HashSet<Mark>,
    /// What was remembered, the oldest first.
    order: VecDeque<Remembered>,
    /// How many keys and ids `order` holds.
    count: usize,
    /// The marks of every commit before it are in here, but for those that were forgotten.
    covered: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    digest: [u8; 32],
    receipt: Receipt,
}

/// The keys and ids of one commit.
#[derive(Debug)]
struct Remembered {
    stamp_ns: i64,
    key: Option<Mark>,
    ids: Box<[Mark]>,
}

impl Remembered {
    fn count(&self) -> usize {
        self.ids.len() + usize::from(self.key.is_some())
    }
}

impl Default for Dedupe {
    fn default() -> Self {
        Self::new(limits::DEDUPE_KEYS_MAX)
    }
}

impl Dedupe {
    fn new(keys_max: usize) -> Self {
        Self {
            keys_max,
            keys: HashMap::new(),
            ids: HashSet::new(),
            order: VecDeque::new(),
            count: 0,
            covered: Position::default(),
        }
    }

    /// The place before which every commit's keys and ids were remembered.
    pub(crate) fn covered(&self) -> Position {
        self.covered
    }

    /// What is known of a key.
    pub(crate) fn key(&self, key: &KeyMark) -> Option<Known> {
        let answer = self.keys.get(&key.mark)?;
        if answer.digest != key.digest {
            return Some(Known::Conflict);
        }
        Some(Known::Answered(Receipt { replayed: true, ..answer.receipt }))
    }

    /// Whether an event with this id was stored.
    pub(crate) fn has_id(&self, id: Mark) -> bool {
        self.ids.contains(&id)
    }

    /// Remembers the keys and ids of the commit at a position.
    pub(crate) fn remember(&mut self, position: Position, head: &EntryHead) {
        self.covered = position.after(1);
        self.answer(head.key, head.receipt(), &head.ids);
    }

    /// Remembers the answer to a request, and the ids of its events.
    pub(crate) fn answer(&mut self, key: Option<KeyMark>, receipt: Receipt, ids: &[Mark]) {
        if key.is_none() && ids.is_empty() {
            return;
        }
        // The order is by stamp even when the clock was set back.
        let newest = self.order.back().map_or(i64::MIN, |newest| newest.stamp_ns);
        let stamp_ns = receipt.received.0.max(newest);
        let key = key.map(|key| {
            self.keys.insert(key.mark, Answer { digest: key.digest, receipt });
            key.mark
        });
        self.ids.extend(ids);
        let remembered = Remembered { stamp_ns, key, ids: ids.into() };
        self.count += remembered.count();
        self.order.push_back(remembered);
        while self.count > self.keys_max {
            self.forget_oldest();
        }
    }

    /// Forgets what is older than the window.
    pub(crate) fn forget_old(&mut self, now_ns: i64) {
        let is_old = |oldest: &Remembered| is_forgotten(oldest.stamp_ns, now_ns);
        while self.order.front().is_some_and(is_old) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        self.count -= oldest.count();
        if let Some(key) = oldest.key {
            self.keys.remove(&key);
        }
        for id in &oldest.ids {
            self.ids.remove(id);
        }
    }
}

/// Whether a key of this age is no longer remembered.
pub(crate) fn is_forgotten(stamp_ns: i64, now_ns: i64) -> bool {
    stamp_ns.saturating_add(limits::DEDUPE_WINDOW_NS) < now_ns
}

#[cfg(test)]
mod tests;

//! What was stored lately: keys of requests and ids of events, for
//! [`limits::DEDUPE_WINDOW_NS`], at most [`limits::DEDUPE_KEYS_MAX`] and
//! [`limits::DEDUPE_IDS_MAX`], the oldest of each forgotten first.
//!
//! Keys and ids are known by marks: 128 bits of SHA-256, so that no event is ever left out because
//! its id collides with another's.

pub(crate) mod format;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

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
    ids_max: usize,
    keys: HashMap<Mark, Answer>,
    ids: HashSet<Mark>,
    /// The keys as they were remembered, the oldest first.
    key_order: Line<Mark>,
    /// The ids of each commit that has some, likewise.
    id_order: Line<Arc<[Mark]>>,
    /// How many of the oldest commit's ids were forgotten before the rest of them.
    oldest_gone: usize,
    /// The marks of every commit before it are in here, but for those that were forgotten.
    covered: Position,
    /// How many were forgotten before their time.
    forgotten_early: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    digest: [u8; 32],
    receipt: Receipt,
}

/// What was remembered when, the oldest first.
#[derive(Debug)]
struct Line<T> {
    items: VecDeque<(i64, T)>,
    /// How many left at the front: the number of the first item.
    left: u64,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), left: 0 }
    }
}

impl<T> Line<T> {
    fn push(&mut self, stamp_ns: i64, item: T) {
        // The order is by stamp even when the clock was set back.
        let newest = self.items.back().map_or(i64::MIN, |(newest, _)| *newest);
        self.items.push_back((stamp_ns.max(newest), item));
    }

    fn pop(&mut self) -> Option<T> {
        let (_, item) = self.items.pop_front()?;
        self.left += 1;
        Some(item)
    }

    fn front(&self) -> Option<&(i64, T)> {
        self.items.front()
    }

    /// The number after the last item's.
    fn end(&self) -> u64 {
        self.left + self.items.len() as u64
    }

    /// The items from a number on, as far as they are still there, with their numbers.
    fn from(&self, number: u64) -> impl Iterator<Item = (u64, &(i64, T))> {
        let skipped = number.saturating_sub(self.left) as usize;
        (self.left.max(number)..).zip(self.items.iter().skip(skipped))
    }
}

impl Default for Dedupe {
    fn default() -> Self {
        Self::new(limits::DEDUPE_KEYS_MAX, limits::DEDUPE_IDS_MAX)
    }
}

impl Dedupe {
    fn new(keys_max: usize, ids_max: usize) -> Self {
        Self {
            keys_max,
            ids_max,
            keys: HashMap::new(),
            ids: HashSet::new(),
            key_order: Line::default(),
            id_order: Line::default(),
            oldest_gone: 0,
            covered: Position::default(),
            forgotten_early: 0,
        }
    }

    /// The place before which every commit's keys and ids were remembered.
    pub(crate) fn covered(&self) -> Position {
        self.covered
    }

    /// About how many bytes they take when they are kept.
    pub(crate) fn kept_bytes(&self) -> u64 {
        (self.keys.len() * format::KEY_BYTES + self.ids.len() * size_of::<Mark>()) as u64
    }

    /// How many were forgotten before their time since this was last asked.
    pub(crate) fn take_forgotten_early(&mut self) -> u64 {
        std::mem::take(&mut self.forgotten_early)
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
        if let Some(KeyMark { mark, digest }) = key {
            self.put_key(receipt.received.0, mark, Answer { digest, receipt });
        }
        if !ids.is_empty() {
            self.put_ids(receipt.received.0, ids.into());
        }
    }

    fn put_key(&mut self, stamp_ns: i64, mark: Mark, answer: Answer) {
        self.keys.insert(mark, answer);
        self.key_order.push(stamp_ns, mark);
        while self.keys.len() > self.keys_max {
            self.forget_oldest_key();
            self.forgotten_early += 1;
        }
    }

    fn put_ids(&mut self, stamp_ns: i64, ids: Arc<[Mark]>) {
        self.ids.extend(ids.iter());
        self.id_order.push(stamp_ns, ids);
        while self.ids.len() > self.ids_max {
            self.forget_oldest_id();
            self.forgotten_early += 1;
        }
    }

    /// Forgets what is older than the window.
    pub(crate) fn forget_old(&mut self, now_ns: i64) {
        while self.key_order.front().is_some_and(|(stamp_ns, _)| is_forgotten(*stamp_ns, now_ns)) {
            self.forget_oldest_key();
        }
        while self.id_order.front().is_some_and(|(stamp_ns, _)| is_forgotten(*stamp_ns, now_ns)) {
            self.forget_oldest_id();
        }
    }

    fn forget_oldest_key(&mut self) {
        if let Some(key) = self.key_order.pop() {
            self.keys.remove(&key);
        }
    }

    fn forget_oldest_id(&mut self) {
        let Some((_, oldest)) = self.id_order.front() else { return };
        if let Some(id) = oldest.get(self.oldest_gone) {
            self.ids.remove(id);
            self.oldest_gone += 1;
        }
        if self.oldest_gone >= oldest.len() {
            self.id_order.pop();
            self.oldest_gone = 0;
        }
    }
}

/// Whether a key of this age is no longer remembered.
pub(crate) fn is_forgotten(stamp_ns: i64, now_ns: i64) -> bool {
    stamp_ns.saturating_add(limits::DEDUPE_WINDOW_NS) < now_ns
}

#[cfg(test)]
mod tests;

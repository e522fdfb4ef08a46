//! What was acknowledged, and when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::people::Behind;

/// The events that were acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    events: AtomicU64,
    /// Of each answer the number of its last event: how many it was about, and when it came. Those
    /// that a checkpoint is over are left out.
    waiting: Mutex<BTreeMap<u64, (u64, Instant)>>,
}

impl Acknowledged {
    /// An answer came for some events.
    pub(super) fn note(&self, last_seq: u64, events: u64) {
        let now = Instant::now();
        self.events.fetch_add(events, Ordering::Relaxed);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(last_seq, (events, now));
    }

    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// What is not yet under the checkpoint, which is over so many entries.
    pub(super) fn behind(&self, size: u64) -> Behind {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = waiting.split_off(&size);
        let events = waiting.values().map(|(events, _)| events).sum();
        let oldest = waiting.values().map(|(_, since)| since).min();
        let seconds = oldest.map_or(0.0, |since| since.elapsed().as_secs_f64());
        Behind { events, seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_checkpoint_is_over_is_not_behind() {
        let acknowledged = Acknowledged::default();
        acknowledged.note(499, 500);
        acknowledged.note(999, 500);
        acknowledged.note(1_000, 1);
        assert_eq!(acknowledged.behind(0).events, 1_001);
        assert_eq!(acknowledged.behind(500).events, 501);
        assert_eq!(acknowledged.behind(700).events, 501);
        assert_eq!(acknowledged.behind(1_000).events, 1);
        let none = acknowledged.behind(1_001);
        assert_eq!((none.events, none.seconds), (0, 0.0));
        assert_eq!(acknowledged.events(), 1_001);
    }
}

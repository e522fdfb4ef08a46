//! Compaction: small segments of one window become one. It never looks beyond a window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_model::id::{DatasetId, SegmentId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::error::Result;
use crate::gather::{Effort, Input, Label};
use crate::part::{Part, Source};
use crate::tenant::TenantStore;
use crate::window::{WIDTHS, Window};

/// A segment of this many events is left alone.
const ROWS_MAX: u64 = 2 << 20;
/// The same, in bytes as they were sent: what a merge holds in memory grows with them.
const BYTES_IN_MAX: u64 = 4 << 30;
/// In a window that is not over, this many segments are merged: fewer cost less to read than to
/// merge again and again.
const OPEN_SEGMENTS_MAX: usize = 8;

/// Late events are merged when they are at least one in so many of the window's.
const LATE_SHARE: u64 = 16;

/// What [`TenantStore::compact`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// How many segments were merged.
    pub merged: u64,
    /// Into how many.
    pub written: u64,
}

impl TenantStore {
    /// Merges the segments of windows that have several, and writes those again for long that were
    /// written in haste. `now` decides which windows are over.
    ///
    /// # Errors
    /// The disk's; what was merged before stays merged.
    pub fn compact(&self, scope: &Scope<Upkeep>, now: Timestamp) -> Result<Compacted> {
        self.check_tenant(scope.tenant())?;
        let mut compacted = Compacted::default();
        while let Some(merge) = self.next_merge(now) {
            let _writing = self.writing.lock();
            // Another merge or an expiry may have come first.
            if !self.is_live(&merge) {
                continue;
            }
            compacted.merged += merge.entries.len() as u64;
            compacted.written += 1;
            self.merge(merge)?;
        }
        Ok(compacted)
    }

    fn next_merge(&self, now: Timestamp) -> Option<Merge> {
        let state = self.state.read();
        let mut datasets: Vec<_> = state.datasets.iter().collect();
        datasets.sort_by_key(|(dataset, _)| **dataset);
        datasets.into_iter().find_map(|(dataset, visible)| plan(*dataset, &visible.segments, now))
    }

    fn is_live(&self, merge: &Merge) -> bool {
        let state = self.state.read();
        let live = state.datasets.get(&merge.dataset).map(|visible| &visible.segments);
        live.is_some_and(|live| merge.entries.iter().all(|entry| live.contains(entry)))
    }

    fn merge(&self, merge: Merge) -> Result<()> {
        let uncounted = Arc::new(AtomicU64::new(0));
        let mut inputs = Vec::with_capacity(merge.entries.len());
        let (mut applied, mut flushed) = (0, 0);
        for entry in &merge.entries {
            let segment = self.shelf.open(entry.id)?;
            let directory = segment.reader.directory();
            applied = applied.max(directory.applied);
            flushed = flushed.max(directory.flushed);
            let source = Arc::new(Source::Segment(segment));
            inputs.push(Input::whole(Part::new(source, Arc::clone(&uncounted))));
        }
        let removed: Vec<SegmentId> = merge.entries.iter().map(|entry| entry.id).collect();
        let label = Label {
            dataset: merge.dataset,
            id: self.chance.segment_id(),
            window: merge.window,
            applied,
            flushed,
            replaces: removed.clone(),
            bytes_in: merge.entries.iter().map(|entry| entry.bytes_in).sum(),
            effort: merge.effort,
        };
        let entry = self.shelf.write(&inputs, label)?;
        drop(inputs);
        let change = Change { added: vec![entry], removed, ..Change::default() };
        self.catalog.commit(&change)?;
        self.show(&mut self.state.write(), &change);
        change.removed.iter().try_for_each(|id| self.shelf.delete(*id))
    }
}

/// Segments to be merged.
#[derive(Debug, PartialEq, Eq)]
struct Merge {
    dataset: DatasetId,
    window: Window,
    effort: Effort,
    entries: Vec<Entry>,
}

/// The next merge in a dataset, wide windows first: what can become a day need not become hours.
fn plan(dataset: DatasetId, segments: &[Entry], now: Timestamp) -> Option<Merge> {
    WIDTHS.iter().rev().find_map(|width| {
        let mut windows: BTreeMap<Window, Vec<&Entry>> = BTreeMap::new();
        for entry in segments.iter().filter(|entry| entry.window.width <= *width) {
            let window = Window::of(entry.times.0, *width);
            if window.holds(entry.times.0, entry.times.1) {
                windows.entry(window).or_default().push(entry);
            }
        }
        windows.into_iter().find_map(|(window, entries)| {
            let merge = |(effort, entries)| Merge { dataset, window, effort, entries };
            choose(window, entries, now).map(merge)
        })
    })
}

/// Which segments of a window are to be merged, if any.
fn choose(
    window: Window,
    mut entries: Vec<&Entry>,
    now: Timestamp,
) -> Option<(Effort, Vec<Entry>)> {
    const DAY: i64 = WIDTHS[2];
    entries.sort_by_key(|entry| (entry.times, entry.id));
    let owned = |pack: Vec<&Entry>| pack.into_iter().cloned().collect();
    if window.width > DAY {
        // Only what could not lie in narrower windows.
        entries.retain(|entry| entry.window.width == window.width);
    } else if !window.is_over(now) {
        let is_narrowest = window.width == WIDTHS[0];
        let worth = is_narrowest && entries.len() >= OPEN_SEGMENTS_MAX;
        let pack = worth.then(|| packs(entries).into_iter().find(|pack| pack.len() > 1));
        return pack.flatten().map(|pack| (Effort::Hasty, owned(pack)));
    }
    let effort = if window.width >= DAY { Effort::Settled } else { Effort::Hasty };
    let pack = packs(entries).into_iter().find(|pack| is_worth_it(pack, effort));
    pack.map(|pack| (effort, owned(pack)))
}

/// Whether to merge costs less than it saves: a few late events beside a segment that is written
/// for long would have it written again and again.
fn is_worth_it(pack: &[&Entry], effort: Effort) -> bool {
    let Some(largest) = pack.iter().max_by_key(|entry| entry.rows) else { return false };
    let others: u64 = pack.iter().map(|entry| entry.rows).sum::<u64>() - largest.rows;
    match effort {
        Effort::Hasty => pack.len() > 1,
        Effort::Settled if !largest.is_settled => true,
        Effort::Settled => pack.len() >= OPEN_SEGMENTS_MAX || others * LATE_SHARE >= largest.rows,
    }
}

/// Segments in the order of time, as many together as one segment may hold.
fn packs(entries: Vec<&Entry>) -> Vec<Vec<&Entry>> {
    let mut packs: Vec<Vec<&Entry>> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for entry in entries {
        rows += entry.rows;
        bytes += entry.bytes_in;
        match packs.last_mut() {
            Some(pack) if rows <= ROWS_MAX && bytes <= BYTES_IN_MAX => pack.push(entry),
            _ => {
                (rows, bytes) = (entry.rows, entry.bytes_in);
                packs.push(vec![entry]);
            }
        }
    }
    packs
}

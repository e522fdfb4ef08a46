//! Compaction: small segments of one window become one. It never looks beyond a window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_model::id::{DatasetId, SegmentId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::error::{Error, ErrorKind, Result, chain};
use crate::gather::{Effort, Input, Label};
use crate::leftover::is_damage;
use crate::part::{Part, Source};
use crate::retain::{Horizon, is_past};
use crate::segment::directory::Directory;
use crate::tenant::TenantStore;
use crate::window::{WIDTHS, Window};

/// A segment of this many events is left alone.
const ROWS_MAX: u64 = 2 << 20;
/// The same, in bytes as they were sent. A merge holds one column at a time, as it was read and
/// put in order: when a single text is nearly all of each event, that is twice this, 1 GiB. On top
/// comes the word index with some 65 bytes for each different word. It is also far below the 4 GiB
/// that the texts of a column may have together.
const BYTES_IN_MAX: u64 = 512 << 20;
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
    /// written in haste, until there is nothing left to do.
    ///
    /// # Errors
    /// As [`TenantStore::compact_next`]; what was merged before stays merged.
    pub fn compact(&self, scope: &Scope<Upkeep>, horizon: &Horizon) -> Result<Compacted> {
        let mut compacted = Compacted::default();
        while let Some(next) = self.compact_next(scope, horizon)? {
            compacted.merged += next.merged;
            compacted.written += next.written;
        }
        Ok(compacted)
    }

    /// Makes the next merge, or none when there is none to make. The time decides which windows are
    /// over; what is past its retention is not merged any more, since it would live on in what it
    /// is merged into. Segments that cannot be read are left out, this time and from now on.
    ///
    /// # Errors
    /// The disk's.
    pub fn compact_next(
        &self,
        scope: &Scope<Upkeep>,
        horizon: &Horizon,
    ) -> Result<Option<Compacted>> {
        self.check_tenant(scope.tenant())?;
        let _rewriting = self.rewriting.lock();
        while let Some(merge) = self.next_merge(horizon) {
            match self.merge(&merge) {
                Ok(()) => {
                    return Ok(Some(Compacted { merged: merge.entries.len() as u64, written: 1 }));
                }
                Err(error) if is_damage(&error) => self.leave_out(&merge, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn next_merge(&self, horizon: &Horizon) -> Option<Merge> {
        let unmergeable = self.unmergeable.lock();
        let state = self.state.read();
        let mut datasets: Vec<_> = state.datasets.iter().collect();
        datasets.sort_by_key(|(dataset, _)| **dataset);
        datasets.into_iter().find_map(|(dataset, visible)| {
            let before = horizon.kept_from.get(dataset).copied();
            let stays = |entry: &&Entry| {
                !unmergeable.contains(&entry.id)
                    && before.is_none_or(|before| !is_past(entry, before))
            };
            let entries: Vec<&Entry> = visible.segments.iter().filter(stays).collect();
            plan(*dataset, &entries, horizon.now)
        })
    }

    /// Notes which segments of a failed merge cannot be read. When all can, the merge itself cannot
    /// be made, and none of them is merged again.
    fn leave_out(&self, merge: &Merge, error: &Error) {
        let is_sound =
            |entry: &Entry| self.shelf.open(entry.id).and_then(|segment| segment.reader.verify());
        let unsound: Vec<(SegmentId, String)> = merge
            .entries
            .iter()
            .filter_map(|entry| Some((entry.id, chain(&is_sound(entry).err()?))))
            .collect();
        for (segment, error) in &unsound {
            tracing::error!(%segment, error, "a segment cannot be read, and is not merged");
        }
        let mut unmergeable = self.unmergeable.lock();
        if unsound.is_empty() {
            let (error, segments) = (chain(error), merge.entries.len());
            tracing::error!(error, segments, "segments cannot be merged, and stay as they are");
            unmergeable.extend(merge.entries.iter().map(|entry| entry.id));
        } else {
            unmergeable.extend(unsound.into_iter().map(|(id, _)| id));
        }
    }

    fn merge(&self, merge: &Merge) -> Result<()> {
        let uncounted = Arc::new(AtomicU64::new(0));
        let mut inputs = Vec::with_capacity(merge.entries.len());
        let removed: Vec<SegmentId> = merge.entries.iter().map(|entry| entry.id).collect();
        let mut replaces = removed.clone();
        let (mut applied, mut flushed) = (0, 0);
        for entry in &merge.entries {
            let segment = self.shelf.open(entry.id)?;
            let directory = segment.reader.directory();
            applied = applied.max(directory.applied);
            flushed = flushed.max(directory.flushed);
            replaces.extend(self.undeleted(directory)?);
            let source = Arc::new(Source::Segment(segment));
            inputs.push(Input::whole(Part::new(source, Arc::clone(&uncounted))));
        }
        let label = Label {
            dataset: merge.dataset,
            id: self.chance.segment_id(),
            window: merge.window,
            applied,
            flushed,
            replaces,
            bytes_in: merge.entries.iter().map(|entry| entry.bytes_in).sum(),
            effort: merge.effort,
        };
        let id = label.id;
        let entry = self.shelf.write(&inputs, label)?;
        drop(inputs);
        let change = Change { added: vec![entry], removed, ..Change::default() };
        if let Err(error) = self.catalog.commit(&change) {
            // What the catalog may hold after all must stay.
            if error.kind() != ErrorKind::Unknown {
                self.shelf.discard(&[id]);
            }
            return Err(error);
        }
        self.show(&mut self.state.write(), &change);
        self.delete(&change.removed);
        Ok(())
    }
}

impl TenantStore {
    /// Those of the segments which a segment replaces whose files are still there: whatever
    /// replaces it must replace them, too.
    pub(crate) fn undeleted(&self, directory: &Directory) -> Result<Vec<SegmentId>> {
        let mut undeleted = Vec::new();
        for id in &directory.replaces {
            if self.shelf.exists(*id)? {
                undeleted.push(*id);
            }
        }
        Ok(undeleted)
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
fn plan(dataset: DatasetId, segments: &[&Entry], now: Timestamp) -> Option<Merge> {
    WIDTHS.iter().rev().find_map(|width| {
        let mut windows: BTreeMap<Window, Vec<&Entry>> = BTreeMap::new();
        for entry in segments.iter().copied().filter(|entry| entry.window.width <= *width) {
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

#[cfg(test)]
mod tests {
    use ledgerline_model::id::Seq;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// A segment of a quarter of an hour.
    fn entry(number: u64, bytes_in: u64) -> Entry {
        let start = Timestamp(number as i64 * WIDTHS[0]);
        Entry {
            id: SegmentId::from_bytes(u128::from(number + 1).to_le_bytes()).expect("not zero"),
            dataset: DatasetId(1),
            window: Window { start, width: WIDTHS[0] },
            rows: bytes_in >> 11,
            seqs: (Seq(number), Seq(number)),
            times: (start, Timestamp(start.0 + 5)),
            received: (start, start),
            bytes_in,
            sealed_bytes: bytes_in,
            applied: number,
            is_settled: false,
        }
    }

    /// The segments of a day of so many bytes, when there is nothing left to merge: how many, and
    /// how many bytes the largest has.
    fn settle(day_bytes: u64) -> (usize, u64) {
        let mut entries: Vec<Entry> = (0..96).map(|number| entry(number, day_bytes / 96)).collect();
        let now = Timestamp(3 * Timestamp::DAY);
        while let Some(merge) = plan(DatasetId(1), &entries.iter().collect::<Vec<_>>(), now) {
            let first = merge.entries[0].clone();
            entries.retain(|entry| !merge.entries.contains(entry));
            entries.push(Entry {
                window: merge.window,
                rows: merge.entries.iter().map(|entry| entry.rows).sum(),
                times: (first.times.0, merge.entries[merge.entries.len() - 1].times.1),
                bytes_in: merge.entries.iter().map(|entry| entry.bytes_in).sum(),
                is_settled: merge.effort == Effort::Settled,
                ..first
            });
        }
        (entries.len(), entries.iter().map(|entry| entry.bytes_in).max().unwrap_or(0))
    }

    #[test]
    fn a_day_becomes_one_segment_or_as_many_as_memory_asks_for() {
        assert_eq!(settle(35 * MIB).0, 1);
        assert_eq!(settle(500 * MIB).0, 1);
        let (segments, largest) = settle(3000 * MIB);
        assert_eq!(segments, 6);
        assert!(largest <= BYTES_IN_MAX);
    }
}

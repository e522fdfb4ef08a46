//! Erasure: segments are written again without what some events say, and the old ones are deleted,
//! so that the keys which opened them are destroyed.

mod aside;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::column::spans;
use crate::error::{ErrorKind, Result};
use crate::gather::{Effort, Input, Label};
use crate::part::{Part, Segment, Source, System};
use crate::tenant::TenantStore;

/// What becomes of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// Their fields and their evidence go; number, times, severity and id stay, so that who asks
    /// for one is told that it was erased.
    Content,
    /// They go altogether.
    Whole,
}

/// What [`TenantStore::erase`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// How many events were still there and are not now.
    pub events: u64,
    /// How many segments were written again or deleted.
    pub segments: u64,
    /// How many files that were set aside may hold them and cannot be read.
    pub unread: u64,
}

impl TenantStore {
    /// Erases events by their numbers: rising, disjoint spans. They must be in segments, so a flush
    /// comes first. What was erased before is left alone, so it can be done again.
    ///
    /// # Errors
    /// The disk's; what was done before stays done.
    pub fn erase(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        seqs: &[Range<u64>],
        erase: Erase,
    ) -> Result<Erased> {
        self.check_tenant(scope.tenant())?;
        let _rewriting = self.rewriting.lock();
        self.delete_what_left()?;
        let segments = {
            let state = self.state.read();
            let visible = state.datasets.get(&dataset);
            visible.map(|visible| Arc::clone(&visible.segments)).unwrap_or_default()
        };
        let mut erased = Erased::default();
        for entry in segments.iter().filter(|entry| overlaps(entry.seqs, seqs)) {
            let events = self.erase_in(entry, seqs, erase)?;
            erased.events += events;
            erased.segments += u64::from(events > 0);
        }
        erased.unread = self.erase_aside(dataset, seqs)?;
        Ok(erased)
    }

    /// Deletes the files of segments that a merge or an earlier try put others in the place of, and
    /// could not delete: they may hold what is to be erased.
    fn delete_what_left(&self) -> Result<()> {
        self.shelf.delete_undeleted()?;
        for id in self.catalog.read()?.leaving {
            if self.shelf.exists(id)? {
                self.shelf.delete(id)?;
                self.catalog.note_deleted(id);
            }
        }
        Ok(())
    }

    /// Erases events of one segment, and says how many.
    fn erase_in(&self, entry: &Entry, seqs: &[Range<u64>], erase: Erase) -> Result<u64> {
        let segment = self.shelf.open(entry.id)?;
        let directory = segment.reader.directory();
        let mut replaces = self.undeleted(directory)?;
        replaces.push(entry.id);
        let label = self.label_of(&segment);
        let part = Part::new(Arc::new(Source::Segment(segment)), Arc::new(AtomicU64::new(0)));
        let gone = rows_of(&part, seqs)?;
        // A segment that alone says up to where the journal is in segments keeps its rows.
        let whole = erase == Erase::Whole && !self.alone_says(entry);
        let count: u64 = match (whole, erase) {
            (true, _) => gone.iter().map(|span| span.len() as u64).sum(),
            // Who has no evidence any more is erased already.
            (false, _) => {
                let evidence = part.evidence(&gone)?.len() as u64;
                let fields = fields_in(&part, &gone)?;
                evidence.max(u64::from(fields))
            }
        };
        if count == 0 {
            return Ok(0);
        }
        let all = vec![0..part.rows()];
        let kept = without(&all, &gone);
        let rows = if whole { kept.clone() } else { all };
        let mut change = Change { removed: vec![entry.id], ..Change::default() };
        if !rows.is_empty() {
            let input = Input { part, rows, kept };
            let label = Label { replaces, bytes_in: input.bytes_in(), ..label };
            change.added.push(self.shelf.write(&[input], label)?);
        }
        if let Err(error) = self.catalog.commit(&change) {
            // What the catalog may hold after all must stay.
            if error.kind() != ErrorKind::Unknown {
                let added: Vec<SegmentId> = change.added.iter().map(|entry| entry.id).collect();
                self.shelf.discard(&added);
            }
            return Err(error);
        }
        self.show(&mut self.state.write(), &change);
        // Unlike after a merge, what is not deleted now is not erased.
        self.shelf.delete(entry.id)?;
        self.catalog.note_deleted(entry.id);
        Ok(count)
    }

    /// The label of what a segment is written again as.
    fn label_of(&self, segment: &Segment) -> Label {
        let directory = segment.reader.directory();
        Label {
            dataset: directory.dataset,
            id: self.chance.segment_id(),
            window: directory.window,
            applied: directory.applied,
            flushed: directory.flushed,
            replaces: Vec::new(),
            bytes_in: 0,
            effort: if directory.is_settled { Effort::Settled } else { Effort::Hasty },
        }
    }

    /// Whether no other segment says that so much of the journal is in segments.
    fn alone_says(&self, entry: &Entry) -> bool {
        let state = self.state.read();
        let all = state.datasets.values().flat_map(|visible| visible.segments.iter());
        all.filter(|other| other.id != entry.id).all(|other| other.applied < entry.applied)
    }
}

fn overlaps((first, last): (Seq, Seq), seqs: &[Range<u64>]) -> bool {
    seqs.iter().any(|span| span.start <= last.0 && first.0 < span.end)
}

/// The rows of the events with some numbers.
fn rows_of(part: &Part, seqs: &[Range<u64>]) -> Result<Vec<Range<u32>>> {
    let numbers = part.system(System::Seq)?;
    let is_wanted = |number: i64| {
        let at = seqs.partition_point(|span| span.end <= number as u64);
        seqs.get(at).is_some_and(|span| span.contains(&(number as u64)))
    };
    let rows = (0..).zip(numbers).filter(|(_, number)| is_wanted(*number)).map(|(row, _)| row);
    Ok(spans(rows))
}

/// Whether any of the rows has a field besides its id.
fn fields_in(part: &Part, rows: &[Range<u32>]) -> Result<bool> {
    for (number, head) in part.columns().iter().enumerate() {
        if *head.name != *ledgerline_model::convention::ID_KEY
            && !part.column(number, rows)?.rows.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Spans without other spans, both rising and disjoint.
fn without(spans: &[Range<u32>], gone: &[Range<u32>]) -> Vec<Range<u32>> {
    let mut kept = Vec::new();
    for span in spans {
        let mut at = span.start;
        for gap in gone.iter().filter(|gap| gap.end > span.start && gap.start < span.end) {
            if gap.start > at {
                kept.push(at..gap.start);
            }
            at = at.max(gap.end);
        }
        if at < span.end {
            kept.push(at..span.end);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_without_spans() {
        let check = |spans: &[Range<u32>], gone: &[Range<u32>], kept: &[Range<u32>]| {
            assert_eq!(without(spans, gone), kept, "{spans:?} without {gone:?}");
        };
        check(&[0..10], &[], &[0..10]);
        check(&[0..10], &[0..10], &[]);
        check(&[0..10], &[3..4, 6..10], &[0..3, 4..6]);
        check(&[0..5, 8..10], &[0..1, 4..9], &[1..4, 9..10]);
        check(&[2..5], &[0..2, 5..6], &[2..5]);
    }
}

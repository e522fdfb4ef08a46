//! Flush: events move from memory into segments.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_journal::Position;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::error::{ErrorKind, Result};
use crate::gather::{Effort, Input, Label};
use crate::memory::Memory;
use crate::part::{Part, Source, System};
use crate::tenant::{State, TenantStore};
use crate::window::{Window, split};

/// How much memory the parts of one segment may take together: what is written of a column is a
/// copy, and its texts must stay below 4 GiB. One part is never more than a batch may be.
const SEGMENT_BYTES_MAX: usize = 512 << 20;

/// What [`TenantStore::flush`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// How many events went into segments.
    pub events: u64,
    /// Up to where the journal may be trimmed.
    pub applied: Position,
}

/// Events that leave memory together.
struct Cut {
    applied_before: Position,
    position: Position,
    datasets: Vec<(DatasetId, Vec<Arc<Memory>>, Seq)>,
}

/// The events of one segment to be.
struct Planned {
    dataset: DatasetId,
    window: Window,
    inputs: Vec<Input>,
}

impl TenantStore {
    /// Moves what is in memory into segments.
    ///
    /// # Errors
    /// The disk's; the events then stay in memory, and in the journal.
    pub fn flush(&self, scope: &Scope<Upkeep>) -> Result<Flushed> {
        self.check_tenant(scope.tenant())?;
        let _writing = self.writing.lock();
        let cut = self.state.write().cut();
        if cut.datasets.is_empty() {
            // With no segment to say so, nothing may count as applied.
            return Ok(Flushed { events: 0, applied: cut.applied_before });
        }
        // What is applied is not replayed again, so its entries must be durable before.
        let persisted = self.trees.persist(scope);
        let written = persisted.and_then(|()| self.write_and_commit(&cut));
        let mut state = self.state.write();
        match written {
            Ok(change) => {
                state.datasets.values_mut().for_each(|visible| visible.flushing.clear());
                self.show(&mut state, &change);
                state.applied = cut.position;
                let events = change.added.iter().map(|entry| entry.rows).sum();
                Ok(Flushed { events, applied: cut.position })
            }
            Err(error) => {
                state.put_back();
                Err(error)
            }
        }
    }

    /// After an error none of the segments is left, unless the catalog may know them.
    fn write_and_commit(&self, cut: &Cut) -> Result<Change> {
        let mut added = Vec::new();
        let written = self.write_cut(cut, &mut added);
        let change = written.map(|()| Change {
            next_seqs: cut.datasets.iter().map(|(dataset, _, next)| (*dataset, *next)).collect(),
            applied: Some(cut.position),
            added: added.clone(),
            ..Change::default()
        });
        let done = change.and_then(|change| self.catalog.commit(&change).map(|()| change));
        if done.as_ref().is_err_and(|error| error.kind() != ErrorKind::Unknown) {
            self.shelf.discard(&added.iter().map(|entry| entry.id).collect::<Vec<_>>());
        }
        done
    }

    fn write_cut(&self, cut: &Cut, added: &mut Vec<Entry>) -> Result<()> {
        let mut planned = Vec::new();
        for (dataset, memory, _) in &cut.datasets {
            planned.extend(plan(*dataset, memory, SEGMENT_BYTES_MAX)?);
        }
        let last = planned.len().saturating_sub(1);
        for (number, segment) in planned.into_iter().enumerate() {
            // Only the last says that all is in segments: see `Directory::flushed`.
            let applied = if number == last { cut.position } else { cut.applied_before };
            added.push(self.write_planned(segment, applied, cut.position)?);
        }
        Ok(())
    }

    fn write_planned(
        &self,
        planned: Planned,
        applied: Position,
        flushed: Position,
    ) -> Result<Entry> {
        let Planned { dataset, window, inputs } = planned;
        let label = Label {
            dataset,
            id: self.chance.segment_id(),
            window,
            applied: applied.0,
            flushed: flushed.0,
            replaces: Vec::new(),
            bytes_in: inputs.iter().map(Input::bytes_in).sum(),
            effort: Effort::Hasty,
        };
        self.shelf.write(&inputs, label)
    }
}

impl State {
    /// Takes what is in memory, which stays visible.
    fn cut(&mut self) -> Cut {
        let mut datasets = Vec::new();
        for (dataset, visible) in &mut self.datasets {
            debug_assert!(visible.flushing.is_empty(), "one flush at a time");
            let memory = visible.memory.take();
            if !memory.is_empty() {
                visible.flushing.clone_from(&memory);
                datasets.push((*dataset, memory, Seq(*visible.next_seq.borrow())));
            }
        }
        datasets.sort_by_key(|(dataset, ..)| *dataset);
        Cut { applied_before: self.applied, position: self.position, datasets }
    }

    fn put_back(&mut self) {
        for visible in self.datasets.values_mut() {
            let flushing = std::mem::take(&mut visible.flushing);
            visible.memory.put_back(flushing);
        }
    }
}

/// The segments of a dataset's events: one for each window, or several where the parts of one take
/// more than so much memory together.
fn plan(dataset: DatasetId, memory: &[Arc<Memory>], bytes_max: usize) -> Result<Vec<Planned>> {
    let uncounted = Arc::new(AtomicU64::new(0));
    let part = |memory: &Arc<Memory>| {
        Part::new(Arc::new(Source::Memory(Arc::clone(memory))), Arc::clone(&uncounted))
    };
    let parts: Vec<Part> = memory.iter().map(part).collect();
    let times = parts.iter().map(|part| part.system(System::Time)).collect::<Result<Vec<_>>>()?;
    let received = parts.iter().flat_map(|part| part.runs()).map(|run| run.received);
    let now = received.max().unwrap_or(Timestamp(i64::MIN));
    let mut planned = Vec::new();
    for (window, rows) in split(&times, now) {
        let mut inputs: Vec<Input> = Vec::new();
        let mut bytes = 0;
        for (part, rows) in rows {
            let part_bytes = memory[part].size_bytes();
            if !inputs.is_empty() && bytes + part_bytes > bytes_max {
                planned.push(Planned { dataset, window, inputs: std::mem::take(&mut inputs) });
                bytes = 0;
            }
            bytes += part_bytes;
            inputs.push(Input::new(parts[part].clone(), rows));
        }
        planned.push(Planned { dataset, window, inputs });
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use ledgerline_model::batch::{BatchBuilder, EventHead, Flags};
    use ledgerline_model::severity::Severity;

    use super::*;

    fn memory(number: u64) -> Arc<Memory> {
        let mut builder = BatchBuilder::new(Timestamp(5));
        builder.str("text", &"x".repeat(1000)).expect("a short key");
        let (time, severity) = (Timestamp(1), Severity::INFO);
        builder.commit(EventHead { time, severity, flags: Flags::default(), bytes_in: 1000 });
        Arc::new(Memory::of_batch(builder.finish(), Seq(number), 7))
    }

    #[test]
    fn what_takes_too_much_memory_for_one_segment_becomes_several() {
        let memory: Vec<Arc<Memory>> = (0..10).map(memory).collect();
        let size = memory[0].size_bytes();
        let planned = |bytes_max| {
            let planned = plan(DatasetId(1), &memory, bytes_max).expect("planned");
            planned.iter().map(|segment| segment.inputs.len()).collect::<Vec<_>>()
        };
        assert_eq!(planned(SEGMENT_BYTES_MAX), [10]);
        assert_eq!(planned(4 * size), [4, 4, 2]);
        assert_eq!(planned(1), [1; 10]);
    }
}

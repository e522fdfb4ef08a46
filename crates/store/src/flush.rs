//! Flush: events move from memory into segments.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_journal::Position;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Change, Entry};
use crate::error::Result;
use crate::gather::{Effort, Input, Label};
use crate::memory::Memory;
use crate::part::{Part, Source, System};
use crate::tenant::{State, TenantStore};
use crate::window::{Window, split};

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
        let written = self.write_cut(&cut).and_then(|change| {
            self.catalog.commit(&change)?;
            Ok(change)
        });
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

    fn write_cut(&self, cut: &Cut) -> Result<Change> {
        let mut planned = Vec::new();
        for (dataset, memory, _) in &cut.datasets {
            planned.extend(plan(*dataset, memory)?);
        }
        let mut added: Vec<Entry> = Vec::with_capacity(planned.len());
        let last = planned.len().saturating_sub(1);
        for (number, segment) in planned.into_iter().enumerate() {
            // Only the last says that all is in segments: see `Directory::flushed`.
            let applied = if number == last { cut.position } else { cut.applied_before };
            added.push(self.write_planned(segment, applied, cut.position)?);
        }
        let next_seqs = cut.datasets.iter().map(|(dataset, _, next)| (*dataset, *next)).collect();
        Ok(Change { added, removed: Vec::new(), next_seqs, applied: Some(cut.position) })
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

/// The segments of a dataset's events: one for each window.
fn plan(dataset: DatasetId, memory: &[Arc<Memory>]) -> Result<Vec<Planned>> {
    let uncounted = Arc::new(AtomicU64::new(0));
    let part = |memory: &Arc<Memory>| {
        Part::new(Arc::new(Source::Memory(Arc::clone(memory))), Arc::clone(&uncounted))
    };
    let parts: Vec<Part> = memory.iter().map(part).collect();
    let times = parts.iter().map(|part| part.system(System::Time)).collect::<Result<Vec<_>>>()?;
    let received = parts.iter().flat_map(|part| part.runs()).map(|run| run.received);
    let now = received.max().unwrap_or(Timestamp(i64::MIN));
    let windows = split(&times, now).into_iter().map(|(window, rows)| Planned {
        dataset,
        window,
        inputs: rows
            .into_iter()
            .map(|(part, rows)| Input { part: parts[part].clone(), rows })
            .collect(),
    });
    Ok(windows.collect())
}

//! What a flush, a merge or an expiry left that was cut off.

use std::collections::BTreeSet;

use ledgerline_model::id::{DatasetId, SegmentId};
use ledgerline_policy::{Scope, Upkeep};

use crate::catalog::{Contents, Entry};
use crate::error::{Error, ErrorKind, Result, chain};
use crate::numbers::Numbers;
use crate::segment::directory::SEQ;
use crate::shelf;
use crate::tenant::TenantStore;

impl TenantStore {
    /// Deletes segment files that are not live, where nothing is lost with them: the catalog says
    /// that they are to be deleted, or a sound live segment replaces them, or every event in them
    /// is in sound live segments or in what the journal handed over. All others are set aside, and
    /// named in the answer. To be called when the journal has been opened, and so has agreed with
    /// the catalog.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_leftovers(&self, scope: &Scope<Upkeep>) -> Result<Vec<String>> {
        self.check_tenant(scope.tenant())?;
        let _rewriting = self.rewriting.lock();
        let _writing = self.writing.lock();
        self.shelf.remove_unfinished()?;
        let Contents { segments, mut leaving, .. } = self.catalog.read()?;
        let live: BTreeSet<SegmentId> = segments.iter().map(|entry| entry.id).collect();
        let mut aside = Vec::new();
        for id in self.shelf.list()?.into_iter().filter(|id| !live.contains(id)) {
            let reason = if leaving.remove(&id) { None } else { self.worth(id)? };
            let Some(reason) = reason else {
                tracing::info!(segment = %id, "removing what a cut-off flush or merge left");
                self.delete(&[id]);
                continue;
            };
            tracing::warn!(segment = %id, reason, "a segment that is not live is set aside");
            self.shelf.set_aside(id)?;
            aside.push(format!("{}: {reason}", shelf::path(id)?));
        }
        leaving.into_iter().for_each(|id| self.catalog.note_deleted(id));
        Ok(aside)
    }

    /// Why a segment that is not live must not be deleted, if that is so.
    fn worth(&self, id: SegmentId) -> Result<Option<String>> {
        let read = || {
            let segment = self.shelf.open(id)?;
            let numbers = Numbers::of(segment.reader.system(SEQ)?);
            Ok((segment.reader.directory().dataset, segment.reader.directory().seqs, numbers))
        };
        let (dataset, seqs, numbers) = match read() {
            Ok(read) => read,
            Err(error) if is_damage(&error) => return Ok(Some(chain(&error))),
            Err(error) => return Err(error),
        };
        let (mut elsewhere, live) = self.in_memory(dataset);
        for entry in live.iter().filter(|entry| entry.seqs.0 <= seqs.1 && seqs.0 <= entry.seqs.1) {
            if elsewhere.holds(&numbers) {
                break;
            }
            match self.read_sound(entry) {
                Ok((replaces, _)) if replaces.contains(&id) => return Ok(None),
                Ok((_, live)) => elsewhere.add(&live),
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let is_elsewhere = elsewhere.holds(&numbers);
        Ok((!is_elsewhere).then(|| "it holds events that are nowhere else".to_owned()))
    }

    /// The numbers of a dataset's events in memory, all of which are in the journal; and its live
    /// segments.
    fn in_memory(&self, dataset: DatasetId) -> (Numbers, Vec<Entry>) {
        let mut numbers = Numbers::default();
        let state = self.state.read();
        let Some(visible) = state.datasets.get(&dataset) else { return (numbers, Vec::new()) };
        for memory in visible.flushing.iter().chain(visible.memory.parts()) {
            numbers.add_span(memory.seqs().0.0, memory.seqs().1.0 + 1);
        }
        (numbers, visible.segments.to_vec())
    }

    /// What a live segment replaces, and the numbers of its events, when all of it can be read.
    fn read_sound(&self, entry: &Entry) -> Result<(Vec<SegmentId>, Numbers)> {
        let segment = self.shelf.open(entry.id)?;
        segment.reader.verify()?;
        let replaces = segment.reader.directory().replaces.clone();
        Ok((replaces, Numbers::of(segment.reader.system(SEQ)?)))
    }
}

/// Whether an error says that stored bytes are not there, or not what was written.
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NotFound | ErrorKind::Bug)
}

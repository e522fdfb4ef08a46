//! The archive: old segments lie on slower storage, and are found as before.

use ledgerline_model::id::DatasetId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use crate::error::{Result, chain};
use crate::leftover::is_damage;
use crate::retain::is_past;
use crate::tenant::TenantStore;

/// What [`TenantStore::archive_next`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// How many events were moved.
    pub events: u64,
    /// How many bytes of the disk they took.
    pub bytes: u64,
}

impl TenantStore {
    /// Moves a segment of a dataset to the archive whose every event happened, and was received,
    /// before `before`; none when there is none left, or no archive. What was written in haste
    /// waits until it is written again. A segment that cannot be read is left where it is.
    ///
    /// # Errors
    /// The disk's. The segment is then found where it was.
    pub fn archive_next(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        before: Timestamp,
    ) -> Result<Option<Archived>> {
        self.check_tenant(scope.tenant())?;
        if !self.shelf.has_archive() {
            return Ok(None);
        }
        let _rewriting = self.rewriting.lock();
        let old = {
            let state = self.state.read();
            let Some(visible) = state.datasets.get(&dataset) else { return Ok(None) };
            let is_old = |entry: &&_| is_past(entry, before) && entry.is_settled;
            let old = visible.segments.iter().filter(is_old);
            old.filter(|entry| !self.shelf.is_archived(entry.id)).cloned().collect::<Vec<_>>()
        };
        for entry in old {
            if self.unmergeable.lock().contains(&entry.id) {
                continue;
            }
            // What is damaged must not be taken for stored twice.
            match self.shelf.open(entry.id).and_then(|segment| segment.reader.verify()) {
                Err(error) if is_damage(&error) => {
                    let error = chain(&error);
                    tracing::error!(segment = %entry.id, error, "a segment cannot be read");
                    self.unmergeable.lock().insert(entry.id);
                    continue;
                }
                verified => verified?,
            }
            self.shelf.archive(entry.id)?;
            return Ok(Some(Archived { events: entry.rows, bytes: entry.sealed_bytes }));
        }
        Ok(None)
    }
}

//! Erasure from segments that were set aside, because they are not live and hold events that are
//! nowhere else: nothing looks for them, but who has the folder can open them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_model::id::{DatasetId, SegmentId};

use super::{overlaps, rows_of, without};
use crate::error::Result;
use crate::gather::{Input, Label};
use crate::leftover::is_damage;
use crate::part::{Part, Source};
use crate::tenant::TenantStore;

impl TenantStore {
    /// Takes events out of the dataset's segments that were set aside. Answers from how many of the
    /// files that may hold them it could not, since they cannot be read. For who holds `rewriting`.
    ///
    /// A file has its own name again while it is looked into. When the process ends meanwhile, the
    /// next start sets it aside again, and the erasure is done again.
    pub(super) fn erase_aside(&self, dataset: DatasetId, seqs: &[Range<u64>]) -> Result<u64> {
        let mut unread = 0;
        for id in self.shelf.list_set_aside()? {
            self.shelf.take_back(id)?;
            match self.erase_in_aside(id, dataset, seqs) {
                Ok(true) => continue,
                Ok(false) => self.shelf.set_aside(id)?,
                Err(error) if is_damage(&error) => {
                    self.shelf.set_aside(id)?;
                    tracing::warn!(segment = %id, "what was set aside may hold what was erased");
                    unread += 1;
                }
                Err(error) => {
                    self.shelf.set_aside(id)?;
                    return Err(error);
                }
            }
        }
        Ok(unread)
    }

    /// Whether the file held some of the events, and is gone.
    fn erase_in_aside(
        &self,
        id: SegmentId,
        dataset: DatasetId,
        seqs: &[Range<u64>],
    ) -> Result<bool> {
        let segment = self.shelf.open(id)?;
        let directory = segment.reader.directory();
        if directory.dataset != dataset || !overlaps(directory.seqs, seqs) {
            return Ok(false);
        }
        let label = self.label_of(&segment);
        let part = Part::new(Arc::new(Source::Segment(segment)), Arc::new(AtomicU64::new(0)));
        let gone = rows_of(&part, seqs)?;
        if gone.is_empty() {
            return Ok(false);
        }
        let all = vec![0..part.rows()];
        let kept = without(&all, &gone);
        if !kept.is_empty() {
            let input = Input { part, rows: kept.clone(), kept };
            let label = Label { bytes_in: input.bytes_in(), ..label };
            let written = self.shelf.write(&[input], label)?;
            self.shelf.set_aside(written.id)?;
        }
        self.shelf.delete(id)?;
        Ok(true)
    }
}

//! Snapshots of batches without a store behind them, for the tests of the rooms above.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ledgerline_model::batch::Batch;
use ledgerline_model::id::{DatasetId, SegmentId, Seq, TenantId};
use ledgerline_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::gather::{Effort, Input, Label, write_segment};
use crate::memory::Memory;
use crate::part::{Part, Segment, Source};
use crate::segment::read::{Bytes, SegmentReader};
use crate::snapshot::Snapshot;
use crate::window::Window;

/// Where the events of a sample lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// In memory.
    Memory,
    /// In segments, one for each batch.
    Segments,
}

/// A snapshot that holds these batches, their events numbered on from 0.
///
/// # Errors
/// None is expected: everything lies in memory.
pub fn snapshot(tenant: TenantId, batches: Vec<(Batch, Lies)>) -> Result<Snapshot> {
    let scanned = Arc::new(AtomicU64::new(0));
    let mut parts = Vec::new();
    let mut next = 0;
    for (batch, lies) in batches {
        if batch.rows() == 0 {
            continue;
        }
        let first = Seq(next);
        next += batch.rows() as u64;
        let memory = Memory::of_batch(batch, first, u128::from(first.0) << 20);
        let part = Part::new(Arc::new(Source::Memory(Arc::new(memory))), Arc::clone(&scanned));
        parts.push(match lies {
            Lies::Memory => part,
            Lies::Segments => segment(part, next, &scanned)?,
        });
    }
    Ok(Snapshot::new(tenant, parts, Seq(next), scanned))
}

fn segment(part: Part, number: u64, scanned: &Arc<AtomicU64>) -> Result<Part> {
    let mut bytes = Vec::new();
    let id = u128::from(number).to_le_bytes();
    let label = Label {
        dataset: DatasetId(1),
        id: SegmentId::from_bytes(id).map_err(|_| Error::bug("the number is not 0"))?,
        window: Window::of(Timestamp(0), i64::MAX),
        applied: number,
        flushed: number,
        replaces: Vec::new(),
        bytes_in: 0,
        effort: Effort::Hasty,
    };
    write_segment(&[Input::whole(part)], label, &mut |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    let reader = SegmentReader::open(Box::new(InMemory(bytes)))?;
    let source = Source::Segment(Arc::new(Segment::new(reader)));
    Ok(Part::new(Arc::new(source), Arc::clone(scanned)))
}

/// The bytes of a segment that lies in memory.
#[derive(Debug)]
pub(crate) struct InMemory(pub(crate) Vec<u8>);

impl Bytes for InMemory {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).map_err(|_| Error::corrupt("out of range"))?;
        let end = start.checked_add(length);
        let bytes = end.and_then(|end| self.0.get(start..end));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::corrupt("out of range"))
    }
}

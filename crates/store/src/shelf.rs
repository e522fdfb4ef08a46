//! The shelf: a tenant's segment files, and those of them that are open.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::sync::Arc;

use ledgerline_model::id::SegmentId;
use ledgerline_world::{Blob, BlobPath, TenantBlobs};
use parking_lot::Mutex;

use crate::catalog::Entry;
use crate::error::{Error, Result, chain};
use crate::gather::{Input, Label, write_segment};
use crate::part::Segment;
use crate::segment::read::{Bytes, SegmentReader};

const FOLDER: &str = "segments";
const ENDING: &str = ".lls";
/// How many segments of a tenant are open at once; each takes a file handle and its directory.
const OPEN_MAX: usize = 128;

/// A tenant's segment files.
#[derive(Debug)]
pub(crate) struct Shelf {
    blobs: TenantBlobs,
    open: Mutex<Opened>,
    /// Segments whose files were to be deleted, and are not.
    undeleted: Mutex<BTreeSet<SegmentId>>,
    /// Segments that lie in the archive.
    archived: Mutex<BTreeSet<SegmentId>>,
}

#[derive(Debug, Default)]
struct Opened {
    segments: HashMap<SegmentId, (Arc<Segment>, u64)>,
    clock: u64,
}

impl Shelf {
    pub(crate) fn new(blobs: TenantBlobs) -> Result<Self> {
        let archived = ids(&blobs.list_archived(&BlobPath::parse(FOLDER)?)?);
        let archived = Mutex::new(archived.into_iter().collect());
        Ok(Self { blobs, open: Mutex::default(), undeleted: Mutex::default(), archived })
    }

    /// Whether segments can be moved to an archive.
    pub(crate) fn has_archive(&self) -> bool {
        self.blobs.has_archive()
    }

    /// Whether a segment lies in the archive.
    pub(crate) fn is_archived(&self, id: SegmentId) -> bool {
        self.archived.lock().contains(&id)
    }

    /// Moves a segment to the archive. Whoever has it open can read on.
    pub(crate) fn archive(&self, id: SegmentId) -> Result<()> {
        self.blobs.archive(&path(id)?)?;
        self.archived.lock().insert(id);
        self.open.lock().segments.remove(&id);
        Ok(())
    }

    /// An open segment.
    pub(crate) fn open(&self, id: SegmentId) -> Result<Arc<Segment>> {
        {
            let mut open = self.open.lock();
            open.clock += 1;
            let now = open.clock;
            if let Some((segment, used)) = open.segments.get_mut(&id) {
                *used = now;
                return Ok(Arc::clone(segment));
            }
        }
        let segment = Arc::new(Segment::new(read(&self.blobs, id)?));
        let mut open = self.open.lock();
        if open.segments.len() >= OPEN_MAX {
            let oldest = open.segments.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                open.segments.remove(&id);
            }
        }
        let now = open.clock;
        open.segments.insert(id, (Arc::clone(&segment), now));
        Ok(segment)
    }

    /// Writes a segment, reads it again, and gives its entry for the catalog. After an error
    /// nothing is left of it, as far as the disk lets it be deleted.
    pub(crate) fn write(&self, inputs: &[Input], label: Label) -> Result<Entry> {
        let id = label.id;
        let written = self.try_write(inputs, label);
        if written.is_err() {
            self.discard(&[id]);
        }
        written
    }

    fn try_write(&self, inputs: &[Input], label: Label) -> Result<Entry> {
        let id = label.id;
        let path = path(id)?;
        let mut writer = self.blobs.create(&path)?;
        let (directory, _) = write_segment(inputs, label, &mut |piece: &[u8]| {
            writer.write_all(piece).map_err(|source| Error::disk("a segment", source))
        })?;
        let written = writer.finish()?;
        let reader = read(&self.blobs, id)?;
        if *reader.directory() != directory {
            return Err(Error::corrupt("the segment that was written is read differently"));
        }
        Ok(Entry::of(&directory, written.sealed_bytes))
    }

    /// Deletes a segment's file. Whoever has it open can read on.
    pub(crate) fn delete(&self, id: SegmentId) -> Result<()> {
        self.open.lock().segments.remove(&id);
        self.undeleted.lock().insert(id);
        self.blobs.delete(&path(id)?)?;
        self.archived.lock().remove(&id);
        self.undeleted.lock().remove(&id);
        Ok(())
    }

    /// Deletes what should have been deleted before.
    pub(crate) fn delete_undeleted(&self) -> Result<()> {
        let undeleted = self.undeleted.lock().clone();
        undeleted.into_iter().try_for_each(|id| self.delete(id))
    }

    /// Deletes segments that no catalog knows, as far as the disk lets it: one that stays is found
    /// at the next start.
    pub(crate) fn discard(&self, ids: &[SegmentId]) {
        for id in ids {
            if let Err(error) = self.delete(*id) {
                tracing::warn!(segment = %id, error = chain(&error), "a segment stays undeleted");
            }
        }
    }

    /// Gives a segment's file another name, under which nothing looks for it.
    pub(crate) fn set_aside(&self, id: SegmentId) -> Result<()> {
        self.open.lock().segments.remove(&id);
        self.archived.lock().remove(&id);
        Ok(self.blobs.quarantine(&path(id)?)?)
    }

    /// Gives a segment's file that was set aside its name again, to be looked into.
    pub(crate) fn take_back(&self, id: SegmentId) -> Result<()> {
        let path = path(id)?;
        self.blobs.take_back(&path)?;
        if self.blobs.is_archived(&path) {
            self.archived.lock().insert(id);
        }
        Ok(())
    }

    /// Every segment file that was set aside, but such as another has the place of.
    pub(crate) fn list_set_aside(&self) -> Result<Vec<SegmentId>> {
        let aside = ids(&self.blobs.list_set_aside(&BlobPath::parse(FOLDER)?)?);
        let found = self.list()?;
        Ok(aside.into_iter().filter(|id| !found.contains(id)).collect())
    }

    /// Removes files that were begun and never finished. Nobody may be writing one.
    pub(crate) fn remove_unfinished(&self) -> Result<()> {
        Ok(self.blobs.remove_unfinished(&BlobPath::parse(FOLDER)?)?)
    }

    /// Whether a segment's file is there.
    pub(crate) fn exists(&self, id: SegmentId) -> Result<bool> {
        match self.blobs.sealed_bytes(&path(id)?) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ledgerline_world::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Every segment file that was finished.
    pub(crate) fn list(&self) -> Result<Vec<SegmentId>> {
        list(&self.blobs)
    }
}

/// Every finished segment file of a tenant.
pub(crate) fn list(blobs: &TenantBlobs) -> Result<Vec<SegmentId>> {
    Ok(ids(&blobs.list(&BlobPath::parse(FOLDER)?)?))
}

fn ids(paths: &[BlobPath]) -> Vec<SegmentId> {
    let id = |path: &BlobPath| path.name().strip_suffix(ENDING)?.parse().ok();
    paths.iter().filter_map(id).collect()
}

/// Opens a segment file and checks its directory.
pub(crate) fn read(blobs: &TenantBlobs, id: SegmentId) -> Result<SegmentReader> {
    let path = path(id)?;
    let bytes = SealedBytes(blobs.open_blob(&path)?);
    let reader = SegmentReader::open(Box::new(bytes)).map_err(|error| error.about(&path))?;
    if reader.directory().id != id {
        return Err(Error::corrupt("the segment has another id than its name says").about(&path));
    }
    Ok(reader)
}

pub(crate) fn path(id: SegmentId) -> Result<BlobPath> {
    Ok(BlobPath::parse(&format!("{FOLDER}/{id}{ENDING}"))?)
}

#[derive(Debug)]
struct SealedBytes(Blob);

impl Bytes for SealedBytes {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        Ok(self.0.read_at(offset, length)?)
    }
}

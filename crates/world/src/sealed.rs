//! What objects and logs have in common: how they begin, how they get a name, how they are opened.
//!
//! ```text
//! header = magic "LLO1" or "LLG1" | version u8 = 2 | zero [3] | wrapped half of the key [60]
//! ```
//! The header has 68 bytes. The first 16 bytes of the wrapped half are the object's id: it has the
//! other half of its key under this id in the tenant's keyring, and both together open it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::error::{Error, ErrorKind, Result};
use crate::inventory::may_be_sealed;
use crate::path::BlobPath;
use crate::seal::{Key, Secret, WRAPPED_BYTES};
use crate::tenant::TenantBlobs;

const VERSION: u8 = 2;
const PREFIX_BYTES: usize = 8;
pub(crate) const HEADER_BYTES: usize = PREFIX_BYTES + WRAPPED_BYTES;
pub(crate) const ID_BYTES: usize = 16;

/// What kind of sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Log,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Object, Self::Log];

    fn magic(self) -> [u8; 4] {
        match self {
            Self::Object => *b"LLO1",
            Self::Log => *b"LLG1",
        }
    }

    pub(crate) fn prefix(self) -> [u8; PREFIX_BYTES] {
        let [a, b, c, d] = self.magic();
        [a, b, c, d, VERSION, 0, 0, 0]
    }
}

/// Which object or log: the beginning of its wrapped half, which no two have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId(pub(crate) [u8; ID_BYTES]);

impl ObjectId {
    /// The id in the header of a file, if it has one; none when there is no file.
    pub(crate) fn of_file(disk: &dyn Disk, place: &Path) -> io::Result<Option<Self>> {
        let mut start = [0; PREFIX_BYTES + ID_BYTES];
        let read = disk.open(place).and_then(|file| file.read_exact_at(&mut start, 0));
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        }
        let is_sealed = Kind::ALL.iter().any(|kind| start.starts_with(&kind.magic()));
        Ok(is_sealed.then(|| Self::of_start(&start)))
    }

    pub(crate) fn of_start(start: &[u8]) -> Self {
        let id = &start[PREFIX_BYTES..PREFIX_BYTES + ID_BYTES];
        Self(id.try_into().expect("a slice of an id's length"))
    }
}

/// A sealed file that nobody can find yet, and nobody else can open: the second half of its key is
/// here alone. Dropped before it is published, it never was.
pub(crate) struct Draft {
    blobs: TenantBlobs,
    path: BlobPath,
    /// Where it lies, now.
    place: PathBuf,
    file: Arc<dyn DiskFile>,
    id: ObjectId,
    kept: Secret,
    is_published: bool,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Draft {
    /// Begins a file with its header. Gives what seals its pieces, and what is authenticated with
    /// each.
    pub(crate) fn create(
        blobs: &TenantBlobs,
        path: &BlobPath,
        kind: Kind,
    ) -> Result<(Self, Key, Vec<u8>)> {
        if !may_be_sealed(path) {
            let what = format!("{path} is the name of a file that is not sealed");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        let (carried, kept) = (Secret::random(blobs.chance()), Secret::random(blobs.chance()));
        let wrapped = blobs.key().wrap(&carried, blobs.chance(), &blobs.about(path, &[]));
        let header = [kind.prefix().as_slice(), &wrapped].concat();
        let (place, file) = blobs.create_temporary(path)?;
        let draft = Self {
            blobs: blobs.clone(),
            path: path.clone(),
            place,
            file,
            id: ObjectId::of_start(&header),
            kept,
            is_published: false,
        };
        draft.append(&header).map_err(|error| draft.disk_error(error))?;
        let key = Key::of_halves(&carried, &draft.kept);
        Ok((draft, key, blobs.about(path, &header)))
    }

    /// Where it lies, or will.
    pub(crate) fn path(&self) -> &BlobPath {
        &self.path
    }

    /// Writes at the end.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }

    /// Makes what was appended durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync().map_err(|error| self.disk_error(error))
    }

    /// The disk's error about this file.
    pub(crate) fn disk_error(&self, error: io::Error) -> Error {
        Error::io(&self.place, error)
    }

    /// Keeps the file's key, makes the file durable, and gives it its name. The key of what had the
    /// name before is destroyed.
    pub(crate) fn publish(&mut self) -> Result<()> {
        self.sync()?;
        self.blobs.keyring().add(self.id, &self.kept)?;
        self.blobs.publish(&self.place, &self.path)?;
        self.place = self.blobs.place(&self.path);
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            self.blobs.discard(&self.place);
        }
    }
}

/// A sealed file that was found, and its key.
pub(crate) struct Found {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) length: u64,
    pub(crate) id: ObjectId,
    pub(crate) key: Key,
    /// What is authenticated with each piece.
    pub(crate) about: Vec<u8>,
}

impl Found {
    /// Opens the file that lies at a path.
    pub(crate) fn open(blobs: &TenantBlobs, path: &BlobPath, kind: Kind) -> Result<Self> {
        let place = blobs.place(path);
        let io = |error| Error::io(&place, error);
        let corrupt = |what| Error::new(ErrorKind::Corrupt, format!("{path} {what}"));
        let mut keyless = None;
        loop {
            let file = blobs.open_file(path)?;
            let length = file.len().map_err(io)?;
            let mut header = [0; HEADER_BYTES];
            if length < HEADER_BYTES as u64 {
                return Err(corrupt("ends in its header"));
            }
            file.read_exact_at(&mut header, 0).map_err(io)?;
            if !header.starts_with(&kind.prefix()) {
                return Err(corrupt(match kind {
                    Kind::Object => "is not a sealed object",
                    Kind::Log => "is not a log",
                }));
            }
            let id = ObjectId::of_start(&header);
            let Some(kept) = blobs.keyring().secret(&id) else {
                // It may have been replaced or deleted since it was opened. Whoever does that takes
                // the name first and the key then, so a second look decides.
                if keyless == Some(id) {
                    return Err(corrupt("has no key in the tenant's keyring"));
                }
                keyless = Some(id);
                continue;
            };
            let wrapped = header.last_chunk().expect("the header ends in the wrapped half");
            let carried = blobs.key().unwrap(wrapped, &blobs.about(path, &[]));
            let carried = carried.map_err(|_| corrupt("does not open"))?;
            let key = Key::of_halves(&carried, &kept);
            return Ok(Self { file, length, id, key, about: blobs.about(path, &header) });
        }
    }
}

//! Which sealed files lie in a tenant's folder, as their headers say.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::{self, ARCHIVED};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::path::{BYTES_MAX, BlobPath};
use crate::sealed::ObjectId;

/// How the name of an object ends that is not finished.
pub(crate) const UNFINISHED: &str = ".unfinished";
/// How the name of an object ends that was set aside.
pub(crate) const QUARANTINED: &str = ".quarantined";

/// The sealed files of a tenant's folder. Such as are not finished count for nothing.
#[derive(Debug)]
pub(crate) struct Inventory {
    /// What can be found at its path.
    pub(crate) found: BTreeSet<ObjectId>,
    /// The folders that were looked into.
    folders: Vec<PathBuf>,
    /// What was set aside, where its header can be read.
    set_aside: BTreeSet<ObjectId>,
    /// Whether each file where an object may lie has the header of one, and none was missed. If
    /// not, a key that seems to have no file may be the key of a damaged one.
    pub(crate) is_whole: bool,
}

impl Inventory {
    /// Reads the header of each file. Only for who alone has the tenant open.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn take(disk: &dyn Disk, folder: &Path) -> Result<Self> {
        let mut inventory = Self {
            found: BTreeSet::new(),
            folders: Vec::new(),
            set_aside: BTreeSet::new(),
            is_whole: true,
        };
        let mut folders = vec![folder.to_owned()];
        while let Some(at) = folders.pop() {
            for file in disk.files(&at).map_err(|error| Error::io(&at, error))? {
                if archive::settle(disk, &file).map_err(|error| Error::io(&file, error))? {
                    continue;
                }
                inventory.take_file(disk, folder, &file)?;
            }
            match disk.folders(&at) {
                // Deeper than any path of an object: a link that leads back.
                Ok(below) => folders.extend(below.into_iter().filter(|below| {
                    let path = below.strip_prefix(folder).unwrap_or(below);
                    path.as_os_str().len() <= BYTES_MAX
                })),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    inventory.is_whole = false;
                }
                Err(error) => return Err(Error::io(&at, error)),
            }
            inventory.folders.push(at);
        }
        Ok(inventory)
    }

    /// Makes durable what was found. A process that was lost may have given and taken names that
    /// the next power cut would undo.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn make_durable(&self, disk: &dyn Disk) -> Result<()> {
        let sync = |at: &PathBuf| disk.sync_folder(at).map_err(|error| Error::io(at, error));
        self.folders.iter().try_for_each(sync)
    }

    /// Whether it is possible that there are objects.
    pub(crate) fn may_hold_objects(&self) -> bool {
        !self.found.is_empty() || !self.set_aside.is_empty() || !self.is_whole
    }

    pub(crate) fn holds(&self, id: &ObjectId) -> bool {
        self.found.contains(id) || self.set_aside.contains(id)
    }

    fn take_file(&mut self, disk: &dyn Disk, folder: &Path, file: &Path) -> Result<()> {
        let path = file.strip_prefix(folder).unwrap_or(file).to_string_lossy();
        let (path, is_set_aside) = match path.strip_suffix(QUARANTINED) {
            Some(path) => (path, true),
            None => (&*path, false),
        };
        let path = path.strip_suffix(ARCHIVED).unwrap_or(path);
        let path = BlobPath::parse(path).ok().filter(may_be_sealed);
        let Some(path) = path else { return Ok(()) };
        match ObjectId::of_file(disk, file).map_err(|error| Error::io(file, error))? {
            Some(id) if is_set_aside => drop(self.set_aside.insert(id)),
            Some(id) => drop(self.found.insert(id)),
            // Directly in the tenant's folder other files lie too, such as its key.
            None if is_set_aside || !path.as_str().contains('/') => {}
            None => self.is_whole = false,
        }
        Ok(())
    }
}

/// Whether an object or a log may lie at a path. One that is not finished has another name, and the
/// databases directly in the tenant's folder are SQLite's. Those must not even be opened: when a
/// process closes a file, all locks that it has on it are gone (POSIX), and SQLite's among them.
pub(crate) fn may_be_sealed(path: &BlobPath) -> bool {
    let name = path.as_str();
    let is_database = !name.contains('/')
        && name.rsplit_once('.').is_some_and(|(_, ending)| ending.starts_with("db"));
    !is_database && [UNFINISHED, QUARANTINED, ARCHIVED].iter().all(|end| !name.ends_with(end))
}

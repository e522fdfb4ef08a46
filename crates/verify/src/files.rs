//! The files that a person names: the only input of this room.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ledgerline_ledger::{Error, ErrorKind, Result};

use crate::directory::Folder;

/// Opens a file for reading.
#[expect(clippy::disallowed_methods, reason = "a person's own file, not a tenant's")]
pub(crate) fn open(path: &Path) -> io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}

/// Reads a file whole; nothing when there is none.
pub(crate) fn read(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>> {
    let unreadable = |error: io::Error| {
        Error::unavailable(format!("{} cannot be read: {error}", path.display()), error)
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > bytes_max {
        let what = format!("{} has more than {bytes_max} bytes", path.display());
        return Err(Error::new(ErrorKind::Malformed, what));
    }
    Ok(Some(bytes))
}

/// A folder on a disk.
#[derive(Debug)]
pub struct DiskFolder(pub PathBuf);

impl Folder for DiskFolder {
    fn read(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        read(&self.0.join(path), bytes_max)
    }

    fn walk(&self, path: &str, show: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let unreadable = |error: io::Error| {
            Error::unavailable(format!("the folder {path:?} cannot be read: {error}"), error)
        };
        let children = match fs::read_dir(self.0.join(path)) {
            Ok(children) => children,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(error)),
        };
        for child in children {
            let child = child.map_err(unreadable)?;
            let name = child.file_name();
            let path = format!("{path}/{}", name.to_string_lossy());
            // A link is shown as a file: it leads nowhere in a ledger.
            if child.file_type().map_err(unreadable)?.is_dir() {
                self.walk(&path, show)?;
            } else {
                show(&path)?;
            }
        }
        Ok(())
    }
}

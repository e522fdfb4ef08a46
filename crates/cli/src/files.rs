//! The files that a person names on the command line, and the demo's note of its logins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file for reading.
#[expect(clippy::disallowed_methods, reason = "a person's own file, not a tenant's")]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Reads a small file whole; nothing when there is none.
#[expect(clippy::disallowed_methods, reason = "a person's own file, not a tenant's")]
pub(crate) fn read_text(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file as a whole, readable by its owner alone; makes the folder that it lies in.
#[expect(clippy::disallowed_methods, reason = "a person's own file, not a tenant's")]
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("unfinished");
    let mut options = OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

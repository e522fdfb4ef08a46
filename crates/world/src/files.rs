//! Folders and small files that are not sealed, made durable.

use std::path::Path;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inventory::UNFINISHED;

/// Makes a folder, and each name on the way to it durable.
pub(crate) fn make_folder(disk: &dyn Disk, folder: &Path) -> Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|at| !at.as_os_str().is_empty() && !disk.exists(at))
        .collect();
    disk.make_folder(folder).map_err(|error| Error::io(folder, error))?;
    for made in missing.iter().rev() {
        if let Some(parent) = made.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk.sync_folder(parent).map_err(|error| Error::io(parent, error))?;
        }
    }
    Ok(())
}

/// Writes a small file that is not sealed, durably.
pub(crate) fn write_file(disk: &dyn Disk, place: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = place.with_added_extension(&UNFINISHED[1..]);
    drop(disk.remove(&temporary));
    let io = |error| Error::io(place, error);
    let file = disk.create(&temporary).map_err(io)?;
    file.append(bytes).and_then(|()| file.sync()).map_err(io)?;
    disk.rename(&temporary, place).map_err(io)?;
    disk.sync_folder(place.parent().unwrap_or(place)).map_err(io)
}

/// Reads a small file that is not sealed.
pub(crate) fn read_file(disk: &dyn Disk, place: &Path) -> Result<Vec<u8>> {
    let io = |error| Error::io(place, error);
    let file = disk.open(place).map_err(io)?;
    let mut bytes = vec![0; usize::try_from(file.len().map_err(io)?).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, 0).map_err(io)?;
    Ok(bytes)
}

//! The archive: a second folder, on slower and cheaper storage, for objects that are seldom read.
//!
//! ```text
//! <archive>/archive.id              sealed by the root key: to which data folder it belongs
//! <archive>/<tenant>/<path>         the object, byte for byte as it lay in the tenant's folder
//! <tenant's folder>/<path>.archived its marker: the object's header [68] | its length u64
//! ```
//! An object is moved in three steps, each durable before the next: its file is copied, its marker
//! is made, its file goes from the tenant's folder. While both are there, that file counts. A
//! marker names the object's key, so none is destroyed because the archive is away. What lies in
//! the archive without a marker was cut off, or its object was deleted, and it has no key: it is
//! never looked for, nor removed, since it may be another's who uses a copy of the data folder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chance::Chance;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{make_folder, read_file, write_file};
use crate::inventory::{QUARANTINED, UNFINISHED};
use crate::path::BlobPath;
use crate::seal::{Key, NONCE_BYTES};
use crate::sealed::{HEADER_BYTES, Kind, ObjectId};
use crate::tenant::TenantBlobs;

/// How the name of a marker ends.
pub(crate) const ARCHIVED: &str = ".archived";
const MARKER_BYTES: usize = HEADER_BYTES + size_of::<u64>();
const ID: &str = "archive.id";
const ABOUT_ID: &[u8] = b"archive";
const PIECE_BYTES: usize = 1 << 20;

/// Opens the archive of a data folder; makes it when there was none. The file `note` says that
/// there was one.
///
/// # Errors
/// `Invalid` when the folder is not that archive, for example because nothing is mounted there, and
/// when nobody says where it is.
pub(crate) fn open(
    archive: Option<&Path>,
    note: &Path,
    disk: &dyn Disk,
    root_key: &Key,
    chance: &Chance,
) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::Invalid, what));
    let is_noted = disk.exists(note);
    let Some(archive) = archive else {
        if is_noted {
            return invalid("the data folder has an archive: it must be said where".to_owned());
        }
        return Ok(());
    };
    let id = archive.join(ID);
    if disk.exists(&id) {
        let mut sealed = read_file(disk, &id)?;
        let opened = match sealed.split_first_chunk_mut::<NONCE_BYTES>() {
            Some((nonce, sealed)) => root_key.open(*nonce, ABOUT_ID, sealed).is_ok(),
            None => false,
        };
        if !opened {
            return invalid(format!("{} is of another data folder", id.display()));
        }
    } else if is_noted {
        return invalid(format!("{} is missing: is the archive mounted there?", id.display()));
    } else {
        make_folder(disk, archive)?;
        let nonce: [u8; NONCE_BYTES] = chance.bytes();
        let mut sealed = nonce.to_vec();
        root_key.seal(nonce, ABOUT_ID, &mut sealed, NONCE_BYTES);
        write_file(disk, &id, &sealed)?;
    }
    if is_noted { Ok(()) } else { write_file(disk, note, b"") }
}

/// Where a file lies that was set aside.
pub(crate) fn set_aside(place: &Path) -> PathBuf {
    place.with_added_extension(&QUARANTINED[1..])
}

/// Where an object's marker lies.
pub(crate) fn marker_of(place: &Path) -> PathBuf {
    place.with_added_extension(&ARCHIVED[1..])
}

/// Removes a marker where the object's own file is there as well, since that one counts. For the
/// inventory of a tenant that nobody else has open.
///
/// # Errors
/// The disk's.
pub(crate) fn settle(disk: &dyn Disk, file: &Path) -> io::Result<bool> {
    let is_stale = file
        .to_str()
        .and_then(|file| file.strip_suffix(ARCHIVED))
        .is_some_and(|place| disk.exists(Path::new(place)));
    if is_stale {
        disk.remove(file)?;
    }
    Ok(is_stale)
}

impl TenantBlobs {
    /// Whether objects can be moved to an archive.
    #[must_use]
    pub fn has_archive(&self) -> bool {
        self.archive_folder().is_some()
    }

    /// Moves an object to the archive, where it is found as before. It may have been moved already.
    ///
    /// # Errors
    /// `Invalid` when there is no archive, or a damaged object of that path lies in it, `NotFound`
    /// when there is no such object; else the disk's. The object is then where it was.
    pub fn archive(&self, path: &BlobPath) -> Result<()> {
        let Some(folder) = self.archive_folder() else {
            return Err(Error::new(ErrorKind::Invalid, "there is no archive"));
        };
        let (place, copy) = (self.place(path), folder.join(path.as_str()));
        if self.is_archived(path) {
            return Ok(());
        }
        let io = |error| Error::io(&place, error);
        let file = self.disk().open(&place).map_err(io)?;
        let length = file.len().map_err(io)?;
        let mut marker = vec![0; HEADER_BYTES];
        file.read_exact_at(&mut marker, 0).map_err(io)?;
        if !marker.starts_with(&Kind::Object.prefix()) {
            let what = format!("{path} is not a sealed object");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        marker.extend_from_slice(&length.to_le_bytes());
        if self.disk().exists(&set_aside(&marker_of(&place))) {
            let what = format!("another {path} was set aside in the archive");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        self.copy(&*file, length, &copy)?;
        let _names = self.keyring().names().lock();
        let id = ObjectId::of_start(&marker);
        let is_same = ObjectId::of_file(self.disk(), &place).map_err(io)? == Some(id);
        if !is_same || !self.disk().exists(&copy) {
            // It was replaced or deleted meanwhile, and the copy perhaps with it.
            self.discard(&copy);
            return Ok(());
        }
        write_file(self.disk(), &marker_of(&place), &marker)?;
        self.disk().remove(&place).map_err(io)?;
        self.sync_folder_of(&place)
    }

    /// Whether an object lies in the archive alone.
    #[must_use]
    pub fn is_archived(&self, path: &BlobPath) -> bool {
        let place = self.place(path);
        !self.disk().exists(&place) && self.disk().exists(&marker_of(&place))
    }

    /// The objects of [`TenantBlobs::list`] that lie in the archive alone.
    ///
    /// # Errors
    /// The disk's.
    pub fn list_archived(&self, folder: &BlobPath) -> Result<Vec<BlobPath>> {
        let place = self.place(folder);
        let files = self.disk().files(&place).map_err(|error| Error::io(&place, error))?;
        let names = files.iter().filter_map(|file| file.file_name()?.to_str());
        let archived = names.filter_map(|name| name.strip_suffix(ARCHIVED));
        let archived = archived.filter(|name| !self.disk().exists(&place.join(name)));
        archived.map(|name| folder.join(name)).collect()
    }

    /// Opens an object's file, wherever it lies.
    ///
    /// # Errors
    /// `NotFound`, and `Unavailable` when it lies in an archive that is away.
    pub(crate) fn open_file(&self, path: &BlobPath) -> Result<Arc<dyn DiskFile>> {
        let place = self.place(path);
        match self.disk().open(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => return file.map_err(|error| Error::io(&place, error)),
        }
        let marker = marker_of(&place);
        let gone = || Error::io(&place, io::ErrorKind::NotFound.into());
        if !self.disk().exists(&marker) {
            // It may have come back between the two looks, as another.
            return self.disk().open(&place).map_err(|error| Error::io(&place, error));
        }
        let away = |what| {
            let what = format!("{path} lies in the archive, {what}");
            Error::new(ErrorKind::Unavailable, what)
        };
        let folder = self.archive_folder().ok_or_else(|| away("and no archive is set"))?;
        match self.disk().open(&folder.join(path.as_str())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(if self.disk().exists(&marker) { away("and is missing there") } else { gone() })
            }
            file => file.map_err(|error| Error::io(folder, error)),
        }
    }

    /// How long an object is, by its marker, if it has one.
    pub(crate) fn archived_bytes(&self, path: &BlobPath) -> Result<Option<u64>> {
        let marker = marker_of(&self.place(path));
        if !self.disk().exists(&marker) {
            return Ok(None);
        }
        let bytes = read_file(self.disk(), &marker)?;
        let length = (bytes.len() == MARKER_BYTES).then(|| bytes.last_chunk()).flatten();
        let damaged = || Error::new(ErrorKind::Corrupt, format!("the marker of {path} is damaged"));
        length.map(|length| Some(u64::from_le_bytes(*length))).ok_or_else(damaged)
    }

    /// Removes an object's marker. Held: the lock of the names. Gives the id of the object, if
    /// there was a marker; once that is durable, its file is to be discarded and its key destroyed.
    pub(crate) fn remove_marker(&self, path: &BlobPath) -> Result<Option<ObjectId>> {
        let marker = marker_of(&self.place(path));
        let io = |error| Error::io(&marker, error);
        let id = ObjectId::of_file(self.disk(), &marker).map_err(io)?;
        match self.disk().remove(&marker) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            removed => removed.map(|()| id).map_err(io),
        }
    }

    /// Removes what has no marker any more. If it stays, since the archive is away, it has no key.
    pub(crate) fn discard_archived(&self, path: &BlobPath) {
        let Some(folder) = self.archive_folder() else { return };
        let _names = self.keyring().names().lock();
        let marker = marker_of(&self.place(path));
        if !self.disk().exists(&marker) && !self.disk().exists(&set_aside(&marker)) {
            self.discard(&folder.join(path.as_str()));
        }
    }

    /// Copies a file, durably.
    fn copy(&self, file: &dyn DiskFile, length: u64, copy: &Path) -> Result<()> {
        let disk = self.disk();
        let io = |error| Error::io(copy, error);
        let folder = copy.parent().unwrap_or(copy);
        if !disk.exists(folder) {
            make_folder(disk, folder)?;
        }
        let temporary = copy.with_added_extension(&UNFINISHED[1..]);
        drop(disk.remove(&temporary));
        let target = disk.create(&temporary).map_err(io)?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = 0;
        let copied = loop {
            let bytes = (length - at).min(PIECE_BYTES as u64) as usize;
            if bytes == 0 {
                break target.sync();
            }
            let piece = &mut piece[..bytes];
            if let Err(error) = file.read_exact_at(piece, at).and_then(|()| target.append(piece)) {
                break Err(error);
            }
            at += bytes as u64;
        };
        let named = copied.and_then(|()| disk.rename(&temporary, copy));
        if named.is_err() {
            self.discard(&temporary);
        }
        named.and_then(|()| disk.sync_folder(folder)).map_err(io)
    }
}

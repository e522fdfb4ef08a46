//! One tenant's folder: its key, and its sealed objects.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use ledgerline_model::id::TenantId;

use crate::archive::{ARCHIVED, marker_of, set_aside};
use crate::blob::{Blob, BlobWriter};
use crate::cache::ChunkCache;
use crate::chance::Chance;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{make_folder, write_file};
use crate::inventory::{QUARANTINED, UNFINISHED};
use crate::keyring::{Keyring, Keyrings};
use crate::log::{LogFile, LogReader};
use crate::path::BlobPath;
use crate::seal::{Key, Secret, WRAPPED_BYTES};
use crate::sealed::ObjectId;

const KEY_FILE: &str = "tenant.key";
const KEY_MAGIC: [u8; 4] = *b"LLK1";

/// The sealed bytes of one tenant.
#[derive(Clone)]
pub struct TenantBlobs {
    inner: Arc<Inner>,
}

struct Inner {
    tenant: TenantId,
    folder: PathBuf,
    /// Where its objects lie that were moved to the archive, if there is one.
    archive: Option<PathBuf>,
    key: Key,
    keyring: Arc<Keyring>,
    disk: Arc<dyn Disk>,
    chance: Chance,
    cache: Arc<ChunkCache>,
}

impl fmt::Debug for TenantBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantBlobs").field("tenant", &self.inner.tenant).finish_non_exhaustive()
    }
}

/// What was removed, and not yet durably.
#[derive(Debug, Default)]
struct Gone {
    ids: Vec<ObjectId>,
    /// The folders where it was.
    folders: BTreeSet<PathBuf>,
}

impl Gone {
    fn note(&mut self, id: Option<ObjectId>, folder: &Path) {
        self.ids.extend(id);
        self.folders.insert(folder.to_owned());
    }
}

/// What a tenant's folder is opened with.
pub(crate) struct Means<'a> {
    pub(crate) root_key: &'a Arc<Key>,
    pub(crate) disk: &'a Arc<dyn Disk>,
    pub(crate) chance: &'a Chance,
    pub(crate) cache: &'a Arc<ChunkCache>,
    pub(crate) keyrings: &'a Keyrings,
    pub(crate) archive: Option<&'a Path>,
}

impl TenantBlobs {
    /// Opens a tenant's folder; makes it, and the tenant's key and keyring, when there is none.
    pub(crate) fn open(tenants: &Path, tenant: TenantId, means: &Means<'_>) -> Result<Self> {
        let folder = tenants.join(tenant.to_string());
        let archive = means.archive.map(|archive| archive.join(tenant.to_string()));
        let key_file = folder.join(KEY_FILE);
        let slot = means.keyrings.slot(tenant);
        let mut slot = slot.lock();
        let is_new = !means.disk.exists(&key_file);
        let key = if is_new { None } else { Some(read_key(&key_file, tenant, means)?) };
        let keyring = match &*slot {
            Some(keyring) if is_new && !keyring.is_empty() => {
                let what = "the tenant's folder went away while it was open";
                return Err(Error::new(ErrorKind::Corrupt, what));
            }
            Some(keyring) => Arc::clone(keyring),
            None => {
                let folder = (!is_new).then_some(&*folder);
                Arc::clone(slot.insert(Arc::new(Keyring::open(tenant, folder, means)?)))
            }
        };
        let key = match key {
            Some(key) => key,
            None => make_key(&folder, &key_file, tenant, means)?,
        };
        let inner = Inner {
            tenant,
            folder,
            archive,
            key,
            keyring,
            disk: Arc::clone(means.disk),
            chance: means.chance.clone(),
            cache: Arc::clone(means.cache),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whose bytes these are.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.inner.tenant
    }

    /// Begins an object. It replaces one of the same path when it is finished.
    ///
    /// # Errors
    /// The disk's.
    pub fn create(&self, path: &BlobPath) -> Result<BlobWriter> {
        BlobWriter::new(self, path)
    }

    /// Opens an object.
    ///
    /// # Errors
    /// `NotFound`, or `Corrupt` when it is not what was written there.
    pub fn open_blob(&self, path: &BlobPath) -> Result<Blob> {
        Blob::open(self, path)
    }

    /// Writes a small object whole.
    ///
    /// # Errors
    /// The disk's.
    pub fn put(&self, path: &BlobPath, bytes: &[u8]) -> Result<()> {
        let mut writer = self.create(path)?;
        writer.write_all(bytes).map_err(|error| Error::io(&self.place(path), error))?;
        writer.finish().map(drop)
    }

    /// Reads a small object whole.
    ///
    /// # Errors
    /// As [`TenantBlobs::open_blob`].
    pub fn get(&self, path: &BlobPath) -> Result<Vec<u8>> {
        let blob = self.open_blob(path)?;
        blob.read_at(0, usize::try_from(blob.len()).unwrap_or(usize::MAX))
    }

    /// Deletes an object or a log, and destroys its key: no copy of the file opens any more. That
    /// there is none is no error. When the file's header is damaged, so that it does not say which
    /// key is its own, the next start destroys the key.
    ///
    /// # Errors
    /// The disk's.
    pub fn delete(&self, path: &BlobPath) -> Result<()> {
        self.delete_all(slice::from_ref(path))
    }

    /// Deletes objects and logs as [`TenantBlobs::delete`] does, for the price of one.
    ///
    /// # Errors
    /// The disk's. Some of them may be deleted then.
    pub fn delete_all(&self, paths: &[BlobPath]) -> Result<()> {
        let mut gone = Gone::default();
        let removed = paths.iter().try_for_each(|path| self.remove(path, &mut gone));
        // What was removed before an error is gone, and so must its keys be.
        for folder in &gone.folders {
            self.sync_folder(folder)?;
        }
        if !gone.folders.is_empty() {
            paths.iter().for_each(|path| self.discard_archived(path));
        }
        let forgotten = self.inner.keyring.forget(&gone.ids);
        removed.and(forgotten)
    }

    /// The objects that lie directly in a folder, sorted; not those that are not finished.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(&self, folder: &BlobPath) -> Result<Vec<BlobPath>> {
        let place = self.place(folder);
        let files = self.inner.disk.files(&place).map_err(|error| Error::io(&place, error))?;
        let names = files.iter().filter_map(|file| file.file_name()?.to_str());
        let names = names.filter(|name| !name.ends_with(UNFINISHED));
        let names: BTreeSet<&str> =
            names.map(|name| name.strip_suffix(ARCHIVED).unwrap_or(name)).collect();
        names.into_iter().map(|name| folder.join(name)).collect()
    }

    /// Removes what was begun in a folder and never finished. Only for who alone writes there, and
    /// writes nothing now.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_unfinished(&self, folder: &BlobPath) -> Result<()> {
        let place = self.place(folder);
        let files = self.inner.disk.files(&place).map_err(|error| Error::io(&place, error))?;
        let is_unfinished = |file: &&PathBuf| file.to_string_lossy().ends_with(UNFINISHED);
        files.iter().filter(is_unfinished).for_each(|file| self.discard(file));
        Ok(())
    }

    /// How long an object is on the disk.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn sealed_bytes(&self, path: &BlobPath) -> Result<u64> {
        let place = self.place(path);
        let io = |error| Error::io(&place, error);
        match self.inner.disk.open(&place).map_err(io) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.archived_bytes(path)?.ok_or(error)
            }
            file => file?.len().map_err(io),
        }
    }

    /// Where a file that is not sealed lies, such as the catalog's.
    #[must_use]
    pub fn local_file(&self, name: &str) -> PathBuf {
        self.inner.folder.join(name)
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has_local_file(&self, name: &str) -> bool {
        self.local_file(name).exists()
    }

    /// Sets a damaged file that is not sealed aside under another name.
    ///
    /// # Errors
    /// The disk's.
    pub fn set_aside_local_file(&self, name: &str) -> Result<()> {
        let place = self.local_file(name);
        let aside = place.with_extension("damaged");
        std::fs::rename(&place, &aside).map_err(|error| Error::io(&place, error))
    }

    /// How many bytes may still be written.
    ///
    /// # Errors
    /// The disk's.
    pub fn free_bytes(&self) -> Result<u64> {
        let folder = &self.inner.folder;
        self.inner.disk.free_bytes(folder).map_err(|error| Error::io(folder, error))
    }

    /// Begins a log. Nobody finds it before [`LogFile::publish`].
    ///
    /// # Errors
    /// The disk's.
    pub fn create_log(&self, path: &BlobPath) -> Result<LogFile> {
        LogFile::create(self, path)
    }

    /// Opens a log to be read.
    ///
    /// # Errors
    /// As [`TenantBlobs::open_blob`].
    pub fn open_log(&self, path: &BlobPath) -> Result<LogReader> {
        LogReader::open(self, path)
    }

    /// Sets an object aside under another name, where nothing looks for it. It keeps its key.
    ///
    /// # Errors
    /// The disk's.
    pub fn quarantine(&self, path: &BlobPath) -> Result<()> {
        let mut place = self.place(path);
        if self.is_archived(path) {
            // Its file stays in the archive, until its marker goes.
            place = marker_of(&place);
        }
        self.give_name(&place, &set_aside(&place), None)
    }

    /// The objects of a folder that were set aside, by the names that they had; sorted.
    ///
    /// # Errors
    /// The disk's.
    pub fn list_set_aside(&self, folder: &BlobPath) -> Result<Vec<BlobPath>> {
        let all = self.list(folder)?;
        let names = all.iter().filter_map(|path| path.name().strip_suffix(QUARANTINED));
        let names = names.map(|name| name.strip_suffix(ARCHIVED).unwrap_or(name));
        names.map(|name| folder.join(name)).collect()
    }

    /// Gives an object that was set aside its name again, under which no other may lie.
    ///
    /// # Errors
    /// The disk's.
    pub fn take_back(&self, path: &BlobPath) -> Result<()> {
        let mut place = self.place(path);
        if !self.inner.disk.exists(&set_aside(&place)) {
            place = marker_of(&place);
        }
        self.give_name(&set_aside(&place), &place, None)
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.inner.disk
    }

    pub(crate) fn cache(&self) -> &ChunkCache {
        &self.inner.cache
    }

    pub(crate) fn place(&self, path: &BlobPath) -> PathBuf {
        self.inner.folder.join(path.as_str())
    }

    pub(crate) fn key(&self) -> &Key {
        &self.inner.key
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    pub(crate) fn chance(&self) -> &Chance {
        &self.inner.chance
    }

    /// What is authenticated with every piece of an object.
    pub(crate) fn about(&self, path: &BlobPath, header: &[u8]) -> Vec<u8> {
        [self.inner.tenant.as_bytes(), header, path.as_str().as_bytes()].concat()
    }

    pub(crate) fn create_temporary(&self, path: &BlobPath) -> Result<(PathBuf, Arc<dyn DiskFile>)> {
        let place = self.place(path);
        self.make_folder_of(&place)?;
        let random = u64::from_le_bytes(self.inner.chance.bytes());
        let name = format!("{}.{random:016x}{UNFINISHED}", path.name());
        let temporary = place.with_file_name(name);
        let file = self.inner.disk.create(&temporary);
        let file = file.map_err(|error| Error::io(&temporary, error))?;
        Ok((temporary, file))
    }

    /// Gives a file the name of an object or a log, durably. What had the name is gone, in the
    /// archive too, and so is its key.
    pub(crate) fn publish(&self, source: &Path, path: &BlobPath) -> Result<()> {
        self.give_name(source, &self.place(path), Some(path))
    }

    fn give_name(&self, source: &Path, place: &Path, path: Option<&BlobPath>) -> Result<()> {
        let io = |error| Error::io(place, error);
        let mut replaced = Vec::new();
        {
            let _names = self.inner.keyring.names().lock();
            replaced.extend(ObjectId::of_file(self.disk(), place).map_err(io)?);
            self.inner.disk.rename(source, place).map_err(io)?;
            if let Some(path) = path {
                replaced.extend(self.remove_marker(path)?);
            }
        }
        self.sync_folder_of(place)?;
        if let Some(path) = path.filter(|_| !replaced.is_empty()) {
            self.discard_archived(path);
        }
        self.inner.keyring.forget(&replaced)
    }

    /// Removes an object or a log, if there is one. Its key is still to be destroyed, after this is
    /// durable.
    fn remove(&self, path: &BlobPath, gone: &mut Gone) -> Result<()> {
        let place = self.place(path);
        let io = |error| Error::io(&place, error);
        let _names = self.inner.keyring.names().lock();
        if let Some(id) = self.remove_marker(path)? {
            gone.note(Some(id), self.folder_of(&place));
        }
        let id = ObjectId::of_file(self.disk(), &place).map_err(io)?;
        match self.inner.disk.remove(&place).map_err(io) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            removed => removed?,
        }
        gone.note(id, self.folder_of(&place));
        Ok(())
    }

    /// Removes what was never finished. That it stays does no harm: nothing looks for it.
    pub(crate) fn discard(&self, temporary: &Path) {
        drop(self.inner.disk.remove(temporary));
    }

    /// Makes the folder of a file, and every new parent of it durable.
    pub(crate) fn make_folder_of(&self, place: &Path) -> Result<()> {
        let folder = self.folder_of(place);
        if !self.inner.disk.exists(folder) {
            make_folder(&*self.inner.disk, folder)?;
        }
        Ok(())
    }

    pub(crate) fn archive_folder(&self) -> Option<&Path> {
        self.inner.archive.as_deref()
    }

    pub(crate) fn sync_folder_of(&self, place: &Path) -> Result<()> {
        self.sync_folder(self.folder_of(place))
    }

    fn folder_of<'p>(&'p self, place: &'p Path) -> &'p Path {
        place.parent().unwrap_or(&self.inner.folder)
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        self.inner.disk.sync_folder(folder).map_err(|error| Error::io(folder, error))
    }
}

fn key_about(tenant: TenantId) -> Vec<u8> {
    [b"tenant key ".as_slice(), tenant.as_bytes()].concat()
}

fn make_key(folder: &Path, place: &Path, tenant: TenantId, means: &Means<'_>) -> Result<Key> {
    make_folder(&**means.disk, folder)?;
    let secret = Secret::random(means.chance);
    let wrapped = means.root_key.wrap(&secret, means.chance, &key_about(tenant));
    write_file(&**means.disk, place, &[KEY_MAGIC.as_slice(), &wrapped].concat())?;
    Ok(Key::new(&secret))
}

fn read_key(place: &Path, tenant: TenantId, means: &Means<'_>) -> Result<Key> {
    let io = |error| Error::io(place, error);
    let mut bytes = [0; KEY_MAGIC.len() + WRAPPED_BYTES];
    means.disk.open(place).map_err(io)?.read_exact_at(&mut bytes, 0).map_err(io)?;
    let (magic, wrapped) = bytes.split_at(KEY_MAGIC.len());
    if magic != KEY_MAGIC {
        return Err(Error::new(ErrorKind::Corrupt, "the tenant's key file is not one"));
    }
    let wrapped = wrapped.try_into().expect("the rest is the wrapped key");
    let secret = means.root_key.unwrap(wrapped, &key_about(tenant));
    secret.map(|secret| Key::new(&secret)).map_err(|_| {
        Error::new(ErrorKind::Corrupt, "the tenant's key does not open with this root key")
    })
}

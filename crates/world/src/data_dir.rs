//! The data folder: one process at a time, one root key, a folder for each tenant.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledgerline_model::id::TenantId;
use ledgerline_policy::{Action, OperatorScope, Scope, Upkeep};

use crate::archive;
use crate::cache::ChunkCache;
use crate::chance::Chance;
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, ErrorKind, Result};
use crate::files::make_folder;
use crate::keyring::{self, Keyrings};
use crate::seal::{Key, NONCE_BYTES, SECRET_BYTES, Secret, TAG_BYTES};
use crate::tenant::{Means, TenantBlobs};

const ROOT_KEY: &str = "control/root.key";
const LOCK: &str = "control/lock";
/// Says that there is an archive.
const ARCHIVE_NOTE: &str = "control/archive";
const KEYRINGS: &str = "control/keyrings";
const TENANTS: &str = "tenants";

/// How a data folder is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much memory opened chunks of objects may take.
    pub cache_bytes: usize,
    /// Where the tenants' objects and keyrings lie. What else is in the control folder is always on
    /// the machine's disk.
    pub disk: Arc<dyn Disk>,
    /// The folder that objects are moved to which are seldom read, if there is one. It belongs to
    /// this data folder alone: a copy of the one needs a copy of the other.
    pub archive: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, disk: Arc::new(RealDisk), archive: None }
    }
}

/// The data folder, held by this process alone.
#[derive(Clone)]
pub struct DataDir {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    root_key: Arc<Key>,
    disk: Arc<dyn Disk>,
    chance: Chance,
    cache: Arc<ChunkCache>,
    keyrings: Keyrings,
    archive: Option<PathBuf>,
    /// Held as long as this lives; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl fmt::Debug for DataDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataDir").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl DataDir {
    /// Opens a data folder; makes it, and the root key, when there is none.
    ///
    /// # Errors
    /// `Busy` when another process holds it, `Invalid` when others may read the root key, or when
    /// the archive is not the one that belongs to it.
    pub fn open(path: &Path, chance: Chance, options: Options) -> Result<Self> {
        make_folder(&RealDisk, &path.join("control"))?;
        let lock = lock(&path.join(LOCK))?;
        let root_key = Arc::new(Key::new(&root_key(&path.join(ROOT_KEY), &chance)?));
        make_folder(&*options.disk, &path.join(TENANTS))?;
        make_folder(&*options.disk, &path.join(KEYRINGS))?;
        let note = path.join(ARCHIVE_NOTE);
        let archive = options.archive.as_deref();
        archive::open(archive, &note, &*options.disk, &root_key, &chance)?;
        let inner = Inner {
            path: path.to_owned(),
            root_key,
            disk: options.disk,
            chance,
            cache: Arc::new(ChunkCache::new(options.cache_bytes)),
            keyrings: Keyrings::new(path.join(KEYRINGS)),
            archive: options.archive,
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Chance.
    #[must_use]
    pub fn chance(&self) -> &Chance {
        &self.inner.chance
    }

    /// How many bytes may still be written.
    ///
    /// # Errors
    /// The disk's.
    pub fn free_bytes(&self) -> Result<u64> {
        let path = &self.inner.path;
        self.inner.disk.free_bytes(path).map_err(|error| Error::io(path, error))
    }

    /// Where a file of the control folder lies, such as its database.
    #[must_use]
    pub fn control_file(&self, name: &str) -> PathBuf {
        self.inner.path.join("control").join(name)
    }

    /// The tenants that have a folder on the machine's disk, sorted.
    ///
    /// # Errors
    /// The disk's.
    pub fn tenant_folders(&self) -> Result<Vec<TenantId>> {
        let place = self.inner.path.join(TENANTS);
        let io = |error| Error::io(&place, error);
        let mut tenants = Vec::new();
        for entry in fs::read_dir(&place).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            tenants.extend(name.to_str().and_then(|name| name.parse::<TenantId>().ok()));
        }
        tenants.sort();
        Ok(tenants)
    }

    /// Opens a tenant's folder for a background job, or makes it.
    ///
    /// # Errors
    /// `Corrupt` when the tenant's key does not open with the root key, and when the tenant's
    /// keyring is damaged or lost.
    pub fn blobs(&self, scope: &Scope<Upkeep>) -> Result<TenantBlobs> {
        let Inner { root_key, disk, chance, cache, keyrings, archive, .. } = &*self.inner;
        let archive = archive.as_deref();
        let means = Means { root_key, disk, chance, cache, keyrings, archive };
        TenantBlobs::open(&self.inner.path.join(TENANTS), scope.tenant(), &means)
    }

    /// Destroys a tenant: its keyring first, without which nothing of it can be read again, from
    /// no copy of its folder either, then its key and its folder.
    ///
    /// # Errors
    /// `Invalid` when the scope is not for that; else the disk's.
    pub fn delete_tenant(&self, scope: &OperatorScope, tenant: TenantId) -> Result<()> {
        if !scope.allows(Action::ManageTenants) {
            return Err(Error::new(ErrorKind::Invalid, "the scope does not allow this"));
        }
        let slot = self.inner.keyrings.slot(tenant);
        let mut slot = slot.lock();
        match &*slot {
            Some(keyring) => keyring.destroy()?,
            None => keyring::destroy_file(&*self.inner.disk, &self.inner.keyrings.place(tenant))?,
        }
        *slot = None;
        let folder = self.inner.path.join(TENANTS).join(tenant.to_string());
        let key = folder.join("tenant.key");
        if key.exists() {
            fs::remove_file(&key).map_err(|error| Error::io(&key, error))?;
            RealDisk.sync_folder(&folder).map_err(|error| Error::io(&folder, error))?;
        }
        let archived = self.inner.archive.as_ref().map(|archive| archive.join(tenant.to_string()));
        for folder in [Some(folder), archived].into_iter().flatten() {
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
            }
        }
        Ok(())
    }

    /// Seals a few bytes of the control folder under the root key.
    #[must_use]
    pub fn seal(&self, label: &str, bytes: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = self.inner.chance.bytes();
        let mut sealed = [nonce.as_slice(), bytes].concat();
        self.inner.root_key.seal(nonce, label.as_bytes(), &mut sealed, NONCE_BYTES);
        sealed
    }

    /// Opens what [`DataDir::seal`] sealed under the same label.
    ///
    /// # Errors
    /// `Corrupt` when it is not that.
    pub fn unseal(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let too_short = || Error::new(ErrorKind::Corrupt, "sealed bytes are too short");
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(too_short)?;
        if rest.len() < TAG_BYTES {
            return Err(too_short());
        }
        let nonce = nonce.try_into().expect("split at the nonce's length");
        let mut bytes = rest.to_vec();
        Ok(self.inner.root_key.open(nonce, label.as_bytes(), &mut bytes)?.to_vec())
    }
}

fn lock(place: &Path) -> Result<File> {
    let io = |error| Error::io(place, error);
    let file = OpenOptions::new().create(true).append(true).open(place).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::new(ErrorKind::Busy, "another process holds the data folder"))
        }
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Reads the root key, or makes it. Nobody but the owner may read the file.
fn root_key(place: &Path, chance: &Chance) -> Result<Secret> {
    let io = |error| Error::io(place, error);
    if !place.exists() {
        let key = Secret::random(chance);
        let text: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let temporary = place.with_extension("unfinished");
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(io)?;
        file.write_all(format!("{text}\n").as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&temporary, place).map_err(io)?;
        RealDisk.sync_folder(place.parent().unwrap_or(place)).map_err(io)?;
        return Ok(key);
    }
    let mut file = File::open(place).map_err(io)?;
    if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
        let what = format!("others may read {}; its mode must be 0600", place.display());
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io)?;
    let wrong = || Error::new(ErrorKind::Corrupt, format!("{} is no key", place.display()));
    let text = text.trim_end();
    let mut key = [0; SECRET_BYTES];
    if text.len() != 2 * SECRET_BYTES || !text.is_ascii() {
        return Err(wrong());
    }
    for (byte, at) in key.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(Secret::new(key))
}

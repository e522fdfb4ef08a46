//! A tenant's keyring: for each of its objects the half of the key without which it does not open.
//! It lies outside the tenant's folder, so whoever has an old copy of the folder cannot open what
//! was deleted since.
//!
//! ```text
//! keyring = magic "LLR1" | version u8 = 1 | zero [3] | record*
//! record  = nonce [12] | object id [16], secret [32], sealed by the root key | tag [16] (76 bytes)
//! ```
//! With a record are authenticated `"keyring "` and the tenant's id. Its number is not, since
//! records before it are removed: that two records change places means nothing.
//!
//! A record is durable before its object has a name, and is destroyed, by writing the whole file
//! anew without it, after the object's name is durably gone. So every object that is found has a
//! record, and a crash leaves at most a record of no object, which the next start destroys, and a
//! torn record at the end, of an object that never got its name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledgerline_model::id::TenantId;
use parking_lot::{Mutex, RwLock};

use crate::chance::Chance;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{make_folder, read_file};
use crate::inventory::Inventory;
use crate::seal::{Key, NONCE_BYTES, SECRET_BYTES, Secret, TAG_BYTES, wipe};
use crate::sealed::{ID_BYTES, ObjectId};
use crate::tenant::Means;

const HEADER: [u8; 8] = *b"LLR1\x01\0\0\0";
const RECORD_BYTES: usize = NONCE_BYTES + ID_BYTES + SECRET_BYTES + TAG_BYTES;

type Record = [u8; RECORD_BYTES];
type Records = BTreeMap<ObjectId, Record>;

/// The keyrings of a data folder, as far as they are open. A tenant's is opened once and shared by
/// all who hold the tenant's folder: one that is opened again would take the keys of what others
/// are writing for orphans.
#[derive(Debug)]
pub(crate) struct Keyrings {
    folder: PathBuf,
    slots: Mutex<HashMap<TenantId, Arc<Slot>>>,
}

/// A tenant's keyring, once it is open. Held by who opens or deletes the tenant.
pub(crate) type Slot = Mutex<Option<Arc<Keyring>>>;

impl Keyrings {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, slots: Mutex::default() }
    }

    pub(crate) fn slot(&self, tenant: TenantId) -> Arc<Slot> {
        Arc::clone(self.slots.lock().entry(tenant).or_default())
    }

    pub(crate) fn place(&self, tenant: TenantId) -> PathBuf {
        self.folder.join(format!("{tenant}.keys"))
    }
}

/// A tenant's keyring. Secrets are kept sealed, in memory as well.
pub(crate) struct Keyring {
    tenant: TenantId,
    place: PathBuf,
    root_key: Arc<Key>,
    disk: Arc<dyn Disk>,
    chance: Chance,
    records: RwLock<Records>,
    writing: Mutex<Writing>,
    names: Mutex<()>,
}

/// The file, for who changes it. `records` changes only under this.
#[derive(Debug)]
struct Writing {
    /// What records are appended to. None when the next change must write all of it anew: at the
    /// start, and after an error, when nobody knows what lies in it.
    file: Option<Arc<dyn DiskFile>>,
    /// Whether the file may hold more than `records`.
    is_stale: bool,
    is_destroyed: bool,
}

/// What a keyring's file held.
struct Stored {
    records: Records,
    /// Whether something lay at the end that is no record.
    is_torn: bool,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Opens a tenant's keyring, and destroys the keys in it that no file of the tenant's folder
    /// belongs to; on a disk that takes nothing just now, the next change does. Makes it when there
    /// is none.
    ///
    /// # Errors
    /// `Corrupt` when it is damaged, or when it is lost and there are objects, or when there are
    /// keys and no `folder`. Nothing is changed then. Else the disk's.
    pub(crate) fn open(tenant: TenantId, folder: Option<&Path>, means: &Means<'_>) -> Result<Self> {
        let keyring = Self {
            tenant,
            place: means.keyrings.place(tenant),
            root_key: Arc::clone(means.root_key),
            disk: Arc::clone(means.disk),
            chance: means.chance.clone(),
            records: RwLock::default(),
            writing: Mutex::new(Writing { file: None, is_stale: true, is_destroyed: false }),
            names: Mutex::new(()),
        };
        let stored = keyring.read()?;
        let inventory = folder.map(|folder| Inventory::take(&**means.disk, folder)).transpose()?;
        let is_needed = inventory.as_ref().is_some_and(Inventory::may_hold_objects);
        let Some(mut stored) = stored else {
            if is_needed {
                return Err(corrupt("the keyring of the tenant is lost; restore control/keyrings"));
            }
            keyring.rewrite(&mut keyring.writing.lock())?;
            return Ok(keyring);
        };
        if inventory.is_none() && !stored.records.is_empty() {
            return Err(corrupt("the folder of the tenant is lost, and its keyring is not"));
        }
        let has_record = |id: &ObjectId| stored.records.contains_key(id);
        let has_keyless = inventory.as_ref().is_some_and(|all| !all.found.iter().all(has_record));
        if stored.is_torn && has_keyless {
            return Err(corrupt("the last record of the tenant's keyring is damaged"));
        }
        let mut is_stale = stored.is_torn || keyring.disk.exists(&keyring.temporary());
        if let Some(inventory) = inventory.filter(|all| all.is_whole && !has_keyless) {
            let is_orphan = |id: &ObjectId| !inventory.holds(id);
            if stored.records.keys().any(is_orphan) {
                inventory.make_durable(&*keyring.disk)?;
                stored.records.retain(|id, _| !is_orphan(id));
                is_stale = true;
            }
        }
        *keyring.records.write() = stored.records;
        keyring.writing.lock().is_stale = is_stale;
        // A disk that is full must not keep the tenant from being read. What is to be destroyed is
        // not given out any more, and the next change writes the file anew all the same.
        drop(keyring.forget(&[]));
        Ok(keyring)
    }

    /// Held while a name in the tenant's folder comes to mean another file, so that of each file
    /// that loses its name exactly one caller learns the id.
    pub(crate) fn names(&self) -> &Mutex<()> {
        &self.names
    }

    /// An object's secret, if it was not destroyed.
    pub(crate) fn secret(&self, id: &ObjectId) -> Option<Secret> {
        let record = *self.records.read().get(id)?;
        let (found, secret) = self.open_record(&record)?;
        (found == *id).then_some(secret)
    }

    /// Keeps an object's secret, durably.
    ///
    /// # Errors
    /// The disk's, and `NotFound` when the tenant was deleted. The secret is then not kept.
    pub(crate) fn add(&self, id: ObjectId, secret: &Secret) -> Result<()> {
        let record = self.seal_record(&id, secret);
        let mut writing = self.writing.lock();
        if writing.is_destroyed {
            return Err(Error::new(ErrorKind::NotFound, "the tenant was deleted"));
        }
        if self.records.read().contains_key(&id) {
            return Err(Error::new(ErrorKind::Bug, "two objects have one id"));
        }
        let Some(file) = writing.file.take() else {
            self.records.write().insert(id, record);
            let written = self.rewrite(&mut writing);
            if written.is_err() {
                self.records.write().remove(&id);
            }
            return written;
        };
        writing.is_stale = true;
        let appended = file.append(&record).and_then(|()| file.sync());
        appended.map_err(|error| Error::io(&self.place, error))?;
        *writing = Writing { file: Some(file), is_stale: false, is_destroyed: false };
        self.records.write().insert(id, record);
        Ok(())
    }

    /// Destroys the secrets of objects, durably; those of which there is none are no error.
    ///
    /// # Errors
    /// The disk's. The secrets are then not given out any more, and the next change, or the next
    /// start, destroys them.
    pub(crate) fn forget(&self, ids: &[ObjectId]) -> Result<()> {
        let mut writing = self.writing.lock();
        if writing.is_destroyed {
            return Ok(());
        }
        let mut records = self.records.write();
        let before = records.len();
        for id in ids {
            records.remove(id);
        }
        writing.is_stale |= records.len() < before;
        drop(records);
        if writing.is_stale { self.rewrite(&mut writing) } else { Ok(()) }
    }

    /// Whether there is no secret in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.read().is_empty()
    }

    /// Destroys all secrets, and the file.
    pub(crate) fn destroy(&self) -> Result<()> {
        let mut writing = self.writing.lock();
        *writing = Writing { file: None, is_stale: true, is_destroyed: true };
        self.records.write().clear();
        destroy_file(&*self.disk, &self.place)
    }

    fn temporary(&self) -> PathBuf {
        temporary(&self.place)
    }

    fn about(&self) -> Vec<u8> {
        [b"keyring ".as_slice(), self.tenant.as_bytes()].concat()
    }

    fn seal_record(&self, id: &ObjectId, secret: &Secret) -> Record {
        let nonce: [u8; NONCE_BYTES] = self.chance.bytes();
        let mut bytes = Vec::with_capacity(RECORD_BYTES);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&id.0);
        bytes.extend_from_slice(secret.as_bytes());
        self.root_key.seal(nonce, &self.about(), &mut bytes, NONCE_BYTES);
        bytes.try_into().expect("the parts of a record are as long as a record")
    }

    fn open_record(&self, record: &Record) -> Option<(ObjectId, Secret)> {
        let mut record = *record;
        let (nonce, sealed) = record.split_first_chunk_mut::<NONCE_BYTES>()?;
        let plain = self.root_key.open(*nonce, &self.about(), sealed).ok()?;
        let (id, secret) = plain.split_first_chunk::<ID_BYTES>()?;
        let opened = (ObjectId(*id), Secret::new(secret.try_into().ok()?));
        wipe(plain);
        Some(opened)
    }

    fn read(&self) -> Result<Option<Stored>> {
        let bytes = match read_file(&*self.disk, &self.place) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let body = bytes.strip_prefix(&HEADER);
        let body = body.ok_or_else(|| corrupt("the tenant's keyring is not one"))?;
        let (stored, rest) = body.as_chunks::<RECORD_BYTES>();
        let mut records = Records::new();
        let mut is_torn = !rest.is_empty();
        for (number, record) in stored.iter().enumerate() {
            match self.open_record(record) {
                Some((id, _)) if records.insert(id, *record).is_none() => {}
                None if !is_torn && number + 1 == stored.len() => is_torn = true,
                _ => {
                    let what = format!("record {number} of the tenant's keyring is damaged");
                    return Err(Error::new(ErrorKind::Corrupt, what));
                }
            }
        }
        Ok(Some(Stored { records, is_torn }))
    }

    /// Writes the file anew, with the records that there are now and no others.
    fn rewrite(&self, writing: &mut Writing) -> Result<()> {
        writing.file = None;
        writing.is_stale = true;
        let io = |error| Error::io(&self.place, error);
        let temporary = self.temporary();
        let folder = folder_of(&self.place);
        if !self.disk.exists(folder) {
            make_folder(&*self.disk, folder)?;
        }
        // One that was not finished holds keys, perhaps such as were destroyed since.
        if self.disk.exists(&temporary) {
            self.disk.remove(&temporary).map_err(io)?;
        }
        let mut bytes = HEADER.to_vec();
        self.records.read().values().for_each(|record| bytes.extend_from_slice(record));
        let file = self.disk.create(&temporary).map_err(io)?;
        file.append(&bytes).and_then(|()| file.sync()).map_err(io)?;
        self.disk.rename(&temporary, &self.place).map_err(io)?;
        self.disk.sync_folder(folder).map_err(io)?;
        writing.file = Some(file);
        writing.is_stale = false;
        Ok(())
    }
}

/// Destroys the keyring that lies there, if any.
pub(crate) fn destroy_file(disk: &dyn Disk, place: &Path) -> Result<()> {
    let mut is_changed = false;
    for place in [place, &temporary(place)] {
        match disk.remove(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => {
                removed.map_err(|error| Error::io(place, error))?;
                is_changed = true;
            }
        }
    }
    let folder = folder_of(place);
    // Also when nothing was there: it may have been removed before, and not durably.
    if is_changed || disk.exists(folder) {
        disk.sync_folder(folder).map_err(|error| Error::io(folder, error))?;
    }
    Ok(())
}

fn temporary(place: &Path) -> PathBuf {
    place.with_extension("keys.unfinished")
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(place)
}

fn corrupt(what: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

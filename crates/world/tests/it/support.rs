//! Tenants on a disk, and what their files hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_model::id::TenantId;
use ledgerline_policy::{Job, upkeep};
use ledgerline_world::disk::{Disk, MemoryDisk};
use ledgerline_world::{BlobPath, Chance, DataDir, Options, Result, TenantBlobs};

pub(crate) const KEYRING_HEADER_BYTES: usize = 8;
pub(crate) const RECORD_BYTES: usize = 76;

/// A folder that is opened again draws other keys than before, as with real chance.
static SEED: AtomicU64 = AtomicU64::new(7);

pub(crate) fn try_data_dir(folder: &Path, disk: &MemoryDisk) -> Result<DataDir> {
    let archive = Some(folder.join("archive"));
    let options = Options { disk: Arc::new(disk.clone()), archive, ..Options::default() };
    let seed = SEED.fetch_add(0x0123_4567_89ab_cdef, Ordering::Relaxed);
    DataDir::open(folder, Chance::seeded(seed), options)
}

pub(crate) fn data_dir(folder: &Path, disk: &MemoryDisk) -> DataDir {
    try_data_dir(folder, disk).expect("the folder opens")
}

pub(crate) fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number; 16]).expect("not zero")
}

pub(crate) fn try_blobs(data: &DataDir, number: u8) -> Result<TenantBlobs> {
    data.blobs(&upkeep(tenant(number), Job::Recover))
}

pub(crate) fn blobs(data: &DataDir, number: u8) -> TenantBlobs {
    try_blobs(data, number).expect("the tenant opens")
}

/// Opens the first tenant of a data folder that nobody holds.
pub(crate) fn reopen(folder: &Path, disk: &MemoryDisk) -> Result<TenantBlobs> {
    try_blobs(&try_data_dir(folder, disk)?, 1)
}

pub(crate) fn path(text: &str) -> BlobPath {
    BlobPath::parse(text).expect("a path")
}

pub(crate) fn place(folder: &Path, number: u8, path: &str) -> PathBuf {
    folder.join("tenants").join(tenant(number).to_string()).join(path)
}

pub(crate) fn keyring(folder: &Path, number: u8) -> PathBuf {
    folder.join("control/keyrings").join(format!("{}.keys", tenant(number)))
}

/// Everything that a file holds.
pub(crate) fn read(disk: &dyn Disk, place: &Path) -> Vec<u8> {
    let file = disk.open(place).expect("the file is there");
    let mut bytes = vec![0; usize::try_from(file.len().expect("a length")).expect("it fits")];
    file.read_exact_at(&mut bytes, 0).expect("it is read");
    bytes
}

/// Puts a file there, in place of the one that is there.
pub(crate) fn write(disk: &dyn Disk, place: &Path, bytes: &[u8]) {
    drop(disk.remove(place));
    let file = disk.create(place).expect("made");
    file.append(bytes).expect("written");
    file.sync().expect("durable");
    disk.sync_folder(place.parent().expect("a folder")).expect("durable");
}

/// The records of a tenant's keyring, as they lie there.
pub(crate) fn records(disk: &dyn Disk, folder: &Path, number: u8) -> Vec<[u8; RECORD_BYTES]> {
    let bytes = read(disk, &keyring(folder, number));
    let (records, rest) = bytes[KEYRING_HEADER_BYTES..].as_chunks();
    assert!(rest.is_empty(), "a keyring ends in a torn record");
    records.to_vec()
}

/// How many finished objects and logs a tenant has.
pub(crate) fn sealed_files(disk: &MemoryDisk, folder: &Path, number: u8) -> usize {
    let folder = place(folder, number, "");
    let files = disk.all_files();
    let names = files.iter().filter_map(|file| file.strip_prefix(&folder).ok()?.to_str());
    let names = names.filter(|name| *name != "tenant.key" && !name.ends_with(".unfinished"));
    let names = names.map(|name| name.strip_suffix(".archived").unwrap_or(name));
    names.collect::<BTreeSet<_>>().len()
}

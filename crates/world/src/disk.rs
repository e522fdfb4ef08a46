//! The disk, as far as this room needs one. Every function that makes something durable says so in
//! its name; nothing else is durable.

mod memory;
mod real;

use std::fmt::Debug;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use memory::{Fault, MemoryDisk};
pub use real::RealDisk;

/// A disk.
pub trait Disk: Send + Sync + Debug {
    /// Makes a file that must not exist yet.
    ///
    /// # Errors
    /// The disk's, as of all functions here.
    fn create(&self, path: &Path) -> Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, replacing what has it. Durable after [`Disk::sync_folder`].
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn rename(&self, source: &Path, target: &Path) -> Result<()>;
    /// Removes a file. Durable after [`Disk::sync_folder`].
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn remove(&self, path: &Path) -> Result<()>;
    /// Makes a folder and its parents. Durable after [`Disk::sync_folder`] of each parent.
    ///
    /// # Errors
    /// The disk's.
    fn make_folder(&self, path: &Path) -> Result<()>;
    /// Whether the file or folder exists.
    fn exists(&self, path: &Path) -> bool;
    /// The files in a folder, not those in folders below it; none when there is no folder.
    ///
    /// # Errors
    /// The disk's.
    fn files(&self, folder: &Path) -> Result<Vec<PathBuf>>;
    /// The folders directly in a folder; none when there is no folder. A disk that cannot tell
    /// refuses with `Unsupported`: then no object is ever taken for deleted because it was not
    /// found.
    ///
    /// # Errors
    /// The disk's.
    fn folders(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        Err(Error::new(ErrorKind::Unsupported, folder.display().to_string()))
    }
    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// The disk's; then what is durable is not known.
    fn sync_folder(&self, folder: &Path) -> Result<()>;
    /// How many bytes may still be written.
    ///
    /// # Errors
    /// The disk's.
    fn free_bytes(&self, folder: &Path) -> Result<u64>;
}

/// An open file.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait DiskFile: Send + Sync + Debug {
    /// How long it is.
    ///
    /// # Errors
    /// The disk's.
    fn len(&self) -> Result<u64>;
    /// Fills the buffer from an offset.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()>;
    /// Writes at the end. Durable after [`DiskFile::sync`].
    ///
    /// # Errors
    /// The disk's; then some of the bytes may have been written.
    fn append(&self, bytes: &[u8]) -> Result<()>;
    /// Makes what was appended durable.
    ///
    /// # Errors
    /// The disk's. Then what is durable is not known, and a second try would tell a lie: kernels
    /// forget the pages that they could not write (Rebello et al., USENIX ATC 2020).
    fn sync(&self) -> Result<()>;
}

//! Logs: files that only grow, whose writer says when they are durable. What lies in them is sealed
//! frame by frame, by whoever writes the frames.
//!
//! ```text
//! log = header | bytes                                              (the header: see `sealed.rs`)
//! ```

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::path::BlobPath;
use crate::seal::{Key, nonce};
use crate::sealed::{Draft, Found, HEADER_BYTES, Kind};
use crate::tenant::TenantBlobs;

/// The key that seals the frames of one log.
#[derive(Clone)]
pub struct FrameKey {
    key: Arc<Key>,
    about: Arc<[u8]>,
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameKey(..)")
    }
}

impl FrameKey {
    /// Seals `bytes[from..]` in place and appends 16 bytes. No number may be used twice in a log.
    pub fn seal(&self, number: u64, bytes: &mut Vec<u8>, from: usize) {
        self.key.seal(nonce(number, false), &self.about, bytes, from);
    }

    /// Opens in place what [`FrameKey::seal`] sealed.
    ///
    /// # Errors
    /// `Corrupt` when it is not that.
    pub fn open<'a>(&self, number: u64, bytes: &'a mut [u8]) -> Result<&'a mut [u8]> {
        self.key.open(nonce(number, false), &self.about, bytes)
    }
}

/// A log that is being written. Nobody finds it before [`LogFile::publish`]; dropped before that,
/// it never was.
#[derive(Debug)]
pub struct LogFile {
    draft: Draft,
    key: FrameKey,
    length: u64,
}

impl LogFile {
    pub(crate) fn create(blobs: &TenantBlobs, path: &BlobPath) -> Result<Self> {
        let (draft, key, about) = Draft::create(blobs, path, Kind::Log)?;
        let key = FrameKey { key: Arc::new(key), about: about.into() };
        Ok(Self { draft, key, length: HEADER_BYTES as u64 })
    }

    /// Makes the log durable with what was appended so far, and lets it be found at its path. It
    /// replaces a log that lies there, whose key is destroyed.
    ///
    /// # Errors
    /// The disk's; whether the log is found is then not known, and it must be given up.
    pub fn publish(&mut self) -> Result<()> {
        self.draft.publish()
    }

    /// Where it lies, or will.
    #[must_use]
    pub fn path(&self) -> &BlobPath {
        self.draft.path()
    }

    /// What seals the log's frames.
    #[must_use]
    pub fn key(&self) -> &FrameKey {
        &self.key
    }

    /// How long the log is, with what is not durable yet.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a log has a header, so it never is")]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Writes at the end.
    ///
    /// # Errors
    /// The disk's. The log must then be given up: part of the bytes may lie there.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.draft.append(bytes).map_err(|error| self.draft.disk_error(error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// The disk's. What is durable is then not known, and must not be asked for again: the log must
    /// be given up.
    pub fn sync(&self) -> Result<()> {
        self.draft.sync()
    }
}

/// A log that is read again.
#[derive(Debug)]
pub struct LogReader {
    place: PathBuf,
    file: Arc<dyn DiskFile>,
    key: FrameKey,
    length: u64,
}

impl LogReader {
    /// Where the first byte after the header lies.
    pub const START: u64 = HEADER_BYTES as u64;

    pub(crate) fn open(blobs: &TenantBlobs, path: &BlobPath) -> Result<Self> {
        let Found { file, length, key, about, .. } = Found::open(blobs, path, Kind::Log)?;
        let key = FrameKey { key: Arc::new(key), about: about.into() };
        Ok(Self { place: blobs.place(path), file, key, length })
    }

    /// What opens the log's frames.
    #[must_use]
    pub fn key(&self) -> &FrameKey {
        &self.key
    }

    /// How long the log is.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a log has a header, so it never is")]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Some of its bytes; fewer at the end.
    ///
    /// # Errors
    /// The disk's.
    pub fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let left = self.length.saturating_sub(offset);
        let mut bytes = vec![0; left.min(length as u64) as usize];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|error| Error::io(&self.place, error))?;
        Ok(bytes)
    }
}

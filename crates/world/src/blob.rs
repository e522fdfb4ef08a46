//! Sealed objects: written once, whole, and read at any place.
//!
//! ```text
//! object = header | chunk*                                         (the header: see `sealed.rs`)
//! chunk  = 64 KiB of plain bytes (the last one less, perhaps none), AES-256-GCM | tag [16]
//! ```
//! The nonce of a chunk is its number and whether it is the last; tenant, path and header are
//! authenticated with every chunk. So an object that was cut, reordered, or moved to another path
//! or tenant does not open.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use crate::cache::ChunkKey;
use crate::disk::DiskFile;
use crate::error::{Error, ErrorKind, Result};
use crate::path::BlobPath;
use crate::seal::{Key, TAG_BYTES, does_not_open, nonce};
use crate::sealed::{Draft, Found, HEADER_BYTES, Kind, ObjectId};
use crate::tenant::TenantBlobs;

/// Large enough for a tag to weigh nothing, small enough to be opened for one value.
const CHUNK_BYTES: usize = 64 << 10;
const STORED_BYTES: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;

/// How long an object became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Before it was sealed.
    pub plain_bytes: u64,
    /// On the disk.
    pub sealed_bytes: u64,
}

/// An object that is being written. Nobody sees it before [`BlobWriter::finish`]; dropped before
/// that, it never was.
pub struct BlobWriter {
    draft: Draft,
    key: Key,
    about: Vec<u8>,
    chunk: Vec<u8>,
    chunks: u64,
    written: Written,
}

impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobWriter").field("path", self.draft.path()).finish_non_exhaustive()
    }
}

impl BlobWriter {
    pub(crate) fn new(blobs: &TenantBlobs, path: &BlobPath) -> Result<Self> {
        let (draft, key, about) = Draft::create(blobs, path, Kind::Object)?;
        Ok(Self {
            draft,
            key,
            about,
            chunk: Vec::with_capacity(CHUNK_BYTES + TAG_BYTES),
            chunks: 0,
            written: Written { plain_bytes: 0, sealed_bytes: HEADER_BYTES as u64 },
        })
    }

    /// Seals the last chunk, makes the object durable and lets it be seen. The key of an object
    /// that it replaces is destroyed.
    ///
    /// # Errors
    /// The disk's. Whether the object exists is then not known; never does a part of it.
    pub fn finish(mut self) -> Result<Written> {
        let put = self.put_chunk(true);
        put.map_err(|error| self.draft.disk_error(error))?;
        self.draft.publish()?;
        Ok(self.written)
    }

    fn put_chunk(&mut self, is_last: bool) -> io::Result<()> {
        self.written.plain_bytes += self.chunk.len() as u64;
        self.key.seal(nonce(self.chunks, is_last), &self.about, &mut self.chunk, 0);
        self.draft.append(&self.chunk)?;
        self.written.sealed_bytes += self.chunk.len() as u64;
        self.chunks += 1;
        self.chunk.clear();
        Ok(())
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for the next byte: only then is it known not to be the last.
        if self.chunk.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.put_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object that can be read; also after it was deleted, until this is dropped.
#[derive(Clone)]
pub struct Blob {
    inner: Arc<Inner>,
}

struct Inner {
    blobs: TenantBlobs,
    path: BlobPath,
    file: Arc<dyn DiskFile>,
    key: Key,
    about: Vec<u8>,
    object: ObjectId,
    chunks: u64,
    sealed_bytes: u64,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Blob {
    pub(crate) fn open(blobs: &TenantBlobs, path: &BlobPath) -> Result<Self> {
        let Found { file, length: sealed_bytes, id: object, key, about } =
            Found::open(blobs, path, Kind::Object)?;
        let chunks = (sealed_bytes - HEADER_BYTES as u64).div_ceil(STORED_BYTES);
        let blobs = blobs.clone();
        let path = path.clone();
        let inner = Inner { blobs, path, file, key, about, object, chunks, sealed_bytes };
        let blob = Self { inner: Arc::new(inner) };
        // The last chunk alone can show that nothing was cut off.
        blob.chunk(chunks.checked_sub(1).ok_or_else(does_not_open)?)?;
        Ok(blob)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &BlobPath {
        &self.inner.path
    }

    /// How long it is, plain.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether an object is empty")]
    pub fn len(&self) -> u64 {
        self.inner.sealed_bytes - HEADER_BYTES as u64 - self.inner.chunks * TAG_BYTES as u64
    }

    /// How long it is on the disk.
    #[must_use]
    pub fn sealed_len(&self) -> u64 {
        self.inner.sealed_bytes
    }

    /// Some of its bytes. Opens the chunks that they lie in and no others.
    ///
    /// # Errors
    /// `Corrupt` when a chunk does not open or the range lies beyond the end.
    pub fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= self.len());
        let end = end.ok_or_else(|| self.corrupt("ends before the place that was asked for"))?;
        let mut bytes = Vec::with_capacity(length);
        let mut at = offset;
        while at < end {
            let number = at / CHUNK_BYTES as u64;
            let start = number * CHUNK_BYTES as u64;
            let chunk = self.chunk(number)?;
            let to = (end - start).min(chunk.len() as u64);
            bytes.extend_from_slice(&chunk[(at - start) as usize..to as usize]);
            at = start + to;
        }
        Ok(bytes)
    }

    /// Opens every chunk.
    ///
    /// # Errors
    /// `Corrupt` at the first that does not open.
    pub fn verify(&self) -> Result<()> {
        (0..self.inner.chunks).try_for_each(|number| self.read_chunk(number).map(drop))
    }

    fn chunk(&self, number: u64) -> Result<Arc<[u8]>> {
        let inner = &*self.inner;
        let key = ChunkKey { tenant: inner.blobs.tenant(), object: inner.object, chunk: number };
        if let Some(chunk) = inner.blobs.cache().get(&key) {
            return Ok(chunk);
        }
        let chunk: Arc<[u8]> = self.read_chunk(number)?.into();
        inner.blobs.cache().put(key, Arc::clone(&chunk));
        Ok(chunk)
    }

    fn read_chunk(&self, number: u64) -> Result<Vec<u8>> {
        let inner = &*self.inner;
        let start = HEADER_BYTES as u64 + number * STORED_BYTES;
        let length = (inner.sealed_bytes - start).min(STORED_BYTES) as usize;
        let mut chunk = vec![0; length];
        inner
            .file
            .read_exact_at(&mut chunk, start)
            .map_err(|error| Error::io(&inner.blobs.place(&inner.path), error))?;
        let nonce = nonce(number, number + 1 == inner.chunks);
        let opened = inner.key.open(nonce, &inner.about, &mut chunk);
        let plain = opened.map_err(|_| self.corrupt("sealed bytes do not open"))?.len();
        chunk.truncate(plain);
        Ok(chunk)
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::new(ErrorKind::Corrupt, format!("{}: {what}", self.inner.path))
    }
}

//! Compressed pieces of a segment: where one lies, how it is made and read.

use ledgerline_model::varint::{put_varint, take_varint};

use crate::error::{Error, Result};

/// Where a piece lies in a segment, and how long it is stored and unpacked. Equal lengths mean that
/// it is stored as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) stored: u32,
    pub(crate) raw: u32,
}

impl Span {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        put_varint(out, self.offset);
        put_varint(out, u64::from(self.stored));
        put_varint(out, u64::from(self.raw));
    }

    pub(crate) fn decode(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            offset: take_varint(input)?,
            stored: u32::try_from(take_varint(input)?).ok()?,
            raw: u32::try_from(take_varint(input)?).ok()?,
        })
    }
}

/// Compresses pieces, keeping its memory from one to the next.
pub(crate) struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

/// Below this a frame's own header costs more than it saves.
const COMPRESS_BYTES_MIN: usize = 48;

impl Packer {
    pub(crate) fn new(level: i32) -> Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(level).map_err(Error::compress)?;
        compressor.include_checksum(false).map_err(Error::compress)?;
        compressor.include_contentsize(false).map_err(Error::compress)?;
        Ok(Self { compressor, buffer: Vec::new() })
    }

    /// The bytes to store: compressed, or `raw` itself when that is not longer.
    pub(crate) fn pack<'a>(&'a mut self, raw: &'a [u8]) -> Result<&'a [u8]> {
        if raw.len() < COMPRESS_BYTES_MIN {
            return Ok(raw);
        }
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        self.compressor.compress_to_buffer(raw, &mut self.buffer).map_err(Error::compress)?;
        Ok(if self.buffer.len() < raw.len() { &self.buffer } else { raw })
    }
}

thread_local! {
    static UNPACKER: std::cell::RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { std::cell::RefCell::new(None) };
}

/// The piece as it was before [`Packer::pack`].
pub(crate) fn unpack(stored: Vec<u8>, span: Span) -> Result<Vec<u8>> {
    if span.stored == span.raw {
        return Ok(stored);
    }
    let mut raw = Vec::new();
    unpack_into(&stored, span, &mut raw)?;
    Ok(raw)
}

/// The same into a buffer, whose contents are replaced.
pub(crate) fn unpack_into(stored: &[u8], span: Span, raw: &mut Vec<u8>) -> Result<()> {
    raw.clear();
    if span.stored == span.raw {
        raw.extend_from_slice(stored);
        return Ok(());
    }
    raw.reserve(span.raw as usize);
    UNPACKER.with_borrow_mut(|slot| {
        let unpacker = match slot {
            Some(unpacker) => unpacker,
            None => {
                let unpacker = zstd::bulk::Decompressor::new().map_err(Error::compress)?;
                slot.insert(unpacker)
            }
        };
        unpacker
            .decompress_to_buffer(stored, raw)
            .map_err(|_| Error::corrupt("a piece does not decompress"))
    })?;
    if raw.len() != span.raw as usize {
        return Err(Error::corrupt("a piece has another length than its span"));
    }
    Ok(())
}

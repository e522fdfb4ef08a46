//! Decompressing a body piece by piece, within the limits.

use std::fmt;
use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use ledgerline_model::limits;
use zstd::stream::raw::{DParameter, Decoder, Operation};

use crate::error::Error;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several, each with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

/// How much compressed gzip is handed over at once. Deflate makes at most 1,032 bytes of one, so at
/// most 4 MiB come out before the limits are checked again.
const GZIP_STEP_BYTES: usize = 4 << 10;
/// How much comes out of zstd at once.
const ZSTD_STEP_BYTES: usize = 128 << 10;
/// How much of a body that is not compressed is handed on at once, so that the limits of what is
/// made of it are checked in between.
const IDENTITY_STEP_BYTES: usize = 1 << 20;

enum Codec {
    Identity,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd { decoder: Decoder<'static>, output: Vec<u8>, is_frame_open: bool },
}

/// A body being decompressed.
pub(crate) struct Inflater {
    codec: Codec,
    progress: Progress,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Inflater {
    pub(crate) fn new(encoding: Encoding) -> Self {
        let codec = match encoding {
            Encoding::Identity => Codec::Identity,
            Encoding::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Encoding::Zstd => {
                let mut decoder = Decoder::new().expect("no dictionary is always a valid one");
                decoder
                    .set_parameter(DParameter::WindowLogMax(limits::ZSTD_WINDOW_LOG_MAX))
                    .expect("zstd takes every window from 2^10 to 2^31");
                Codec::Zstd { decoder, output: vec![0; ZSTD_STEP_BYTES], is_frame_open: false }
            }
        };
        let is_compressed = encoding != Encoding::Identity;
        Self { codec, progress: Progress { bytes_in: 0, bytes_out: 0, is_compressed } }
    }

    /// Decompresses the next piece and hands on what comes out, some at a time.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { codec, progress } = self;
        progress.bytes_in += piece.len();
        let mut take = |output: &[u8]| {
            progress.add(output.len())?;
            sink(output)
        };
        match codec {
            Codec::Identity => piece.chunks(IDENTITY_STEP_BYTES).try_for_each(take),
            Codec::Gzip(decoder) => {
                piece.chunks(GZIP_STEP_BYTES).try_for_each(|step| gunzip(decoder, step, &mut take))
            }
            Codec::Zstd { decoder, output, is_frame_open } => {
                unzstd(decoder, output, is_frame_open, piece, take)
            }
        }
    }

    /// Ends the body, and hands on what comes out at last.
    pub(crate) fn finish(
        &mut self,
        mut sink: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &mut self.codec {
            Codec::Identity => Ok(()),
            Codec::Gzip(decoder) => {
                decoder.try_finish().map_err(|error| invalid("gzip", &error))?;
                let rest = std::mem::take(decoder.get_mut());
                self.progress.add(rest.len())?;
                sink(&rest)
            }
            Codec::Zstd { is_frame_open, .. } => {
                if *is_frame_open {
                    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(invalid("zstd", &error));
                }
                Ok(())
            }
        }
    }
}

fn gunzip(
    decoder: &mut MultiGzDecoder<Vec<u8>>,
    step: &[u8],
    mut sink: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    decoder.write_all(step).map_err(|error| invalid("gzip", &error))?;
    let mut output = std::mem::take(decoder.get_mut());
    sink(&output)?;
    output.clear();
    *decoder.get_mut() = output;
    Ok(())
}

fn unzstd(
    decoder: &mut Decoder<'static>,
    output: &mut [u8],
    is_frame_open: &mut bool,
    mut piece: &[u8],
    mut sink: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let status =
            decoder.run_on_buffers(piece, output).map_err(|error| invalid("zstd", &error))?;
        piece = &piece[status.bytes_read..];
        let is_full = status.bytes_written == output.len();
        if status.bytes_read > 0 || status.bytes_written > 0 {
            *is_frame_open = status.remaining != 0;
        }
        sink(&output[..status.bytes_written])?;
        // A full buffer may have left some output behind.
        let is_done = piece.is_empty() && !(is_full && *is_frame_open);
        if is_done {
            return Ok(());
        }
        if status.bytes_read == 0 && status.bytes_written == 0 {
            return Err(invalid("zstd", &io::Error::from(io::ErrorKind::InvalidData)));
        }
    }
}

/// How much has gone in and come out.
#[derive(Debug)]
struct Progress {
    bytes_in: usize,
    bytes_out: usize,
    is_compressed: bool,
}

impl Progress {
    fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes_out += bytes;
        if self.bytes_out > limits::BATCH_BYTES_MAX {
            return Err(Error::too_large(
                "batch_too_large",
                format!("the body is longer than {} bytes", limits::BATCH_BYTES_MAX),
            ));
        }
        let most = self.bytes_in.saturating_mul(limits::DECOMPRESSION_RATIO_MAX);
        if self.is_compressed
            && self.bytes_out > limits::DECOMPRESSION_GRACE_BYTES
            && self.bytes_out > most
        {
            return Err(Error::too_large(
                "ratio_exceeded",
                format!(
                    "the body is more than {} times as long decompressed",
                    limits::DECOMPRESSION_RATIO_MAX
                ),
            ));
        }
        Ok(())
    }
}

fn invalid(name: &str, error: &io::Error) -> Error {
    Error::invalid("invalid_encoding", format!("the body is not valid {name}: {error}"))
}

/// Decompresses a whole body within the limits.
///
/// # Errors
/// When it is malformed or a limit is exceeded.
pub fn decompress(body: &[u8], encoding: Encoding) -> Result<Vec<u8>, Error> {
    let mut inflater = Inflater::new(encoding);
    let mut output = Vec::new();
    let mut sink = |bytes: &[u8]| {
        output.extend_from_slice(bytes);
        Ok(())
    };
    inflater.push(body, &mut sink)?;
    inflater.finish(&mut sink)?;
    Ok(output)
}

//! A file or standard input, decompressed.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::failure::Failure;
use crate::files;
use crate::stop::Stop;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// How long lines wait for more of them when they come slowly.
const QUIET: Duration = Duration::from_secs(1);
const PIECE_BYTES: usize = 64 << 10;

/// How a read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// The buffer has as much as was asked for.
    Wholly,
    /// Nothing more came for a second; there may be more later.
    Quiet,
    /// There is no more.
    Ended,
}

/// Where events come from.
pub(super) struct Source {
    /// As the person named it.
    pub(super) name: Arc<str>,
    supply: Supply,
}

enum Supply {
    /// Read when it is wanted.
    File(Box<dyn Read + Send>),
    /// Read by a thread of its own, because a pipe may be silent for long.
    Pipe(Receiver<io::Result<Vec<u8>>>, Arc<Stop>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source {
    /// Opens a file, or standard input for `-`. Bytes read, before decompression, are added to
    /// `position`. A silent pipe has ended once the command is stopped.
    pub(super) fn open(
        path: &Path,
        position: Arc<AtomicU64>,
        stop: &Arc<Stop>,
    ) -> Result<Self, Failure> {
        let unread = |error| Failure::caused(&format!("{} cannot be read", path.display()), &error);
        if path.as_os_str() == "-" {
            let reader = Counted { reader: io::stdin(), position };
            let supply = Supply::Pipe(read_along(reader), Arc::clone(stop));
            return Ok(Self { name: "standard input".into(), supply });
        }
        let file = files::open(path).map_err(unread)?;
        if file.metadata().map_err(unread)?.is_dir() {
            return Err(Failure::new(format!("{} is a folder", path.display()))
                .hint("name the files in it"));
        }
        let reader = decompressed(Counted { reader: file, position }).map_err(unread)?;
        Ok(Self { name: path.display().to_string().into(), supply: Supply::File(reader) })
    }

    /// A source of these bytes.
    #[cfg(test)]
    pub(super) fn of(bytes: &[u8]) -> Self {
        let reader = decompressed(io::Cursor::new(bytes.to_vec())).expect("readable");
        Self { name: "test".into(), supply: Supply::File(reader) }
    }

    /// Adds to the buffer until it holds `target` bytes.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, target: usize) -> Result<Filled, Failure> {
        let filled = match &mut self.supply {
            Supply::File(reader) => fill_from_file(reader, buffer, target),
            Supply::Pipe(pieces, stop) => fill_from_pipe(pieces, stop, buffer, target),
        };
        filled.map_err(|error| Failure::caused(&format!("{} cannot be read", self.name), &error))
    }
}

/// How many bytes all files have together; nothing when one of them cannot tell.
pub(super) fn size_of_all(files: &[PathBuf]) -> Option<u64> {
    files.iter().map(|path| Some(path.metadata().ok().filter(|meta| meta.is_file())?.len())).sum()
}

fn fill_from_file(
    reader: &mut impl Read,
    buffer: &mut Vec<u8>,
    target: usize,
) -> io::Result<Filled> {
    let wanted = target.saturating_sub(buffer.len());
    let read = reader.by_ref().take(wanted as u64).read_to_end(buffer)?;
    Ok(if read < wanted { Filled::Ended } else { Filled::Wholly })
}

fn fill_from_pipe(
    pieces: &Receiver<io::Result<Vec<u8>>>,
    stop: &Stop,
    buffer: &mut Vec<u8>,
    target: usize,
) -> io::Result<Filled> {
    while buffer.len() < target {
        match pieces.recv_timeout(QUIET) {
            Ok(piece) => buffer.extend_from_slice(&piece?),
            Err(RecvTimeoutError::Timeout) if stop.is_asked() => return Ok(Filled::Ended),
            Err(RecvTimeoutError::Timeout) => return Ok(Filled::Quiet),
            Err(RecvTimeoutError::Disconnected) => return Ok(Filled::Ended),
        }
    }
    Ok(Filled::Wholly)
}

/// Reads in a thread. It may wait for a silent pipe when the command ends; the process's end ends
/// it too.
fn read_along(reader: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut reader = match decompressed(reader) {
            Ok(reader) => reader,
            Err(error) => return drop(sender.send(Err(error))),
        };
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            match reader.read(&mut piece) {
                Ok(0) => return,
                Ok(length) => piece.truncate(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return drop(sender.send(Err(error))),
            }
            if sender.send(Ok(piece)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Decompresses what starts with the magic bytes of gzip (RFC 1952) or Zstandard (RFC 8878);
/// several members or frames in a row are one.
fn decompressed(reader: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut reader = BufReader::with_capacity(256 << 10, reader);
    let start = reader.fill_buf()?;
    if start.starts_with(GZIP) {
        Ok(Box::new(flate2::bufread::MultiGzDecoder::new(reader)))
    } else if start.starts_with(ZSTD) {
        Ok(Box::new(zstd::Decoder::with_buffer(reader)?))
    } else {
        Ok(Box::new(reader))
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    reader: R,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.position.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read_all(mut source: Source) -> String {
        let mut buffer = Vec::new();
        while source.fill(&mut buffer, 1 << 20).expect("readable") != Filled::Ended {}
        String::from_utf8(buffer).expect("text")
    }

    #[test]
    fn compressed_sources_are_known_by_their_first_bytes() {
        let text = "a line\n".repeat(10_000);
        let zstd = zstd::encode_all(text.as_bytes(), 1).expect("compressible");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).expect("in memory");
        let gzip = gzip.finish().expect("in memory");
        let two_members = [gzip.as_slice(), gzip.as_slice()].concat();
        assert_eq!(read_all(Source::of(text.as_bytes())), text);
        assert_eq!(read_all(Source::of(&zstd)), text);
        assert_eq!(read_all(Source::of(&two_members)), format!("{text}{text}"));
        assert_eq!(read_all(Source::of(b"")), "");
    }

    #[test]
    fn a_cut_off_file_is_an_error_and_not_an_end() {
        let zstd = zstd::encode_all("a line\n".repeat(10_000).as_bytes(), 1).expect("compressible");
        let mut source = Source::of(&zstd[..zstd.len() / 2]);
        let mut buffer = Vec::new();
        assert!(source.fill(&mut buffer, 1 << 20).is_err());
    }

    #[test]
    fn a_pipe_hands_over_what_it_has() {
        let pieces = read_along(io::Cursor::new(vec![b'x'; 200_000]));
        let (mut buffer, stop) = (Vec::new(), Stop::default());
        assert_eq!(
            fill_from_pipe(&pieces, &stop, &mut buffer, 1).expect("readable"),
            Filled::Wholly
        );
        let ended = fill_from_pipe(&pieces, &stop, &mut buffer, usize::MAX).expect("readable");
        assert_eq!((ended, buffer.len()), (Filled::Ended, 200_000));
    }

    #[test]
    fn a_folder_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let failure =
            Source::open(folder.path(), Arc::default(), &Arc::default()).expect_err("a folder");
        assert!(failure.message().ends_with("is a folder"), "{}", failure.message());
    }
}

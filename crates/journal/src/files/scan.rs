//! Reading a file, group by group, and telling a torn tail from damage.
//!
//! A frame that is not valid, at byte X, is a torn tail when X is not before a place that was
//! proven durable, and no valid frame of this file lies behind it. A place is proven by the groups
//! after it (each begins where all before was durable), by the file's seal, and by the file that
//! continues it. Everything else is damage: it is named, and nothing is changed.

use ledgerline_world::{BlobPath, FrameKey, LogReader, TenantBlobs};

use super::frame::{FrameType, HEADER_BYTES, Header, TRAILER_BYTES};
use super::mark::{Begin, Chain, Chaining, Commit, Seal};
use crate::committed::Position;
use crate::entry::{self, Body, EntryHead};
use crate::error::{Error, Result};

/// How much of a file is read at once.
const WINDOW_BYTES: usize = 256 << 10;

/// A group that is whole.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where it begins.
    pub(crate) start: u64,
    /// The chain before it.
    pub(crate) chain: Chain,
    /// The position of its first commit.
    pub(crate) position: Position,
    pub(crate) entries: Vec<(EntryHead, Body)>,
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Step {
    /// A group.
    Group(Group),
    /// The seal: the file ends here, and was ended so.
    Sealed,
    /// Nothing.
    End,
    /// Bytes of a group that never was whole.
    Torn {
        /// How many.
        bytes: u64,
    },
}

/// A file that is being read.
#[derive(Debug)]
pub(crate) struct FileScan {
    window: Window,
    path: BlobPath,
    key: FrameKey,
    begin: Begin,
    epoch: u32,
    /// Where the next group begins.
    offset: u64,
    ordinal: u64,
    chain: Chain,
    position: Position,
}

impl FileScan {
    /// Opens a file and reads its first frame. A file is found only once that is durable, so there
    /// is no excuse for one without.
    ///
    /// # Errors
    /// `Corrupt`, or the disk's.
    pub(crate) fn open(blobs: &TenantBlobs, path: &BlobPath) -> Result<Self> {
        let reader = blobs.open_log(path).map_err(|error| match error.kind() {
            ledgerline_world::ErrorKind::Corrupt => Error::corrupt(path, 0, &error.to_string()),
            _ => Error::disk(path.as_str(), error),
        })?;
        let key = reader.key().clone();
        let mut window = Window { reader, path: path.clone(), start: 0, bytes: Vec::new() };
        let at = LogReader::START;
        let no_begin = || Error::corrupt(path, at, "the file does not begin as it was begun");
        let (header, payload) = window.frame(at)?.ok_or_else(no_begin)?;
        if header.frame_type != FrameType::Begin || header.ordinal != 0 {
            return Err(no_begin());
        }
        let mut payload = payload.to_vec();
        let payload = key.open(0, &mut payload).map_err(|_| no_begin())?;
        let begin = Begin::read(payload).ok_or_else(no_begin)?;
        let offset = at + header.frame_bytes();
        Ok(Self {
            window,
            path: path.clone(),
            key,
            begin,
            epoch: header.epoch,
            offset,
            ordinal: 1,
            chain: begin.chain,
            position: begin.first,
        })
    }

    pub(crate) fn begin(&self) -> &Begin {
        &self.begin
    }

    pub(crate) fn path(&self) -> &BlobPath {
        &self.path
    }

    /// Where the next group begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The chain after what was read.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// The position after what was read.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// How long the file is.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.window.reader.len()
    }

    /// The next group. With a `limit`, the file is known to have been durable up to there, and
    /// nothing behind it is looked at.
    ///
    /// # Errors
    /// `Corrupt`, with the place, or the disk's.
    pub(crate) fn next(&mut self, limit: Option<u64>) -> Result<Step> {
        let start = self.offset;
        if limit == Some(start) {
            return Ok(Step::End);
        }
        let mut at = start;
        let mut ordinal = self.ordinal;
        let mut entries = Vec::new();
        let mut chaining = Chaining::new(&self.chain);
        loop {
            let Some((header, mut payload)) = self.frame(at, ordinal, &mut chaining)? else {
                return self.broken(at, ordinal, limit);
            };
            let end = at + header.frame_bytes();
            if limit.is_some_and(|limit| end > limit) {
                return Err(self.corrupt(at, "a frame crosses the end that the next file names"));
            }
            // The checksums hold, so this is what was written: that it does not open is no tear.
            let opened = self.key.open(ordinal, &mut payload);
            let payload = opened.map_err(|error| self.corrupt(at, &error.to_string()))?;
            match header.frame_type {
                FrameType::Entry => {
                    let entry = entry::read(payload);
                    entries.push(entry.ok_or_else(|| self.corrupt(at, "this is no entry"))?);
                }
                FrameType::Commit => {
                    let position = self.position.after(entries.len());
                    let chain = chaining.end();
                    let entry_count = entries.len() as u32;
                    let expected = Commit { entries: entry_count, synced: start, position, chain };
                    if entries.is_empty() || Commit::read(payload) != Some(expected) {
                        return Err(self.corrupt(at, "not the group that was committed"));
                    }
                    return Ok(Step::Group(self.advance(end, ordinal + 1, chain, entries)));
                }
                FrameType::Seal => {
                    let (position, chain) = (self.position, self.chain);
                    let seal = Seal { end: start, position, chain };
                    let is_last = entries.is_empty() && end == self.file_bytes();
                    if !is_last || Seal::read(payload) != Some(seal) {
                        return Err(self.corrupt(at, "the file does not end as it was ended"));
                    }
                    return Ok(Step::Sealed);
                }
                FrameType::Begin => return Err(self.corrupt(at, "a file begins within a file")),
            }
            at = end;
            ordinal += 1;
        }
    }

    /// Goes behind a group.
    fn advance(
        &mut self,
        end: u64,
        ordinal: u64,
        chain: Chain,
        entries: Vec<(EntryHead, Body)>,
    ) -> Group {
        let (start, position) = (self.offset, self.position);
        let group = Group { start, chain: self.chain, position, entries };
        self.offset = end;
        self.ordinal = ordinal;
        self.chain = chain;
        self.position = position.after(group.entries.len());
        group
    }

    /// The valid frame of this number at a place, its payload sealed. An entry's frame goes into
    /// the chain.
    fn frame(
        &mut self,
        at: u64,
        ordinal: u64,
        chaining: &mut Chaining,
    ) -> Result<Option<(Header, Vec<u8>)>> {
        let epoch = self.epoch;
        let Some((header, payload)) = self.window.frame(at)? else { return Ok(None) };
        if header.epoch != epoch || header.ordinal != ordinal {
            return Ok(None);
        }
        let payload = payload.to_vec();
        if header.frame_type == FrameType::Entry {
            chaining.add(&header.encode());
            chaining.add(&payload);
        }
        Ok(Some((header, payload)))
    }

    /// What an invalid frame means.
    fn broken(&mut self, at: u64, ordinal: u64, limit: Option<u64>) -> Result<Step> {
        if limit.is_some() {
            return Err(self.corrupt(at, "not what was written there, and was durable"));
        }
        if at == self.offset && at == self.file_bytes() {
            return Ok(Step::End);
        }
        if let Some(later) = self.window.later_frame(at, self.epoch, ordinal)? {
            let what = format!("not what was written there; a valid frame lies at byte {later}");
            return Err(self.corrupt(at, &what));
        }
        Ok(Step::Torn { bytes: self.file_bytes() - self.offset })
    }

    fn corrupt(&self, at: u64, what: &str) -> Error {
        Error::corrupt(&self.path, at, what)
    }
}

/// A part of a file in memory.
#[derive(Debug)]
struct Window {
    reader: LogReader,
    path: BlobPath,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Some bytes; nothing when the file ends before.
    fn get(&mut self, at: u64, length: usize) -> Result<Option<&[u8]>> {
        let is_within = |end: &u64| *end <= self.reader.len();
        if at.checked_add(length as u64).filter(is_within).is_none() {
            return Ok(None);
        }
        let end = self.start + self.bytes.len() as u64;
        if at < self.start || at + length as u64 > end {
            let read = self.reader.read_at(at, length.max(WINDOW_BYTES));
            self.bytes = read.map_err(|error| Error::disk(self.path.as_str(), error))?;
            self.start = at;
        }
        let from = (at - self.start) as usize;
        Ok(Some(&self.bytes[from..from + length]))
    }

    /// The frame at a place, its payload sealed, when both its checksums hold.
    fn frame(&mut self, at: u64) -> Result<Option<(Header, &[u8])>> {
        let Some(header) = self.get(at, HEADER_BYTES)? else { return Ok(None) };
        let header = header.try_into().expect("as many bytes as were asked for");
        let Some(header) = Header::parse(header) else { return Ok(None) };
        let length = header.payload_bytes as usize;
        let rest = self.get(at + HEADER_BYTES as u64, length + TRAILER_BYTES)?;
        let Some((payload, checksum)) = rest.map(|rest| rest.split_at(length)) else {
            return Ok(None);
        };
        let is_valid = crc32c::crc32c(payload).to_le_bytes() == checksum;
        Ok(is_valid.then_some((header, payload)))
    }

    /// The place of a valid frame behind `at` that has this epoch and no lower number.
    fn later_frame(&mut self, at: u64, epoch: u32, ordinal: u64) -> Result<Option<u64>> {
        let mut from = at + 1;
        loop {
            let left = self.reader.len().saturating_sub(from);
            let length = left.min(WINDOW_BYTES as u64) as usize;
            if length < HEADER_BYTES {
                return Ok(None);
            }
            let Some(bytes) = self.get(from, length)? else { return Ok(None) };
            let places = bytes.windows(HEADER_BYTES).enumerate();
            let candidates: Vec<u64> = places
                .filter(|(_, bytes)| Header::has_epoch(bytes, epoch))
                .map(|(index, _)| from + index as u64)
                .collect();
            for candidate in candidates {
                let frame = self.frame(candidate)?;
                let is_ours = |header: Header| header.epoch == epoch && header.ordinal >= ordinal;
                if frame.is_some_and(|(header, _)| is_ours(header)) {
                    return Ok(Some(candidate));
                }
            }
            from += (length - HEADER_BYTES + 1) as u64;
        }
    }
}

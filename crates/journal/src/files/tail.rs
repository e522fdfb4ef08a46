//! The end of the journal, where groups are written, and the list of files before it.

use ledgerline_world::{BlobPath, Chance, LogFile, TenantBlobs};

use super::frame::{self, FrameType};
use super::mark::{Before, Begin, Chain, Chaining, Commit, Seal};
use crate::committed::Position;
use crate::dedupe;
use crate::entry::{Body, EntryHead};
use crate::options::Options;

/// A file that is smaller than this is not worth a new one.
const RETIRE_BYTES_MIN: u64 = 4 << 20;
/// What a frame, its seal, an entry's head and the end of its group take, generously.
const OVERHEAD_BYTES: u64 = 512;

/// Why a group was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The disk is full: nothing of the group counts, and the next one may succeed.
    Full(String),
    /// Nothing is known of the group, and nothing more may be written.
    Fatal(ledgerline_world::Error),
}

/// A file that is not written any more.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) path: BlobPath,
    /// The position after its last commit.
    pub(crate) position: Position,
    /// Where its last group ends; nothing behind counts.
    pub(crate) end: u64,
    pub(crate) file_bytes: u64,
    /// When the last of its commits that has a key or an id was received.
    pub(crate) keyed_ns: Option<i64>,
}

#[derive(Debug)]
struct Current {
    log: LogFile,
    first: Position,
    epoch: u32,
    ordinal: u64,
    /// Up to where it is durable.
    synced: u64,
    keyed_ns: Option<i64>,
}

/// The end of the journal.
#[derive(Debug)]
pub(crate) struct Tail {
    blobs: TenantBlobs,
    chance: Chance,
    options: Options,
    closed: Vec<Closed>,
    /// The file that is written; the next group begins one when there is none.
    current: Option<Current>,
    /// What the next file continues.
    before: Option<Before>,
    position: Position,
    chain: Chain,
    buffer: Vec<u8>,
}

/// Where the journal's files lie.
pub(crate) fn folder() -> BlobPath {
    BlobPath::parse("journal").expect("a path")
}

/// The file whose first commit has this position.
pub(crate) fn file_path(first: Position) -> BlobPath {
    let name = format!("{:016x}.log", first.0);
    folder().join(&name).expect("hexadecimal digits are a path")
}

/// The later of two times of receipt, as a file keeps it.
pub(crate) fn later_keyed(keyed_ns: Option<i64>, head: &EntryHead) -> Option<i64> {
    let has_marks = head.key.is_some() || !head.ids.is_empty();
    keyed_ns.max(has_marks.then_some(head.received.0))
}

impl Tail {
    /// The end of a journal of these files, of which the last is `before`.
    pub(crate) fn new(
        (blobs, chance): (TenantBlobs, Chance),
        options: Options,
        closed: Vec<Closed>,
        (before, position, chain): (Option<Before>, Position, Chain),
    ) -> Self {
        let buffer = Vec::new();
        Self { blobs, chance, options, closed, current: None, before, position, chain, buffer }
    }

    /// The position after the last group.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Bytes of all files.
    pub(crate) fn size_bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|closed| closed.file_bytes).sum();
        closed + self.current.as_ref().map_or(0, |current| current.log.len())
    }

    /// Writes a group and makes it durable. The heads carry their numbers already.
    pub(crate) fn write(&mut self, entries: &[(&EntryHead, &Body)]) -> Result<(), WriteError> {
        self.check_room(entries)?;
        let is_long = |current: &Current| current.log.len() > self.options.file_bytes;
        if self.current.as_ref().is_some_and(is_long) {
            self.end_current()?;
        }
        if self.current.is_none() {
            self.begin(&[])?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        self.buffer.clear();
        let next = push_group(&mut self.buffer, current, (self.position, self.chain), entries);
        if let Err(error) = current.log.append(&self.buffer) {
            return Err(self.append_failed(error));
        }
        current.log.sync().map_err(WriteError::Fatal)?;
        current.ordinal = next.ordinal;
        current.synced = current.log.len();
        current.keyed_ns = next.keyed_ns;
        self.chain = next.chain;
        self.position = self.position.after(entries.len());
        Ok(())
    }

    /// Begins a file, in which the group, if there is one, is durable before the file is found.
    pub(crate) fn begin(&mut self, entries: &[(&EntryHead, &Body)]) -> Result<(), WriteError> {
        let path = file_path(self.position);
        let classify = |error: ledgerline_world::Error| {
            // Nobody was told of the file, and the next try replaces it.
            if error.is_disk_full() { full(&error) } else { WriteError::Fatal(error) }
        };
        let log = self.blobs.create_log(&path).map_err(classify)?;
        let begin = Begin { first: self.position, chain: self.chain, before: self.before };
        let epoch = u32::from_le_bytes(self.chance.bytes());
        let (first, mut chain) = (self.position, self.chain);
        let mut current = Current { log, first, epoch, ordinal: 1, synced: 0, keyed_ns: None };
        self.buffer.clear();
        let about = (FrameType::Begin, epoch, 0);
        frame::push(&mut self.buffer, current.log.key(), about, |out| begin.write(out));
        current.synced = current.log.len() + self.buffer.len() as u64;
        if !entries.is_empty() {
            let at = (self.position, self.chain);
            let next = push_group(&mut self.buffer, &current, at, entries);
            current.ordinal = next.ordinal;
            current.keyed_ns = next.keyed_ns;
            chain = next.chain;
        }
        current.log.append(&self.buffer).map_err(classify)?;
        current.log.publish().map_err(classify)?;
        current.synced = current.log.len();
        self.current = Some(current);
        self.chain = chain;
        self.position = self.position.after(entries.len());
        Ok(())
    }

    /// Ends the file that is written with a seal, so that all of it is known to be durable.
    pub(crate) fn end_current(&mut self) -> Result<(), WriteError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        if current.first == self.position {
            // It holds nothing. The next file has the same name, and replaces it.
            self.current = None;
            return Ok(());
        }
        let seal = Seal { end: current.synced, position: self.position, chain: self.chain };
        self.buffer.clear();
        let about = (FrameType::Seal, current.epoch, current.ordinal);
        frame::push(&mut self.buffer, current.log.key(), about, |out| seal.write(out));
        if let Err(error) = current.log.append(&self.buffer) {
            return match self.append_failed(error) {
                // The next file names the end of this one as well.
                WriteError::Full(_) => Ok(()),
                fatal => Err(fatal),
            };
        }
        current.log.sync().map_err(WriteError::Fatal)?;
        self.close_current();
        Ok(())
    }

    /// Begins a new file when every commit so far lies before `until` and the file that is written
    /// is not small, so that it can be deleted.
    pub(crate) fn retire(&mut self, until: Position) -> Result<(), WriteError> {
        if !self.is_retired_by(until) {
            return Ok(());
        }
        self.end_current()?;
        if self.closed.is_empty() { Ok(()) } else { self.begin(&[]) }
    }

    fn is_retired_by(&self, until: Position) -> bool {
        let small_bytes = RETIRE_BYTES_MIN.min(self.options.file_bytes);
        let last_bytes = match &self.current {
            Some(current) => current.log.len(),
            None => self.closed.last().map_or(0, |closed| closed.file_bytes),
        };
        self.position <= until && last_bytes > small_bytes
    }

    /// Deletes the oldest files, as long as every commit of them lies before `until`. The last file
    /// stays in any case: it says where the journal stands.
    pub(crate) fn delete_before(&mut self, until: Position) -> ledgerline_world::Result<()> {
        while let Some(oldest) = self.closed.first() {
            let is_last = self.closed.len() == 1 && self.current.is_none();
            if is_last || oldest.position > until {
                break;
            }
            self.blobs.delete(&oldest.path)?;
            self.closed.remove(0);
        }
        Ok(())
    }

    /// Whether to trim would delete keys or ids that are still remembered.
    pub(crate) fn would_forget(&self, until: Position, now_ns: i64) -> bool {
        let is_young =
            |keyed_ns: Option<i64>| keyed_ns.is_some_and(|at| !dedupe::is_forgotten(at, now_ns));
        let closed = self.deleted_by(until).iter();
        closed.map(|closed| closed.keyed_ns).any(is_young)
            || self.is_retired_by(until)
                && self.current.as_ref().is_some_and(|current| is_young(current.keyed_ns))
    }

    /// How many bytes to trim would delete.
    pub(crate) fn freed_bytes(&self, until: Position) -> u64 {
        let closed: u64 = self.deleted_by(until).iter().map(|closed| closed.file_bytes).sum();
        let current = self.current.as_ref().filter(|_| self.is_retired_by(until));
        closed + current.map_or(0, |current| current.log.len())
    }

    /// The files that a trim deletes. The last file stays, unless another is begun.
    fn deleted_by(&self, until: Position) -> &[Closed] {
        let count = self.closed.partition_point(|closed| closed.position <= until);
        let stays = self.current.is_none() && !self.is_retired_by(until);
        &self.closed[..count.min(self.closed.len() - usize::from(stays && !self.closed.is_empty()))]
    }

    fn check_room(&self, entries: &[(&EntryHead, &Body)]) -> Result<(), WriteError> {
        let bytes_of = |(head, body): &(&EntryHead, &Body)| {
            (body.len() + head.ids.len() * 16) as u64 + OVERHEAD_BYTES
        };
        let needed: u64 = entries.iter().map(bytes_of).sum::<u64>() + OVERHEAD_BYTES;
        let free = self.blobs.free_bytes();
        let free = free.map_err(|error| WriteError::Full(format!("the room left: {error}")))?;
        if free < needed.saturating_add(self.options.reserve_bytes) {
            let what = format!("the disk has {free} bytes left, and {needed} are to be written");
            return Err(WriteError::Full(what));
        }
        Ok(())
    }

    /// What a failed append means. Part of the bytes may lie at the end of the file, so it is given
    /// up: the file after it says where this one's end is.
    fn append_failed(&mut self, error: ledgerline_world::Error) -> WriteError {
        if !error.is_disk_full() {
            return WriteError::Fatal(error);
        }
        self.close_current();
        full(&error)
    }

    fn close_current(&mut self) {
        let Some(current) = self.current.take() else { return };
        if current.first == self.position {
            return;
        }
        self.before = Some(Before { first: current.first, end: current.synced });
        self.closed.push(Closed {
            path: current.log.path().clone(),
            position: self.position,
            end: current.synced,
            file_bytes: current.log.len(),
            keyed_ns: current.keyed_ns,
        });
    }
}

fn full(error: &ledgerline_world::Error) -> WriteError {
    WriteError::Full(format!("the disk is full: {error}"))
}

/// Where a group leaves the file.
struct Next {
    ordinal: u64,
    chain: Chain,
    keyed_ns: Option<i64>,
}

fn push_group(
    out: &mut Vec<u8>,
    current: &Current,
    (position, chain): (Position, Chain),
    entries: &[(&EntryHead, &Body)],
) -> Next {
    let key = current.log.key();
    let mut ordinal = current.ordinal;
    let mut keyed_ns = current.keyed_ns;
    let mut chaining = Chaining::new(&chain);
    for (head, body) in entries {
        let start = out.len();
        let about = (FrameType::Entry, current.epoch, ordinal);
        frame::push(out, key, about, |out| head.write(out, body));
        chaining.add(&out[start..out.len() - frame::TRAILER_BYTES]);
        keyed_ns = later_keyed(keyed_ns, head);
        ordinal += 1;
    }
    let chain = chaining.end();
    let commit = Commit {
        entries: u32::try_from(entries.len()).expect("a group has few entries"),
        synced: current.synced,
        position: position.after(entries.len()),
        chain,
    };
    let about = (FrameType::Commit, current.epoch, ordinal);
    frame::push(out, key, about, |out| commit.write(out));
    Next { ordinal: ordinal + 1, chain, keyed_ns }
}

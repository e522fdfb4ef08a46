//! A journal in files: `journal/<position of the first commit, 16 hexadecimal digits>.log` in the
//! tenant's folder. The layout is drawn in [`frame`], [`mark`] and [`crate::entry`], and in
//! `spec/formats/journal.md`.

pub(crate) mod frame;
pub(crate) mod mark;
mod queue;
mod recover;
mod scan;
mod tail;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use ledgerline_world::{Chance, Clock, TenantBlobs};
use parking_lot::Mutex;

use self::queue::Queue;
use self::recover::{Opened, dedupe_path};
use self::scan::{FileScan, Step};
use self::tail::{Tail, WriteError, folder};
use crate::committed::{Apply, Committed, Position};
use crate::dedupe;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Job, Journal};
use crate::options::{Options, Recovered, Start};
use crate::prepare::Desk;

/// A tenant's journal in files.
#[derive(Debug)]
pub(crate) struct FileJournal {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and everyone else share.
#[derive(Debug)]
struct Shared {
    blobs: TenantBlobs,
    desk: Arc<Desk>,
    apply: Arc<dyn Apply>,
    queue: Queue,
    /// Taken for each group, and never while commits are applied.
    tail: Mutex<Tail>,
    /// Taken by who deletes files, and by who reads them.
    files: Mutex<()>,
    end: AtomicU64,
    size_bytes: AtomicU64,
}

impl Shared {
    /// Shows what the tail came to.
    fn publish(&self, tail: &Tail) {
        self.end.store(tail.position().0, Ordering::SeqCst);
        self.size_bytes.store(tail.size_bytes(), Ordering::SeqCst);
    }

    /// The error of who asked for something other than to append.
    fn refused(&self, error: WriteError) -> Error {
        match error {
            WriteError::Full(what) => Error::new(ErrorKind::DiskFull, what),
            WriteError::Fatal(error) => {
                self.desk.fail(&writer::describe(&error));
                self.desk.unknown()
            }
        }
    }
}

impl FileJournal {
    /// Opens the journal and begins to write it.
    pub(crate) fn open(
        blobs: TenantBlobs,
        (clock, chance): (Arc<dyn Clock>, Chance),
        options: Options,
        start: &Start,
        apply: Arc<dyn Apply>,
    ) -> Result<(Self, Recovered)> {
        let queue_bytes = options.queue_bytes;
        let place = (blobs.clone(), chance.clone());
        let opened = recover::open(place, options, start, &*apply)?;
        let Opened { tail, order, recovered } = opened;
        let shared = Arc::new(Shared {
            blobs,
            desk: Arc::new(Desk::new((clock, chance), queue_bytes, order)),
            apply,
            queue: Queue::default(),
            end: AtomicU64::new(tail.position().0),
            size_bytes: AtomicU64::new(tail.size_bytes()),
            tail: Mutex::new(tail),
            files: Mutex::new(()),
        });
        let for_writer = Arc::clone(&shared);
        let writer = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer::run(&for_writer))
            .map_err(|error| Error::new(ErrorKind::Busy, format!("a thread: {error}")))?;
        Ok((Self { shared, writer: Mutex::new(Some(writer)) }, recovered))
    }

    /// Keeps the keys and ids that a trim would forget with the commits. Answers up to where it is
    /// then safe to trim.
    fn keep_dedupe(&self, until: Position) -> Result<Position> {
        let desk = &self.shared.desk;
        let now_ns = desk.now_ns();
        if !self.shared.tail.lock().would_forget(until, now_ns) {
            return Ok(until);
        }
        let (covered, bytes) = {
            let mut order = desk.order.lock();
            order.dedupe.forget_old(now_ns);
            (order.dedupe.covered(), dedupe::format::encode(&order.dedupe))
        };
        let path = dedupe_path();
        let put = self.shared.blobs.put(&path, &bytes);
        put.map_err(|error| Error::disk(path.as_str(), error))?;
        Ok(until.min(covered))
    }
}

impl Journal for FileJournal {
    fn desk(&self) -> &Arc<Desk> {
        &self.shared.desk
    }

    fn append(&self, job: Job) {
        self.shared.queue.push(job);
    }

    fn read(&self, from: Position, take: &mut dyn FnMut(Committed)) -> Result<()> {
        let _undeleted = self.shared.files.lock();
        let extents = self.shared.tail.lock().extents();
        for extent in extents.iter().filter(|extent| extent.position > from) {
            let mut scan = FileScan::open(&self.shared.blobs, &extent.path)?;
            while let Step::Group(group) = scan.next(Some(extent.end))? {
                for (index, (head, body)) in group.entries.iter().enumerate() {
                    let position = group.position.after(index);
                    if position < from {
                        continue;
                    }
                    let commit = recover::commit(position, head, body).ok_or_else(|| {
                        Error::corrupt(&extent.path, group.start, "the events cannot be read")
                    })?;
                    take(commit);
                }
            }
        }
        Ok(())
    }

    fn trim(&self, applied: Position) -> Result<()> {
        let shared = &*self.shared;
        let _undisturbed = shared.files.lock();
        if shared.desk.failed().is_some() {
            return Err(shared.desk.unknown());
        }
        let until = self.keep_dedupe(applied.min(self.end()))?;
        let mut tail = shared.tail.lock();
        tail.retire(until).map_err(|error| shared.refused(error))?;
        let deleted = tail.delete_before(until);
        shared.publish(&tail);
        deleted.map_err(|error| Error::disk(folder().as_str(), error))
    }

    fn end(&self) -> Position {
        Position(self.shared.end.load(Ordering::SeqCst))
    }

    fn size_bytes(&self) -> u64 {
        self.shared.size_bytes.load(Ordering::SeqCst)
    }

    fn close(&self) {
        let shared = &*self.shared;
        shared.desk.close();
        shared.queue.close();
        let Some(writer) = self.writer.lock().take() else { return };
        if writer.thread().id() == thread::current().id() {
            return;
        }
        let is_lost = writer.join().is_err() || shared.desk.failed().is_some();
        if is_lost {
            return;
        }
        let mut tail = shared.tail.lock();
        // Without its seal the next start does more, and loses nothing.
        if let Err(error) = tail.end_current() {
            drop(shared.refused(error));
        }
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        self.close();
    }
}

//! A journal in files: `journal/<position of the first commit, 16 hexadecimal digits>.log` in the
//! tenant's folder. The layout is drawn in [`frame`], [`mark`] and [`crate::entry`], and in
//! `spec/formats/journal.md`.

pub(crate) mod frame;
pub(crate) mod mark;
mod queue;
pub(crate) mod recover;
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
use self::tail::{Tail, WriteError, folder};
use crate::committed::{Apply, Position};
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
    /// Taken by who deletes files.
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
    /// then safe to trim; nothing when there is more to keep than the trim would free, and so it is
    /// better put off.
    fn keep_dedupe(&self, until: Position, trim: Trim) -> Result<Option<Position>> {
        let desk = &self.shared.desk;
        let now_ns = desk.now_ns();
        let freed_bytes = {
            let tail = self.shared.tail.lock();
            if !tail.would_forget(until, now_ns) {
                return Ok(Some(until));
            }
            tail.freed_bytes(until)
        };
        let (covered, mut kept) = {
            let mut order = desk.order.lock();
            order.dedupe.forget_old(now_ns);
            if trim == Trim::WhereItFrees && order.dedupe.kept_bytes() > freed_bytes {
                return Ok(None);
            }
            (order.dedupe.covered(), dedupe::format::Kept::new(&order.dedupe))
        };
        loop {
            let slice = kept.slice(&desk.order.lock().dedupe);
            let Some(slice) = slice else { break };
            kept.put(slice);
        }
        let path = dedupe_path();
        let put = self.shared.blobs.put(&path, &kept.finish());
        put.map_err(|error| Error::disk(path.as_str(), error))?;
        Ok(Some(until.min(covered)))
    }
}

/// What a trim is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trim {
    /// To free room: it is put off where it would free none.
    WhereItFrees,
    /// To forget what was erased.
    Now,
}

impl FileJournal {
    fn trim_for(&self, applied: Position, trim: Trim) -> Result<()> {
        let shared = &*self.shared;
        let _undisturbed = shared.files.lock();
        if shared.desk.failed().is_some() {
            return Err(shared.desk.unknown());
        }
        let until = applied.min(self.end());
        let Some(until) = self.keep_dedupe(until, trim)? else { return Ok(()) };
        let mut tail = shared.tail.lock();
        tail.retire(until).map_err(|error| shared.refused(error))?;
        let deleted = tail.delete_before(until);
        shared.publish(&tail);
        deleted.map_err(|error| Error::disk(folder().as_str(), error))
    }
}

impl Journal for FileJournal {
    fn desk(&self) -> &Arc<Desk> {
        &self.shared.desk
    }

    fn append(&self, job: Job) {
        self.shared.queue.push(job);
    }

    fn trim(&self, applied: Position) -> Result<()> {
        self.trim_for(applied, Trim::WhereItFrees)
    }

    fn turn(&self) -> Result<Position> {
        let shared = &*self.shared;
        let _undisturbed = shared.files.lock();
        if shared.desk.failed().is_some() {
            return Err(shared.desk.unknown());
        }
        let mut tail = shared.tail.lock();
        let turned = tail.end_current().and_then(|()| tail.begin(&[]));
        shared.publish(&tail);
        turned.map_err(|error| shared.refused(error))?;
        Ok(tail.position())
    }

    fn forget(&self, applied: Position) -> Result<()> {
        self.trim_for(applied, Trim::Now)
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

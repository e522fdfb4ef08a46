//! Making entries ready, on the caller's side: admission, duplicates, bytes. What is left to the
//! one writer is to put them in order.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ledgerline_model::batch::Batch;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_world::{Chance, Clock};
use parking_lot::Mutex;

use crate::dedupe::{Dedupe, KeyMark, Known, Mark, id_mark};
use crate::entry::{Body, Packer};
use crate::error::{Error, ErrorKind, Result};
use crate::receipt::{IdempotencyKey, Receipt};

/// What the order of commits has come to.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The next event's number of each dataset that has one.
    pub(crate) next_seqs: HashMap<DatasetId, Seq>,
    pub(crate) dedupe: Dedupe,
}

impl Order {
    /// The next event's number.
    pub(crate) fn next_seq(&self, dataset: DatasetId) -> Seq {
        self.next_seqs.get(&dataset).copied().unwrap_or(Seq(0))
    }
}

/// Where entries are made ready, for all datasets of one tenant.
#[derive(Debug)]
pub(crate) struct Desk {
    clock: Arc<dyn Clock>,
    chance: Chance,
    packer: Packer,
    queue_bytes: usize,
    waiting_bytes: AtomicUsize,
    /// Keys of requests that are on their way.
    in_flight: Mutex<HashSet<Mark>>,
    pub(crate) order: Mutex<Order>,
    is_closed: AtomicBool,
    failure: OnceLock<Arc<str>>,
}

/// What became of a batch at the desk.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// Nothing is left to do.
    Answered(Receipt),
    /// It goes on.
    On(T),
}

impl Desk {
    pub(crate) fn new(
        (clock, chance): (Arc<dyn Clock>, Chance),
        queue_bytes: usize,
        order: Order,
    ) -> Self {
        Self {
            clock,
            chance,
            packer: Packer::default(),
            queue_bytes,
            waiting_bytes: AtomicUsize::new(0),
            in_flight: Mutex::default(),
            order: Mutex::new(order),
            is_closed: AtomicBool::new(false),
            failure: OnceLock::new(),
        }
    }

    pub(crate) fn now_ns(&self) -> i64 {
        self.clock.now().0
    }

    pub(crate) fn chance(&self) -> &Chance {
        &self.chance
    }

    /// Why the journal takes nothing more, when it failed.
    pub(crate) fn failed(&self) -> Option<Arc<str>> {
        self.failure.get().cloned()
    }

    /// Notes, once and for good, that what is durable is not known any more.
    pub(crate) fn fail(&self, what: &str) {
        self.failure.get_or_init(|| what.into());
    }

    /// Refuses everything from now on.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// The error of everyone whose entry was on its way when the journal failed.
    pub(crate) fn unknown(&self) -> Error {
        let what = self.failed();
        Error::new(ErrorKind::Unknown, what.as_deref().unwrap_or("the journal's writer ended"))
    }

    /// Takes a batch when there is room for it and its key is new.
    pub(crate) fn admit(
        self: &Arc<Self>,
        dataset: DatasetId,
        batch: Batch,
        key: Option<&IdempotencyKey>,
    ) -> Result<Step<Admitted>> {
        if let Some(what) = self.failed() {
            let what = format!("the journal takes nothing more: {what}");
            return Err(Error::new(ErrorKind::Busy, what));
        }
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Busy, "the journal is closed"));
        }
        let key = match key.map(|key| self.claim(KeyMark::new(dataset, key))).transpose()? {
            Some(Step::Answered(receipt)) => return Ok(Step::Answered(receipt)),
            Some(Step::On(claim)) => Some(claim),
            None => None,
        };
        if batch.rows() == 0 {
            return Ok(Step::Answered(self.answer_none(dataset, &batch, 0, key.as_ref())));
        }
        let room = self.reserve(batch.size_bytes())?;
        Ok(Step::On(Admitted { dataset, batch, key, room }))
    }

    /// The answer to a batch of which nothing is stored.
    pub(crate) fn answer_none(
        &self,
        dataset: DatasetId,
        batch: &Batch,
        duplicates: u64,
        key: Option<&Claim>,
    ) -> Receipt {
        let mut order = self.order.lock();
        let receipt = Receipt {
            first_seq: order.next_seq(dataset),
            stored: 0,
            duplicates,
            received: batch.received(),
            id_base: 0,
            replayed: false,
        };
        order.dedupe.answer(key.map(|claim| claim.key), receipt, &[]);
        receipt
    }

    fn claim(self: &Arc<Self>, key: KeyMark) -> Result<Step<Claim>> {
        // First the claim, then the look: an answer is remembered before its claim is let go, so
        // that no moment lies between in which the key is unknown.
        if !self.in_flight.lock().insert(key.mark) {
            let what = "another request with the same idempotency key is on its way";
            return Err(Error::new(ErrorKind::InFlight, what));
        }
        let claim = Claim { desk: Arc::clone(self), key };
        let known = {
            let mut order = self.order.lock();
            order.dedupe.forget_old(self.now_ns());
            order.dedupe.key(&key)
        };
        match known {
            None => Ok(Step::On(claim)),
            Some(Known::Answered(receipt)) => Ok(Step::Answered(receipt)),
            Some(Known::Conflict) => {
                let what = "the idempotency key was used with other contents";
                Err(Error::new(ErrorKind::Conflict, what))
            }
        }
    }

    fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Room> {
        let reserved = self.waiting_bytes.fetch_update(
            Ordering::SeqCst,
            Ordering::SeqCst,
            // A batch larger than the whole queue waits alone.
            |waiting| {
                (waiting == 0 || waiting + bytes <= self.queue_bytes).then_some(waiting + bytes)
            },
        );
        match reserved {
            Ok(_) => Ok(Room { desk: Arc::clone(self), bytes }),
            Err(waiting) => {
                let what = format!("{waiting} bytes wait to be written, and no more may");
                Err(Error::new(ErrorKind::Busy, what))
            }
        }
    }
}

/// The right to be the one request with its key. Let go when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    desk: Arc<Desk>,
    pub(crate) key: KeyMark,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.desk.in_flight.lock().remove(&self.key.mark);
    }
}

/// Bytes of what may wait. Given back when dropped.
#[derive(Debug)]
struct Room {
    desk: Arc<Desk>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.desk.waiting_bytes.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

/// A batch that was taken.
#[derive(Debug)]
pub(crate) struct Admitted {
    dataset: DatasetId,
    batch: Batch,
    key: Option<Claim>,
    room: Room,
}

impl Admitted {
    /// How much work it is to prepare it, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.room.bytes
    }

    /// Leaves out what was stored before, and makes the rest into bytes.
    ///
    /// # Errors
    /// `Bug` for a batch that is too long.
    pub(crate) fn prepare(self) -> Result<Step<Prepared>> {
        let Self { dataset, batch, key, room } = self;
        let desk = Arc::clone(&room.desk);
        let mut ids = Vec::new();
        if let Some((rows, texts)) = batch.ids() {
            ids.extend(rows.iter().zip(texts.iter()).map(|(row, id)| (*row, id_mark(dataset, id))));
        }
        let known = if ids.is_empty() { HashSet::new() } else { desk.known(&ids) };
        let rows_before = batch.rows();
        let (batch, ids) = without_known(batch, ids, |id| known.contains(&id));
        let duplicates = (rows_before - batch.rows()) as u64;
        if batch.rows() == 0 {
            let receipt = desk.answer_none(dataset, &batch, duplicates, key.as_ref());
            return Ok(Step::Answered(receipt));
        }
        let body = desk.packer.pack(&batch)?;
        Ok(Step::On(Prepared { dataset, batch, body, ids, duplicates, key, room }))
    }
}

impl Desk {
    fn known(&self, ids: &[(u32, Mark)]) -> HashSet<Mark> {
        let mut order = self.order.lock();
        order.dedupe.forget_old(self.now_ns());
        ids.iter().map(|(_, id)| *id).filter(|id| order.dedupe.has_id(*id)).collect()
    }
}

/// An entry that is ready to be put in order.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) dataset: DatasetId,
    pub(crate) batch: Batch,
    pub(crate) body: Body,
    ids: Vec<(u32, Mark)>,
    pub(crate) duplicates: u64,
    pub(crate) key: Option<Claim>,
    room: Room,
}

impl Prepared {
    /// The marks of the events' own ids.
    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = Mark> + '_ {
        self.ids.iter().map(|(_, id)| *id)
    }

    /// Its events; lets go of its key and its room.
    pub(crate) fn into_batch(self) -> Batch {
        self.batch
    }

    /// Without the events that were stored since it was prepared. Rare, so the bytes are made anew.
    ///
    /// # Errors
    /// `Bug` for a batch that is too long, which it was not before.
    pub(crate) fn without(self, is_known: impl Fn(Mark) -> bool) -> Result<Self> {
        if !self.ids().any(&is_known) {
            return Ok(self);
        }
        let Self { dataset, batch, ids, duplicates, key, room, .. } = self;
        let rows_before = batch.rows();
        let (batch, ids) = without_known(batch, ids, is_known);
        let duplicates = duplicates + (rows_before - batch.rows()) as u64;
        let body = room.desk.packer.pack(&batch)?;
        Ok(Self { dataset, batch, body, ids, duplicates, key, room })
    }
}

/// The batch without the events whose id is known, or occurs before in it.
fn without_known(
    batch: Batch,
    ids: Vec<(u32, Mark)>,
    is_known: impl Fn(Mark) -> bool,
) -> (Batch, Vec<(u32, Mark)>) {
    let mut keep = vec![true; batch.rows()];
    let mut seen = HashSet::with_capacity(ids.len());
    for (row, id) in &ids {
        keep[*row as usize] = seen.insert(*id) && !is_known(*id);
    }
    if keep.iter().all(|keep| *keep) {
        return (batch, ids);
    }
    let mut kept_ids = Vec::with_capacity(ids.len());
    let (mut row_kept, mut row_seen) = (0, 0);
    for (row, id) in ids {
        row_kept += keep[row_seen..row as usize].iter().filter(|keep| **keep).count() as u32;
        row_seen = row as usize;
        if keep[row_seen] {
            kept_ids.push((row_kept, id));
        }
    }
    (batch.retained(&keep), kept_ids)
}

//! What a journal is, whatever keeps its bytes. `files` is one; one over the Kafka protocol can be
//! another.

use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::committed::Position;
use crate::error::Result;
use crate::prepare::{Desk, Prepared};
use crate::receipt::Receipt;

/// Who waits for an entry.
pub(crate) type Waiter = oneshot::Sender<Result<Receipt>>;

/// An entry on its way: answered exactly once, or dropped when it is not known what became of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) prepared: Prepared,
    pub(crate) waiter: Waiter,
}

/// The durable order of one tenant's entries.
pub(crate) trait Journal: Send + Sync + Debug {
    /// Where entries are made ready before they are appended.
    fn desk(&self) -> &Arc<Desk>;
    /// Appends an entry. Its waiter is answered when it is durable and was applied.
    fn append(&self, job: Job);
    /// Forgets the commits before a position, as far as that frees room.
    fn trim(&self, applied: Position) -> Result<()>;
    /// Begins a new file, whatever there is in the one that is written, and says at which commit.
    fn turn(&self) -> Result<Position>;
    /// Forgets the commits before a position, whatever that costs. What lies in the same file as a
    /// later commit stays.
    fn forget(&self, applied: Position) -> Result<()>;
    /// The place after the last durable commit.
    fn end(&self) -> Position;
    /// Bytes that it takes.
    fn size_bytes(&self) -> u64;
    /// Stops after what waits.
    fn close(&self);
}

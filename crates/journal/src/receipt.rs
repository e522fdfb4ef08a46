//! What a sender is told.

use ledgerline_model::id::{EventId, Seq};
use ledgerline_model::time::Timestamp;

/// The key under which a request may be repeated without being stored twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The sender's key, 1 to `limits::IDEMPOTENCY_KEY_BYTES_MAX` bytes.
    pub key: String,
    /// SHA-256 over what the sender asked for (path and decompressed body).
    pub digest: [u8; 32],
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the first event that was stored; the dataset's next when none was.
    pub first_seq: Seq,
    /// How many events were stored.
    pub stored: u64,
    /// How many events were left out, because an event with their id was stored before.
    pub duplicates: u64,
    /// When the events were received.
    pub received: Timestamp,
    /// What their ids count from.
    pub id_base: u128,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

impl Receipt {
    /// The id that Ledgerline gave to the event at an index of those that were stored.
    #[must_use]
    pub fn id(&self, index: u64) -> EventId {
        EventId::derived(self.received, self.id_base, index)
    }
}

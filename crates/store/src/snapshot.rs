//! What one reader sees of one dataset: parts that never change, all of one tenant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_model::id::{Seq, TenantId};

use crate::part::Part;

/// Some events of one dataset of one tenant, as they were at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    tenant: TenantId,
    parts: Vec<Part>,
    as_of: Seq,
    scanned: Arc<AtomicU64>,
}

impl Snapshot {
    pub(crate) fn new(
        tenant: TenantId,
        parts: Vec<Part>,
        as_of: Seq,
        scanned: Arc<AtomicU64>,
    ) -> Self {
        Self { tenant, parts, as_of, scanned }
    }

    /// Whose events they are.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The parts that may hold events of the span of time that was asked for; they may hold others
    /// too.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The number that the next event of the dataset would have had: every event below it is in the
    /// snapshot.
    #[must_use]
    pub fn as_of(&self) -> Seq {
        self.as_of
    }

    /// How many stored bytes were read through this snapshot so far.
    #[must_use]
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }
}

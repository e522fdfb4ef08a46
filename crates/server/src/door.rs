//! The door for events: how many bytes may be on their way in. Whoever finds it closed is told to
//! come back, before memory runs out and never after.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledgerline_api::code::Code;
use ledgerline_policy::{Append, Scope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Failure, Result};
use crate::metrics::Metrics;
use crate::node::Node;

/// What a permit stands for, so that 32 bits of them suffice.
const PERMIT_BYTES: usize = 1 << 10;

/// The door.
#[derive(Debug)]
pub(crate) struct Door {
    inflight: Arc<Semaphore>,
    inflight_permits: usize,
    /// Refreshed by the loops, many times a second.
    memtable_bytes: AtomicUsize,
    limits: Limits,
}

/// How much memory events may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Between the door and the journal.
    pub(crate) inflight_bytes: usize,
    /// In memory and in no segment.
    pub(crate) memtable_bytes: usize,
    /// The same for one tenant, beyond which its events are flushed.
    pub(crate) memtable_bytes_per_tenant: usize,
    /// What the segments of one tenant may take on the disk; 0 is no limit.
    pub(crate) tenant_bytes: u64,
}

/// Memory that one request has; given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    permit: OwnedSemaphorePermit,
    inflight: Arc<Semaphore>,
}

impl Door {
    pub(crate) fn new(limits: Limits) -> Self {
        let permits = (limits.inflight_bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            inflight: Arc::new(Semaphore::new(permits)),
            inflight_permits: permits,
            memtable_bytes: AtomicUsize::new(0),
            limits,
        }
    }

    /// Lets a request in that says it brings so many bytes.
    ///
    /// # Errors
    /// `ingest_busy`, and `tenant_full`.
    pub(crate) fn enter(&self, node: &Node, scope: &Scope<Append>, bytes: usize) -> Result<Pass> {
        let tenant = node.tenant(scope.tenant())?;
        let most = self.limits.tenant_bytes;
        if most > 0 && tenant.store.stored_bytes() >= most {
            let detail = format!("the tenant has {most} bytes stored, which is all it may");
            return Err(Failure::new(Code::TenantFull, detail));
        }
        let of_tenant = tenant.store.memory_bytes();
        // Twice the share: while one half is flushed, the other fills.
        let is_full = of_tenant > self.limits.memtable_bytes_per_tenant.saturating_mul(2)
            || self.memtable_bytes.load(Ordering::Relaxed) > self.limits.memtable_bytes;
        if is_full {
            return Err(busy());
        }
        let inflight = Arc::clone(&self.inflight);
        let permits = permits(bytes)?.min(u32::try_from(self.inflight_permits).unwrap_or(u32::MAX));
        let permit = Arc::clone(&inflight).try_acquire_many_owned(permits).map_err(|_| busy())?;
        Ok(Pass { permit, inflight })
    }

    /// Says how many bytes of events are in memory and in no segment.
    pub(crate) fn refresh(&self, memtable_bytes: usize, metrics: &Metrics) {
        self.memtable_bytes.store(memtable_bytes, Ordering::Relaxed);
        metrics.memtable_bytes.set(gauge(memtable_bytes));
        let free = self.inflight.available_permits();
        metrics.inflight_bytes.set(gauge((self.inflight_permits - free) * PERMIT_BYTES));
    }

    /// How many bytes may be on their way in, and how many of those are free.
    pub(crate) fn quota(&self) -> (usize, usize) {
        let free = self.inflight.available_permits();
        (self.inflight_permits * PERMIT_BYTES, free * PERMIT_BYTES)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Pass {
    /// Asks for memory up to so many bytes in all.
    ///
    /// # Errors
    /// `ingest_busy`.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<()> {
        let wanted = permits(bytes)?;
        let held = u32::try_from(self.permit.num_permits()).unwrap_or(u32::MAX);
        if wanted > held {
            let more = Arc::clone(&self.inflight).try_acquire_many_owned(wanted - held);
            self.permit.merge(more.map_err(|_| busy())?);
        }
        Ok(())
    }
}

fn permits(bytes: usize) -> Result<u32> {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).map_err(|_| busy())
}

fn busy() -> Failure {
    Failure::new(Code::IngestBusy, "too many events are on their way in; nothing was stored")
}

fn gauge(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

//! One tenant's journal: the tenant is bound here, once.

use std::sync::Arc;

use ledgerline_model::id::{DatasetId, TenantId};
use ledgerline_policy::{Append, Scope, Upkeep};
use ledgerline_world::{Chance, Clock, TenantBlobs};

use crate::appender::Appender;
use crate::committed::{Apply, Position};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{FileJournal, recover};
use crate::journal::Journal;
use crate::options::{Options, Recovered, Start};

/// One tenant's journal.
#[derive(Debug, Clone)]
pub struct TenantJournal {
    tenant: TenantId,
    journal: Arc<dyn Journal>,
}

impl TenantJournal {
    /// Opens a tenant's journal: reads what it holds, hands what `start` does not cover to `apply`,
    /// and begins to write. One process at a time may; the lock of the data folder sees to that.
    ///
    /// # Errors
    /// `Corrupt` when what was acknowledged cannot be read, or is not what `start` says; nothing
    /// was then changed, and `apply` may have got a part. `DiskFull` when the disk is so full that
    /// the last group cannot be made sure of. `Bug` when the scope is another tenant's.
    pub fn open(
        scope: &Scope<Upkeep>,
        blobs: TenantBlobs,
        means: (Arc<dyn Clock>, Chance),
        options: Options,
        start: Start,
        apply: Arc<dyn Apply>,
    ) -> Result<(Self, Recovered)> {
        let tenant = blobs.tenant();
        check_tenant(scope, tenant)?;
        let (journal, recovered) = FileJournal::open(blobs, means, options, &start, apply)?;
        Ok((Self { tenant, journal: Arc::new(journal) }, recovered))
    }

    /// Where a journal that is not open begins: its first commit that was not trimmed. Nothing when
    /// there is no journal.
    ///
    /// # Errors
    /// The disk's; `Bug` when the scope is another tenant's.
    pub fn begins(scope: &Scope<Upkeep>, blobs: &TenantBlobs) -> Result<Option<Position>> {
        check_tenant(scope, blobs.tenant())?;
        Ok(recover::list(blobs)?.first().copied())
    }

    /// Binds a dataset, once.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn appender(&self, scope: &Scope<Append>, dataset: DatasetId) -> Result<Appender> {
        check_tenant(scope, self.tenant)?;
        Ok(Appender::new(Arc::clone(&self.journal), dataset))
    }

    /// Deletes the files whose every commit lies before `applied`. Keys and ids that are still
    /// remembered are kept elsewhere first; when these are more than would be freed, a later trim
    /// does both. May wait for the disk.
    ///
    /// # Errors
    /// The disk's; `Unknown` when it failed; `Bug` when the scope is another tenant's.
    pub fn trim(&self, scope: &Scope<Upkeep>, applied: Position) -> Result<()> {
        check_tenant(scope, self.tenant)?;
        self.journal.trim(applied)
    }

    /// Begins a new file, so that what was committed so far lies in files of its own, and answers
    /// the place after it: [`TenantJournal::forget`] deletes those files once everything before
    /// that place is applied. What was committed just now may not be, since a commit is durable
    /// before it is applied.
    ///
    /// # Errors
    /// As [`TenantJournal::trim`].
    pub fn turn(&self, scope: &Scope<Upkeep>) -> Result<Position> {
        check_tenant(scope, self.tenant)?;
        self.journal.turn()
    }

    /// As [`TenantJournal::trim`], but never put off: what was erased must not stay.
    ///
    /// # Errors
    /// As [`TenantJournal::trim`].
    pub fn forget(&self, scope: &Scope<Upkeep>, applied: Position) -> Result<()> {
        check_tenant(scope, self.tenant)?;
        self.journal.forget(applied)
    }

    /// The place after the last commit.
    #[must_use]
    pub fn end(&self) -> Position {
        self.journal.end()
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.journal.size_bytes()
    }

    /// Why the journal takes nothing more, when the disk failed: the process must then end, and the
    /// next start finds out what is stored.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        self.journal.desk().failed().map(|what| what.to_string())
    }

    /// How many keys of requests and ids of events were forgotten before their time, because more
    /// came than are remembered, since this was last asked.
    #[must_use]
    pub fn take_forgotten_early(&self) -> u64 {
        self.journal.desk().order.lock().dedupe.take_forgotten_early()
    }

    /// Stops the writer after what waits. Waits for it.
    pub fn close(&self) {
        self.journal.close();
    }
}

fn check_tenant<A>(scope: &Scope<A>, tenant: TenantId) -> Result<()> {
    if scope.tenant() == tenant {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Bug, "the scope is another tenant's"))
}

//! What removals of events need: which entries they take along, and what of them is begun.

use std::ops::Range;

use ledgerline_ledger::entry::Kind;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Scope, Upkeep};

use super::rows::Link;
use super::{Trees, removes};
use crate::error::Result;

/// Removals that were asked for together, and how far they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// When it was begun. Of many jobs the oldest are forgotten.
    pub created: Timestamp,
    /// What else is known of it.
    pub body: String,
}

impl Trees {
    /// The amendments of all events within rising spans, by their numbers.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn amendments_within(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        spans: &[Range<u64>],
    ) -> Result<Vec<Seq>> {
        self.check_tenant(scope.tenant())?;
        let mut seqs = Vec::new();
        for span in spans {
            let about = |link: &Link| link.kind == Kind::Amendment && span.contains(&link.first);
            // First those that wait, as with one event's.
            seqs.extend(self.waiting(dataset, about).into_iter().map(|link| Seq(link.seq)));
            let amendments = self.rows.amendments_within(dataset, span)?;
            seqs.extend(amendments.into_iter().map(Seq));
        }
        seqs.sort_unstable();
        seqs.dedup();
        Ok(seqs)
    }

    /// What those erasures and retirements removed whose own entries are within a span.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn removed_by(
        &self,
        scope: &Scope<Upkeep>,
        dataset: DatasetId,
        span: &Range<u64>,
    ) -> Result<Vec<Range<u64>>> {
        self.check_tenant(scope.tenant())?;
        let about = |link: &Link| removes(link.kind) && span.contains(&link.seq);
        let waiting = self.waiting(dataset, about);
        let waiting = waiting.into_iter().map(|link| (link.first, link.last));
        let durable = self.rows.removed_by(dataset, span)?;
        Ok(waiting.chain(durable).map(|(first, last)| first..last + 1).collect())
    }

    /// Removals that were begun and must be ended, by their ids.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn intents(&self, scope: &Scope<Upkeep>) -> Result<Vec<([u8; 16], String)>> {
        self.check_tenant(scope.tenant())?;
        self.rows.intents()
    }

    /// Notes, durably, removals that are begun, and the job that they are parts of: all or nothing.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn put_intents(
        &self,
        scope: &Scope<Upkeep>,
        intents: &[([u8; 16], String)],
        job: Option<&Job>,
    ) -> Result<()> {
        self.check_tenant(scope.tenant())?;
        self.rows.put_intents(intents, job)
    }

    /// Forgets a removal that is done, and notes how far its job is with that.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn remove_intent(
        &self,
        scope: &Scope<Upkeep>,
        id: [u8; 16],
        job: Option<&Job>,
    ) -> Result<()> {
        self.check_tenant(scope.tenant())?;
        self.rows.remove_intent(id, job)
    }

    /// A job by its id, if it is one of the last.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn job(&self, scope: &Scope<Upkeep>, id: &str) -> Result<Option<Job>> {
        self.check_tenant(scope.tenant())?;
        self.rows.job(id)
    }
}

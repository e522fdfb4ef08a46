//! SQL: one SELECT over one tenant's datasets.

use ledgerline_model::convention::Conventions;
use ledgerline_store::snapshot::Snapshot;

use crate::answer::Table;
use crate::budget::Budget;
use crate::error::Result;

/// The datasets that a SQL query may name, all of one tenant.
pub trait Tables: Send + Sync {
    /// The dataset of this name, if whoever asks may read it.
    ///
    /// # Errors
    /// `NotFound`, and whatever opening it meets.
    fn table(&self, name: &str) -> Result<(Snapshot, Conventions)>;
}

/// The answer to one SELECT. Runs on the caller's async runtime, but yields between batches.
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn sql(statement: &str, tables: &dyn Tables, budget: &Budget) -> Result<Table> {
    let _ = (statement, tables, budget);
    todo!()
}

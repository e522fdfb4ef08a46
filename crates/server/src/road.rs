//! The life of one event. A request becomes a `Principal` and a `Scope<Append>` (`auth`), its bytes
//! become a `Batch` (`routes::ingest`); the rest of the road is here.

use ledgerline_journal::{ErrorKind, IdempotencyKey, Receipt};
use ledgerline_model::batch::Batch;
use ledgerline_model::id::DatasetId;
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Append, Job, Read, Scope, upkeep};
use ledgerline_store::Flushed;
use ledgerline_store::snapshot::Snapshot;

use crate::error::Result;
use crate::node::{Node, OpenTenant};

/// Batch → durable → visible. The tenant is bound once; after that nothing takes one. When this
/// returns, the events are on stable storage, and the journal has given them to the store: nothing
/// is readable before it is durable.
pub(crate) async fn append(
    node: &Node,
    scope: &Scope<Append>,
    dataset: DatasetId,
    batch: Batch,
    key: Option<IdempotencyKey>,
) -> Result<Receipt> {
    let appender = node.tenant(scope.tenant())?.journal.appender(scope, dataset)?;
    let appended = appender.append(batch, key).await;
    if let Err(error) = &appended
        && error.kind() == ErrorKind::Unknown
    {
        node.fail(error.to_string());
    }
    Ok(appended?)
}

/// Memory → segments → a catalog that says so, and only then is the journal trimmed. Nothing for a
/// tenant that is gone.
pub(crate) fn flush(tenant: &OpenTenant) -> Result<Flushed> {
    let is_gone = tenant.is_gone.read();
    if *is_gone {
        return Ok(Flushed::default());
    }
    let scope = upkeep(tenant.id, Job::Flush);
    let flushed = tenant.store.flush(&scope)?;
    tenant.journal.trim(&scope, flushed.applied)?;
    Ok(flushed)
}

/// What one reader sees: immutable, of one dataset of one tenant.
pub(crate) fn snapshot(
    node: &Node,
    scope: &Scope<Read>,
    dataset: DatasetId,
    range: TimeRange,
) -> Result<Snapshot> {
    Ok(node.tenant(scope.tenant())?.store.snapshot(scope, dataset, range)?)
}

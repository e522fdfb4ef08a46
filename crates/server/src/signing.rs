//! Signing: every audit dataset's ledger gets a checkpoint soon after it has grown.

use ledgerline_ledger::tree;
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::signer::{Signer, ToSign};
use ledgerline_store::tree::Log;
use ledgerline_world::Clock;

use crate::error::{Failure, Result};
use crate::node::OpenTenant;

/// Makes every entry of a tenant's ledgers durable, and signs the heads of those that have grown.
/// Answers how many it signed.
///
/// # Errors
/// The disk's; `data_corrupt` when a ledger lost what was signed before.
pub(crate) fn sign(open: &OpenTenant, signer: &Signer, clock: &dyn Clock) -> Result<u64> {
    let paused = open.signing.lock();
    let scope = upkeep(open.id, Job::Sign);
    open.store.trees().persist(&scope)?;
    let mut grown: Vec<Log> = Vec::new();
    let mut heads = Vec::new();
    for log in open.store.trees().logs(&scope)? {
        if paused.contains(&log.dataset) {
            continue;
        }
        let last = signer.signed(log.id)?;
        let last = last.unwrap_or(tree::Head::EMPTY);
        let view = open.store.trees().view_for(&scope, log.dataset)?;
        if last.size == log.size && (log.size == 0 || view.checkpoint(Some(log.size))?.is_some()) {
            continue;
        }
        // A ledger that is smaller than what was signed has no such proof, and the signer says so.
        let proof = tree::consistency(&view, last.size.min(log.size), log.size);
        let proof = proof.map_err(|error| Failure::internal(&error))?;
        let head = tree::Head { size: log.size, root: log.root };
        heads.push(ToSign { log_id: log.id, head, proof });
        grown.push(log);
    }
    if heads.is_empty() {
        return Ok(0);
    }
    let now = clock.now();
    let mut notes = Vec::new();
    let mut refused = None;
    for (log, note) in grown.into_iter().zip(signer.sign(&heads)?) {
        match note {
            Ok(note) => notes.push((log.dataset, log.size, now.0, note)),
            Err(error) => refused = Some(error),
        }
    }
    open.store.trees().put_checkpoints(&scope, &notes)?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(notes.len() as u64),
    }
}

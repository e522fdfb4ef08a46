//! New keys for ledgers.
//!
//! ```text
//! the new key, durable → the ledger's entry, signed by both keys → the new key signs
//! ```
//! Between the second step and the third no head of that ledger is signed. Every step can be done
//! again: the end of the process at any place loses no key that the ledger tells of, and the next
//! start, or the next rotation, goes on.

use std::sync::Arc;

use ledgerline_audit::key_rotation::KeyRotation;
use ledgerline_ledger::hash;
use ledgerline_ledger::log_id::{LogId, uuid_text};
use ledgerline_ledger::rotation::Rotation;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::signer::Prepared;
use ledgerline_tenancy::Dataset;

use crate::app::App;
use crate::eraser;
use crate::error::{Failure, Result, blocking};
use crate::node::OpenTenant;
use crate::recorder::{self, Draft, Recorded};
use crate::signing;

/// A ledger has a new key.
#[derive(Debug)]
pub(crate) struct Rotated {
    pub(crate) log_id: LogId,
    pub(crate) rotation: Rotation,
    /// The entry that tells it.
    pub(crate) recorded: Recorded,
    /// From which size on the new key signs.
    pub(crate) since: u64,
}

/// Gives a dataset's ledger a new key, and signs its head with it.
///
/// # Errors
/// `not_found` when there is no ledger yet; the journal's and the database's: then it is gone on
/// with at the next start, or when it is asked for again.
pub(crate) async fn rotate(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
) -> Result<Rotated> {
    let (of_act, open, dataset) = (Arc::clone(app), Arc::clone(open), dataset.clone());
    app.acts.whole(async move { run(&of_act, &open, &dataset).await }).await
}

async fn run(app: &Arc<App>, open: &Arc<OpenTenant>, dataset: &Dataset) -> Result<Rotated> {
    let _one_at_a_time = open.rotating.lock().await;
    let log_id = open.store.trees().log_id(dataset.id).ok_or_else(Failure::no_record)?;
    let paused = Paused::new(open, dataset.id).await?;
    let of_work = Arc::clone(app);
    let (rotation, prepared) =
        blocking(move || Ok(of_work.node.signer().prepare_rotation(log_id)?)).await?;
    let recorded = tell(app, open, dataset, &rotation).await?;
    let since = adopt(app, open, (log_id, prepared), recorded.seq).await?;
    drop(paused);
    let (of_work, of_tenant) = (Arc::clone(app), Arc::clone(open));
    // The loop does the same a little later.
    let signed = blocking(move || {
        signing::sign(&of_tenant, of_work.node.signer(), &*of_work.clock).map(drop)
    });
    if let Err(failure) = signed.await {
        let reason = failure.code().as_str();
        tracing::warn!(tenant = %open.id, reason, "the head is not signed by the new key yet");
    }
    Ok(Rotated { log_id, rotation, recorded, since })
}

/// While this lives, no head of the ledger is signed.
struct Paused(Arc<OpenTenant>, DatasetId);

impl Paused {
    async fn new(open: &Arc<OpenTenant>, dataset: DatasetId) -> Result<Self> {
        let of_work = Arc::clone(open);
        blocking(move || {
            // Who signs just now ends first.
            of_work.signing.lock().insert(dataset);
            Ok(Self(of_work, dataset))
        })
        .await
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.signing.lock().remove(&self.1);
    }
}

/// Writes the entry that tells of the new key, unless an earlier try did.
async fn tell(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    rotation: &Rotation,
) -> Result<Recorded> {
    let id = id_of(rotation);
    if let Some(recorded) = eraser::told(app, open, dataset, &id).await? {
        return Ok(recorded);
    }
    let now = app.clock.now();
    let [(_, old_key), (_, new_key), (_, old_signature), (_, new_signature)] = rotation.members();
    let told = KeyRotation { old_key, new_key, old_signature, new_signature };
    let payload = String::from_utf8(told.payload(&id, now));
    let payload = payload.map_err(|error| Failure::internal(&error))?;
    let scope = upkeep(open.id, Job::Sign).append_rotation(&dataset.name)?;
    let drafts = (vec![Draft { id, is_own_id: true, payload }], now);
    let recording = recorder::record(app, &scope, dataset, drafts, None).await?;
    let recorded = recording.items.into_iter().next().and_then(std::result::Result::ok);
    recorded.ok_or_else(|| Failure::internal(&std::fmt::Error))
}

/// The id of the entry that tells of a new key: the same each time that it is tried.
fn id_of(rotation: &Rotation) -> String {
    let digest = hash::of(&[b"ll/rotation-id/1", rotation.new_key.to_string().as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.0[..16]);
    uuid_text(&bytes)
}

/// Lets the new key sign, from behind the entry on.
async fn adopt(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    (log_id, prepared): (LogId, Prepared),
    seq: Seq,
) -> Result<u64> {
    let (app, open) = (Arc::clone(app), Arc::clone(open));
    blocking(move || {
        let _nobody_signs = open.signing.lock();
        let signer = app.node.signer();
        // After an end of the process the old key may have signed what came behind the entry.
        let signed = signer.signed(log_id)?.map_or(0, |head| head.size);
        let since = (seq.0 + 1).max(if signed > seq.0 { signed + 1 } else { 0 });
        signer.adopt(&prepared, since)?;
        tracing::info!(tenant = %open.id, log = %log_id, since, "a ledger has a new key");
        Ok(since)
    })
    .await
}

/// Lets those keys sign whose ledgers tell of them, and that the end of the process kept from it.
pub(crate) async fn resume(app: &Arc<App>) {
    for open in app.node.tenants() {
        if let Err(failure) = resume_one(app, &open).await {
            let reason = failure.code().as_str();
            tracing::error!(tenant = %open.id, reason, "a new key does not sign yet");
        }
    }
}

async fn resume_one(app: &Arc<App>, open: &Arc<OpenTenant>) -> Result<()> {
    let scope = upkeep(open.id, Job::Sign);
    let datasets = app.records(move |tenancy| tenancy.all_datasets(&scope)).await?;
    for dataset in datasets.into_iter().filter(|dataset| dataset.kind == DatasetKind::Audit) {
        let _one_at_a_time = open.rotating.lock().await;
        let Some(log_id) = open.store.trees().log_id(dataset.id) else { continue };
        let of_work = Arc::clone(app);
        let prepared = blocking(move || Ok(of_work.node.signer().prepared(log_id)?)).await?;
        let Some((rotation, prepared)) = prepared else { continue };
        if let Some(told) = eraser::told(app, open, &dataset, &id_of(&rotation)).await? {
            adopt(app, open, (log_id, prepared), told.seq).await?;
        }
    }
    Ok(())
}

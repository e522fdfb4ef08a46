//! Audit events on their way: a payload and its salt become a row that can be searched and an entry
//! of the ledger, both from one commit of the journal.

use std::collections::{HashMap, HashSet};

use ledgerline_ingest::{Evidence, Reject, admit_evidence};
use ledgerline_journal::{IdempotencyKey, Receipt};
use ledgerline_ledger::commit::{self, Salt};
use ledgerline_ledger::entry::{self, Entry};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::payload;
use ledgerline_model::batch::Batch;
use ledgerline_model::id::{EventId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Append, Job, Scope, upkeep};
use ledgerline_store::snapshot::Kept;
use ledgerline_tenancy::Dataset;
use ledgerline_world::Chance;

use crate::app::App;
use crate::error::{Failure, Result, blocking};
use crate::node::{Node, OpenTenant};
use crate::road;

/// Above so many bytes, a batch is made on another thread.
const INLINE_BYTES_MAX: usize = 16 << 10;

/// An audit event that is not stored yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: String,
    /// Whether the sender gave the id: then it is stored once.
    pub(crate) is_own_id: bool,
    /// What the ledger will commit to.
    pub(crate) payload: String,
}

/// An audit event that is stored.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    pub(crate) seq: Seq,
    pub(crate) received: Timestamp,
    pub(crate) log_id: LogId,
    /// The hash of its entry, once it is known that nobody erased it.
    pub(crate) leaf: Option<Hash>,
    /// Whether it was stored before.
    pub(crate) is_duplicate: bool,
}

/// What became of some drafts, in their order.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) items: Vec<std::result::Result<Recorded, Reject>>,
    pub(crate) is_replayed: bool,
}

/// An id for an event that has none.
pub(crate) fn new_id(chance: &Chance, received: Timestamp) -> String {
    EventId::derived(received, chance.event_id_base(), 0).to_string()
}

/// Makes audit events durable that nobody asks back for.
///
/// # Errors
/// As [`record`].
pub(crate) async fn store(
    node: &Node,
    scope: &Scope<Append>,
    dataset: &Dataset,
    (drafts, received): (Vec<Draft>, Timestamp),
) -> Result<()> {
    let open = node.tenant(scope.tenant())?;
    ledger_of(&open, dataset).await?;
    let salts: Vec<Salt> = drafts.iter().map(|_| Salt(node.data().chance().bytes())).collect();
    let (batch, rejects) = admit(&drafts, &salts, received);
    if let Some(reject) = rejects.first() {
        debug_assert!(false, "a record is an event: {}", reject.detail);
        tracing::error!(reason = reject.detail, "a record cannot be stored");
    }
    if batch.rows() > 0 {
        road::append(node, scope, dataset.id, batch, None).await?;
    }
    Ok(())
}

/// Makes audit events durable.
///
/// # Errors
/// The journal's; `unavailable` when the dataset's ledger takes nothing more.
pub(crate) async fn record(
    app: &App,
    scope: &Scope<Append>,
    dataset: &Dataset,
    (drafts, received): (Vec<Draft>, Timestamp),
    key: Option<IdempotencyKey>,
) -> Result<Recording> {
    let open = app.node.tenant(scope.tenant())?;
    let log_id = ledger_of(&open, dataset).await?;
    let salts: Vec<Salt> = drafts.iter().map(|_| Salt(app.chance.bytes())).collect();
    let bytes: usize = drafts.iter().map(|draft| draft.payload.len()).sum();
    let (drafts, salts, batch, rejects) = if bytes <= INLINE_BYTES_MAX {
        let (batch, rejects) = admit(&drafts, &salts, received);
        (drafts, salts, batch, rejects)
    } else {
        let work = move || {
            let (batch, rejects) = admit(&drafts, &salts, received);
            Ok((drafts, salts, batch, rejects))
        };
        blocking(work).await?
    };
    let receipt = match batch.rows() {
        0 => None,
        _ => Some(road::append(&app.node, scope, dataset.id, batch, key).await?),
    };
    let refused: HashMap<u64, Reject> =
        rejects.into_iter().map(|reject| (reject.line, reject)).collect();
    let taken = (0..).zip(drafts).zip(salts).filter(|((row, _), _)| !refused.contains_key(row));
    let taken: Vec<(Draft, Salt)> = taken.map(|((_, draft), salt)| (draft, salt)).collect();
    let is_replayed = receipt.as_ref().is_some_and(|receipt| receipt.replayed);
    let rows = taken.len() + refused.len();
    if let Some(receipt) = &receipt
        && is_replayed
        && receipt.stored + receipt.duplicates != taken.len() as u64
    {
        let detail = "the rules for events changed since the key came first";
        return Err(Failure::new(ledgerline_api::code::Code::IdempotencyConflict, detail));
    }
    let placed = match receipt {
        None => Vec::new(),
        Some(receipt) if is_new(&receipt, taken.len()) => {
            let place = Placing { log_id, dataset, receipt };
            taken
                .into_iter()
                .zip(0..)
                .map(|((draft, salt), at)| place.recorded(draft, &salt, at))
                .collect()
        }
        Some(receipt) => find_again(app, open, dataset, taken, receipt).await?,
    };
    app.metrics.ingest_rejected.inc_by(refused.len() as u64);
    let mut placed = placed.into_iter();
    let mut refused = refused;
    let items = (0..rows as u64).filter_map(|row| match refused.remove(&row) {
        Some(reject) => Some(Err(reject)),
        None => placed.next().map(Ok),
    });
    Ok(Recording { items: items.collect(), is_replayed })
}

/// The ledger of a dataset, which its first event makes.
async fn ledger_of(open: &std::sync::Arc<OpenTenant>, dataset: &Dataset) -> Result<LogId> {
    if let Some(fault) = open.store.trees().fault(dataset.id) {
        tracing::error!(fault, "the ledger takes nothing more");
        let detail = "the dataset's ledger takes nothing more; the server's log says why";
        return Err(Failure::new(ledgerline_api::code::Code::Unavailable, detail));
    }
    if let Some(log_id) = open.store.trees().log_id(dataset.id) {
        return Ok(log_id);
    }
    let (open, id, name) = (std::sync::Arc::clone(open), dataset.id, dataset.name.clone());
    blocking(move || {
        open.store.ensure_ledger(id, &name)?;
        open.store.trees().log_id(id).ok_or_else(|| Failure::internal(&std::fmt::Error))
    })
    .await
}

fn admit(drafts: &[Draft], salts: &[Salt], received: Timestamp) -> (Batch, Vec<Reject>) {
    let salts: Vec<String> = salts.iter().map(Salt::to_base64).collect();
    let evidence =
        drafts.iter().zip(&salts).map(|(draft, salt)| Evidence { payload: &draft.payload, salt });
    admit_evidence(evidence, received)
}

/// Whether every event was stored by this very request.
fn is_new(receipt: &Receipt, events: usize) -> bool {
    !receipt.replayed && receipt.duplicates == 0 && receipt.stored == events as u64
}

struct Placing<'a> {
    log_id: LogId,
    dataset: &'a Dataset,
    receipt: Receipt,
}

impl Placing<'_> {
    fn recorded(&self, draft: Draft, salt: &Salt, at: u64) -> Recorded {
        let seq = Seq(self.receipt.first_seq.0 + at);
        let received = self.receipt.received;
        let leaf =
            leaf(self.log_id, self.dataset, (seq, received), &draft.id, &draft.payload, salt);
        let log_id = self.log_id;
        Recorded { id: draft.id, seq, received, log_id, leaf, is_duplicate: false }
    }
}

/// The hash of an event's entry.
fn leaf(
    log_id: LogId,
    dataset: &Dataset,
    (seq, received): (Seq, Timestamp),
    id: &str,
    payload: &str,
    salt: &Salt,
) -> Option<Hash> {
    let kind = payload::read(payload).ok()?.statement.kind();
    let entry = Entry {
        log_id,
        seq: seq.0,
        received_ns: u64::try_from(received.0).unwrap_or(0),
        event_id: commit::event_id(id, salt),
        kind,
        commit: commit::payload(&commit::blob(salt, payload.as_bytes()), &[]),
        dataset: entry::Dataset::new(dataset.name.as_str()).ok()?,
    };
    Some(entry.leaf())
}

/// Finds events some of which were stored by earlier requests: those with an id of the sender's by
/// their ids, the others in the order in which the earlier request stored them.
async fn find_again(
    app: &App,
    open: std::sync::Arc<OpenTenant>,
    dataset: &Dataset,
    taken: Vec<(Draft, Salt)>,
    receipt: Receipt,
) -> Result<Vec<Recorded>> {
    let dataset = dataset.clone();
    let clock_now = app.clock.now();
    let tenant = open.id;
    let answered = app.desk.run(tenant, move |budget| {
        let scope = upkeep(tenant, Job::Audit);
        let snapshot = open.store.snapshot_for(&scope, dataset.id)?;
        let range = receipt.first_seq.0..receipt.first_seq.0 + receipt.stored;
        let stored: Vec<Kept> =
            snapshot.kept(&range.map(Seq).collect::<Vec<_>>())?.into_iter().flatten().collect();
        let own: HashSet<&str> = taken
            .iter()
            .filter(|(draft, _)| draft.is_own_id)
            .map(|(draft, _)| &*draft.id)
            .collect();
        let (named, nameless): (Vec<Kept>, Vec<Kept>) =
            stored.into_iter().partition(|kept| own.contains(kept.id.as_str()));
        let mut named: HashMap<String, Kept> =
            named.into_iter().map(|kept| (kept.id.clone(), kept)).collect();
        let missing: Vec<&str> =
            own.iter().copied().filter(|id| !named.contains_key(*id)).collect();
        let conventions = dataset.conventions();
        let target = ledgerline_query::Target {
            snapshot: &snapshot,
            conventions: &conventions,
            range: ledgerline_model::time::TimeRange::ALL,
            now: clock_now,
            budget,
        };
        let found = crate::lookup::by_ids(&target, &missing)
            .map_err(|error| Failure::of_query(&error, ""))?;
        for kept in snapshot.kept(&found)?.into_iter().flatten() {
            named.entry(kept.id.clone()).or_insert(kept);
        }
        let log_id = open.store.trees().log_id(dataset.id);
        let log_id = log_id.ok_or_else(|| Failure::internal(&std::fmt::Error))?;
        let mut nameless = nameless.into_iter();
        let mut seen = HashSet::new();
        let placed = taken.iter().map(|(draft, _)| {
            let kept =
                if draft.is_own_id { named.get(&draft.id).cloned() } else { nameless.next() };
            // Nobody sees an event go between its commit and this answer but who erases it.
            let kept = kept.ok_or_else(Failure::no_record)?;
            let mut recorded = again(log_id, &dataset, kept, &receipt);
            recorded.is_duplicate |= draft.is_own_id && !seen.insert(draft.id.as_str());
            Ok(recorded)
        });
        placed.collect::<Result<Vec<_>>>()
    });
    Ok(answered.await?.answer)
}

fn again(log_id: LogId, dataset: &Dataset, kept: Kept, receipt: &Receipt) -> Recorded {
    let leaf = kept.evidence.as_ref().and_then(|evidence| {
        let salt = Salt::from_base64(&evidence.salt).ok()?;
        leaf(log_id, dataset, (kept.seq, kept.received), &kept.id, &evidence.payload, &salt)
    });
    let by_this = receipt.first_seq.0..receipt.first_seq.0 + receipt.stored;
    Recorded {
        id: kept.id,
        seq: kept.seq,
        received: kept.received,
        log_id,
        leaf,
        is_duplicate: receipt.replayed || !by_this.contains(&kept.seq.0),
    }
}

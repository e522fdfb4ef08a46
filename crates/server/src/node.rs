//! The tenants of this node: each open with its store and its journal, or set aside because it does
//! not open, so that one tenant's damage is no other tenant's outage.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use ledgerline_api::code::Code;
use ledgerline_journal::{Apply, TenantJournal};
use ledgerline_model::id::{DatasetId, TenantId};
use ledgerline_policy::{Job, Scope, Upkeep, upkeep};
use ledgerline_store::signer::Signer;
use ledgerline_store::tenant::TenantStore;
use ledgerline_world::{Clock, DataDir};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::error::{Failure, Result, blocking, chain};

/// A tenant whose data is open.
#[derive(Debug)]
pub(crate) struct OpenTenant {
    pub(crate) id: TenantId,
    pub(crate) store: Arc<TenantStore>,
    pub(crate) journal: TenantJournal,
    /// Read by whatever rewrites the tenant's files, for as long as it does; true when the tenant
    /// is gone.
    pub(crate) is_gone: RwLock<bool>,
    /// Held by whoever signs the tenant's ledgers: the datasets whose ledgers are not to be signed
    /// just now, because they get another key.
    pub(crate) signing: Mutex<HashSet<DatasetId>>,
    /// Held by whoever gives ledgers of the tenant new keys.
    pub(crate) rotating: tokio::sync::Mutex<()>,
    /// Held by whoever removes events of the tenant. Who needs `noting` too takes this first, and
    /// no act that is under way waits for either.
    pub(crate) erasing: Arc<tokio::sync::Mutex<()>>,
    /// Written to by whoever notes what is to be removed, or forbids that; read by whoever adds to
    /// an event that may be.
    pub(crate) noting: Arc<tokio::sync::RwLock<()>>,
}

#[derive(Debug, Clone)]
enum Slot {
    Open(Arc<OpenTenant>),
    Unavailable { is_tried_again: bool },
}

/// Why a tenant does not open.
#[derive(Debug)]
pub(crate) struct Unopened {
    /// In words.
    pub(crate) why: String,
    /// Its bytes are not what was written: to try again is of no use.
    pub(crate) is_corrupt: bool,
}

/// What opening a tenant takes.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    pub(crate) data: DataDir,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) journal: ledgerline_journal::Options,
}

/// The tenants of this node.
#[derive(Debug)]
pub(crate) struct Node {
    means: Means,
    slots: RwLock<HashMap<TenantId, Slot>>,
    fatal: watch::Sender<Option<String>>,
}

/// How many tenants are opened at once at the start.
const OPENED_AT_ONCE: usize = 4;

impl Node {
    pub(crate) fn new(means: Means) -> Self {
        Self { means, slots: RwLock::default(), fatal: watch::Sender::new(None) }
    }

    /// Opens tenants, several at once, and sets aside those that do not open.
    pub(crate) async fn open_all(&self, tenants: Vec<TenantId>) {
        let opening = futures::stream::iter(tenants).map(|tenant| async move {
            // The log says what is wrong; the others go on.
            drop(self.open(tenant).await);
        });
        opening.buffer_unordered(OPENED_AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Opens one tenant, or makes its folder.
    ///
    /// # Errors
    /// `tenant_unavailable` when it does not open.
    pub(crate) async fn open(&self, tenant: TenantId) -> Result<()> {
        let means = self.means.clone();
        let opened = blocking(move || {
            let opened = open(tenant, &means).map(|(opened, _)| opened);
            Ok(opened.map_err(|Unopened { why, is_corrupt }| {
                tracing::error!(%tenant, error = why, "the tenant does not open");
                is_corrupt
            }))
        });
        let (slot, answer) = match opened.await {
            Ok(Ok(opened)) => (Slot::Open(Arc::new(opened)), Ok(())),
            Ok(Err(is_corrupt)) => {
                (Slot::Unavailable { is_tried_again: !is_corrupt }, Err(unavailable()))
            }
            Err(failure) => (Slot::Unavailable { is_tried_again: true }, Err(failure)),
        };
        self.slots.write().insert(tenant, slot);
        answer
    }

    /// Counts a tenant as one that did not open.
    pub(crate) fn set_aside(&self, tenant: TenantId) {
        self.slots.write().insert(tenant, Slot::Unavailable { is_tried_again: false });
    }

    /// The tenants that did not open, and may now.
    pub(crate) fn to_try_again(&self) -> Vec<TenantId> {
        let slots = self.slots.read();
        let is_one = |slot: &Slot| matches!(slot, Slot::Unavailable { is_tried_again: true });
        slots.iter().filter(|(_, slot)| is_one(slot)).map(|(tenant, _)| *tenant).collect()
    }

    /// The tenant's data.
    ///
    /// # Errors
    /// `tenant_unavailable` when it did not open.
    pub(crate) fn tenant(&self, tenant: TenantId) -> Result<Arc<OpenTenant>> {
        match self.slots.read().get(&tenant) {
            Some(Slot::Open(open)) => Ok(Arc::clone(open)),
            Some(Slot::Unavailable { .. }) | None => Err(unavailable()),
        }
    }

    /// Every tenant that is open.
    pub(crate) fn tenants(&self) -> Vec<Arc<OpenTenant>> {
        let slots = self.slots.read();
        let open = slots.values().filter_map(|slot| match slot {
            Slot::Open(open) => Some(Arc::clone(open)),
            Slot::Unavailable { .. } => None,
        });
        open.collect()
    }

    /// How many tenants are open, and how many did not open.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let slots = self.slots.read();
        let open = slots.values().filter(|slot| matches!(slot, Slot::Open(_))).count();
        (open, slots.len() - open)
    }

    /// Forgets a tenant, after whatever rewrites its files; nothing will rewrite them after.
    pub(crate) fn forget(&self, tenant: TenantId) {
        let slot = self.slots.write().remove(&tenant);
        if let Some(Slot::Open(open)) = slot {
            *open.is_gone.write() = true;
            open.journal.close();
        }
    }

    /// Ends every journal after what waits.
    pub(crate) fn close(&self) {
        let slots = std::mem::take(&mut *self.slots.write());
        for slot in slots.into_values() {
            if let Slot::Open(open) = slot {
                open.journal.close();
            }
        }
    }

    /// Says that the process must end, since what is on the disk is not known any more.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(reason, "the disk failed; the process ends");
        self.fatal.send_if_modified(|first| match first {
            Some(_) => false,
            None => {
                *first = Some(reason);
                true
            }
        });
    }

    /// Tells when the process must end, and why.
    pub(crate) fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.fatal.subscribe()
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.means.signer
    }

    pub(crate) fn data(&self) -> &DataDir {
        &self.means.data
    }
}

fn unavailable() -> Failure {
    Failure::new(Code::TenantUnavailable, "the tenant's data cannot be opened just now")
}

/// Opens a tenant, and says which of its files had to be set aside.
///
/// # Errors
/// What does not open.
pub(crate) fn open(
    tenant: TenantId,
    means: &Means,
) -> std::result::Result<(OpenTenant, Vec<String>), Unopened> {
    let scope = upkeep(tenant, Job::Recover);
    let Means { data, clock, signer, journal } = means;
    let blobs = data.blobs(&scope).map_err(|error| Unopened {
        why: chain(&error),
        is_corrupt: error.kind() == ledgerline_world::ErrorKind::Corrupt,
    })?;
    let store = TenantStore::open(&scope, blobs.clone(), data.chance().clone());
    let store = store.map_err(|error| Unopened {
        why: chain(&error),
        is_corrupt: error.kind() == ledgerline_store::error::ErrorKind::Corrupt,
    });
    let store = Arc::new(store?);
    let apply: Arc<dyn Apply> = Arc::clone(&store) as Arc<dyn Apply>;
    let means = (Arc::clone(clock), data.chance().clone());
    let opened = TenantJournal::open(&scope, blobs, means, journal.clone(), store.start(), apply);
    let (journal, recovered) = opened.map_err(|error| Unopened {
        why: chain(&error),
        is_corrupt: error.kind() == ledgerline_journal::ErrorKind::Corrupt,
    })?;
    let ledgerline_journal::Recovered { replayed, trimmed_bytes, mut quarantined } = recovered;
    if replayed > 0 || trimmed_bytes > 0 {
        tracing::info!(%tenant, replayed, trimmed_bytes, "the journal was read");
    }
    for file in &quarantined {
        tracing::warn!(%tenant, file, "a file of the journal was set aside");
    }
    // Only now: that the journal opened shows that the catalog is not older than it.
    match store.remove_leftovers(&scope) {
        Ok(aside) => quarantined.extend(aside),
        // What stays is in nobody's way, and the next start looks again.
        Err(error) => {
            let error = chain(&error);
            tracing::warn!(%tenant, error, "what a flush or a merge left cannot be looked at");
        }
    }
    check_ledgers(&store, signer, &scope)?;
    let opened = OpenTenant {
        id: tenant,
        store,
        journal,
        is_gone: RwLock::new(false),
        signing: Mutex::default(),
        rotating: tokio::sync::Mutex::default(),
        erasing: Arc::default(),
        noting: Arc::default(),
    };
    Ok((opened, quarantined))
}

/// A ledger that has fewer entries than were signed was put back from an old copy, or lost its end:
/// what would be appended now would contradict what was signed.
fn check_ledgers(
    store: &TenantStore,
    signer: &Signer,
    scope: &Scope<Upkeep>,
) -> std::result::Result<(), Unopened> {
    let unopened = |error: ledgerline_store::error::Error| Unopened {
        why: chain(&error),
        is_corrupt: error.kind() == ledgerline_store::error::ErrorKind::Corrupt,
    };
    for log in store.trees().logs(scope).map_err(unopened)? {
        let signed = signer.signed(log.id).map_err(unopened)?.map_or(0, |head| head.size);
        let there = store.trees().noted(log.dataset);
        if there < signed {
            let why = format!(
                "the ledger of {} has {there} entries, but {signed} were signed: the folder is an \
                 old copy",
                log.name
            );
            return Err(Unopened { why, is_corrupt: true });
        }
    }
    Ok(())
}

//! What is to be removed, noted durably before anything of it is: from then on it happens, also
//! after the end of the process.
//!
//! What is noted and what forbids it exclude each other: a hold is placed when nothing is noted,
//! and what a hold finds is not noted. What is added to an event is added before it is noted, and
//! goes with it, or refused.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_api::code::Code;
use ledgerline_audit::erasure::Erasure;
use ledgerline_audit::ranges::{RANGES_MAX, Ranges};
use ledgerline_audit::record::Author;
use ledgerline_audit::retirement::Retirement;
use ledgerline_ledger::log_id::parse_uuid;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job as Chore, upkeep};
use ledgerline_tenancy::Dataset;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use crate::app::App;
use crate::audit::Record;
use crate::eraser;
use crate::error::{Failure, Result, blocking};
use crate::jobs::Job;
use crate::node::OpenTenant;
use crate::recorder;
use crate::routes::logs::check_holds;

/// What is to be removed, as it is kept until it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) dataset: String,
    /// Rising, disjoint, both ends included.
    seqs: Vec<(u64, u64)>,
    pub(crate) kind: Kind,
    /// The payload of the entry that tells it.
    pub(crate) payload: String,
    /// Its id.
    pub(crate) id: String,
    /// The id of the job that it is a part of.
    #[serde(default)]
    pub(crate) job: Option<String>,
}

/// What becomes of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Their content is erased.
    Erasure,
    /// They are removed, because their time was over.
    Retirement,
}

impl Intent {
    /// Everything of a tenant that is noted.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn all(open: &OpenTenant) -> Result<Vec<Self>> {
        let intents = open.store.trees().intents(&upkeep(open.id, Chore::Erase))?;
        let read = |(_, text): &([u8; 16], String)| {
            serde_json::from_str(text).map_err(|error| Failure::internal(&error))
        };
        intents.iter().map(read).collect()
    }

    /// Under which it is kept.
    ///
    /// # Errors
    /// `internal` when its id is none of ours.
    pub(crate) fn key(&self) -> Result<[u8; 16]> {
        parse_uuid(&self.id).ok_or_else(|| Failure::internal(&std::fmt::Error))
    }

    /// The numbers of the events.
    pub(crate) fn spans(&self) -> Vec<Range<u64>> {
        self.seqs.iter().map(|(first, last)| *first..last + 1).collect()
    }

    fn holds(&self, dataset: &Dataset, seq: Seq) -> bool {
        let is_in = |(first, last): &(u64, u64)| (*first..=*last).contains(&seq.0);
        self.dataset == dataset.name.as_str() && self.seqs.iter().any(is_in)
    }
}

/// Events of one dataset that are to be removed, and why.
#[derive(Debug, Clone)]
pub(crate) struct Removal {
    pub(crate) dataset: Dataset,
    /// Without their amendments, which go with them.
    pub(crate) events: Ranges,
    pub(crate) why: Why,
    pub(crate) by: Author,
}

/// Why events are removed.
#[derive(Debug, Clone)]
pub(crate) enum Why {
    Erasure(Erasure),
    Retirement(Retirement),
}

impl Removal {
    fn kind(&self) -> Kind {
        match self.why {
            Why::Erasure(_) => Kind::Erasure,
            Why::Retirement(_) => Kind::Retirement,
        }
    }

    /// The intent to remove a part of it.
    fn intent(&self, part: &Ranges, (id, now): (String, Timestamp)) -> Result<Intent> {
        let payload = match &self.why {
            Why::Erasure(erasure) => erasure.payload(&id, part, &self.by, now),
            Why::Retirement(retirement) => retirement.payload(&id, part, &self.by, now),
        };
        Ok(Intent {
            dataset: self.dataset.name.to_string(),
            seqs: part.as_slice().to_vec(),
            kind: self.kind(),
            payload: String::from_utf8(payload).map_err(|error| Failure::internal(&error))?,
            id,
            job: None,
        })
    }
}

/// What is noted of one dataset.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) dataset: Dataset,
    pub(crate) intent: Intent,
}

impl Noted {
    /// How many events it is about.
    pub(crate) fn events(&self) -> u64 {
        Ranges::merged(self.intent.seqs.clone()).count()
    }
}

/// Notes removals with the amendments of their events, and their job, after a record of who asked
/// for them: all, or nothing when a hold forbids one.
///
/// # Errors
/// `held`, and the database's.
pub(crate) async fn note(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    removals: Vec<Removal>,
    job: Option<&Job>,
    record: Option<Record>,
) -> Result<Vec<Noted>> {
    let alone = Arc::clone(&open.noting).write_owned().await;
    let mut noted = Vec::new();
    for mut removal in removals {
        removal.events = with_amendments(open, removal.dataset.id, removal.events).await?;
        check_holds(app, open, &removal.dataset, &removal.events).await?;
        for part in removal.events.split(RANGES_MAX) {
            let now = app.clock.now();
            let mut intent = removal.intent(&part, (recorder::new_id(&app.chance, now), now))?;
            intent.job = job.map(|job| job.id.clone());
            noted.push(Noted { dataset: removal.dataset.clone(), intent });
        }
    }
    if let Some(record) = record {
        let events = noted.iter().map(Noted::events).sum();
        app.audit.now(open.id, record.count("events", events)).await?;
    }
    let rows = noted.iter().map(|Noted { intent, .. }| {
        let text = serde_json::to_string(intent).map_err(|error| Failure::internal(&error))?;
        Ok((intent.key()?, text))
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let parts = rows.len() as u64;
    let job = job.map(|job| job.of_parts(parts).stored()).transpose()?;
    let keeper = Arc::clone(open);
    blocking(move || {
        let _alone = alone;
        let (scope, trees) = (upkeep(keeper.id, Chore::Erase), keeper.store.trees());
        // So that the entry of what is removed is durable before its content can be gone.
        trees.persist(&scope)?;
        Ok(trees.put_intents(&scope, &rows, job.as_ref())?)
    })
    .await?;
    Ok(noted)
}

async fn with_amendments(
    open: &Arc<OpenTenant>,
    dataset: DatasetId,
    events: Ranges,
) -> Result<Ranges> {
    let open = Arc::clone(open);
    blocking(move || {
        let scope = upkeep(open.id, Chore::Erase);
        let spans: Vec<Range<u64>> =
            events.as_slice().iter().map(|(first, last)| *first..last + 1).collect();
        let amendments = open.store.trees().amendments_within(&scope, dataset, &spans)?;
        let amendments = amendments.into_iter().map(|seq| (seq.0, seq.0));
        Ok(Ranges::merged(events.as_slice().iter().copied().chain(amendments).collect()))
    })
    .await
}

/// While this lives, nothing is noted: for who adds to an event.
#[derive(Debug)]
pub(crate) struct Adding {
    open: Arc<OpenTenant>,
    _guard: OwnedRwLockReadGuard<()>,
}

impl Adding {
    pub(crate) async fn begin(open: &Arc<OpenTenant>) -> Self {
        let guard = Arc::clone(&open.noting).read_owned().await;
        Self { open: Arc::clone(open), _guard: guard }
    }

    /// Whether the event stays.
    ///
    /// # Errors
    /// `conflict` when it is noted to be removed.
    pub(crate) async fn check(&self, dataset: &Dataset, seq: Seq) -> Result<()> {
        let (open, dataset) = (Arc::clone(&self.open), dataset.clone());
        blocking(move || {
            if Intent::all(&open)?.iter().any(|intent| intent.holds(&dataset, seq)) {
                return Err(Failure::new(Code::Conflict, "the event is just being removed"));
            }
            Ok(())
        })
        .await
    }
}

/// While this lives, nothing is noted, and nobody adds to an event.
pub(crate) type Still = OwnedRwLockWriteGuard<()>;

/// For who forbids removals: everything that was noted is done.
///
/// # Errors
/// `conflict` when something else was noted at once; the disk's.
pub(crate) async fn still(app: &Arc<App>, open: &Arc<OpenTenant>) -> Result<Still> {
    let turn = eraser::turn(open).await;
    let _turn = eraser::finish(app, open, turn).await?;
    let still = Arc::clone(&open.noting).write_owned().await;
    let reader = Arc::clone(open);
    if !blocking(move || Intent::all(&reader)).await?.is_empty() {
        let detail = "events are just being removed; try again when that is done";
        return Err(Failure::new(Code::Conflict, detail));
    }
    Ok(still)
}

//! The ledgers of a tenant's audit datasets: of each the Merkle tree over its events' entries.
//!
//! An entry is noted in memory as its event becomes visible ([`Trees::note`]), and is durable
//! ([`Trees::persist`]) before the journal forgets the event and before anything signs for it. What
//! was noted and not made durable is noted again when the journal is replayed.

mod record;
mod removals;
mod rows;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;

use ledgerline_journal::Committed;
use ledgerline_ledger::commit::{self, Salt};
use ledgerline_ledger::entry::{Dataset, Entry, Kind};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::payload::{self, Statement};
use ledgerline_ledger::tile::TILE_WIDTH;
use ledgerline_ledger::tree::{Frontier, Nodes};
use ledgerline_model::batch::Batch;
use ledgerline_model::convention::{PAYLOAD_KEY, SALT_KEY};
use ledgerline_model::id::{DatasetId, DatasetName, Seq, TenantId};
use ledgerline_policy::{Read, Scope, Upkeep};
use ledgerline_world::{Chance, TenantBlobs};
use parking_lot::Mutex;

use self::record::{RECORD_BYTES, Record, kind_of};
pub use self::removals::Job;
use self::rows::{Growth, Link, LogRow, Rows};
pub use self::view::View;
use crate::error::{Error, ErrorKind, Result};

const FILE: &str = "ledger.db";

/// The ledgers of one tenant.
#[derive(Debug)]
pub struct Trees {
    tenant: TenantId,
    rows: Rows,
    chance: Chance,
    trees: Mutex<HashMap<DatasetId, Tree>>,
    /// Held by whoever makes entries durable.
    persisting: Mutex<()>,
}

#[derive(Debug)]
struct Tree {
    log_id: LogId,
    dataset: Dataset,
    /// Over the durable entries.
    frontier: Frontier,
    /// The durable records of the last tile, if it is not full.
    tail: Vec<u8>,
    pending: Vec<Record>,
    /// What pending entries say of earlier ones.
    links: Vec<Link>,
    /// Why no entry can be noted any more.
    fault: Option<String>,
}

impl Tree {
    fn noted(&self) -> u64 {
        self.frontier.size() + self.pending.len() as u64
    }
}

/// The ledger of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The dataset.
    pub dataset: DatasetId,
    /// Its name, as entries carry it.
    pub name: String,
    /// The log's id.
    pub id: LogId,
    /// How many entries are durable.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Trees {
    /// Opens a tenant's ledgers; makes the file when there is none.
    ///
    /// # Errors
    /// The database's; `Corrupt` when it lacks a part of a tree.
    pub fn open(scope: &Scope<Upkeep>, blobs: &TenantBlobs, chance: Chance) -> Result<Self> {
        if scope.tenant() != blobs.tenant() {
            return Err(Error::bug("a scope of another tenant"));
        }
        let rows = Rows::open(&blobs.local_file(FILE))?;
        let mut trees = HashMap::new();
        for log in rows.logs()? {
            trees.insert(log.dataset, read_tree(&rows, &log)?);
        }
        Ok(Self {
            tenant: scope.tenant(),
            rows,
            chance,
            trees: Mutex::new(trees),
            persisting: Mutex::default(),
        })
    }

    /// Makes the ledger of a dataset, if it has none.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn ensure(&self, dataset: DatasetId, name: &DatasetName) -> Result<()> {
        if self.trees.lock().contains_key(&dataset) {
            return Ok(());
        }
        let _persisting = self.persisting.lock();
        if self.trees.lock().contains_key(&dataset) {
            return Ok(());
        }
        let log_id = random_log_id(&self.chance);
        let log = LogRow { dataset, log_id, name: name.to_string(), size: 0 };
        self.rows.add_log(&log)?;
        let tree = read_tree(&self.rows, &log)?;
        self.trees.lock().insert(dataset, tree);
        Ok(())
    }

    /// Notes the entries of a commit of audit events; a commit of other events is none of ours.
    pub fn note(&self, committed: &Committed) {
        let Some(noted) = records(committed.batch()) else { return };
        let mut trees = self.trees.lock();
        let Some(tree) = trees.get_mut(&committed.dataset()) else {
            tracing::error!(dataset = committed.dataset().0, "audit events of no ledger");
            return;
        };
        if tree.fault.is_some() {
            return;
        }
        let first = committed.first_seq().0;
        match (noted, tree.noted().checked_sub(first)) {
            // What is replayed and durable already is left out.
            (Ok((records, links)), Some(known)) => {
                let known = usize::try_from(known).unwrap_or(usize::MAX).min(records.len());
                tree.pending.extend_from_slice(&records[known..]);
                let new = links.into_iter().filter(|link| link.seq >= known as u64);
                tree.links.extend(new.map(|link| Link { seq: first + link.seq, ..link }));
            }
            (Ok(_), None) => {
                let noted = tree.noted();
                let fault = format!("event {first} follows entry {noted}: entries are missing");
                tracing::error!(log = %tree.log_id, fault, "the ledger stops");
                tree.fault = Some(fault);
            }
            (Err(fault), _) => {
                tracing::error!(log = %tree.log_id, fault, "the ledger stops");
                tree.fault = Some(fault.to_owned());
            }
        }
    }

    /// Makes every entry durable that was noted.
    ///
    /// # Errors
    /// The database's; the entries then stay noted.
    pub fn persist(&self, scope: &Scope<Upkeep>) -> Result<()> {
        self.check_tenant(scope.tenant())?;
        let _persisting = self.persisting.lock();
        let grown: Vec<(DatasetId, Grown)> = {
            let trees = self.trees.lock();
            let waiting = trees.iter().filter(|(_, tree)| !tree.pending.is_empty());
            waiting.map(|(dataset, tree)| (*dataset, Grown::of(tree))).collect()
        };
        if grown.is_empty() {
            return Ok(());
        }
        let (growths, after): (Vec<_>, Vec<_>) = grown
            .into_iter()
            .map(|(dataset, grown)| {
                let Grown { growth, frontier, tail, taken } = grown;
                ((dataset, growth), (dataset, frontier, tail, taken))
            })
            .unzip();
        self.rows.grow(&growths)?;
        let mut trees = self.trees.lock();
        for (dataset, frontier, tail, taken) in after {
            if let Some(tree) = trees.get_mut(&dataset) {
                tree.frontier = frontier;
                tree.tail = tail;
                tree.pending.drain(..taken);
                let size = tree.frontier.size();
                tree.links.retain(|link| link.seq >= size);
            }
        }
        Ok(())
    }

    /// Every ledger of the tenant.
    ///
    /// # Errors
    /// `Bug` when the scope is another tenant's.
    pub fn logs(&self, scope: &Scope<Upkeep>) -> Result<Vec<Log>> {
        self.check_tenant(scope.tenant())?;
        let trees = self.trees.lock();
        let mut logs: Vec<Log> = trees.iter().map(|(dataset, tree)| log(*dataset, tree)).collect();
        logs.sort_by_key(|log| log.dataset);
        Ok(logs)
    }

    /// Why a dataset's ledger takes no entries any more, if it does not.
    #[must_use]
    pub fn fault(&self, dataset: DatasetId) -> Option<String> {
        self.trees.lock().get(&dataset).and_then(|tree| tree.fault.clone())
    }

    /// The amendments of an event, by their numbers, the first one first.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn amendments(&self, scope: &Scope<Read>, dataset: DatasetId, of: Seq) -> Result<Vec<Seq>> {
        self.check_tenant(scope.tenant())?;
        // First those that wait: what becomes durable meanwhile is found twice, and never not at
        // all.
        let pending = self.pending_links(dataset, of, |kind| kind == Kind::Amendment);
        let mut amendments = self.rows.amendments(dataset, of.0)?;
        amendments.extend(pending);
        amendments.sort_unstable();
        amendments.dedup();
        Ok(amendments.into_iter().map(Seq).collect())
    }

    /// The erasure or retirement that took an event's content, if one did.
    ///
    /// # Errors
    /// The database's; `Bug` when the scope is another tenant's.
    pub fn remover(&self, scope: &Scope<Read>, dataset: DatasetId, of: Seq) -> Result<Option<Seq>> {
        self.check_tenant(scope.tenant())?;
        // As with amendments.
        let pending = self.pending_links(dataset, of, removes).into_iter().next();
        Ok(self.rows.remover(dataset, of.0)?.or(pending).map(Seq))
    }

    /// What entries say of earlier ones that are noted and not durable.
    fn waiting(&self, dataset: DatasetId, is_wanted: impl Fn(&Link) -> bool) -> Vec<Link> {
        let trees = self.trees.lock();
        let links = trees.get(&dataset).map(|tree| tree.links.as_slice()).unwrap_or_default();
        links.iter().filter(|link| is_wanted(link)).copied().collect()
    }

    fn pending_links(
        &self,
        dataset: DatasetId,
        of: Seq,
        is_wanted: impl Fn(Kind) -> bool,
    ) -> Vec<u64> {
        let about = |link: &Link| (link.first..=link.last).contains(&of.0) && is_wanted(link.kind);
        self.waiting(dataset, about).into_iter().map(|link| link.seq).collect()
    }

    /// The id of a dataset's log, if it has one.
    #[must_use]
    pub fn log_id(&self, dataset: DatasetId) -> Option<LogId> {
        self.trees.lock().get(&dataset).map(|tree| tree.log_id)
    }

    /// How many events of a dataset have an entry, durable or not.
    #[must_use]
    pub fn noted(&self, dataset: DatasetId) -> u64 {
        self.trees.lock().get(&dataset).map_or(0, Tree::noted)
    }

    /// The durable entries of a dataset's ledger.
    ///
    /// # Errors
    /// `NotFound` when the dataset has no ledger, `Bug` when the scope is another tenant's.
    pub fn view(&self, scope: &Scope<Read>, dataset: DatasetId) -> Result<View<'_>> {
        self.check_tenant(scope.tenant())?;
        self.upkeep_view(dataset)
    }

    /// As [`Trees::view`], for Ledgerline's own work.
    ///
    /// # Errors
    /// As [`Trees::view`].
    pub fn view_for(&self, scope: &Scope<Upkeep>, dataset: DatasetId) -> Result<View<'_>> {
        self.check_tenant(scope.tenant())?;
        self.upkeep_view(dataset)
    }

    fn upkeep_view(&self, dataset: DatasetId) -> Result<View<'_>> {
        let trees = self.trees.lock();
        let tree = trees
            .get(&dataset)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "the dataset has no ledger"))?;
        let log = log(dataset, tree);
        Ok(View { rows: &self.rows, log, dataset: tree.dataset.clone() })
    }

    /// Keeps signed heads: the dataset, the size, when it was signed in nanoseconds, the note.
    ///
    /// # Errors
    /// The database's.
    pub fn put_checkpoints(
        &self,
        scope: &Scope<Upkeep>,
        notes: &[(DatasetId, u64, i64, String)],
    ) -> Result<()> {
        self.check_tenant(scope.tenant())?;
        self.rows.put_checkpoints(notes)
    }

    /// Forgets the signed heads before a time, but for the last of each hour.
    ///
    /// # Errors
    /// The database's.
    pub fn thin_checkpoints(&self, scope: &Scope<Upkeep>, before_ns: i64) -> Result<()> {
        self.check_tenant(scope.tenant())?;
        self.rows.thin_checkpoints(before_ns)
    }

    fn check_tenant(&self, tenant: TenantId) -> Result<()> {
        if tenant == self.tenant { Ok(()) } else { Err(Error::bug("a scope of another tenant")) }
    }
}

/// Whether entries of a kind remove what earlier ones say.
fn removes(kind: Kind) -> bool {
    matches!(kind, Kind::Erasure | Kind::Retirement)
}

/// A random UUID (RFC 9562, version 4).
fn random_log_id(chance: &Chance) -> LogId {
    let mut bytes: [u8; 16] = chance.bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    LogId(bytes)
}

fn log(dataset: DatasetId, tree: &Tree) -> Log {
    Log {
        dataset,
        name: tree.dataset.as_str().to_owned(),
        id: tree.log_id,
        size: tree.frontier.size(),
        root: tree.frontier.root(),
    }
}

/// The entries of a commit, and what they say of earlier ones.
type Noted = (Vec<Record>, Vec<Link>);

/// The records of a batch of audit events, and what they say of earlier ones, each by its row as
/// its number; nothing for a batch of other events.
fn records(batch: &Batch) -> Option<Result<Noted, &'static str>> {
    let (rows, payloads) = batch.texts(PAYLOAD_KEY)?;
    let (Some((salt_rows, salts)), Some((id_rows, ids))) = (batch.texts(SALT_KEY), batch.ids())
    else {
        return Some(Err("events have neither salts nor ids"));
    };
    if [rows.len(), salt_rows.len(), id_rows.len()] != [batch.rows(); 3] {
        return Some(Err("some events have no payload, salt or id"));
    }
    let received_ns = u64::try_from(batch.received().0).unwrap_or(0);
    let mut links = Vec::new();
    let mut record = |row: u64, [payload, salt, id]: [&[u8]; 3]| {
        let text = std::str::from_utf8(payload).ok()?;
        let salt = Salt::from_base64(std::str::from_utf8(salt).ok()?).ok()?;
        let kind = kind_of(text)?;
        if kind != Kind::Event {
            links.extend(links_of(text, row)?);
        }
        Some(Record {
            kind,
            received_ns,
            event_id: commit::event_id(std::str::from_utf8(id).ok()?, &salt),
            commit: commit::payload(&commit::blob(&salt, payload), &[]),
        })
    };
    let rows = payloads.iter().zip(salts.iter()).zip(ids.iter());
    let rows = (0..).zip(rows.map(|((payload, salt), id)| [payload, salt, id]));
    let records = rows.map(|(row, texts)| record(row, texts)).collect::<Option<Vec<_>>>();
    Some(records.map(|records| (records, links)).ok_or("an event's evidence is none"))
}

/// What a payload says of earlier entries.
fn links_of(payload: &str, seq: u64) -> Option<Vec<Link>> {
    let claims = payload::read(payload).ok()?;
    let kind = claims.statement.kind();
    let link = |(first, last)| Link { first, last, seq, kind };
    Some(match &claims.statement {
        Statement::Amendment { amends_seq, .. } => vec![link((*amends_seq, *amends_seq))],
        other => other
            .removes()
            .map_or_else(Vec::new, |ranges| ranges.runs().iter().copied().map(link).collect()),
    })
}

/// A tree with what waited.
struct Grown {
    growth: Growth,
    frontier: Frontier,
    tail: Vec<u8>,
    taken: usize,
}

impl Grown {
    fn of(tree: &Tree) -> Self {
        let (mut frontier, mut tail) = (tree.frontier.clone(), tree.tail.clone());
        let mut growth = Growth::default();
        for record in &tree.pending {
            let seq = frontier.size();
            let leaf = entry(tree.log_id, &tree.dataset, seq, record).leaf();
            frontier.append_visiting(leaf, |level, number, hash| {
                if level > 0 && level % 8 == 0 {
                    growth.nodes.push((level / 8, number, hash));
                }
            });
            record.write(&mut tail);
            if tail.len() == TILE_WIDTH as usize * RECORD_BYTES {
                growth.tiles.push((seq / TILE_WIDTH, std::mem::take(&mut tail)));
            }
        }
        if !tail.is_empty() {
            growth.tiles.push((frontier.size() / TILE_WIDTH, tail.clone()));
        }
        growth.size = frontier.size();
        let before = |link: &&Link| link.seq < growth.size;
        growth.links = tree.links.iter().filter(before).copied().collect();
        Self { growth, frontier, tail, taken: tree.pending.len() }
    }
}

fn entry(log_id: LogId, dataset: &Dataset, seq: u64, record: &Record) -> Entry {
    Entry {
        log_id,
        seq,
        received_ns: record.received_ns,
        event_id: record.event_id,
        kind: record.kind,
        commit: record.commit,
        dataset: dataset.clone(),
    }
}

fn read_tree(rows: &Rows, log: &LogRow) -> Result<Tree> {
    let dataset = Dataset::new(log.name.clone())
        .map_err(|error| Error::caused(ErrorKind::Corrupt, "a log's name", error))?;
    let empty = Tree {
        log_id: log.log_id,
        dataset: dataset.clone(),
        frontier: Frontier::new(),
        tail: Vec::new(),
        pending: Vec::new(),
        links: Vec::new(),
        fault: None,
    };
    let view = View { rows, log: self::log(log.dataset, &empty), dataset };
    let view = View { log: Log { size: log.size, ..view.log }, ..view };
    let mut hashes = Vec::new();
    let mut at = 0;
    for level in (0..64_u8).rev().filter(|level| log.size >> level & 1 == 1) {
        let hash = view.node(level, at >> level);
        hashes.push(hash.map_err(|error| {
            Error::caused(ErrorKind::Corrupt, "a part of the ledger is lost", error)
        })?);
        at += 1 << level;
    }
    let frontier = Frontier::from_parts(log.size, hashes)
        .map_err(|error| Error::caused(ErrorKind::Bug, "a frontier", error))?;
    let last = (log.size % TILE_WIDTH) as usize * RECORD_BYTES;
    let mut tail = Vec::new();
    if last > 0 {
        tail = rows.tile(log.dataset, log.size / TILE_WIDTH)?.unwrap_or_default();
    }
    if tail.len() != last {
        return Err(Error::corrupt("the last entries of the ledger are lost"));
    }
    Ok(Tree { frontier, tail, ..empty })
}

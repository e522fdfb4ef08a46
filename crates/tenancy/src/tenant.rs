//! The records of one tenant: its file, and what of it is kept in memory. Whoever holds one can
//! reach no other tenant's.

mod datasets;
mod keys;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ledgerline_model::id::{DatasetName, RecordId, TenantId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, upkeep};
use ledgerline_world::DataDir;
use parking_lot::{Mutex, RwLock};
use rusqlite::OptionalExtension;

use crate::cache::Cache;
use crate::db::{Database, RECORDS};
use crate::error::{Error, Result};
use crate::people::{NewAccount, People};
use crate::records::{Dataset, Tenant, User};
use crate::seals::{Owner, Seals, SecretHash};

pub(crate) use keys::{KeyDraft, LiveKey, Rotation};

const FILE: &str = "records.db";

/// The records of one tenant.
pub(crate) struct TenantRecords {
    db: Arc<Database>,
    seals: Arc<Seals>,
    people: People,
    tenant: RwLock<Tenant>,
    /// All datasets, which are few and asked for with every request.
    datasets: RwLock<Arc<BTreeMap<DatasetName, Dataset>>>,
    live_keys: Cache<SecretHash, Arc<LiveKey>>,
    used_keys: Mutex<UsedKeys>,
    /// Held while a change takes several steps, such as one that touches the index too.
    change: Mutex<()>,
}

/// When keys were used, where that is not written yet.
#[derive(Debug, Default)]
struct UsedKeys {
    times: HashMap<RecordId, Timestamp>,
    written: Option<Timestamp>,
}

impl fmt::Debug for TenantRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRecords").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl TenantRecords {
    /// Opens the records of a tenant that is live.
    ///
    /// # Errors
    /// `Corrupt` when the file is another tenant's.
    pub(crate) fn open(data: &DataDir, id: TenantId) -> Result<Self> {
        let db = Arc::new(Database::open(&path(data, id)?, &RECORDS)?);
        let seals = Arc::new(Seals::open(data, Owner::Tenant(id), &db)?);
        let tenant = read_tenant(&db)?;
        if tenant.id != id {
            return Err(Error::corrupt("the file holds the records of another tenant"));
        }
        Self::new(db, seals, tenant)
    }

    /// The tenant whose records lie in its folder; none when there are none, or when it was
    /// deleted.
    pub(crate) fn left(data: &DataDir, id: TenantId) -> Result<Option<Tenant>> {
        let path = path(data, id)?;
        if !path.exists() {
            return Ok(None);
        }
        let db = Database::open(&path, &RECORDS)?;
        let live: i64 = db.read(|sql| {
            let count = "SELECT count(*) FROM tenant WHERE NOT deleted";
            Ok(sql.query_row(count, [], |row| row.get(0))?)
        })?;
        if live == 0 { Ok(None) } else { read_tenant(&db).map(Some) }
    }

    /// Makes the folder and the records of a new tenant, with its first admin.
    pub(crate) fn make(
        data: &DataDir,
        tenant: Tenant,
        admin: RecordId,
        account: &NewAccount,
    ) -> Result<(Self, User)> {
        let db = Arc::new(Database::open_or_make(&path(data, tenant.id)?, &RECORDS)?);
        let seals = Arc::new(Seals::open(data, Owner::Tenant(tenant.id), &db)?);
        let people = People::new(Arc::clone(&db), Arc::clone(&seals));
        let user = db.write(|sql| {
            sql.execute(
                "INSERT INTO tenant (only, id, name, created, makes_datasets, next_dataset, deleted)
                 VALUES (1, ?, ?, ?, ?, 1, 0)",
                (
                    tenant.id.as_bytes(),
                    tenant.name.as_str(),
                    tenant.created.0,
                    tenant.makes_datasets,
                ),
            )?;
            people.insert_in(sql, admin, account, tenant.created)
        })?;
        Ok((Self::new(db, seals, tenant)?, user))
    }

    fn new(db: Arc<Database>, seals: Arc<Seals>, tenant: Tenant) -> Result<Self> {
        Ok(Self {
            people: People::new(Arc::clone(&db), Arc::clone(&seals)),
            datasets: RwLock::new(Arc::new(datasets::read_all(&db)?)),
            live_keys: Cache::new(),
            used_keys: Mutex::default(),
            change: Mutex::default(),
            tenant: RwLock::new(tenant),
            db,
            seals,
        })
    }

    pub(crate) fn id(&self) -> TenantId {
        self.tenant.read().id
    }

    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant.read().clone()
    }

    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    pub(crate) fn database(&self) -> &Database {
        &self.db
    }

    pub(crate) fn change(&self) -> &Mutex<()> {
        &self.change
    }

    /// So that the folder alone tells that it is not a tenant's any more.
    pub(crate) fn mark_deleted(&self) -> Result<()> {
        self.db.write(|sql| {
            sql.prepare_cached("UPDATE tenant SET deleted = 1")?.execute([])?;
            Ok(())
        })
    }

    pub(crate) fn set_makes_datasets(&self, makes: bool) -> Result<()> {
        let _change = self.change.lock();
        self.db.write(|sql| {
            sql.prepare_cached("UPDATE tenant SET makes_datasets = ?")?.execute([makes])?;
            Ok(())
        })?;
        self.tenant.write().makes_datasets = makes;
        Ok(())
    }
}

fn path(data: &DataDir, id: TenantId) -> Result<PathBuf> {
    Ok(data.blobs(&upkeep(id, Job::Recover))?.local_file(FILE))
}

fn read_tenant(db: &Database) -> Result<Tenant> {
    let row: Option<([u8; 16], String, i64, bool)> = db.read(|sql| {
        let select = "SELECT id, name, created, makes_datasets FROM tenant";
        let row = sql
            .query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        Ok(row.optional()?)
    })?;
    let corrupt = || Error::corrupt("the file does not say whose records it holds");
    let (id, name, created, makes_datasets) = row.ok_or_else(corrupt)?;
    Ok(Tenant {
        id: TenantId::from_bytes(id).map_err(|_| corrupt())?,
        name: name.parse().map_err(|_| corrupt())?,
        created: Timestamp(created),
        makes_datasets,
    })
}

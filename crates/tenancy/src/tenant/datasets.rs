//! The datasets of one tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetId, DatasetName};
use ledgerline_model::limits::DATASETS_MAX;
use ledgerline_model::time::Timestamp;
use rusqlite::params;

use super::TenantRecords;
use crate::db::Database;
use crate::error::{Error, Result};
use crate::records::{Dataset, DatasetSettings};

impl TenantRecords {
    pub(crate) fn datasets(&self) -> Arc<BTreeMap<DatasetName, Dataset>> {
        Arc::clone(&self.datasets.read())
    }

    pub(crate) fn dataset(&self, name: &DatasetName) -> Result<Dataset> {
        self.datasets.read().get(name).cloned().ok_or_else(|| Error::not_found("no such dataset"))
    }

    /// Makes a dataset.
    ///
    /// # Errors
    /// `Conflict` when the name is taken, `Invalid` when there are too many. Ledgerline's own are
    /// not counted, so that its records of a tenant can always be written.
    pub(crate) fn make_dataset(
        &self,
        (name, kind): (&DatasetName, DatasetKind),
        settings: &DatasetSettings,
        created: Timestamp,
    ) -> Result<Dataset> {
        let _change = self.change.lock();
        let datasets = self.datasets();
        if datasets.contains_key(name) {
            return Err(Error::conflict("name", "there is a dataset of this name already"));
        }
        let own = datasets.keys().filter(|name| !name.is_reserved()).count();
        if !name.is_reserved() && own >= DATASETS_MAX {
            return Err(Error::invalid(
                "name",
                format!("there are {DATASETS_MAX} datasets already"),
            ));
        }
        let id = self.db.write(|sql| {
            let id: u32 = sql
                .prepare_cached(
                    "UPDATE tenant SET next_dataset = next_dataset + 1
                     RETURNING next_dataset - 1",
                )?
                .query_row([], |row| row.get(0))?;
            sql.prepare_cached(
                "INSERT INTO dataset (id, name, kind, created, time_key, message_key,
                                      severity_key, retention_days, hot_days)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                id,
                name.as_str(),
                kind.as_str(),
                created.0,
                settings.time_key,
                settings.message_key,
                settings.severity_key,
                settings.retention_days,
                settings.hot_days,
            ])?;
            Ok(DatasetId(id))
        })?;
        let settings = settings.clone();
        let dataset = Dataset { id, name: name.clone(), kind, created, settings };
        self.keep(dataset.clone());
        Ok(dataset)
    }

    /// Sets all settings of a dataset.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn set_dataset(
        &self,
        name: &DatasetName,
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let _change = self.change.lock();
        let dataset = Dataset { settings: settings.clone(), ..self.dataset(name)? };
        self.db.write(|sql| {
            sql.prepare_cached(
                "UPDATE dataset
                 SET time_key = ?, message_key = ?, severity_key = ?, retention_days = ?,
                     hot_days = ?
                 WHERE id = ?",
            )?
            .execute(params![
                settings.time_key,
                settings.message_key,
                settings.severity_key,
                settings.retention_days,
                settings.hot_days,
                dataset.id.0,
            ])?;
            Ok(())
        })?;
        self.keep(dataset.clone());
        Ok(dataset)
    }

    /// Lets a dataset that was just written be seen. Only under the lock of changes.
    fn keep(&self, dataset: Dataset) {
        let mut datasets = self.datasets.write();
        Arc::make_mut(&mut datasets).insert(dataset.name.clone(), dataset);
    }
}

pub(super) fn read_all(db: &Database) -> Result<BTreeMap<DatasetName, Dataset>> {
    db.read(|sql| {
        let mut select = sql.prepare_cached(
            "SELECT id, name, created, time_key, message_key, severity_key, retention_days, kind,
                    hot_days
             FROM dataset",
        )?;
        let mut rows = select.query([])?;
        let mut datasets = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let name: DatasetName =
                name.parse().map_err(|_| Error::corrupt("a stored name is none of a dataset"))?;
            let settings = DatasetSettings {
                time_key: row.get(3)?,
                message_key: row.get(4)?,
                severity_key: row.get(5)?,
                retention_days: row.get(6)?,
                hot_days: row.get(8)?,
            };
            let kind: String = row.get(7)?;
            let kind =
                kind.parse().map_err(|_| Error::corrupt("a stored kind is none of a dataset"))?;
            let (id, created) = (DatasetId(row.get(0)?), Timestamp(row.get(2)?));
            datasets.insert(name.clone(), Dataset { id, name, kind, created, settings });
        }
        Ok(datasets)
    })
}

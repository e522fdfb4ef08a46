//! The datasets of a tenant.

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::DatasetName;
use ledgerline_policy::{Action, Append, Manage, Read, ReadGrant, Scope, Upkeep};

use crate::error::{Error, ErrorKind, Result};
use crate::records::{Dataset, DatasetSettings};
use crate::tenancy::Tenancy;

impl Tenancy {
    /// The dataset that may be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn dataset_to_read(&self, scope: &Scope<Read>) -> Result<Dataset> {
        self.records(scope.tenant())?.dataset(scope.dataset())
    }

    /// The dataset that may be appended to; none when the first event will make it.
    ///
    /// # Errors
    /// As [`Tenancy::dataset_to_append`].
    pub fn find_to_append(&self, scope: &Scope<Append>) -> Result<Option<Dataset>> {
        let records = self.records(scope.tenant())?;
        let name = scope.dataset();
        match records.dataset(name) {
            Ok(dataset) => of_kind(dataset, scope.kind()).map(Some),
            Err(_) if name.is_reserved() || records.tenant().makes_datasets => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The dataset that may be appended to; makes it when there is none and the tenant lets it.
    /// Ledgerline's own are always made: nobody can switch them off.
    ///
    /// # Errors
    /// `NotFound` when the tenant switched that off, `Invalid` at `limits::DATASETS_MAX`,
    /// `Conflict` when it is there and holds something else than the scope is for.
    pub fn dataset_to_append(&self, scope: &Scope<Append>) -> Result<Dataset> {
        if let Some(dataset) = self.find_to_append(scope)? {
            return Ok(dataset);
        }
        let (records, name) = (self.records(scope.tenant())?, scope.dataset());
        let settings = DatasetSettings::default();
        match records.make_dataset((name, scope.kind()), &settings, self.now()) {
            // Somebody else made it since.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                of_kind(records.dataset(name)?, scope.kind())
            }
            made => made,
        }
    }

    /// The datasets that may be read, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn datasets(&self, grant: &ReadGrant) -> Result<Vec<Dataset>> {
        let datasets = self.records(grant.tenant())?.datasets();
        Ok(datasets.values().filter(|dataset| grant.covers(&dataset.name)).cloned().collect())
    }

    /// Every dataset of a tenant, by name, for background work.
    ///
    /// # Errors
    /// The database's.
    pub fn all_datasets(&self, scope: &Scope<Upkeep>) -> Result<Vec<Dataset>> {
        Ok(self.records(scope.tenant())?.datasets().values().cloned().collect())
    }

    /// Makes a dataset.
    ///
    /// # Errors
    /// `Denied`, `Conflict`, `Invalid` for a reserved name or bad settings.
    pub fn create_dataset(
        &self,
        scope: &Scope<Manage>,
        (name, kind): (&DatasetName, DatasetKind),
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let records = self.managed(scope, Action::ManageDatasets)?;
        check_not_reserved(name)?;
        settings.check()?;
        records.make_dataset((name, kind), settings, self.now())
    }

    /// Sets all settings of a dataset. Those of Ledgerline's own datasets are not the tenant's to
    /// set: an admin could cut its own audit trail short.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Invalid`.
    pub fn update_dataset(
        &self,
        scope: &Scope<Manage>,
        name: &DatasetName,
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let records = self.managed(scope, Action::ManageDatasets)?;
        check_not_reserved(name)?;
        settings.check()?;
        records.set_dataset(name, settings)
    }
}

fn of_kind(dataset: Dataset, kind: DatasetKind) -> Result<Dataset> {
    if dataset.kind == kind {
        return Ok(dataset);
    }
    Err(Error::conflict("dataset", format!("the dataset holds {}, not {kind}", dataset.kind)))
}

fn check_not_reserved(name: &DatasetName) -> Result<()> {
    if name.is_reserved() {
        return Err(Error::invalid("name", "names that begin with '_' are reserved"));
    }
    Ok(())
}

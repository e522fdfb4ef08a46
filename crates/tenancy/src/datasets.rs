//! The datasets of a tenant.

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

    /// The dataset that may be appended to; makes it when there is none and the tenant lets it.
    /// Ledgerline's own are always made: nobody can switch them off.
    ///
    /// # Errors
    /// `NotFound` when the tenant switched that off, `Invalid` at `limits::DATASETS_MAX`.
    pub fn dataset_to_append(&self, scope: &Scope<Append>) -> Result<Dataset> {
        let records = self.records(scope.tenant())?;
        let name = scope.dataset();
        let missing = match records.dataset(name) {
            Ok(dataset) => return Ok(dataset),
            Err(error) => error,
        };
        if !name.is_reserved() && !records.tenant().makes_datasets {
            return Err(missing);
        }
        match records.make_dataset(name, &DatasetSettings::default(), self.now()) {
            // Somebody else made it since.
            Err(error) if error.kind() == ErrorKind::Conflict => records.dataset(name),
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
        name: &DatasetName,
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let records = self.managed(scope, Action::ManageDatasets)?;
        check_not_reserved(name)?;
        settings.check()?;
        records.make_dataset(name, settings, self.now())
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

fn check_not_reserved(name: &DatasetName) -> Result<()> {
    if name.is_reserved() {
        return Err(Error::invalid("name", "names that begin with '_' are reserved"));
    }
    Ok(())
}

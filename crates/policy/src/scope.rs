//! The right to do one kind of thing to one tenant's data.

use std::fmt;

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetName, TenantId};

use crate::action::Action;
use crate::authorize::Denied;
use crate::principal::Subject;

/// The right to do `A` to one tenant's data. Has no public constructor: only the `authorize`
/// functions and [`crate::upkeep`] make one, so to hold it is to have asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<A> {
    tenant: TenantId,
    subject: Subject,
    to: A,
}

impl<A> Scope<A> {
    pub(crate) fn new(tenant: TenantId, subject: Subject, to: A) -> Self {
        Self { tenant, subject, to }
    }

    /// The tenant whose data the scope opens.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who asked.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }
}

/// To append events to one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub(crate) dataset: DatasetName,
    pub(crate) kind: DatasetKind,
}

/// To read the events of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub(crate) dataset: DatasetName,
}

/// To list or change one kind of a tenant's control records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manage {
    pub(crate) action: Action,
}

/// To do one background job on all of a tenant's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    pub(crate) job: Job,
}

/// The background jobs. The list is closed: nothing else works on a tenant's data unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Read the journal and the catalog at start.
    Recover,
    /// Move events from memory to segments, and trim the journal.
    Flush,
    /// Merge segments.
    Compact,
    /// Delete segments that are past their retention.
    Expire,
    /// Move old segments to the archive.
    Archive,
    /// Verify every checksum, and rebuild a lost catalog.
    Fsck,
    /// Write Ledgerline's own records of the tenant, such as `_audit`.
    Audit,
    /// Make the entries of ledgers durable, and sign their heads.
    Sign,
    /// Erase events that somebody with the right to do so asked to be erased, and say so in their
    /// ledger.
    Erase,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 9] = [
        Self::Recover,
        Self::Flush,
        Self::Compact,
        Self::Expire,
        Self::Archive,
        Self::Fsck,
        Self::Audit,
        Self::Sign,
        Self::Erase,
    ];

    /// The job's name, as logs carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Flush => "flush",
            Self::Compact => "compact",
            Self::Expire => "expire",
            Self::Archive => "archive",
            Self::Fsck => "fsck",
            Self::Audit => "audit",
            Self::Sign => "sign",
            Self::Erase => "erase",
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scope<Append> {
    /// The dataset that may be appended to.
    #[must_use]
    pub fn dataset(&self) -> &DatasetName {
        &self.to.dataset
    }

    /// What the dataset must hold, or is made to hold.
    #[must_use]
    pub fn kind(&self) -> DatasetKind {
        self.to.kind
    }

    /// Whether the dataset is the one that may be appended to.
    #[must_use]
    pub fn covers(&self, dataset: &DatasetName) -> bool {
        self.to.dataset == *dataset
    }
}

impl Scope<Read> {
    /// The dataset that may be read.
    #[must_use]
    pub fn dataset(&self) -> &DatasetName {
        &self.to.dataset
    }

    /// Whether the dataset is the one that may be read.
    #[must_use]
    pub fn covers(&self, dataset: &DatasetName) -> bool {
        self.to.dataset == *dataset
    }
}

impl Scope<Manage> {
    /// The action that was asked for.
    #[must_use]
    pub fn action(&self) -> Action {
        self.to.action
    }

    /// Whether the scope holds the right to do `action`.
    #[must_use]
    pub fn allows(&self, action: Action) -> bool {
        self.to.action.implies(action)
    }
}

impl Scope<Upkeep> {
    /// The job that the scope is for.
    #[must_use]
    pub fn job(&self) -> Job {
        self.to.job
    }

    /// The right to append to one of Ledgerline's own datasets: the only way to one, since no
    /// principal has it.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] for any job but [`Job::Audit`], and for a dataset that is not
    /// reserved.
    pub fn append_reserved(&self, dataset: &DatasetName) -> Result<Scope<Append>, Denied> {
        self.append_as(self.to.job == Job::Audit && dataset.is_reserved(), dataset)
    }

    /// The right to tell of an erasure in the ledger of what it erased.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] for any job but [`Job::Erase`].
    pub fn append_erasure(&self, dataset: &DatasetName) -> Result<Scope<Append>, Denied> {
        self.append_as(self.to.job == Job::Erase, dataset)
    }

    /// The right to tell of a new key in the ledger that it signs.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] for any job but [`Job::Sign`].
    pub fn append_rotation(&self, dataset: &DatasetName) -> Result<Scope<Append>, Denied> {
        self.append_as(self.to.job == Job::Sign, dataset)
    }

    fn append_as(&self, may: bool, dataset: &DatasetName) -> Result<Scope<Append>, Denied> {
        if !may {
            return Err(Denied::Forbidden);
        }
        let append = Append { dataset: dataset.clone(), kind: DatasetKind::Audit };
        Ok(Scope::new(self.tenant, self.subject, append))
    }
}

/// The operator's right to list, make or delete tenants. It names no tenant, so it is no [`Scope`],
/// and nothing that opens a tenant's data takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorScope {
    pub(crate) subject: Subject,
    pub(crate) action: Action,
}

impl OperatorScope {
    /// Who asked.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether the scope holds the right to do `action`.
    #[must_use]
    pub fn allows(&self, action: Action) -> bool {
        self.action.implies(action)
    }
}

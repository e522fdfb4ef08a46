//! Documents: small objects of a tenant that this room keeps and other rooms understand, such as
//! schemas and holds.

use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, Manage, Read, Scope, Upkeep};
use rusqlite::{OptionalExtension, params};

use crate::error::{Error, Result};
use crate::tenancy::Tenancy;

/// The most documents of one kind that a tenant may have.
pub const DOCUMENTS_MAX: usize = 10_000;
/// The longest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 10;
/// The most versions, of all documents of one kind together, that a tenant may have.
pub const VERSIONS_MAX: usize = 1_000;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// How the events of an action must look.
    Schema,
    /// What must not be removed.
    Hold,
    /// How audit events are kept and shown.
    AuditSettings,
    /// What is masked, and the key of its hashes.
    Mask,
}

impl DocumentKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Hold => "hold",
            Self::AuditSettings => "audit_settings",
            Self::Mask => "mask",
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id, unique among those of its kind.
    pub id: String,
    /// When it was first written.
    pub created: Timestamp,
    /// What it says.
    pub body: String,
}

/// One version of a document whose old versions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The document's name.
    pub name: String,
    /// Its number, counted from 1.
    pub number: u32,
    /// When it was written.
    pub created: Timestamp,
    /// What it says.
    pub body: String,
    /// Whether this very call wrote it.
    pub is_new: bool,
}

/// Between a name and the number of a version, which no name has.
const AT: char = '@';

impl Version {
    fn id(name: &str, number: u32) -> String {
        format!("{name}{AT}{number:010}")
    }

    /// A document as the version that its id says it is.
    #[must_use]
    pub fn of(document: Document) -> Option<Self> {
        let (name, number) = document.id.rsplit_once(AT)?;
        let (name, number) = (name.to_owned(), number.parse().ok()?);
        let Document { created, body, .. } = document;
        Some(Self { name, number, created, body, is_new: false })
    }
}

impl Tenancy {
    /// The documents of a kind, by their ids.
    ///
    /// # Errors
    /// `Denied`, and the database's.
    pub fn documents(&self, scope: &Scope<Manage>, kind: DocumentKind) -> Result<Vec<Document>> {
        if !scope.allows(Action::ManageAudit) && !scope.allows(Action::ListDatasets) {
            return Err(Error::denied());
        }
        self.documents_of(scope.tenant(), kind)
    }

    /// The same, for who reads events, whose rules they are.
    ///
    /// # Errors
    /// The database's.
    pub fn documents_for_reading(
        &self,
        scope: &Scope<Read>,
        kind: DocumentKind,
    ) -> Result<Vec<Document>> {
        self.documents_of(scope.tenant(), kind)
    }

    /// The same, for background work.
    ///
    /// # Errors
    /// The database's.
    pub fn documents_for_upkeep(
        &self,
        scope: &Scope<Upkeep>,
        kind: DocumentKind,
    ) -> Result<Vec<Document>> {
        self.documents_of(scope.tenant(), kind)
    }

    fn documents_of(&self, tenant: TenantId, kind: DocumentKind) -> Result<Vec<Document>> {
        self.records(tenant)?.database().read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT id, created, body FROM document WHERE kind = ? ORDER BY id",
            )?;
            let document = |row: &rusqlite::Row<'_>| {
                Ok(Document { id: row.get(0)?, created: Timestamp(row.get(1)?), body: row.get(2)? })
            };
            let documents = select.query_map([kind.as_str()], document)?;
            Ok(documents.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Writes a document, a new one or another in its place.
    ///
    /// # Errors
    /// `Denied`, `Invalid` for one that is too long or one too many.
    pub fn put_document(
        &self,
        scope: &Scope<Manage>,
        kind: DocumentKind,
        id: &str,
        body: &str,
    ) -> Result<Document> {
        let records = self.managed(scope, Action::ManageAudit)?;
        check_length(body)?;
        let now = self.now();
        records.database().write(|sql| {
            let created: Option<i64> = sql
                .prepare_cached("SELECT created FROM document WHERE kind = ? AND id = ?")?
                .query_row(params![kind.as_str(), id], |row| row.get(0))
                .optional()?;
            let count: i64 = sql
                .prepare_cached("SELECT count(*) FROM document WHERE kind = ?")?
                .query_row([kind.as_str()], |row| row.get(0))?;
            if created.is_none() && count >= DOCUMENTS_MAX as i64 {
                let what = format!("there are {DOCUMENTS_MAX} already");
                return Err(Error::invalid("", what));
            }
            let created = created.unwrap_or(now.0);
            sql.prepare_cached("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)")?
                .execute(params![kind.as_str(), id, created, body])?;
            let (id, body) = (id.to_owned(), body.to_owned());
            Ok(Document { id, created: Timestamp(created), body })
        })
    }

    /// Removes a document.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn remove_document(
        &self,
        scope: &Scope<Manage>,
        kind: DocumentKind,
        id: &str,
    ) -> Result<()> {
        let records = self.managed(scope, Action::ManageAudit)?;
        records.database().write(|sql| {
            let removed = sql
                .prepare_cached("DELETE FROM document WHERE kind = ? AND id = ?")?
                .execute(params![kind.as_str(), id])?;
            if removed == 0 { Err(Error::not_found("no such document")) } else { Ok(()) }
        })
    }

    /// Writes the next version of a document. One that says what the newest says is that one.
    /// `wanted` is the number that it is to have.
    ///
    /// # Errors
    /// `Denied`, `Conflict` when it is not the turn of the wanted number, `Invalid` for one that is
    /// too long or one too many.
    pub fn put_version(
        &self,
        scope: &Scope<Manage>,
        (kind, name): (DocumentKind, &str),
        wanted: Option<u32>,
        body: &str,
    ) -> Result<Version> {
        let records = self.managed(scope, Action::ManageAudit)?;
        check_length(body)?;
        if name.contains(AT) {
            return Err(Error::invalid("", format!("a name has no {AT}")));
        }
        let now = self.now();
        records.database().write(|sql| {
            let newest = newest_version(sql, kind, name)?;
            if let Some(newest) = newest.as_ref().filter(|newest| newest.body == body)
                && wanted.is_none_or(|wanted| wanted == newest.number)
            {
                return Ok(newest.clone());
            }
            let number = newest.map_or(1, |newest| newest.number.saturating_add(1));
            if wanted.is_some_and(|wanted| wanted != number) {
                return Err(Error::conflict("version", format!("the next version is {number}")));
            }
            let count: i64 = sql
                .prepare_cached("SELECT count(*) FROM document WHERE kind = ?")?
                .query_row([kind.as_str()], |row| row.get(0))?;
            if count >= VERSIONS_MAX as i64 {
                let what = format!("there are {VERSIONS_MAX} versions already");
                return Err(Error::invalid("", what));
            }
            sql.prepare_cached("INSERT INTO document VALUES (?, ?, ?, ?)")?.execute(params![
                kind.as_str(),
                Version::id(name, number),
                now.0,
                body
            ])?;
            let (name, body) = (name.to_owned(), body.to_owned());
            Ok(Version { name, number, created: now, body, is_new: true })
        })
    }

    /// Removes every version of a document. How many there were.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn remove_versions(
        &self,
        scope: &Scope<Manage>,
        kind: DocumentKind,
        name: &str,
    ) -> Result<u64> {
        let records = self.managed(scope, Action::ManageAudit)?;
        records.database().write(|sql| {
            let removed = sql
                .prepare_cached("DELETE FROM document WHERE kind = ? AND id BETWEEN ? AND ?")?
                .execute(params![
                    kind.as_str(),
                    Version::id(name, 0),
                    Version::id(name, u32::MAX)
                ])?;
            if removed == 0 {
                Err(Error::not_found("no such document"))
            } else {
                Ok(removed as u64)
            }
        })
    }
}

fn check_length(body: &str) -> Result<()> {
    if body.len() > DOCUMENT_BYTES_MAX {
        let what = format!("it is longer than {DOCUMENT_BYTES_MAX} bytes");
        return Err(Error::invalid("", what));
    }
    Ok(())
}

fn newest_version(
    sql: &rusqlite::Connection,
    kind: DocumentKind,
    name: &str,
) -> Result<Option<Version>> {
    let newest = sql
        .prepare_cached(
            "SELECT id, created, body FROM document WHERE kind = ? AND id BETWEEN ? AND ?
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            params![kind.as_str(), Version::id(name, 0), Version::id(name, u32::MAX)],
            |row| {
                let created = Timestamp(row.get(1)?);
                Ok(Document { id: row.get(0)?, created, body: row.get(2)? })
            },
        )
        .optional()?;
    Ok(newest.and_then(Version::of))
}

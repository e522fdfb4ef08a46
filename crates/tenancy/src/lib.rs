//! Who exists: tenants, their users, keys, sessions and datasets, as control records in SQL.
//!
//! This room never sees an event.
//!
//! ```text
//! control/control.db           the operators, the tenants, the key that signs access tokens,
//!                              and an index: keyed hashes of addresses and secrets → tenant
//! tenants/<id>/records.db      one tenant's users, keys, sessions and datasets
//! ```
//! A tenant's records lie in its own file alone. The index holds only what can be computed again
//! from the tenants' files, and always at least what is true: who adds a record writes the index
//! first, who removes one writes it last. A row too many leads to a file that knows nothing of it;
//! the next start removes it.

mod address;
mod cache;
mod datasets;
mod db;
mod documents;
mod error;
mod index;
mod keys;
mod login;
mod operators;
mod people;
mod records;
mod seals;
mod secret;
mod tenancy;
mod tenant;
mod tenants;
mod throttle;
mod users;

pub use documents::{
    DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, Document, DocumentKind, VERSIONS_MAX, Version,
};
pub use error::{Error, ErrorKind, Result};
pub use records::{
    ApiKey, Dataset, DatasetSettings, NewKey, NewUser, Options, Tenant, Tokens, User,
};
pub use tenancy::Tenancy;

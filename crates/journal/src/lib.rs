//! The journal: the durable order of a tenant's events. What it has acknowledged is on stable
//! storage.
//!
//! It never knows what an event means, and never answers a query.

mod appender;
mod committed;
mod dedupe;
mod entry;
mod error;
mod files;
mod journal;
mod options;
mod prepare;
mod receipt;
mod tenant;

pub use appender::Appender;
pub use committed::{Apply, Committed, Position};
pub use error::{Error, ErrorKind, Result};
pub use options::{Options, Recovered, Start};
pub use receipt::{IdempotencyKey, Receipt};
pub use tenant::TenantJournal;

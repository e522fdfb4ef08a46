//! The outside: clock, chance, and a tenant's sealed bytes on a disk. The only room that touches
//! them.
//!
//! It never knows what the bytes mean, and never opens one tenant's bytes for another: whoever
//! holds a [`TenantBlobs`] holds one tenant's.

mod archive;
mod blob;
mod cache;
mod chance;
mod clock;
mod data_dir;
pub mod disk;
mod error;
mod files;
mod inventory;
mod keyring;
mod log;
mod path;
mod seal;
mod sealed;
mod tenant;

pub use blob::{Blob, BlobWriter, Written};
pub use chance::Chance;
pub use clock::{Clock, ManualClock, SystemClock};
pub use data_dir::{DataDir, Options};
pub use error::{Error, ErrorKind, Result};
pub use log::{FrameKey, LogFile, LogReader};
pub use path::BlobPath;
pub use tenant::TenantBlobs;

//! The store: committed events become visible, and lie in sealed segments, one tenant at a time.
//!
//! This room never decides who may read, and never answers a query: it hands out columns.

mod archive;
mod catalog;
pub mod column;
mod compact;
mod erase;
pub mod error;
mod flush;
mod fsck;
mod gather;
pub mod index;
mod leftover;
mod memory;
mod numbers;
pub mod part;
mod retain;
pub mod run;
pub mod sample;
mod segment;
mod shelf;
pub mod signer;
pub mod snapshot;
mod stack;
pub mod tenant;
pub mod tree;
mod window;
pub mod witness;

pub use archive::Archived;
pub use compact::Compacted;
pub use erase::{Erase, Erased};
pub use flush::Flushed;
pub use fsck::Findings;
pub use retain::{Expired, Horizon};

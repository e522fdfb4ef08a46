//! The store: committed events become visible, and lie in sealed segments, one tenant at a time.
//!
//! This room never decides who may read, and never answers a query: it hands out columns.

mod catalog;
pub mod column;
mod compact;
pub mod error;
mod flush;
mod fsck;
mod gather;
pub mod index;
mod memory;
pub mod part;
mod retain;
pub mod run;
pub mod sample;
mod segment;
mod shelf;
pub mod snapshot;
mod stack;
pub mod tenant;
mod window;

pub use compact::Compacted;
pub use flush::Flushed;
pub use fsck::Findings;
pub use retain::Expired;

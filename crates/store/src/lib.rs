//! The store: committed events become visible, and lie in sealed segments, one tenant at a time.
//!
//! This room never decides who may read, and never answers a query: it hands out columns.

pub mod column;
pub mod error;
mod gather;
pub mod index;
mod memory;
pub mod part;
pub mod run;
pub mod sample;
mod segment;
pub mod snapshot;
pub mod tenant;

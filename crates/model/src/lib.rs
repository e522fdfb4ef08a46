//! The nouns that every room shares: ids, names, events, batches of events and the limits on them.
//!
//! This room never does input or output, never reads a clock and never draws a random number.

pub mod batch;
pub mod convention;
pub mod dataset;
pub mod event;
pub mod id;
pub mod limits;
pub mod severity;
pub mod strings;
pub mod time;
pub mod varint;
pub mod word;

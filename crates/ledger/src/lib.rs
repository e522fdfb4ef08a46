//! The Merkle log of a dataset of audit events: entries, commitments, the tree, tiles, signed
//! checkpoints, proofs, and the bodies and bundles that carry them to a verifier.
//!
//! It never does input or output, never reads a clock, never draws a random number and never holds
//! a key longer than its caller does: what it needs is handed in, what it decides is handed back.
//! The server writes with it and the verifier reads with it, so there is one writer of each format.
//! The formats are drawn in `spec/formats/ledger.md`.

#![forbid(unsafe_code)]

pub mod body;
pub mod bundle;
pub mod checkpoint;
pub mod commit;
pub mod entry;
pub mod erased;
mod error;
pub mod hash;
pub mod json;
pub mod key;
pub mod log_id;
pub mod note;
pub mod payload;
pub mod policy;
pub mod proof;
pub mod ranges;
pub mod rotation;
pub mod signer;
pub mod text;
pub mod tile;
pub mod time;
pub mod tree;
pub mod witness;

pub use error::{Error, ErrorKind, Result};

#[cfg(test)]
mod sample;

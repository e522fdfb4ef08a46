//! The offline verifier: checks bodies of events, export bundles, pairs of checkpoints and whole
//! ledgers against a policy, and says what they prove.
//!
//! It never asks a network, a clock or a key that is not in the policy, and never writes: it reads
//! the files that a person names and answers with a code and a text.

#![forbid(unsafe_code)]

mod archive;
mod command;
mod consistency;
mod directory;
mod event;
mod export;
mod files;
mod outcome;
mod removed;

pub use command::{USAGE, run};
pub use consistency::{Pair, consistency};
pub use directory::{Folder, ledger};
pub use event::event;
pub use export::export;
pub use files::DiskFolder;
pub use outcome::Outcome;

//! A running `ledgerline`, driven from outside as its users do: by benchmarks and by tests of the
//! whole program.
//!
//! It never links a room of the platform: what it sees is what everybody sees.

mod client;
mod gate;
mod node;
mod process;
mod throughput;

pub use client::{Client, Reply};
pub use gate::{Gate, put_head, put_row};
pub use node::{Launch, Node, Tenant};
pub use process::{Spent, folder_bytes, peak_bytes, running_seconds, wait};
pub use throughput::{Throughput, Way, measure};

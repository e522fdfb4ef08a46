//! Trials of the whole program: the real `ledgerline`, driven from outside, killed, starved, cut
//! off and damaged, and then asked what it still has.
//!
//! Each trial has a short form, which `cargo test` runs, and a full form; `docs/guides/trials.md`
//! says how to run which. Trials need what a machine may not allow (to mount, to limit memory):
//! where it does not, they say so in one line and end.

mod answers;
mod audit;
mod cgroup;
mod cloudtrail;
mod contract;
mod disk_full;
mod image;
mod isolation;
mod kill;
mod ledger;
mod load;
mod moved;
mod overload;
mod place;
mod power;
mod python;
mod steps;
mod throughput;
mod torn;
mod tour;
#[path = "../../../server/tests/it/traces.rs"]
#[expect(dead_code, reason = "the tests of the server use more of it")]
mod traces;
mod workos;

//! The journal as its callers see it, on disks that fail, and on the machine's own.

mod basics;
mod damage;
mod dedupe;
mod faults;
mod model;
mod real;
mod recovery;
mod support;

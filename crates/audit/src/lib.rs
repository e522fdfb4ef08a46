//! The typed audit event and what may be done with one: amending, erasing, holding, keeping,
//! checking against a schema, masking, and mapping the events of other products to it.
//!
//! This room never does input or output, never reads a clock and never draws a random number: ids,
//! times and keys are handed in. It never decides who may do what, and never stores anything.

pub mod amendment;
pub mod cloudtrail;
pub mod erasure;
pub mod error;
pub mod event;
pub mod hold;
pub mod json;
pub mod key_rotation;
pub mod limits;
pub mod mask;
pub mod moment;
pub mod ranges;
pub mod record;
pub mod retention;
pub mod retirement;
pub mod schema;
pub mod workos;

mod members;
mod reason;
mod writer;

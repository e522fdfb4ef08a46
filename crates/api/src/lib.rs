//! The wire: what requests and answers look like, and the codes of errors. The only room whose
//! types are written to and read from JSON.
//!
//! This room never decides anything.

pub mod code;
pub mod object;
pub mod problem;
pub mod time;
pub mod v1;

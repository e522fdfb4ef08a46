//! From the bytes of one event to its fields.

pub(crate) mod json;
pub(crate) mod text;

pub(crate) mod compact;
mod flatten;
mod numbers;

//! A segment: an immutable file with the events of one dataset and one window of time, column by
//! column, together with the index that says where its words are.
//!
//! One file holds both, so they cannot drift apart, and its tail alone suffices to enter it into a
//! catalog again. The layout is drawn in [`directory`] and in `spec/formats/segment.md`.

pub(crate) mod directory;
pub(crate) mod encode;
pub(crate) mod pack;
pub(crate) mod read;
pub(crate) mod write;

#[cfg(test)]
mod tests;

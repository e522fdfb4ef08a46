//! The Merkle tree of RFC 9162, section 2.1: roots, proofs, and the checks of proofs.
//!
//! ```text
//! level 3                 ·                    a node (level, index) is the root of the complete
//! level 2         ·               ·            subtree over the leaves
//! level 1     ·       ·       ·       ·        index·2^level .. (index + 1)·2^level
//! level 0   0   1   2   3   4   5   6   7
//! ```
//!
//! A node never changes once its leaves are there, so it can be stored; the nodes at the right edge
//! that are not complete are computed from complete ones. [`Nodes`] is where they come from.

mod check;
mod frontier;
mod prove;
mod range;

pub use check::{check_consistency, check_inclusion, root_of_inclusion};
pub use frontier::Frontier;
pub use prove::{consistency, inclusion, range, root};
pub use range::{RangeCheck, RangeProof};

use crate::error::Result;
use crate::hash::{EMPTY, Hash};

/// A tree as a checkpoint names it: how many leaves, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Head {
    /// The head of the tree without leaves.
    pub const EMPTY: Self = Self { size: 0, root: EMPTY };
}

/// Where complete nodes are read from.
pub trait Nodes {
    /// The hash of the complete subtree over the leaves `index·2^level .. (index + 1)·2^level`.
    /// It is asked only for nodes within the size that the caller named.
    ///
    /// # Errors
    /// Its own, best as [`crate::Error::unavailable`].
    fn node(&self, level: u8, index: u64) -> Result<Hash>;
}

impl<N: Nodes + ?Sized> Nodes for &N {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        (**self).node(level, index)
    }
}

/// The largest complete subtrees that cover the leaves `first .. end`, from left to right.
fn subtrees(first: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = first;
    std::iter::from_fn(move || {
        let level = end.checked_sub(at)?.checked_ilog2()?.min(at.trailing_zeros());
        let subtree = (u8::try_from(level).expect("a level is below 64"), at >> level);
        at += 1 << level;
        Some(subtree)
    })
}

#[cfg(test)]
mod tests;

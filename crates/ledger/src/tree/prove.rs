//! Proofs from complete nodes.

use std::ops::Range;

use super::{Nodes, RangeProof, subtrees};
use crate::error::{Error, Result};
use crate::hash::{EMPTY, Hash, node};

/// The root over the first `size` leaves.
///
/// # Errors
/// Those of the reader.
pub fn root(nodes: &impl Nodes, size: u64) -> Result<Hash> {
    if size == 0 { Ok(EMPTY) } else { over(nodes, 0..size) }
}

/// The proof that the leaf `index` is in the tree of `size` leaves: its siblings from the leaf up
/// (RFC 9162, section 2.1.3.1).
///
/// # Errors
/// [`crate::ErrorKind::NotIncluded`] when there is no such leaf, and those of the reader.
pub fn inclusion(nodes: &impl Nodes, index: u64, size: u64) -> Result<Vec<Hash>> {
    if index >= size {
        return Err(Error::not_included(format!("leaf {index} is not in a tree of {size}")));
    }
    let mut path = Vec::new();
    let mut leaves = 0..size;
    while leaves.end - leaves.start > 1 {
        let middle = leaves.start + split(&leaves);
        let (near, far) = halves(&leaves, middle, index >= middle);
        path.push(over(nodes, far)?);
        leaves = near;
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `from` leaves is the beginning of the tree of `to` leaves
/// (RFC 9162, section 2.1.4.1). Nothing needs to be proven when either tree is empty or both are
/// the same.
///
/// # Errors
/// [`crate::ErrorKind::Inconsistent`] when `from` is larger than `to`, and those of the reader.
pub fn consistency(nodes: &impl Nodes, from: u64, to: u64) -> Result<Vec<Hash>> {
    if from > to {
        return Err(Error::inconsistent(format!("a tree of {from} does not shrink to {to}")));
    }
    let mut path = Vec::new();
    if from == 0 {
        return Ok(path);
    }
    let mut leaves = 0..to;
    while leaves.end != from {
        let middle = leaves.start + split(&leaves);
        let (near, far) = halves(&leaves, middle, from > middle);
        path.push(over(nodes, far)?);
        leaves = near;
    }
    // The old tree is a node of the new one; the checker knows it when it is the whole old tree.
    if leaves.start > 0 {
        path.push(over(nodes, leaves)?);
    }
    path.reverse();
    Ok(path)
}

/// The proof that the leaves `first ..= last` are exactly those of the tree of `size` leaves at
/// these places.
///
/// # Errors
/// [`crate::ErrorKind::NotIncluded`] when the range is empty or not within the tree, and those of
/// the reader.
pub fn range(nodes: &impl Nodes, first: u64, last: u64, size: u64) -> Result<RangeProof> {
    if first > last || last >= size {
        let what = format!("leaves {first} to {last} are no range in a tree of {size}");
        return Err(Error::not_included(what));
    }
    let read = |first, end| {
        subtrees(first, end).map(|(level, index)| nodes.node(level, index)).collect::<Result<_>>()
    };
    Ok(RangeProof { left: read(0, first)?, right: read(last + 1, size)? })
}

/// How many leaves are in the left half: the largest power of two that is not all of them.
fn split(leaves: &Range<u64>) -> u64 {
    1 << (leaves.end - leaves.start - 1).ilog2()
}

/// The half to go on with and the other one.
fn halves(leaves: &Range<u64>, middle: u64, goes_right: bool) -> (Range<u64>, Range<u64>) {
    let (left, right) = (leaves.start..middle, middle..leaves.end);
    if goes_right { (right, left) } else { (left, right) }
}

/// The root over leaves that are a subtree of RFC 9162's recursion, so that they begin at a
/// multiple of the power of two that is at least their number.
fn over(nodes: &impl Nodes, leaves: Range<u64>) -> Result<Hash> {
    let mut hashes = Vec::new();
    for (level, index) in subtrees(leaves.start, leaves.end) {
        hashes.push(nodes.node(level, index)?);
    }
    let folded = hashes.into_iter().rev().reduce(|right, left| node(&left, &right));
    Ok(folded.expect("a subtree has a leaf"))
}

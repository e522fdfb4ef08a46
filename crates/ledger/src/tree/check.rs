//! Checks of proofs, from values alone.
//!
//! A path from a leaf to the root has two parts. Below the subtree that leaf and last leaf share,
//! siblings lie on the side that the index's bits say; above, where the way up runs along the right
//! edge, every sibling lies to the left.

use super::Head;
use crate::error::{Error, Result};
use crate::hash::{EMPTY, Hash, node};

/// The root that the proof leads to from a leaf's hash (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`crate::ErrorKind::NotIncluded`] when there is no such leaf in a tree of this size, or the
/// proof has not the length that it must have.
pub fn root_of_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash> {
    if index >= size {
        return Err(Error::not_included(format!("leaf {index} is not in a tree of {size}")));
    }
    let (inner, border) = lengths(index, size);
    let (has, needs) = (path.len(), inner + border);
    if has != needs {
        return Err(Error::not_included(format!("the proof has {has} hashes, not {needs}")));
    }
    let (inner, border) = path.split_at(inner);
    Ok(up_the_border(up_inside(leaf, index, inner), border))
}

/// Checks that a leaf's hash is at `index` in the tree.
///
/// # Errors
/// [`crate::ErrorKind::NotIncluded`] when the proof does not lead to the root.
pub fn check_inclusion(leaf: Hash, index: u64, head: &Head, path: &[Hash]) -> Result<()> {
    if root_of_inclusion(leaf, index, head.size, path)? == head.root {
        Ok(())
    } else {
        Err(Error::not_included(format!("the proof of leaf {index} does not lead to the root")))
    }
}

/// Checks that one tree is the beginning of the other (RFC 9162, section 2.1.4.2). The proof is
/// empty when they are of one size, and when the earlier one is empty.
///
/// # Errors
/// [`crate::ErrorKind::Inconsistent`] when the proof does not lead to both roots.
pub fn check_consistency(from: &Head, to: &Head, path: &[Hash]) -> Result<()> {
    let differ = |what: &'static str| Err(Error::inconsistent(what));
    if from.size > to.size {
        return differ("the later tree is smaller than the earlier one");
    }
    if from.size == 0 && from.root != EMPTY {
        return differ("a tree without leaves has another root");
    }
    if from.size == to.size && from.root != to.root {
        return differ("two trees of one size have different roots");
    }
    if from.size == 0 || from.size == to.size {
        return if path.is_empty() { Ok(()) } else { differ("the proof should be empty") };
    }
    // Up from the largest complete subtree at the end of the earlier tree: all of it when its size
    // is a power of two, and then its hash is known, otherwise the proof begins with it.
    let last = from.size - 1;
    let level = from.size.trailing_zeros();
    let (inner, border) = lengths(last, to.size);
    let inner = inner - level as usize;
    let (seed, rest) = if from.size.is_power_of_two() {
        (from.root, path)
    } else {
        let (seed, rest) = path.split_first().ok_or_else(wrong_length)?;
        (*seed, rest)
    };
    if rest.len() != inner + border {
        return Err(wrong_length());
    }
    let (inner, border) = rest.split_at(inner);
    let index = last >> level;
    let earlier = up_the_border(up_the_left(seed, index, inner), border);
    let later = up_the_border(up_inside(seed, index, inner), border);
    match (earlier == from.root, later == to.root) {
        (true, true) => Ok(()),
        (false, _) => differ("the proof does not lead to the earlier tree's root"),
        (true, false) => differ("the proof does not lead to the later tree's root"),
    }
}

fn wrong_length() -> Error {
    Error::inconsistent("the proof has not the length that it must have")
}

/// How many siblings a path has inside and along the right edge.
fn lengths(index: u64, size: u64) -> (usize, usize) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner as usize, border as usize)
}

/// Up where the bits of the index say on which side a sibling is.
fn up_inside(mut hash: Hash, index: u64, siblings: &[Hash]) -> Hash {
    for (level, sibling) in siblings.iter().enumerate() {
        let is_right = index >> level & 1 == 1;
        hash = if is_right { node(sibling, &hash) } else { node(&hash, sibling) };
    }
    hash
}

/// The same without the siblings to the right: they came later.
fn up_the_left(mut hash: Hash, index: u64, siblings: &[Hash]) -> Hash {
    for (level, sibling) in siblings.iter().enumerate() {
        if index >> level & 1 == 1 {
            hash = node(sibling, &hash);
        }
    }
    hash
}

/// Up the right edge.
fn up_the_border(hash: Hash, siblings: &[Hash]) -> Hash {
    siblings.iter().fold(hash, |hash, sibling| node(sibling, &hash))
}

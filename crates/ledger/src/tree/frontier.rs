//! The right edge of a growing tree.

use crate::error::{Error, Result};
use crate::hash::{EMPTY, Hash, node};
use crate::tree::Head;

/// What must be kept of a tree to append to it: the roots of its largest complete subtrees, from
/// left to right, one for each one-bit of its size (a compact range from the first leaf).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge that [`Frontier::size`] and [`Frontier::hashes`] described.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when a tree of this size has another number of hashes.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self> {
        if hashes.len() == size.count_ones() as usize {
            Ok(Self { size, hashes })
        } else {
            let (has, needs) = (hashes.len(), size.count_ones());
            let what = format!("{has} hashes stand where a tree of {size} has {needs}");
            Err(Error::malformed(what))
        }
    }

    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the largest complete subtrees, from left to right.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends a leaf's hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_visiting(leaf, |_, _, _| {});
    }

    /// Appends a leaf's hash and shows every node that it completes, from the leaf up: level,
    /// index within the level, hash.
    pub fn append_visiting(&mut self, leaf: Hash, visit: impl FnMut(u8, u64, Hash)) {
        self.append_subtree(0, leaf, visit);
    }

    /// Appends a complete subtree of 2^level leaves, whose number the size must be a multiple of.
    pub(super) fn append_subtree(
        &mut self,
        level: u8,
        hash: Hash,
        mut visit: impl FnMut(u8, u64, Hash),
    ) {
        let (mut level_now, mut index, mut hash) = (level, self.size >> level, hash);
        visit(level_now, index, hash);
        while index & 1 == 1 {
            let left = self.hashes.pop().expect("a one-bit of the size has its hash");
            hash = node(&left, &hash);
            level_now += 1;
            index >>= 1;
            visit(level_now, index, hash);
        }
        self.hashes.push(hash);
        self.size += 1 << level;
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let folded = self.hashes.iter().rev().copied().reduce(|right, left| node(&left, &right));
        folded.unwrap_or(EMPTY)
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.size, root: self.root() }
    }
}

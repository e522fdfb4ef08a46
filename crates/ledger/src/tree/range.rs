//! The proof that a run of leaves is complete.

use super::{Frontier, subtrees};
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::text;

/// The largest complete subtrees on both sides of a run of leaves, each from left to right. As text
/// they are `left <n>`, n hashes in base64, `right <m>`, m hashes, each a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeProof {
    /// The subtrees over the leaves before the run.
    pub left: Vec<Hash>,
    /// The subtrees over the leaves behind it.
    pub right: Vec<Hash>,
}

impl RangeProof {
    /// The proof as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (side, hashes) in [("left", &self.left), ("right", &self.right)] {
            text.push_str(&format!("{side} {}\n", hashes.len()));
            for hash in hashes {
                text.push_str(&hash.to_base64());
                text.push('\n');
            }
        }
        text
    }

    /// Reads what [`RangeProof::to_text`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.split_terminator('\n');
        let left = side(&mut lines, "left ")?;
        let right = side(&mut lines, "right ")?;
        let proof = Self { left, right };
        if proof.to_text() == text {
            Ok(proof)
        } else {
            Err(Error::malformed("a range proof has other lines than it should"))
        }
    }
}

fn side<'a>(lines: &mut impl Iterator<Item = &'a str>, name: &str) -> Result<Vec<Hash>> {
    let first = lines.next().and_then(|line| line.strip_prefix(name));
    let count = first.ok_or_else(|| Error::malformed(format!("no line `{name}<n>`")))?;
    let count = usize::try_from(text::parse_decimal(count)?).unwrap_or(usize::MAX);
    lines.by_ref().take(count).map(Hash::from_base64).collect()
}

/// Checks a run of leaves one by one, remembering no more than an edge of the tree.
#[derive(Debug)]
pub struct RangeCheck {
    edge: Frontier,
    end: u64,
    size: u64,
    right: Vec<Hash>,
}

impl RangeCheck {
    /// Begins the check of the leaves `first ..= last` in a tree of `size` leaves.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotIncluded`] when that is no range within the tree, or the proof is of
    /// another shape.
    pub fn new(first: u64, last: u64, size: u64, proof: RangeProof) -> Result<Self> {
        if first > last || last >= size {
            let what = format!("leaves {first} to {last} are no range in a tree of {size}");
            return Err(Error::not_included(what));
        }
        let end = last + 1;
        let other = || Error::not_included("the range proof is for another range or tree");
        let edge = Frontier::from_parts(first, proof.left).map_err(|_| other())?;
        if proof.right.len() != subtrees(end, size).count() {
            return Err(other());
        }
        Ok(Self { edge, end, size, right: proof.right })
    }

    /// The place of the leaf that comes next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.edge.size()
    }

    /// Takes the next leaf's hash.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotIncluded`] when the range is over.
    pub fn push(&mut self, leaf: Hash) -> Result<()> {
        if self.next() == self.end {
            return Err(Error::not_included("there are more leaves than the range has"));
        }
        self.edge.append(leaf);
        Ok(())
    }

    /// Checks that all leaves came and lead to the root.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Incomplete`] when leaves are missing,
    /// [`crate::ErrorKind::NotIncluded`] when they lead to another root.
    pub fn finish(mut self, root: &Hash) -> Result<()> {
        if self.next() != self.end {
            let what = format!("the leaves from {} on are missing", self.next());
            return Err(Error::new(crate::ErrorKind::Incomplete, what));
        }
        for ((level, _), hash) in subtrees(self.end, self.size).zip(&self.right) {
            self.edge.append_subtree(level, *hash, |_, _, _| {});
        }
        if self.edge.root() == *root {
            Ok(())
        } else {
            Err(Error::not_included("the range does not lead to the root"))
        }
    }
}

//! The guard in front of a log's key: it signs only trees that hold all it signed before.

use crate::error::Result;
use crate::hash::Hash;
use crate::tree::{Head, check_consistency};

/// Decides whether a tree may be signed after the last one that was, and answers the head to
/// remember, durably, before the signature leaves the house. The first tree of a log needs no
/// proof.
///
/// # Errors
/// [`crate::ErrorKind::Inconsistent`] when the next tree is smaller than the last one or forked
/// from it, or the proof does not show that it is neither.
pub fn advance(last: Option<&Head>, next: &Head, proof: &[Hash]) -> Result<Head> {
    let last = last.unwrap_or(&Head::EMPTY);
    check_consistency(last, next, proof)?;
    Ok(*next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::EMPTY;
    use crate::sample::Tree;
    use crate::tree;

    #[test]
    fn a_tree_only_grows() {
        let log = Tree::of(40);
        let head = |size| Head { size, root: tree::root(&log, size).expect("in memory") };
        let proof = |from, to| tree::consistency(&log, from, to).expect("in memory");
        assert_eq!(advance(None, &head(0), &[]).expect("the first"), head(0));
        assert_eq!(advance(None, &head(7), &[]).expect("the first"), head(7));
        let next = advance(Some(&head(7)), &head(23), &proof(7, 23)).expect("it has grown");
        assert_eq!(next, head(23));
        advance(Some(&head(7)), &head(7), &[]).expect("the same once more");
        let refused = |last: &Head, next: &Head, proof: &[Hash]| {
            let error = advance(Some(last), next, proof).expect_err("it must not be signed");
            assert_eq!(error.kind(), crate::ErrorKind::Inconsistent);
        };
        refused(&head(23), &head(7), &proof(7, 23));
        refused(&head(7), &head(23), &[]);
        refused(&head(7), &Head { size: 7, root: EMPTY }, &[]);
        refused(&head(7), &Head { size: 0, root: EMPTY }, &[]);
        let fork = Tree::numbered(1000, 40);
        let forked = Head { size: 23, root: tree::root(&fork, 23).expect("in memory") };
        let fork_proof = tree::consistency(&fork, 7, 23).expect("in memory");
        refused(&head(7), &forked, &fork_proof);
        refused(&head(7), &forked, &proof(7, 23));
    }
}

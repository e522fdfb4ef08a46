use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::hash::node;
use crate::sample::{Tree, leaf};

/// RFC 9162, section 2.1.1, as it stands there.
fn model_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(model_split(leaves.len()));
            node(&model_root(left), &model_root(right))
        }
    }
}

/// The largest power of two smaller than n.
fn model_split(n: usize) -> usize {
    let mut split = 1;
    while split * 2 < n {
        split *= 2;
    }
    split
}

/// A table of the model's roots over every run of leaves that its recursion meets.
struct Model {
    leaves: Vec<Hash>,
    roots: std::collections::HashMap<(usize, usize), Hash>,
}

impl Model {
    fn new(n: usize) -> Self {
        let leaves = (0..n as u64).map(leaf).collect();
        Self { leaves, roots: std::collections::HashMap::new() }
    }

    fn root(&mut self, run: Range<usize>) -> Hash {
        if run.len() < 2 {
            return model_root(&self.leaves[run]);
        }
        if let Some(root) = self.roots.get(&(run.start, run.end)) {
            return *root;
        }
        let middle = run.start + model_split(run.len());
        let root = node(&self.root(run.start..middle), &self.root(middle..run.end));
        self.roots.insert((run.start, run.end), root);
        root
    }

    /// Section 2.1.3.1.
    fn path(&mut self, index: usize, run: Range<usize>) -> Vec<Hash> {
        if run.len() == 1 {
            return Vec::new();
        }
        let middle = run.start + model_split(run.len());
        let (near, far) = if index < middle {
            (run.start..middle, middle..run.end)
        } else {
            (middle..run.end, run.start..middle)
        };
        let mut path = self.path(index, near);
        path.push(self.root(far));
        path
    }

    /// Section 2.1.4.1: SUBPROOF(from, run, is_whole).
    fn subproof(&mut self, from: usize, run: Range<usize>, is_whole: bool) -> Vec<Hash> {
        if from == run.end {
            return if is_whole { Vec::new() } else { vec![self.root(run)] };
        }
        let middle = run.start + model_split(run.len());
        let (mut proof, far) = if from <= middle {
            (self.subproof(from, run.start..middle, is_whole), middle..run.end)
        } else {
            (self.subproof(from, middle..run.end, false), run.start..middle)
        };
        proof.push(self.root(far));
        proof
    }
}

const SIZE: u64 = 520;

#[test]
fn every_inclusion_proof_is_the_model_s_and_holds() {
    let tree = Tree::of(SIZE);
    let mut model = Model::new(SIZE as usize);
    for size in 1..=SIZE {
        let head = Head { size, root: root(&tree, size).expect("in memory") };
        assert_eq!(head.root, model.root(0..size as usize), "{size}");
        for index in 0..size {
            let path = inclusion(&tree, index, size).expect("in memory");
            assert_eq!(path, model.path(index as usize, 0..size as usize), "{index} in {size}");
            check_inclusion(leaf(index), index, &head, &path).expect("it holds");
        }
    }
}

#[test]
fn every_consistency_proof_is_the_model_s_and_holds() {
    let tree = Tree::of(SIZE);
    let mut model = Model::new(SIZE as usize);
    let head = |size| Head { size, root: root(&tree, size).expect("in memory") };
    let heads: Vec<Head> = (0..=SIZE).map(head).collect();
    for to in 1..=SIZE {
        for from in 1..=to {
            let path = consistency(&tree, from, to).expect("in memory");
            let expected = model.subproof(from as usize, 0..to as usize, true);
            assert_eq!(path, expected, "{from} in {to}");
            let (from, to) = (&heads[from as usize], &heads[to as usize]);
            check_consistency(from, to, &path).expect("it holds");
        }
    }
    for head in &heads {
        assert_eq!(consistency(&tree, 0, head.size).expect("in memory"), []);
        check_consistency(&Head::EMPTY, head, &[]).expect("all grow from nothing");
    }
}

#[test]
fn another_implementation_agrees() {
    use tlog_tiles::tlog;
    let hash = |hash: &Hash| tlog::Hash(hash.0);
    let tree = Tree::of(300);
    for size in (1..=300_u64).step_by(7).chain([256, 257, 300]) {
        let newer = hash(&root(&tree, size).expect("in memory"));
        for index in (0..size).step_by(5).chain([size - 1]) {
            let path = inclusion(&tree, index, size).expect("in memory");
            let path: Vec<_> = path.iter().map(hash).collect();
            tlog::check_record(&path, size, newer, index, hash(&leaf(index))).expect("it holds");
            let path = consistency(&tree, index + 1, size).expect("in memory");
            let path: Vec<_> = path.iter().map(hash).collect();
            let older = hash(&root(&tree, index + 1).expect("in memory"));
            tlog::check_tree(&path, size, newer, index + 1, older).expect("it holds");
        }
    }
}

#[test]
fn a_frontier_is_the_tree_s_edge() {
    let tree = Tree::of(SIZE);
    let mut frontier = Frontier::new();
    assert_eq!(frontier.head(), Head::EMPTY);
    for size in 1..=SIZE {
        frontier.append(leaf(size - 1));
        let head = Head { size, root: root(&tree, size).expect("in memory") };
        assert_eq!(frontier.head(), head);
        assert_eq!(frontier.hashes().len(), size.count_ones() as usize);
        let again = Frontier::from_parts(size, frontier.hashes().to_vec()).expect("as described");
        assert_eq!(again, frontier);
        let short = frontier.hashes()[1..].to_vec();
        let error = Frontier::from_parts(size, short).expect_err("a hash is missing");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

fn check_range(tree: &Tree, first: u64, last: u64, size: u64) {
    let head = root(tree, size).expect("in memory");
    let proof = range(tree, first, last, size).expect("in memory");
    assert_eq!(RangeProof::parse(&proof.to_text()).expect("as written"), proof);
    let mut check = RangeCheck::new(first, last, size, proof).expect("a range");
    for index in first..=last {
        assert_eq!(check.next(), index);
        check.push(leaf(index)).expect("it is in the range");
    }
    check.finish(&head).expect("it holds");
}

#[test]
fn every_range_proof_holds() {
    let tree = Tree::of(70);
    for size in 1..=70 {
        for last in 0..size {
            for first in 0..=last {
                check_range(&tree, first, last, size);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn larger_range_proofs_hold(ends: [u16; 3]) {
        let mut ends = ends.map(|end| u64::from(end) % 3000);
        ends.sort_unstable();
        let [first, last, size] = ends;
        check_range(&Tree::of(size + 1), first, last, size + 1);
    }

    #[test]
    fn no_changed_proof_holds(
        size in 2..600_u64, places: [u64; 2], hash: prop::sample::Index, bit in 0..256_usize,
    ) {
        let tree = Tree::of(size);
        let head = Head { size, root: root(&tree, size).expect("in memory") };
        let (index, from) = (places[0] % size, 1 + places[1] % (size - 1));
        let old = Head { size: from, root: root(&tree, from).expect("in memory") };
        let flip = |Hash(mut bytes): Hash| {
            bytes[bit / 8] ^= 1 << (bit % 8);
            Hash(bytes)
        };
        let path = inclusion(&tree, index, size).expect("in memory");
        let mut changed = path.clone();
        let at = hash.index(path.len());
        changed[at] = flip(changed[at]);
        check_inclusion(leaf(index), index, &head, &changed).expect_err("another hash");
        check_inclusion(flip(leaf(index)), index, &head, &path).expect_err("another leaf");
        let other = Head { size, root: flip(head.root) };
        check_inclusion(leaf(index), index, &other, &path).expect_err("another root");
        check_inclusion(leaf(index), index ^ 1, &head, &path).expect_err("another place");
        let path = consistency(&tree, from, size).expect("in memory");
        let mut changed = path.clone();
        let at = hash.index(path.len());
        changed[at] = flip(changed[at]);
        check_consistency(&old, &head, &changed).expect_err("another hash");
        check_consistency(&old, &other, &path).expect_err("another later root");
        let other = Head { size: from, root: flip(old.root) };
        check_consistency(&other, &head, &path).expect_err("another earlier root");
    }
}

#[test]
fn proofs_of_another_shape_are_refused() {
    let tree = Tree::of(SIZE);
    let head = |size| Head { size, root: root(&tree, size).expect("in memory") };
    for (index, size) in [(0, 1), (0, 2), (4, 5), (3, 8), (6, 7), (255, 520), (519, 520)] {
        let path = inclusion(&tree, index, size).expect("in memory");
        let mut long = path.clone();
        long.push(EMPTY);
        let refused = |path: &[Hash]| {
            let error = root_of_inclusion(leaf(index), index, size, path).expect_err("its length");
            assert_eq!(error.kind(), ErrorKind::NotIncluded);
        };
        refused(&long);
        if let Some((_, short)) = path.split_last() {
            refused(short);
        }
    }
    for (from, to) in [(1, 2), (2, 4), (3, 4), (3, 7), (6, 8), (7, 8), (256, 520), (519, 520)] {
        let path = consistency(&tree, from, to).expect("in memory");
        let mut long = path.clone();
        long.push(EMPTY);
        for path in [&path[1..], &path[..path.len() - 1], &[], &long] {
            let error = check_consistency(&head(from), &head(to), path).expect_err("its length");
            assert_eq!(error.kind(), ErrorKind::Inconsistent);
        }
    }
    let refused = |from: &Head, to: &Head, path: &[Hash], what: &str| {
        let error = check_consistency(from, to, path).expect_err("it does not hold");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Inconsistent, what.to_owned()));
    };
    let other = |size| Head { size, root: leaf(7) };
    refused(&head(5), &head(4), &[], "the later tree is smaller than the earlier one");
    refused(&head(5), &other(5), &[], "two trees of one size have different roots");
    refused(&Head::EMPTY, &other(0), &[], "two trees of one size have different roots");
    refused(&other(0), &head(5), &[], "a tree without leaves has another root");
    refused(&other(0), &other(0), &[], "a tree without leaves has another root");
    refused(&head(5), &head(5), &[EMPTY], "the proof should be empty");
    refused(&Head::EMPTY, &head(5), &[EMPTY], "the proof should be empty");
    let path = consistency(&tree, 5, 9).expect("in memory");
    refused(&other(5), &head(9), &path, "the proof does not lead to the earlier tree's root");
    refused(&head(5), &other(9), &path, "the proof does not lead to the later tree's root");
}

#[test]
fn what_is_not_there_has_no_proof() {
    let tree = Tree::of(8);
    for (index, size) in [(0, 0), (8, 8), (9, 8)] {
        let error = inclusion(&tree, index, size).expect_err("no such leaf");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
        let error = root_of_inclusion(EMPTY, index, size, &[]).expect_err("no such leaf");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
    }
    let error = consistency(&tree, 5, 4).expect_err("a tree does not shrink");
    assert_eq!(error.kind(), ErrorKind::Inconsistent);
    for (first, last, size) in [(3, 2, 8), (0, 8, 8), (8, 8, 8), (0, 0, 0)] {
        let error = range(&tree, first, last, size).expect_err("no range");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
        let proof = RangeProof::default();
        let error = RangeCheck::new(first, last, size, proof).expect_err("no range");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
    }
    assert_eq!(root(&tree, 0).expect("nothing to read"), EMPTY);
    assert_eq!((&&tree).node(0, 3).expect("in memory"), leaf(3));
}

#[test]
fn range_checks_want_every_leaf_once() {
    let tree = Tree::of(20);
    let head = root(&tree, 20).expect("in memory");
    let proof = range(&tree, 5, 9, 20).expect("in memory");
    let begin = |proof: &RangeProof| RangeCheck::new(5, 9, 20, proof.clone());
    let mut check = begin(&proof).expect("a range");
    for index in 5..9 {
        check.push(leaf(index)).expect("it is in the range");
    }
    let error = check.finish(&head).expect_err("one is missing");
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    let mut check = begin(&proof).expect("a range");
    for index in 5..=9 {
        check.push(leaf(index)).expect("it is in the range");
    }
    let error = check.push(leaf(10)).expect_err("the range is over");
    assert_eq!(error.kind(), ErrorKind::NotIncluded);
    let error = check.finish(&leaf(0)).expect_err("another root");
    assert_eq!(error.kind(), ErrorKind::NotIncluded);
    let mut other = proof.clone();
    other.left.push(EMPTY);
    assert_eq!(begin(&other).expect_err("its shape").kind(), ErrorKind::NotIncluded);
    let mut other = proof.clone();
    other.right.pop();
    assert_eq!(begin(&other).expect_err("its shape").kind(), ErrorKind::NotIncluded);
    for right in 0..proof.right.len() {
        let mut other = proof.clone();
        other.right[right] = EMPTY;
        let mut check = begin(&other).expect("its shape is right");
        for index in 5..=9 {
            check.push(leaf(index)).expect("it is in the range");
        }
        check.finish(&head).expect_err("another hash");
    }
}

#[test]
fn range_proofs_have_one_spelling() {
    let hash = EMPTY.to_base64();
    let good = format!("left 1\n{hash}\nright 2\n{hash}\n{hash}\n");
    assert_eq!(RangeProof::parse(&good).expect("a proof").right.len(), 2);
    let wrong = [
        String::new(),
        format!("left 2\n{hash}\nright 1\n{hash}\n"),
        format!("left 1\n{hash}\n"),
        format!("left 1\n{hash}\nright 1\n"),
        format!("left 1\n{hash}\nright 0\n{hash}\n"),
        format!("left 01\n{hash}\nright 0\n"),
        format!("right 0\nleft 1\n{hash}\n"),
        "left 0\nright 18446744073709551615\n".to_owned(),
        good.trim_end().to_owned(),
        good.clone() + "\n",
    ];
    for text in wrong {
        let error = RangeProof::parse(&text).expect_err(&text);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

/// Nodes of a tree too large to have: the hash of each is its own place.
struct Huge;

impl Nodes for Huge {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        Ok(crate::hash::of(&[&[level], &index.to_be_bytes()]))
    }
}

#[test]
fn the_largest_trees_have_proofs() {
    for size in [u64::MAX, 1 << 63, (1 << 63) + 1] {
        for index in [0, 1, size / 2, size - 1] {
            let path = inclusion(&Huge, index, size).expect("it can be read");
            let head = Head { size, root: root(&Huge, size).expect("it can be read") };
            // The nodes are no tree, so only the length of the proof can be right.
            let led = root_of_inclusion(EMPTY, index, size, &path).expect("its length is right");
            assert_ne!(led, head.root);
            let path = consistency(&Huge, index + 1, size).expect("it can be read");
            let old = Head { size: index + 1, root: EMPTY };
            drop(check_consistency(&old, &head, &path));
            let proof = range(&Huge, index, size - 1, size).expect("it can be read");
            assert_eq!(proof.left.len(), index.count_ones() as usize);
            assert_eq!(proof.right, []);
        }
    }
}

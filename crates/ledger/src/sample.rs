//! A tree in memory, for tests.

use crate::error::Result;
use crate::hash::{self, Hash};
use crate::tree::{Frontier, Nodes};

/// Every complete node of a tree, by level.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    levels: Vec<Vec<Hash>>,
    pub(crate) frontier: Frontier,
}

impl Tree {
    /// A tree of so many leaves, the numbers from 0.
    pub(crate) fn of(leaves: u64) -> Self {
        Self::numbered(0, leaves)
    }

    /// A tree whose leaves are the numbers from `first`.
    pub(crate) fn numbered(first: u64, leaves: u64) -> Self {
        let mut tree = Self::default();
        for number in first..first + leaves {
            tree.push(leaf(number));
        }
        tree
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        self.frontier.append_visiting(leaf, |level, index, hash| {
            levels.resize_with(levels.len().max(usize::from(level) + 1), Vec::new);
            let nodes = &mut levels[usize::from(level)];
            assert_eq!(index, nodes.len() as u64, "nodes are shown in order");
            nodes.push(hash);
        });
    }
}

impl Nodes for Tree {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        let level = &self.levels[usize::from(level)];
        Ok(level[usize::try_from(index).expect("it is in memory")])
    }
}

/// The leaf of a number.
pub(crate) fn leaf(number: u64) -> Hash {
    hash::leaf(&number.to_be_bytes())
}

/// A payload with the entry that commits to it.
pub(crate) struct Item {
    pub(crate) payload: String,
    pub(crate) entry: crate::entry::Entry,
    pub(crate) salt: crate::commit::Salt,
}

impl Item {
    /// The entry of a payload at a place.
    pub(crate) fn new(seq: u64, payload: &str) -> Self {
        let salt = crate::commit::Salt([7; 32]);
        let claims = crate::payload::read(payload).expect("a payload");
        let entry = crate::entry::Entry {
            log_id: crate::log_id::LogId([0xa1; 16]),
            seq,
            received_ns: 1_795_563_587_123_456_789,
            event_id: crate::commit::event_id(&claims.id, &salt),
            kind: claims.statement.kind(),
            commit: crate::commit::payload(&crate::commit::blob(&salt, payload.as_bytes()), &[]),
            dataset: crate::entry::Dataset::new("audit").expect("a name"),
        };
        Self { payload: payload.to_owned(), entry, salt }
    }

    pub(crate) fn body(&self, shown: crate::body::Shown) -> crate::body::Body {
        crate::body::Body::new(self.payload.clone(), self.entry.clone(), self.salt, shown)
            .expect("they fit")
    }
}

//! What changed between two states.

use std::collections::HashMap;

use crate::json::{Json, Key, Node, Tree, is_same_number, push_name};
use crate::limits;
use crate::writer::{ObjectWriter, list};

/// One difference between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is, as a JSON Pointer (RFC 6901); empty for the whole.
    pub path: String,
    /// What was there; nothing where something was added.
    pub before: Option<Json>,
    /// What is there; nothing where something was removed.
    pub after: Option<Json>,
}

/// The differences between two states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The differences, in the order of the state before, and what was added in an object after
    /// what was there.
    pub list: Vec<Change>,
    /// Whether there are more than are named.
    pub is_truncated: bool,
}

/// How many changes are named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) changes: usize,
    pub(super) bytes: usize,
}

/// What changed between two states. Objects are compared by key and lists by index; numbers are the
/// same when their values are, however they are written. At most
/// [`CHANGES_MAX`](crate::limits::CHANGES_MAX) changes of at most
/// [`CHANGES_BYTES_MAX`](crate::limits::CHANGES_BYTES_MAX) bytes are named.
#[must_use]
pub fn changes(before: &Json, after: &Json) -> Changes {
    let budget = Budget { changes: limits::CHANGES_MAX, bytes: limits::CHANGES_BYTES_MAX };
    changes_within(before, after, budget)
}

pub(super) fn changes_within(before: &Json, after: &Json, budget: Budget) -> Changes {
    let mut differ = Differ { path: String::new(), budget, changes: Changes::default() };
    differ.compare(&before.tree(), &after.tree());
    differ.changes
}

impl Changes {
    /// The changes as a JSON list.
    pub(super) fn json(&self) -> String {
        list(self.list.iter().map(Change::json))
    }
}

impl Change {
    fn json(&self) -> String {
        let mut object = ObjectWriter::new();
        object
            .text("path", &self.path)
            .json_if("before", self.before.as_ref())
            .json_if("after", self.after.as_ref());
        object.finish()
    }
}

struct Differ {
    path: String,
    budget: Budget,
    changes: Changes,
}

impl Differ {
    fn compare(&mut self, before: &Tree<'_>, after: &Tree<'_>) {
        match (&before.node, &after.node) {
            (Node::Object(before), Node::Object(after)) => self.objects(before, after),
            (Node::List(before), Node::List(after)) => self.lists(before, after),
            _ if is_same(before, after) => {}
            _ => self.put(Some(before), Some(after)),
        }
    }

    fn objects(&mut self, before: &[(Key<'_>, Tree<'_>)], after: &[(Key<'_>, Tree<'_>)]) {
        let named = |members: &'_ [(Key<'_>, Tree<'_>)]| -> HashMap<String, usize> {
            let names = members.iter().enumerate();
            names.map(|(at, (key, _))| (key.name.to_string(), at)).collect()
        };
        let (named_before, named_after) = (named(before), named(after));
        for (key, value) in before {
            let other = named_after.get(&*key.name).map(|at| &after[*at].1);
            self.at(&key.name, Some(value), other);
        }
        for (key, value) in after {
            if !named_before.contains_key(&*key.name) {
                self.at(&key.name, None, Some(value));
            }
        }
    }

    fn lists(&mut self, before: &[Tree<'_>], after: &[Tree<'_>]) {
        for index in 0..before.len().max(after.len()) {
            self.at(&index.to_string(), before.get(index), after.get(index));
        }
    }

    /// Compares what is one step down.
    fn at(&mut self, name: &str, before: Option<&Tree<'_>>, after: Option<&Tree<'_>>) {
        if self.changes.is_truncated {
            return;
        }
        let len = self.path.len();
        push_name(&mut self.path, name);
        match (before, after) {
            (Some(before), Some(after)) => self.compare(before, after),
            _ => self.put(before, after),
        }
        self.path.truncate(len);
    }

    fn put(&mut self, before: Option<&Tree<'_>>, after: Option<&Tree<'_>>) {
        let change = Change {
            path: self.path.clone(),
            before: before.map(Tree::json),
            after: after.map(Tree::json),
        };
        // One byte for the comma.
        let bytes = change.json().len() + 1;
        if self.changes.list.len() >= self.budget.changes || bytes > self.budget.bytes {
            self.changes.is_truncated = true;
            return;
        }
        self.budget.bytes -= bytes;
        self.changes.list.push(change);
    }
}

/// Whether two values are the same, neither of them a list or an object.
fn is_same(before: &Tree<'_>, after: &Tree<'_>) -> bool {
    match (&before.node, &after.node) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(before), Node::Bool(after)) => before == after,
        (Node::Number, Node::Number) => is_same_number(before.text, after.text),
        (Node::Text(before), Node::Text(after)) => before == after,
        _ => false,
    }
}

//! The way through a document, with the name of each field.

use crate::json::{Key, Node, Tree, push_name};
use crate::writer::push_text;

use super::detector::{Detector, is_secret_name};
use super::find::is_marker;
use super::{Masked, Masker};

/// Top-level members that say what an event is and when it happened. They are never masked: an
/// event would not be found again without them.
const KEPT: [&str; 8] =
    ["id", "kind", "action", "occurred_at", "severity", "outcome", "amends", "changes_truncated"];

/// Writes a document anew.
#[derive(Debug)]
pub(super) struct Walker<'m> {
    masker: &'m Masker,
    out: String,
    /// Where the walker is, as a JSON Pointer.
    pointer: String,
    /// The name of the field, with dots.
    field: String,
    /// How many of the fields around have a name that says that they are secret.
    secrets: usize,
    masked: Vec<Masked>,
}

impl<'m> Walker<'m> {
    pub(super) fn new(masker: &'m Masker) -> Self {
        Self {
            masker,
            out: String::new(),
            pointer: String::new(),
            field: String::new(),
            secrets: 0,
            masked: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<u8>, Vec<Masked>) {
        (self.out.into_bytes(), self.masked)
    }

    /// The whole document.
    pub(super) fn document(&mut self, tree: &Tree<'_>) {
        let Node::Object(members) = &tree.node else { return self.value(tree) };
        self.object(members, |walker, key, value| match &*key.name {
            name if KEPT.contains(&name) => walker.copy(value),
            "changes" => walker.changes(value),
            _ => walker.value(value),
        });
    }

    fn copy(&mut self, tree: &Tree<'_>) {
        self.out.push_str(tree.json().as_str());
    }

    fn value(&mut self, tree: &Tree<'_>) {
        match &tree.node {
            Node::Text(text) => self.text(text, tree),
            Node::Number if self.secrets > 0 => self.text(tree.text, tree),
            Node::Null | Node::Bool(_) | Node::Number => self.copy(tree),
            Node::List(items) => self.list(items, Self::value),
            Node::Object(members) => {
                self.object(members, |walker, _, value| walker.value(value));
            }
        }
    }

    fn list(&mut self, items: &[Tree<'_>], mut item: impl FnMut(&mut Self, &Tree<'_>)) {
        self.out.push('[');
        for (index, tree) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            let len = self.pointer.len();
            push_name(&mut self.pointer, &index.to_string());
            item(self, tree);
            self.pointer.truncate(len);
        }
        self.out.push(']');
    }

    fn object(
        &mut self,
        members: &[(Key<'_>, Tree<'_>)],
        mut member: impl FnMut(&mut Self, &Key<'_>, &Tree<'_>),
    ) {
        self.out.push('{');
        for (index, (key, value)) in members.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.out.push_str(key.text);
            self.out.push(':');
            let (pointer, field) = (self.pointer.len(), self.field.len());
            push_name(&mut self.pointer, &key.name);
            self.enter(&key.name);
            let is_secret = is_secret_name(&key.name);
            self.secrets += usize::from(is_secret);
            member(self, key, value);
            self.secrets -= usize::from(is_secret);
            self.pointer.truncate(pointer);
            self.field.truncate(field);
        }
        self.out.push('}');
    }

    fn enter(&mut self, name: &str) {
        if !self.field.is_empty() {
            self.field.push('.');
        }
        self.field.push_str(name);
    }

    /// The changes between two states: each is masked as the field would be that it is a change of.
    fn changes(&mut self, tree: &Tree<'_>) {
        let Node::List(items) = &tree.node else { return self.value(tree) };
        self.list(items, |walker, item| match &item.node {
            Node::Object(members) => walker.change(item, members),
            _ => walker.value(item),
        });
    }

    fn change(&mut self, item: &Tree<'_>, members: &[(Key<'_>, Tree<'_>)]) {
        let path = item.get("path").and_then(Tree::as_text).unwrap_or_default().to_owned();
        self.object(members, |walker, key, value| {
            let state = &*key.name;
            if state == "path" {
                return walker.copy(value);
            }
            let field = std::mem::replace(&mut walker.field, state.to_owned());
            let mut secrets = 0;
            for name in path.split('/').skip(1) {
                let name = name.replace("~1", "/").replace("~0", "~");
                secrets += usize::from(is_secret_name(&name));
                // The name of an item is that of its list.
                if name.bytes().any(|byte| !byte.is_ascii_digit()) {
                    walker.enter(&name);
                }
            }
            walker.secrets += secrets;
            walker.value(value);
            walker.secrets -= secrets;
            walker.field = field;
        });
    }

    fn text(&mut self, text: &str, tree: &Tree<'_>) {
        let masker = self.masker;
        let is_secret = self.secrets > 0;
        if !is_secret && !masker.prefilter.is_match(text) {
            return self.copy(tree);
        }
        let rules = masker.rules.iter();
        let is_open: Vec<bool> = rules.map(|ready| ready.rule.covers(&self.field)).collect();
        if is_secret && let Some(rule) = self.secret_rule(&is_open) {
            if text.is_empty() || is_marker(text) {
                return self.copy(tree);
            }
            self.note(rule);
            return push_text(&mut self.out, &masker.replacement(rule, text));
        }
        if matches!(tree.node, Node::Number) {
            return self.copy(tree);
        }
        match masker.mask_text(text, &is_open, &mut |rule| self.note(rule)) {
            Some(masked) => push_text(&mut self.out, &masked),
            None => self.copy(tree),
        }
    }

    /// The rule for secret fields that shows the least.
    fn secret_rule(&self, is_open: &[bool]) -> Option<usize> {
        let rules = self.masker.rules.iter().enumerate();
        rules
            .filter(|(at, ready)| is_open[*at] && *ready.rule.detector() == Detector::Secret)
            .min_by_key(|(_, ready)| ready.rule.action())
            .map(|(at, _)| at)
    }

    /// Counts a finding at the place where the walker is.
    fn note(&mut self, rule: usize) {
        let name = self.masker.rules[rule].rule.detector().name();
        let masked = self.masked.iter_mut().rev();
        let mut here = masked.take_while(|masked| masked.path == self.pointer);
        match here.find(|masked| masked.detector == name) {
            Some(masked) => masked.count += 1,
            None => self.masked.push(Masked {
                path: self.pointer.clone(),
                detector: name.to_owned(),
                count: 1,
            }),
        }
    }
}

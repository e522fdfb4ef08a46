//! Reading the members of an object, and naming all that is wrong with them.

use crate::error::{Faults, code};
use crate::json::{Json, Key, Tree, pointer};

/// What a text may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    pub(crate) bytes_max: usize,
    pub(crate) may_be_empty: bool,
    pub(crate) may_have_controls: bool,
}

/// What a free JSON value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonRule {
    pub(crate) bytes_max: usize,
    pub(crate) keys_max: usize,
    pub(crate) depth_max: usize,
}

/// An object, and where it is in the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'t, 'a> {
    members: &'t [(Key<'a>, Tree<'a>)],
    pointer: &'t str,
}

impl<'t, 'a> Members<'t, 'a> {
    pub(crate) fn new(members: &'t [(Key<'a>, Tree<'a>)], pointer: &'t str) -> Self {
        Self { members, pointer }
    }

    /// The object at a place, or a fault.
    pub(crate) fn of(faults: &mut Faults, tree: &'t Tree<'a>, pointer: &'t str) -> Option<Self> {
        match tree.as_object() {
            Some(members) => Some(Self { members, pointer }),
            None => {
                wrong_type(faults, pointer, "an object", tree);
                None
            }
        }
    }

    /// The members, with their keys.
    pub(crate) fn as_slice(&self) -> &'t [(Key<'a>, Tree<'a>)] {
        self.members
    }

    /// The pointer to the object.
    pub(crate) fn pointer(&self) -> &'t str {
        self.pointer
    }

    /// The pointer to a member.
    pub(crate) fn at(&self, name: &str) -> String {
        pointer(self.pointer, name)
    }

    /// The names of the members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'t str> + use<'t, 'a> {
        self.members.iter().map(|(key, _)| &*key.name)
    }

    /// A member, `null` included.
    pub(crate) fn given(&self, name: &str) -> Option<&'t Tree<'a>> {
        self.members.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// A member that is not `null`, which says as much as no member.
    pub(crate) fn get(&self, name: &str) -> Option<&'t Tree<'a>> {
        self.given(name).filter(|value| !value.is_null())
    }

    /// A member that must be there.
    pub(crate) fn required(&self, faults: &mut Faults, name: &str) -> Option<&'t Tree<'a>> {
        let value = self.get(name);
        if value.is_none() {
            faults.push(code::MISSING, self.at(name), format!("`{name}` is missing"));
        }
        value
    }

    /// A text, if there is one.
    pub(crate) fn text(&self, faults: &mut Faults, name: &str, rule: TextRule) -> Option<String> {
        read_text(faults, &self.at(name), self.get(name)?, rule)
    }

    /// A text that must be there.
    pub(crate) fn required_text(
        &self,
        faults: &mut Faults,
        name: &str,
        rule: TextRule,
    ) -> Option<String> {
        let tree = self.required(faults, name)?;
        read_text(faults, &self.at(name), tree, rule)
    }

    /// A free JSON object, if there is one.
    pub(crate) fn object(&self, faults: &mut Faults, name: &str, rule: JsonRule) -> Option<Json> {
        let tree = self.get(name)?;
        if tree.as_object().is_none() {
            wrong_type(faults, &self.at(name), "an object", tree);
            return None;
        }
        read_json(faults, &self.at(name), tree, rule)
    }

    /// A fault for each member that is not among the known names, with what may have been meant.
    pub(crate) fn refuse_unknown(&self, faults: &mut Faults, known: &[&str], otherwise: &str) {
        for name in self.names().filter(|name| !known.contains(name)) {
            let hint = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => otherwise.to_owned(),
            };
            let detail = format!("there is no member `{}` here; {hint}", shortened(name));
            faults.push(code::UNKNOWN_FIELD, self.at(name), detail);
        }
    }
}

/// A text at a place, or a fault.
pub(crate) fn read_text(
    faults: &mut Faults,
    pointer: &str,
    tree: &Tree<'_>,
    rule: TextRule,
) -> Option<String> {
    let Some(text) = tree.as_text() else {
        wrong_type(faults, pointer, "a text", tree);
        return None;
    };
    if text.is_empty() && !rule.may_be_empty {
        faults.push(code::EMPTY, pointer, "an empty text says nothing");
    } else if text.len() > rule.bytes_max {
        let detail = format!("longer than {} bytes: {}", rule.bytes_max, text.len());
        faults.push(code::TOO_LONG, pointer, detail);
    } else if !rule.may_have_controls && text.chars().any(char::is_control) {
        faults.push(code::BAD_CHARACTERS, pointer, "control characters are not allowed here");
    } else {
        return Some(text.to_owned());
    }
    None
}

/// A free JSON value at a place, or a fault.
pub(crate) fn read_json(
    faults: &mut Faults,
    pointer: &str,
    tree: &Tree<'_>,
    rule: JsonRule,
) -> Option<Json> {
    let json = tree.json();
    let (bytes, depth, keys) = (json.as_str().len(), tree.depth(), tree.keys());
    if bytes > rule.bytes_max {
        let detail = format!("larger than {} bytes: {bytes}", rule.bytes_max);
        faults.push(code::TOO_LARGE, pointer, detail);
    } else if depth > rule.depth_max {
        let detail = format!("nested deeper than {} levels: {depth}", rule.depth_max);
        faults.push(code::TOO_DEEP, pointer, detail);
    } else if keys > rule.keys_max {
        let detail = format!("more than {} keys: {keys}", rule.keys_max);
        faults.push(code::TOO_MANY, pointer, detail);
    } else {
        return Some(json);
    }
    None
}

pub(crate) fn wrong_type(faults: &mut Faults, pointer: &str, wanted: &str, tree: &Tree<'_>) {
    let detail = format!("{wanted} is expected, and this is {}", tree.kind());
    faults.push(code::WRONG_TYPE, pointer, detail);
}

/// A foreign text, short enough for a sentence.
pub(crate) fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 64;
    if text.chars().nth(CHARACTERS).is_none() {
        return text.to_owned();
    }
    text.chars().take(CHARACTERS).chain(['…']).collect()
}

/// The known name that was most likely meant, if any is near.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    const NAME_BYTES_MAX: usize = 64;
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let plain = plain(name);
    let distance = |known: &str| edit_distance(&plain, &self::plain(known));
    let (near, distance) =
        known.iter().map(|known| (*known, distance(known))).min_by_key(|(_, steps)| *steps)?;
    // A third of a name may be wrong; more is another name.
    (distance * 3 <= near.len()).then_some(near)
}

/// A name without letter case and separators, so that `occurredAt` is near `occurred_at`.
fn plain(name: &str) -> Vec<char> {
    let lower = name.chars().flat_map(char::to_lowercase);
    lower.filter(|character| !matches!(character, '_' | '-' | ' ' | '.')).collect()
}

/// How many characters must be put in, left out or replaced to make one text of the other
/// (Levenshtein).
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, character) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(left: &str, right: &str) -> usize {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        edit_distance(&chars(left), &chars(right))
    }

    #[test]
    fn distances_are_counted_in_steps() {
        for (left, right, steps) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("abc", "ab", 1),
            ("abc", "xabc", 1),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(distance(left, right), steps, "{left} {right}");
        }
    }

    #[test]
    fn near_names_are_found() {
        let known = ["action", "actor", "occurred_at", "ip"];
        assert_eq!(nearest("acton", &known), Some("action"));
        assert_eq!(nearest("Actor", &known), Some("actor"));
        assert_eq!(nearest("occurredAt", &known), Some("occurred_at"));
        assert_eq!(nearest("occured-at", &known), Some("occurred_at"));
        assert_eq!(nearest("IP", &known), Some("ip"));
        assert_eq!(nearest("it", &known), None);
        assert_eq!(nearest("department", &known), None);
        assert_eq!(nearest(&"a".repeat(65), &["a"]), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened(&"ü".repeat(64)), "ü".repeat(64));
        assert_eq!(shortened(&"ü".repeat(65)), format!("{}…", "ü".repeat(64)));
    }
}

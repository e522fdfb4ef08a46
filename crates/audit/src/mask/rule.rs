//! Rules of masking, as a tenant writes them.

use ledgerline_model::limits::REGEX_BYTES_MAX;

use crate::error::{Faults, Refusal, code};
use crate::json::{self, Tree, pointer};
use crate::members::{Members, TextRule, shortened, wrong_type};

use super::detector::{BUILT_IN, Detector};

/// The most rules of one tenant.
pub const RULES_MAX: usize = 100;
/// The most fields that one rule names.
const FIELDS_MAX: usize = 50;
/// The longest pattern of a tenant's own.
pub const MASK_PATTERN_BYTES_MAX: usize = REGEX_BYTES_MAX;

const WORD: TextRule = TextRule { bytes_max: 64, may_be_empty: false, may_have_controls: false };
const PATTERN: TextRule =
    TextRule { bytes_max: MASK_PATTERN_BYTES_MAX, may_be_empty: false, may_have_controls: true };
const FIELD: TextRule = TextRule { bytes_max: 255, may_be_empty: false, may_have_controls: true };

/// What becomes of what was found. Those that show less come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// `[masked:email]`: nothing is left.
    Drop,
    /// `[hash:…]`: sixteen hexadecimal digits of a keyed hash, by which equal values can be told.
    Hash,
    /// `[…1234]`: the last four letters or digits. A value of less than nine has nothing left.
    Last4,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Drop, Self::Hash, Self::Last4];

    /// The action's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Hash => "hash",
            Self::Last4 => "last4",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// The name of a field with dots between its parts, in which `*` stands for any characters. Items
/// of a list have the name of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPattern(String);

impl FieldPattern {
    /// The pattern that is written like this.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern names the field.
    #[must_use]
    pub fn covers(&self, field: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = field.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// One rule: what is looked for, where, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    detector: Detector,
    action: Action,
    fields: Vec<FieldPattern>,
}

impl Rule {
    /// A rule; without fields it is one for all of them.
    #[must_use]
    pub fn new(detector: Detector, action: Action, fields: Vec<FieldPattern>) -> Self {
        Self { detector, action, fields }
    }

    /// What is looked for.
    #[must_use]
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// What becomes of it.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Whether the rule is one for a field.
    #[must_use]
    pub fn covers(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|pattern| pattern.covers(field))
    }
}

/// Reads rules: `[{"detector":"email","action":"hash","fields":["metadata.*"]}, …]`. The detector
/// `custom` also has a `name`, which its findings are called by, and a `pattern`.
///
/// # Errors
/// All that is wrong with the rules. Whether a pattern is a regular expression is seen when a
/// [`Masker`](super::Masker) is made of them.
pub fn read_rules(body: &[u8]) -> Result<Vec<Rule>, Refusal> {
    let tree = json::read(body)?;
    let mut faults = Faults::default();
    let Some(items) = tree.as_list() else {
        wrong_type(&mut faults, "", "a list of rules", &tree);
        return faults.finish(None);
    };
    if items.len() > RULES_MAX {
        faults.push(code::TOO_MANY, "", format!("more than {RULES_MAX} rules"));
        return faults.finish(None);
    }
    let read = |(index, item)| read_rule(&mut faults, item, &format!("/{index}"));
    let rules = items.iter().enumerate().filter_map(read).collect();
    faults.finish(Some(rules))
}

fn read_rule(faults: &mut Faults, tree: &Tree<'_>, place: &str) -> Option<Rule> {
    let members = Members::of(faults, tree, place)?;
    let detector = members.required_text(faults, "detector", WORD);
    let is_custom = detector.as_deref() == Some("custom");
    let known: &[&str] = if is_custom {
        &["detector", "action", "fields", "name", "pattern"]
    } else {
        &["detector", "action", "fields"]
    };
    members.refuse_unknown(faults, known, "only a rule with the detector `custom` has more");
    let detector = if is_custom {
        read_custom(faults, members)
    } else {
        detector.and_then(|name| built_in(faults, members, &name))
    };
    let action = members.required_text(faults, "action", WORD).and_then(|name| {
        let action = Action::from_text(&name);
        if action.is_none() {
            let detail = format!("an action is drop, hash or last4, not `{}`", shortened(&name));
            faults.push(code::BAD_VALUE, members.at("action"), detail);
        }
        action
    });
    let fields = read_fields(faults, members);
    Some(Rule { detector: detector?, action: action?, fields })
}

fn built_in(faults: &mut Faults, members: Members<'_, '_>, name: &str) -> Option<Detector> {
    let detector = BUILT_IN.into_iter().find(|detector| detector.name() == name);
    if detector.is_none() {
        let names: Vec<&str> = BUILT_IN.iter().map(Detector::name).collect();
        let detail = format!("a detector is one of {} and custom", names.join(", "));
        faults.push(code::BAD_VALUE, members.at("detector"), detail);
    }
    detector
}

fn read_custom(faults: &mut Faults, members: Members<'_, '_>) -> Option<Detector> {
    let name = members.required_text(faults, "name", WORD);
    let pattern = members.required_text(faults, "pattern", PATTERN);
    let (name, pattern) = (name?, pattern?);
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if !name.bytes().all(is_allowed) {
        let detail = "a name is made of a-z, 0-9, `_` and `-`";
        faults.push(code::BAD_CHARACTERS, members.at("name"), detail);
        return None;
    }
    Some(Detector::Custom { name, pattern })
}

fn read_fields(faults: &mut Faults, members: Members<'_, '_>) -> Vec<FieldPattern> {
    let Some(tree) = members.get("fields") else { return Vec::new() };
    let place = members.at("fields");
    let Some(items) = tree.as_list() else {
        wrong_type(faults, &place, "a list of names of fields", tree);
        return Vec::new();
    };
    if items.len() > FIELDS_MAX || items.is_empty() {
        faults.push(code::TOO_MANY, &place, format!("1 to {FIELDS_MAX} fields are expected"));
        return Vec::new();
    }
    let read = |(index, item): (usize, &Tree<'_>)| {
        let place = pointer(&place, &index.to_string());
        crate::members::read_text(faults, &place, item, FIELD).map(FieldPattern)
    };
    items.iter().enumerate().filter_map(read).collect()
}

//! Schemas: which actions there are, and what their events look like.

mod shape;

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::{Draft, PatternOptions, Validator};

use crate::error::{FAULTS_MAX, Faults, Invalid, Refusal, code};
use crate::event::is_action;
use crate::json::{self, Json};
use crate::limits::ACTION_BYTES_MAX;
use crate::members::{JsonRule, Members, TextRule, shortened};

pub use shape::{SCHEMA_PARTS_MAX, SCHEMA_PATTERNS_MAX};

/// The largest JSON schema.
pub const SCHEMA_BYTES_MAX: usize = 64 << 10;
/// The memory that one pattern of a schema may take.
const PATTERN_BYTES_MAX: usize = 256 << 10;

const ACTION: TextRule =
    TextRule { bytes_max: ACTION_BYTES_MAX, may_be_empty: false, may_have_controls: true };
const WORD: TextRule = TextRule { bytes_max: 64, may_be_empty: false, may_have_controls: true };
const SCHEMA: JsonRule =
    JsonRule { bytes_max: SCHEMA_BYTES_MAX, keys_max: usize::MAX, depth_max: json::DEPTH_MAX };

/// What happens to an event that does not follow its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is refused.
    Strict,
    /// It is taken, and its sender is told.
    Warn,
    /// It is taken; nothing is checked.
    Off,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Warn, Self::Off];

    /// The mode's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// One version of the schema of one action.
pub struct Schema {
    action: String,
    version: u32,
    mode: Mode,
    json_schema: Option<Json>,
    validator: Option<Validator>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("action", &self.action)
            .field("version", &self.version)
            .field("mode", &self.mode)
            .field("json_schema", &self.json_schema)
            .finish_non_exhaustive()
    }
}

impl Schema {
    /// Reads a schema: `{action, version, mode, json_schema?}`. The version counts from 1. The JSON
    /// schema is one of draft 2020-12, and describes the stored payload. It refers only to itself,
    /// as in `#/$defs/name`, and never in a circle; its patterns are matched in linear time, so
    /// they know no look-around and no back-references; its formats are checked.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(body, "a schema")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        let known = ["action", "version", "mode", "json_schema"];
        members.refuse_unknown(&mut faults, &known, "a schema has these and no others");
        let action = members.required_text(&mut faults, "action", ACTION);
        if action.as_ref().is_some_and(|action| !is_action(action)) {
            let detail = "an action is made of letters, digits, `.`, `_`, `:`, `-` and `/`";
            faults.push(code::BAD_CHARACTERS, "/action", detail);
        }
        let version = read_version(&mut faults, members);
        let mode = read_mode(&mut faults, members);
        let json_schema = members.object(&mut faults, "json_schema", SCHEMA);
        let validator = json_schema.as_ref().and_then(|json| compile(&mut faults, json));
        let schema = match (action, version, mode) {
            (Some(action), Some(version), Some(mode)) => {
                Some(Self { action, version, mode, json_schema, validator })
            }
            _ => None,
        };
        faults.finish(schema)
    }

    /// The action whose events it describes.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Its version, counted from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What happens to events that do not follow it.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What the payloads look like; nothing when it only says that there is such an action.
    #[must_use]
    pub fn json_schema(&self) -> Option<&Json> {
        self.json_schema.as_ref()
    }

    /// In what a payload does not follow the schema, whatever the mode; nothing when it does. The
    /// details never repeat a value of the payload.
    #[must_use]
    pub fn faults(&self, payload: &[u8]) -> Vec<Invalid> {
        let Some(validator) = &self.validator else { return Vec::new() };
        let tree = match json::read_object(payload, "a payload") {
            Ok(tree) => tree,
            Err(refusal) => return refusal.into_faults(),
        };
        let value = tree.value();
        let errors = validator.iter_errors(&value).take(FAULTS_MAX);
        errors
            .map(|error| Invalid {
                code: code::SCHEMA_MISMATCH,
                pointer: error.instance_path().to_string(),
                detail: shortened_detail(&error.masked().to_string()),
            })
            .collect()
    }
}

fn read_version(faults: &mut Faults, members: Members<'_, '_>) -> Option<u32> {
    let tree = members.required(faults, "version")?;
    let version = tree.text.parse::<u32>().ok().filter(|version| *version > 0);
    if version.is_none() {
        faults.push(code::BAD_VALUE, "/version", "a version is a whole number from 1 on");
    }
    version
}

fn read_mode(faults: &mut Faults, members: Members<'_, '_>) -> Option<Mode> {
    let name = members.required_text(faults, "mode", WORD)?;
    let mode = Mode::from_text(&name);
    if mode.is_none() {
        let detail = format!("a mode is strict, warn or off, not `{}`", shortened(&name));
        faults.push(code::BAD_VALUE, "/mode", detail);
    }
    mode
}

fn compile(faults: &mut Faults, json: &Json) -> Option<Validator> {
    let value = json.tree().value();
    if let Err(fault) = shape::check(&value) {
        faults.extend([fault]);
        return None;
    }
    let patterns =
        PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
    let built = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        // A payload's own expressions are not compiled.
        .with_format("regex", |_: &str| true)
        .build(&value);
    match built {
        Ok(validator) => Some(validator),
        Err(error) => {
            let pointer = format!("{}{}", shape::ROOT, error.instance_path());
            faults.push(code::BAD_SCHEMA, pointer, shortened_detail(&error.to_string()));
            None
        }
    }
}

/// A sentence of another's, which may be of any length.
fn shortened_detail(text: &str) -> String {
    const CHARACTERS: usize = 300;
    if text.chars().nth(CHARACTERS).is_none() {
        return text.to_owned();
    }
    text.chars().take(CHARACTERS).chain(['…']).collect()
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Accept,
    /// It is taken, and its sender is told this.
    Warn(Vec<Invalid>),
    /// It is not taken, because of this.
    Refuse(Vec<Invalid>),
}

/// The schemas of one tenant.
#[derive(Debug)]
pub struct Registry {
    default: Mode,
    actions: BTreeMap<String, BTreeMap<u32, Schema>>,
}

impl Registry {
    /// A registry without schemas, and what happens to events of actions that it does not know.
    #[must_use]
    pub fn new(default: Mode) -> Self {
        Self { default, actions: BTreeMap::new() }
    }

    /// Puts in a schema. One of the same action and version is replaced.
    pub fn insert(&mut self, schema: Schema) {
        let versions = self.actions.entry(schema.action.clone()).or_default();
        versions.insert(schema.version, schema);
    }

    /// Takes out every version of the schema of an action. Whether there was one.
    pub fn remove(&mut self, action: &str) -> bool {
        self.actions.remove(action).is_some()
    }

    /// Every schema, by action and version.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.actions.values().flat_map(BTreeMap::values)
    }

    /// The schema of that version, or the newest.
    #[must_use]
    pub fn get(&self, action: &str, version: Option<u32>) -> Option<&Schema> {
        let versions = self.actions.get(action)?;
        match version {
            Some(version) => versions.get(&version),
            None => versions.values().next_back(),
        }
    }

    /// What becomes of an event: it is held against the schema of the version that its sender names
    /// or, where none is named, the newest.
    #[must_use]
    pub fn check(&self, action: &str, version: Option<u32>, payload: &[u8]) -> Verdict {
        if let Some(schema) = self.get(action, version) {
            let faults = match schema.mode {
                Mode::Off => Vec::new(),
                Mode::Strict | Mode::Warn => schema.faults(payload),
            };
            return verdict(schema.mode, faults);
        }
        let (mode, detail) = match (self.get(action, None), version) {
            (Some(newest), Some(version)) => {
                (newest.mode, format!("version {version} of this action has no schema"))
            }
            _ => (self.default, "no schema is registered for this action".to_owned()),
        };
        let pointer = "/action".to_owned();
        verdict(mode, vec![Invalid { code: code::ACTION_UNKNOWN, pointer, detail }])
    }
}

fn verdict(mode: Mode, faults: Vec<Invalid>) -> Verdict {
    match mode {
        _ if faults.is_empty() => Verdict::Accept,
        Mode::Strict => Verdict::Refuse(faults),
        Mode::Warn => Verdict::Warn(faults),
        Mode::Off => Verdict::Accept,
    }
}

#[cfg(test)]
mod tests;

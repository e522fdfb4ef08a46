//! What the raw records say, counted without anything of the platform's.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::place::demo;

/// The real records, in the order of their file.
pub(super) struct Records {
    pub(super) all: Vec<Value>,
}

/// Parameters of `/api/v1/logs`, and which records they mean by `docs/guides/cloudtrail.md`.
pub(super) struct Filter {
    pub(super) query: &'static str,
    means: fn(&Value) -> bool,
}

pub(super) const FILTERS: [Filter; 12] = [
    Filter {
        query: "action=ssm.*",
        means: |record| is(record, "/eventSource", "ssm.amazonaws.com"),
    },
    Filter {
        query: "action=kms.Decrypt&action=iam.GetUser",
        means: |record| {
            let name = text(record, "/eventName");
            let source = text(record, "/eventSource");
            (source, name) == ("kms.amazonaws.com", "Decrypt")
                || (source, name) == ("iam.amazonaws.com", "GetUser")
        },
    },
    Filter {
        query: "actor=arn:aws:iam::123837392027:user/benjamin",
        means: |record| is(record, "/userIdentity/arn", "arn:aws:iam::123837392027:user/benjamin"),
    },
    Filter {
        query: "actor_type=AssumedRole",
        means: |record| is(record, "/userIdentity/type", "AssumedRole"),
    },
    Filter {
        query: "ip=10.248.16.43",
        means: |record| is(record, "/sourceIPAddress", "10.248.16.43"),
    },
    Filter { query: "outcome=denied", means: is_denied },
    Filter {
        query: "outcome=failure&severity=ERROR",
        means: |record| has_error(record) && !is_denied(record),
    },
    Filter { query: "severity=INFO", means: |record| !has_error(record) && !is_denied(record) },
    Filter {
        query: "request_id=95b435ce-68af-4a4b-b89c-f653d8946ebc",
        means: |record| is(record, "/requestID", "95b435ce-68af-4a4b-b89c-f653d8946ebc"),
    },
    Filter {
        query: "from=2023-07-10T12:00:00Z&to=2023-07-10T12:15:00Z",
        means: |record| {
            let time = text(record, "/eventTime");
            ("2023-07-10T12:00:00Z".."2023-07-10T12:15:00Z").contains(&time)
        },
    },
    Filter {
        query: "metadata.cloudtrail.errorCode=ThrottlingException",
        means: |record| is(record, "/errorCode", "ThrottlingException"),
    },
    Filter { query: "q=GetSecretValue", means: |record| has_word(record, "getsecretvalue") },
];

impl Records {
    pub(super) fn read() -> Result<Self> {
        let bytes = zstd::decode_all(std::fs::File::open(demo("cloudtrail.ndjson.zst"))?)?;
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter();
        let all = lines.collect::<serde_json::Result<Vec<Value>>>();
        Ok(Self { all: all.context("the records are JSON")? })
    }

    /// The id of a record.
    pub(super) fn id(&self, at: usize) -> String {
        text(&self.all[at], "/eventID").to_owned()
    }

    /// The ids of the records that a filter means.
    pub(super) fn ids(&self, filter: &Filter) -> BTreeSet<String> {
        let meant = self.all.iter().filter(|record| (filter.means)(record));
        meant.map(|record| text(record, "/eventID").to_owned()).collect()
    }

    /// How many records there are of each action.
    pub(super) fn actions(&self) -> BTreeMap<String, u64> {
        let mut actions = BTreeMap::new();
        for record in &self.all {
            let service = text(record, "/eventSource").split('.').next().unwrap_or_default();
            let action = format!("{service}.{}", text(record, "/eventName"));
            *actions.entry(action).or_default() += 1;
        }
        actions
    }
}

fn text<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn is(record: &Value, pointer: &str, expected: &str) -> bool {
    text(record, pointer) == expected
}

fn has_error(record: &Value) -> bool {
    record["errorCode"].is_string() || record["errorMessage"].is_string()
}

fn is_denied(record: &Value) -> bool {
    let error = text(record, "/errorCode");
    let parts = [
        "AccessDenied",
        "Unauthorized",
        "NotAuthorized",
        "Forbidden",
        "AuthFailure",
        "ExplicitDeny",
    ];
    parts.iter().any(|part| error.contains(part))
        || error.is_empty() && is(record, "/responseElements/ConsoleLogin", "Failure")
}

/// Whether a word stands anywhere in the texts of a record, in any case.
fn has_word(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            let mut words =
                text.split(|character: char| !character.is_alphanumeric() && character != '_');
            words.any(|other| other == word)
        }
        Value::Array(items) => items.iter().any(|item| has_word(item, word)),
        Value::Object(members) => members.values().any(|member| has_word(member, word)),
        _ => false,
    }
}

/// How many rows a text of CSV has: a line may end within quotes.
pub(super) fn csv_rows(csv: &[u8]) -> usize {
    let mut is_quoted = false;
    let ends = csv.iter().filter(|byte| {
        is_quoted ^= **byte == b'"';
        **byte == b'\n' && !is_quoted
    });
    ends.count()
}

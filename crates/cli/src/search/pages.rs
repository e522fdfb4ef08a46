//! The pages of one search, followed from cursor to cursor.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::search::ask;

/// How many events are asked for at once.
const PAGE: u64 = 1_000;

/// An event as the server wrote it: a number that no type here can hold is kept as it is.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Found(Box<RawValue>);

#[derive(Debug, Deserialize)]
struct Answer {
    data: Vec<Found>,
    page: Page,
    stats: Stats,
}

#[derive(Debug, Deserialize)]
struct Page {
    next_cursor: Option<String>,
    has_more: bool,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Stats {
    /// How many stored bytes were read.
    pub(crate) scanned_bytes: u64,
    /// How long it took.
    pub(crate) elapsed_ms: u64,
    /// Whether nothing was left out.
    pub(crate) complete: bool,
}

impl Found {
    /// The event's JSON.
    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }

    /// The event as a value; as a text, where it has a number that no type here can hold.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|_| Value::String(self.text().into()))
    }

    /// Its number within the dataset.
    pub(crate) fn seq(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Numbered {
            #[serde(rename = "_seq")]
            seq: u64,
        }
        serde_json::from_str::<Numbered>(self.text()).ok().map(|event| event.seq)
    }
}

/// What is left of a search.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    client: &'a Client,
    question: Map<String, Value>,
    /// As the person typed it, to point into it.
    query: &'a str,
    left: Option<u64>,
    has_more: bool,
    stats: Stats,
}

impl<'a> Pages<'a> {
    /// The pages of a question, with so many events at most.
    pub(crate) fn new(
        client: &'a Client,
        question: Map<String, Value>,
        limit: Option<u64>,
        query: &'a str,
    ) -> Self {
        let stats = Stats { scanned_bytes: 0, elapsed_ms: 0, complete: true };
        Self { client, question, query, left: limit, has_more: true, stats }
    }

    /// The next events, or nothing when there are no more.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Found>>, Failure> {
        let page = self.left.unwrap_or(PAGE).min(PAGE);
        if !self.has_more || page == 0 {
            return Ok(None);
        }
        self.question.insert("limit".into(), json!(page));
        let question = Value::Object(self.question.clone());
        let answer: Answer = ask(self.client, "/api/v1/search", &question, self.query)?;
        self.has_more = answer.page.has_more && answer.page.next_cursor.is_some();
        self.question.insert("cursor".into(), json!(answer.page.next_cursor));
        self.left = self.left.map(|left| left.saturating_sub(answer.data.len() as u64));
        self.stats.scanned_bytes += answer.stats.scanned_bytes;
        self.stats.elapsed_ms += answer.stats.elapsed_ms;
        self.stats.complete &= answer.stats.complete;
        Ok(Some(answer.data))
    }

    /// The sums over all pages.
    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }
}

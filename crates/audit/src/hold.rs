//! Legal holds: while one is on, nothing that its query matches is removed or erased.

use ledgerline_model::limits::QUERY_BYTES_MAX;
use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal};
use crate::event::{ID, read_moment};
use crate::json;
use crate::members::{Members, TextRule};
use crate::moment::Moment;
use crate::reason::read_reason;
use crate::record::Author;

const QUERY: TextRule =
    TextRule { bytes_max: QUERY_BYTES_MAX, may_be_empty: false, may_have_controls: true };

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Tells it from every other hold.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it holds: the text of a query.
    pub query: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When somebody is to look whether it is still needed.
    pub review_at: Option<Moment>,
    /// When and by whom it was released.
    pub released: Option<Release>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Author,
}

impl Hold {
    /// Reads a hold as it is asked for: `{name, query, reason, owner, review_at?}`. `id` is its new
    /// id. The query's words are not looked at.
    ///
    /// # Errors
    /// All that is wrong with the body.
    pub fn parse(id: &str, body: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(body, "a hold")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        let known = ["name", "query", "reason", "owner", "review_at"];
        members.refuse_unknown(&mut faults, &known, "a hold has these and no others");
        let name = members.required_text(&mut faults, "name", ID);
        let query = members.required_text(&mut faults, "query", QUERY);
        let reason = read_reason(&mut faults, members);
        let owner = members.required_text(&mut faults, "owner", ID);
        let review_at = read_moment(&mut faults, members, "review_at");
        let hold = match (name, query, reason, owner) {
            (Some(name), Some(query), Some(reason), Some(owner)) => Some(Self {
                id: id.to_owned(),
                name,
                query,
                reason,
                owner,
                review_at,
                released: None,
            }),
            _ => None,
        };
        faults.finish(hold)
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.released.is_none()
    }

    /// Whether it is on and the time to look at it again has come.
    #[must_use]
    pub fn needs_review(&self, now: Timestamp) -> bool {
        self.is_active() && self.review_at.as_ref().is_some_and(|moment| moment.at() <= now)
    }

    /// Releases the hold. The first release stays: whether this is the one.
    pub fn release(&mut self, at: Timestamp, by: Author) -> bool {
        let is_first = self.is_active();
        if is_first {
            self.released = Some(Release { at, by });
        }
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Hold, Refusal> {
        Hold::parse("hold-1", body.as_bytes())
    }

    const BODY: &str = r#"{"name":"Case 7","query":"actor.id:u1","reason":"court order",
        "owner":"legal","review_at":"1970-01-01T00:00:01Z"}"#;

    #[test]
    fn a_hold_is_read() {
        let hold = parse(BODY).expect("a hold");
        assert_eq!((&*hold.id, &*hold.name, &*hold.query), ("hold-1", "Case 7", "actor.id:u1"));
        assert_eq!((&*hold.reason, &*hold.owner), ("court order", "legal"));
        assert_eq!(hold.review_at.map(|moment| moment.at()), Some(Timestamp(1_000_000_000)));
        assert_eq!(hold.released, None);
    }

    #[test]
    fn every_fault_is_named() {
        let refusal = parse(r#"{"nane":"x","query":"","review_at":"soon"}"#).expect_err("faults");
        let faults: Vec<(&str, &str)> =
            refusal.faults().iter().map(|fault| (fault.code, &*fault.pointer)).collect();
        let expected = [
            ("unknown_field", "/nane"),
            ("missing", "/name"),
            ("empty", "/query"),
            ("missing", "/reason"),
            ("missing", "/owner"),
            ("bad_time", "/review_at"),
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_hold_ends_once() {
        let mut hold = parse(BODY).expect("a hold");
        let review = Timestamp(1_000_000_000);
        assert!(hold.is_active());
        assert!(!hold.needs_review(Timestamp(review.0 - 1)));
        assert!(hold.needs_review(review));
        let by = |id: &str| Author { id: id.to_owned(), kind: "user".to_owned() };
        assert!(hold.release(Timestamp(5), by("a")));
        assert!(!hold.release(Timestamp(6), by("b")));
        assert_eq!(hold.released, Some(Release { at: Timestamp(5), by: by("a") }));
        assert!(!hold.is_active());
        assert!(!hold.needs_review(review));
        hold.released = None;
        hold.review_at = None;
        assert!(!hold.needs_review(review));
    }
}

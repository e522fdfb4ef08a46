//! Cursors: where a page ended, for whoever asks the same question again.
//!
//! ```text
//! cursor = base64url( version u8 = 1 | question [16] | time i64 | seq u64 | as_of u64
//!                     | range start i64 | range end i64 )     (57 bytes, little-endian)
//! ```
//! It opens nothing: whoever sends one is asked for the right to read like everybody else. The
//! range is in it so that `-1h` means the same on every page.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledgerline_api::code::Code;
use ledgerline_api::v1::search::{Order, SearchRequest};
use ledgerline_model::id::{Seq, TenantId};
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_query::Place;

use crate::error::{Failure, Result};

const VERSION: u8 = 1;
const BYTES: usize = 1 + 16 + 5 * 8;

/// Where a page ended, and what all pages of the answer have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) place: Place,
    pub(crate) as_of: Seq,
    pub(crate) range: TimeRange,
}

/// What a cursor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question([u8; 16]);

impl Question {
    /// The question that a request asks: everything in it but how many events and the cursor.
    pub(crate) fn of(tenant: TenantId, request: &SearchRequest) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut part = |bytes: &[u8]| {
            context.update(&(bytes.len() as u64).to_le_bytes());
            context.update(bytes);
        };
        part(tenant.as_bytes());
        part(request.dataset.as_bytes());
        part(request.query.as_bytes());
        for end in [&request.from, &request.to] {
            part(&[u8::from(end.is_some())]);
            part(end.as_deref().unwrap_or_default().as_bytes());
        }
        part(&[u8::from(request.order == Order::Newest)]);
        let mut question = [0; 16];
        question.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(question)
    }
}

impl Cursor {
    pub(crate) fn to_text(self, question: Question) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&question.0);
        bytes.extend_from_slice(&self.place.time.0.to_le_bytes());
        bytes.extend_from_slice(&self.place.seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.as_of.0.to_le_bytes());
        bytes.extend_from_slice(&self.range.start.0.to_le_bytes());
        bytes.extend_from_slice(&self.range.end.0.to_le_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    /// `cursor_mismatch` for a text that is no cursor of this question.
    pub(crate) fn parse(text: &str, question: Question) -> Result<Self> {
        let mismatch = || {
            let detail = "the cursor is not of this query; ask again without one";
            Failure::new(Code::CursorMismatch, detail)
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| mismatch())?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| mismatch())?;
        if bytes[0] != VERSION || bytes[1..17] != question.0 {
            return Err(mismatch());
        }
        let number = |index: usize| {
            let at = 17 + 8 * index;
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        let time = |index: usize| Timestamp(number(index).cast_signed());
        Ok(Self {
            place: Place { time: time(0), seq: Seq(number(1)) },
            as_of: Seq(number(2)),
            range: TimeRange { start: time(3), end: time(4) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str) -> SearchRequest {
        SearchRequest {
            dataset: "app".to_owned(),
            query: query.to_owned(),
            from: None,
            to: None,
            limit: None,
            order: Order::Newest,
            cursor: None,
            fields: None,
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_for_no_other_question() {
        let tenant = |byte| TenantId::from_bytes([byte; 16]).expect("not nil");
        let question = Question::of(tenant(1), &request("*"));
        let cursor = Cursor {
            place: Place { time: Timestamp(-5), seq: Seq(7) },
            as_of: Seq(u64::MAX),
            range: TimeRange::ALL,
        };
        let text = cursor.to_text(question);
        assert_eq!(Cursor::parse(&text, question).ok(), Some(cursor));
        for other in
            [Question::of(tenant(2), &request("*")), Question::of(tenant(1), &request("a"))]
        {
            assert!(Cursor::parse(&text, other).is_err());
        }
        for bad in ["", "!", "AAAA", &text[1..], &format!("{text}A")] {
            assert!(Cursor::parse(bad, question).is_err(), "{bad}");
        }
    }
}

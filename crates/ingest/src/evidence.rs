//! Audit events to a [`Batch`]: each with its fields, to be searched, and its evidence, to be
//! proven.

use ledgerline_model::batch::Batch;
use ledgerline_model::convention::Conventions;
use ledgerline_model::time::Timestamp;

use crate::Reception;
use crate::decode::json::JsonDecoder;
use crate::error::Reject;
use crate::events::Events;
use crate::refusal::Refusal;

/// One event as the ledger commits to it.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The payload: one JSON object, which has an `id`.
    pub payload: &'a str,
    /// The salt of the commitment, in base64.
    pub salt: &'a str,
}

/// The batch of some audit events. Its rows are the events in their order, without those that are
/// refused: a payload may have more keys than an event of a dataset can.
#[must_use]
pub fn admit_evidence<'a>(
    events: impl IntoIterator<Item = Evidence<'a>>,
    received: Timestamp,
) -> (Batch, Vec<Reject>) {
    let conventions = Conventions::audit();
    let mut taken = Events::new(&Reception { received, conventions, digest: false });
    let mut decoder = JsonDecoder::new();
    let mut rejects = Vec::new();
    for (number, event) in (0..).zip(events) {
        match take(event, &mut decoder, &mut taken) {
            Ok(()) => taken.commit(event.payload.len()),
            Err(refusal) => {
                taken.reject(number, &refusal);
                rejects.push(Reject::new(number, refusal.code(), refusal.to_string()));
            }
        }
    }
    (taken.finish().0, rejects)
}

fn take(
    event: Evidence<'_>,
    decoder: &mut JsonDecoder,
    events: &mut Events,
) -> Result<(), Refusal> {
    decoder.decode(event.payload.as_bytes(), events)?;
    events.put_evidence(event.payload, event.salt)
}

#[cfg(test)]
mod tests {
    use ledgerline_model::convention::{ID_KEY, PAYLOAD_KEY, SALT_KEY};

    use super::*;

    fn texts(batch: &Batch, key: &str) -> Vec<String> {
        let (_, texts) = batch.texts(key).expect("every event has it");
        texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    #[test]
    fn an_event_has_its_fields_and_its_evidence() {
        let payload = r#"{"id":"a","actor":{"id":"u1"},"occurred_at":"1970-01-01T00:00:01Z","severity":"CRITICAL"}"#;
        let (batch, rejects) =
            admit_evidence([Evidence { payload, salt: "c2FsdA==" }], Timestamp(7));
        assert!(rejects.is_empty());
        assert_eq!((batch.rows(), batch.times()), (1, [1_000_000_000].as_slice()));
        assert_eq!(texts(&batch, PAYLOAD_KEY), [payload]);
        assert_eq!(texts(&batch, SALT_KEY), ["c2FsdA=="]);
        assert_eq!(texts(&batch, ID_KEY), ["a"]);
        assert_eq!(texts(&batch, "actor.id"), ["u1"]);
        assert!(batch.texts("id").is_none(), "the id is under its own key alone");
        assert!(batch.severities()[0] >= 17, "critical is above all errors");
    }

    #[test]
    fn a_payload_that_is_refused_leaves_the_others() {
        let good = r#"{"id":"a"}"#;
        let bad = "{\"id\":\"b\",\"\u{10ffff}payload\":\"x\"}";
        let events = [good, bad, good].map(|payload| Evidence { payload, salt: "" });
        let (batch, rejects) = admit_evidence(events, Timestamp(7));
        assert_eq!(batch.rows(), 2);
        assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [1]);
    }
}

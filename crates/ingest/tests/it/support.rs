//! What the tests share.

use std::collections::BTreeMap;

use ledgerline_ingest::{Admission, Admitted, Encoding, Error, Format, Reception};
use ledgerline_model::batch::{Batch, Flags, Values};
use ledgerline_model::convention::Conventions;
use ledgerline_model::event::Value;
use ledgerline_model::time::Timestamp;

/// 2024-03-01T12:00:00Z.
pub(crate) const RECEIVED: Timestamp = Timestamp(1_709_294_400 * Timestamp::SECOND);

/// An event's fields by their keys.
pub(crate) type Fields = BTreeMap<String, Value>;

pub(crate) fn reception() -> Reception {
    Reception { received: RECEIVED, conventions: Conventions::default(), digest: true }
}

/// Admits a body that comes in pieces of this size.
pub(crate) fn admit(
    body: &[u8],
    format: Format,
    encoding: Encoding,
    piece_bytes: usize,
) -> Result<Admitted, Error> {
    let mut admission = Admission::new(format, encoding, reception());
    for piece in body.chunks(piece_bytes) {
        admission.push(piece)?;
    }
    admission.finish()
}

pub(crate) fn admit_json(body: impl AsRef<[u8]>) -> Admitted {
    admit(body.as_ref(), Format::Json, Encoding::Identity, usize::MAX).expect("the body is taken")
}

pub(crate) fn admit_text(body: impl AsRef<[u8]>) -> Admitted {
    admit(body.as_ref(), Format::Text, Encoding::Identity, usize::MAX).expect("the body is taken")
}

/// The events of a batch, row by row.
pub(crate) fn events(batch: &Batch) -> Vec<Fields> {
    let mut events = vec![Fields::new(); batch.rows()];
    for column in batch.columns() {
        for (index, row) in column.rows().iter().enumerate() {
            let text = |bytes: &[u8]| {
                std::str::from_utf8(bytes).expect("a batch holds valid texts").to_owned()
            };
            let value = match column.values() {
                Values::Str(values) => Value::Str(text(values.get(index))),
                Values::Json(values) => Value::Json(text(values.get(index))),
                Values::I64(values) => Value::I64(values[index]),
                Values::F64(values) => Value::F64(values[index]),
                Values::Bool(values) => Value::Bool(values[index]),
            };
            let before = events[*row as usize].insert(column.name().to_string(), value);
            assert_eq!(before, None, "an event has a key once");
        }
    }
    events
}

/// The fields of the only event of a body.
pub(crate) fn event(body: impl AsRef<[u8]>) -> Fields {
    let admitted = admit_json(body);
    assert_eq!(admitted.rejects, []);
    let mut events = events(&admitted.batch);
    assert_eq!(events.len(), 1, "the body holds one event");
    events.remove(0)
}

/// The lines and codes of what was rejected.
pub(crate) fn rejects(admitted: &Admitted) -> Vec<(u64, &'static str)> {
    admitted.rejects.iter().map(|reject| (reject.line, reject.code)).collect()
}

pub(crate) fn fields<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Fields {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

pub(crate) fn str(text: &str) -> Value {
    Value::Str(text.to_owned())
}

pub(crate) fn json(text: &str) -> Value {
    Value::Json(text.to_owned())
}

/// How many events have a flag.
pub(crate) fn flagged(batch: &Batch, flag: Flags) -> usize {
    batch.flags().iter().filter(|flags| Flags(**flags).has(flag)).count()
}

use proptest::prelude::*;

use super::*;
use crate::batch::{BatchBuilder, EventHead, Flags};
use crate::event::Value;
use crate::severity::Severity;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::Str),
        any::<i64>().prop_map(Value::I64),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |v| !v.is_nan())
            .prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Json("[1,null]".to_owned())),
    ]
}

fn build(events: &[(i64, Vec<(String, Value)>)]) -> Batch {
    let mut builder = BatchBuilder::new(Timestamp(7));
    for (time, fields) in events {
        let result = fields.iter().try_for_each(|(key, value)| match value {
            Value::Str(value) => builder.str(key, value),
            Value::I64(value) => builder.i64(key, *value),
            Value::F64(value) => builder.f64(key, *value),
            Value::Bool(value) => builder.bool(key, *value),
            Value::Json(value) => builder.json(key, value),
        });
        match result {
            Ok(()) => builder.commit(EventHead {
                time: Timestamp(*time),
                severity: Severity::INFO,
                flags: Flags::FAR_PAST,
                bytes_in: 3,
            }),
            Err(_) => builder.abandon(),
        }
    }
    builder.finish()
}

proptest! {
    #[test]
    fn decode_is_the_inverse_of_encode(
        events in prop::collection::vec(
            (any::<i64>(), prop::collection::vec(("[a-d]", value()), 0..5)), 0..20)
    ) {
        let batch = build(&events);
        let bytes = encode(&batch);
        prop_assert_eq!(decode(&bytes), Ok(batch));
        for cut in 0..bytes.len() {
            prop_assert!(decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = VERSION;
        }
        if let Ok(batch) = decode(&bytes) {
            prop_assert!(batch.rows() <= bytes.len());
        }
    }
}

#[test]
fn an_event_with_a_key_twice_is_refused_and_leaves_nothing() {
    let twice = vec![
        ("a".to_owned(), Value::I64(1)),
        ("b".to_owned(), Value::I64(1)),
        ("a".to_owned(), Value::Str("x".to_owned())),
    ];
    let once = vec![("a".to_owned(), Value::I64(2))];
    let batch = build(&[(1, twice), (2, once)]);
    assert_eq!(batch.times(), [2]);
    assert_eq!(batch.columns().len(), 1);
    assert_eq!(batch.columns()[0].values(), &Values::I64(vec![2]));
}

//! Texts that are handed over page by page are those that are read as a column.

use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags};
use ledgerline_model::id::TenantId;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::column::ValueRef;
use crate::sample::{Lies, snapshot};

/// Texts of several pages; no two are equal, so they get no dictionary.
fn batch(lengths: &[Option<u32>]) -> Batch {
    let mut builder = BatchBuilder::new(Timestamp(0));
    for (row, length) in lengths.iter().enumerate() {
        if let Some(length) = length {
            let text = format!("{row} {}", "é".repeat(*length as usize));
            builder.str("text", &text).expect("the only key");
        }
        builder.commit(EventHead {
            time: Timestamp(row as i64),
            severity: Severity::UNSPECIFIED,
            flags: Flags(0),
            bytes_in: 1,
        });
    }
    builder.finish()
}

fn lengths() -> impl Strategy<Value = Vec<Option<u32>>> {
    let length = proptest::option::weighted(0.7, prop_oneof![0..10_u32, 20_000..40_000_u32]);
    proptest::collection::vec(length, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn texts_are_those_of_the_column(
        lengths in lengths(),
        bounds in proptest::collection::btree_set(0_u32..40, 0..6),
        in_memory in any::<bool>(),
    ) {
        let lies = if in_memory { Lies::Memory } else { Lies::Segments };
        let tenant = TenantId::from_bytes([7; 16]).expect("not all zero");
        let snapshot = snapshot(tenant, vec![(batch(&lengths), lies)])?;
        let part = &snapshot.parts()[0];
        let bounds: Vec<u32> = bounds.into_iter().filter(|row| *row <= part.rows()).collect();
        let wanted: Vec<Range<u32>> =
            bounds.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
        if part.named("text").is_empty() {
            return Ok(());
        }
        let data = part.column(0, &wanted)?;
        let text = |index| match data.value(index) {
            ValueRef::Str(text) => text.to_owned(),
            other => panic!("no text: {other:?}"),
        };
        let expected: Vec<(u32, String)> =
            (0..data.rows.len()).map(|index| (data.rows.get(index), text(index))).collect();
        let bytes: u64 = expected.iter().map(|(_, text)| text.len() as u64 + 8).sum();
        prop_assert!(part.raw_bytes(0, &wanted)? >= bytes);
        let mut handed = Vec::new();
        part.texts(0, &wanted, |texts| {
            for index in 0..texts.ends.len() {
                handed.push((texts.rows.get(index), texts.get(index).to_owned()));
            }
            Ok::<(), Error>(())
        })?;
        prop_assert!(handed.is_sorted_by_key(|(row, _)| *row));
        let is_of_row =
            |(row, text): &(u32, String)| text.split(' ').next() == Some(&row.to_string());
        prop_assert!(handed.iter().all(is_of_row));
        handed.retain(|(row, _)| wanted.iter().any(|span| span.contains(row)));
        prop_assert_eq!(handed, expected);
    }
}

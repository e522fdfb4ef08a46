use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;
use proptest::prelude::*;

use super::*;

fn receipt(received_ns: i64) -> Receipt {
    Receipt {
        first_seq: Seq(7),
        stored: 2,
        duplicates: 1,
        received: Timestamp(received_ns),
        id_base: 3,
        replayed: false,
    }
}

fn key(number: u128) -> KeyMark {
    KeyMark { mark: number, digest: [number as u8; 32] }
}

#[test]
fn a_key_is_answered_again_or_refused() {
    let mut dedupe = Dedupe::default();
    dedupe.answer(Some(key(1)), receipt(0), &[]);
    let again = Receipt { replayed: true, ..receipt(0) };
    assert_eq!(dedupe.key(&key(1)), Some(Known::Answered(again)));
    assert_eq!(dedupe.key(&KeyMark { mark: 1, digest: [9; 32] }), Some(Known::Conflict));
    assert_eq!(dedupe.key(&key(2)), None);
}

#[test]
fn marks_differ_by_dataset_and_by_kind() {
    let (one, two) = (DatasetId(1), DatasetId(2));
    let key = IdempotencyKey { key: "a".to_owned(), digest: [0; 32] };
    let marks =
        [id_mark(one, b"a"), id_mark(two, b"a"), id_mark(one, b"b"), KeyMark::new(one, &key).mark];
    assert_eq!(HashSet::from(marks).len(), marks.len());
}

#[test]
fn the_window_closes_also_when_the_clock_was_set_back() {
    let mut dedupe = Dedupe::default();
    dedupe.answer(None, receipt(100), &[1]);
    dedupe.answer(None, receipt(50), &[2]);
    dedupe.forget_old(100 + limits::DEDUPE_WINDOW_NS);
    assert!(dedupe.has_id(1) && dedupe.has_id(2));
    dedupe.forget_old(101 + limits::DEDUPE_WINDOW_NS);
    assert!(!dedupe.has_id(1) && !dedupe.has_id(2));
    assert_eq!(dedupe.count, 0);
}

#[test]
fn the_oldest_are_forgotten_first() {
    let mut dedupe = Dedupe::new(3);
    dedupe.answer(Some(key(1)), receipt(1), &[1]);
    dedupe.answer(None, receipt(2), &[2]);
    dedupe.answer(None, receipt(3), &[3]);
    assert_eq!(dedupe.key(&key(1)), None);
    assert!(!dedupe.has_id(1) && dedupe.has_id(2) && dedupe.has_id(3));
}

proptest! {
    #[test]
    fn they_round_trip_as_bytes(
        commits in prop::collection::vec((0..1000_i64, any::<bool>(), 0..4_usize), 0..20),
    ) {
        let mut dedupe = Dedupe::default();
        for (number, (received_ns, has_key, ids)) in (1..).zip(commits) {
            let ids: Vec<Mark> = (0..ids as u128).map(|id| (number << 32) + id).collect();
            dedupe.answer(has_key.then(|| key(number)), receipt(received_ns), &ids);
        }
        dedupe.covered = Position(9);
        let bytes = format::encode(&dedupe);
        let again = format::decode(&bytes).expect("what was encoded");
        prop_assert_eq!(again.covered(), Position(9));
        prop_assert_eq!(&again.keys, &dedupe.keys);
        prop_assert_eq!(&again.ids, &dedupe.ids);
        prop_assert_eq!(again.count, dedupe.count);
        prop_assert_eq!(format::encode(&again), bytes.clone());
        for length in 0..bytes.len() {
            prop_assert!(format::decode(&bytes[..length]).is_none());
        }
    }
}

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
    assert!(dedupe.id_order.items.is_empty());
}

#[test]
fn the_oldest_are_forgotten_first_and_counted() {
    let mut dedupe = Dedupe::new(2, 3);
    dedupe.answer(Some(key(1)), receipt(1), &[1, 2]);
    dedupe.answer(Some(key(2)), receipt(2), &[3]);
    assert_eq!(dedupe.take_forgotten_early(), 0);
    dedupe.answer(None, receipt(3), &[4]);
    assert!(!dedupe.has_id(1), "the latest three, also where they are not all of a commit");
    assert!(dedupe.has_id(2) && dedupe.has_id(3) && dedupe.has_id(4));
    assert!(dedupe.key(&key(1)).is_some(), "ids push out no key");
    dedupe.answer(Some(key(3)), receipt(4), &[]);
    assert_eq!(dedupe.key(&key(1)), None);
    assert!(dedupe.key(&key(2)).is_some() && dedupe.has_id(2), "keys push out no id");
    assert_eq!((dedupe.take_forgotten_early(), dedupe.take_forgotten_early()), (2, 0));
}

fn encode(dedupe: &Dedupe) -> Vec<u8> {
    let mut kept = format::Kept::new(dedupe);
    while let Some(slice) = kept.slice(dedupe) {
        kept.put(slice);
    }
    kept.finish()
}

#[test]
fn what_is_copied_in_slices_is_what_was_there_when_it_began() {
    let mut dedupe = Dedupe::new(100_000, 100_000);
    for number in 0..5_000 {
        dedupe.answer(Some(key(number)), receipt(number as i64), &[number, 1 << 64 | number]);
    }
    dedupe.covered = Position(5_000);
    let mut kept = format::Kept::new(&dedupe);
    let mut slices = 0;
    while let Some(slice) = kept.slice(&dedupe) {
        kept.put(slice);
        let number = 10_000 + slices;
        dedupe.answer(Some(key(number)), receipt(number as i64), &[number]);
        dedupe.forget_old(slices as i64 * 600 + limits::DEDUPE_WINDOW_NS);
        slices += 1;
    }
    assert!(slices >= 8, "{slices} slices");
    let kept = format::decode(&kept.finish()).expect("what was encoded");
    assert_eq!(kept.covered(), Position(5_000));
    for number in 0..5_000 {
        let stays = dedupe.key(&key(number)).is_some();
        assert!(!stays || kept.key(&key(number)).is_some() && kept.has_id(number));
    }
    assert!(!kept.has_id(10_000) && kept.key(&key(10_001)).is_none());
}

proptest! {
    #[test]
    fn they_round_trip_as_bytes(
        commits in prop::collection::vec((0..1000_i64, any::<bool>(), 0..4_usize), 0..20),
        ids_max in 1..60_usize,
    ) {
        let mut dedupe = Dedupe::new(10, ids_max);
        for (number, (received_ns, has_key, ids)) in (1..).zip(commits) {
            let ids: Vec<Mark> = (0..ids as u128).map(|id| (number << 32) + id).collect();
            dedupe.answer(has_key.then(|| key(number)), receipt(received_ns), &ids);
        }
        dedupe.covered = Position(9);
        let bytes = encode(&dedupe);
        let again = format::decode(&bytes).expect("what was encoded");
        prop_assert_eq!(again.covered(), Position(9));
        prop_assert_eq!(&again.keys, &dedupe.keys);
        prop_assert_eq!(&again.ids, &dedupe.ids);
        prop_assert_eq!(again.key_order.items.len(), again.keys.len());
        prop_assert_eq!(encode(&again), bytes.clone());
        for length in 0..bytes.len() {
            prop_assert!(format::decode(&bytes[..length]).is_none());
        }
    }
}

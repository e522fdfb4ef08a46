use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

fn entry(dataset: &str) -> Entry {
    Entry {
        log_id: LogId([0xa1; 16]),
        seq: 0x0102,
        received_ns: 0x0304,
        event_id: [0xb2; 16],
        kind: Kind::Erasure,
        commit: Hash([0xc3; 32]),
        dataset: Dataset::new(dataset).expect("a name"),
    }
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let bytes = entry("audit").encode();
    let mut expected = b"LLE1".to_vec();
    expected.extend([0xa1; 16]);
    expected.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    expected.extend([0, 0, 0, 0, 0, 0, 3, 4]);
    expected.extend([0xb2; 16]);
    expected.extend([0, 0, 0, 1, 2]);
    expected.extend([0xc3; 32]);
    expected.extend([0, 26]);
    expected.extend([0xa2, 0, 0x65]);
    expected.extend(b"audit");
    expected.extend([1, 0x70]);
    expected.extend(b"application/json");
    assert_eq!(bytes, expected);
    assert_eq!(bytes.len(), HEAD_BYTES + 26);
    assert_eq!(entry("audit").leaf(), hash::leaf(&bytes));
}

#[test]
fn every_length_of_a_name_is_written_in_its_shortest_form() {
    for length in [1, 23, 24, 255, 256, DATASET_BYTES_MAX] {
        let entry = entry(&"x".repeat(length));
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes).expect("as written"), entry);
        let head: &[u8] = match length {
            1 => &[0x61],
            23 => &[0x77],
            24 => &[0x78, 24],
            255 => &[0x78, 255],
            256 => &[0x79, 1, 0],
            _ => &[0x79, 7, 142],
        };
        assert_eq!(bytes[HEAD_BYTES + 2..HEAD_BYTES + 2 + head.len()], *head);
    }
    assert_eq!(entry(&"x".repeat(DATASET_BYTES_MAX)).encode().len(), ENTRY_BYTES_MAX);
}

#[test]
fn names_of_datasets() {
    for name in ["", "a\nb", "a\u{7f}b", &"x".repeat(DATASET_BYTES_MAX + 1)] {
        let error = Dataset::new(name).expect_err("no name");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
    assert_eq!(Dataset::new("Prüfung 1").expect("a name").as_str(), "Prüfung 1");
}

#[test]
fn kinds_have_bytes() {
    let bytes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.to_byte()).collect();
    assert_eq!(bytes, [0, 1, 2, 3, 4]);
    assert_eq!(Kind::from_byte(3), Some(Kind::KeyRotation));
    assert_eq!(Kind::from_byte(5), None);
}

#[test]
fn other_bytes_are_refused() {
    let good = entry("audit").encode();
    Entry::decode(&good).expect("as written");
    let refused = |bytes: &[u8]| {
        let error = Entry::decode(bytes).expect_err("no entry");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    };
    for end in 0..good.len() {
        refused(&good[..end]);
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    // Magic, schema, an unknown kind, the length of the metadata, and all of the metadata.
    refused(&changed(0, b'M'));
    refused(&changed(55, 2));
    refused(&changed(56, 5));
    refused(&changed(HEAD_BYTES - 1, 27));
    for at in (HEAD_BYTES..good.len()).filter(|at| !(94..99).contains(at)) {
        refused(&changed(at, good[at] ^ 1));
    }
    refused(&changed(94, 0xff));
    let mut long = good.clone();
    long.push(0);
    refused(&long);
    long[HEAD_BYTES - 1] += 1;
    refused(&long);
    // The name's length in a longer form than it needs.
    for head in [[0x78, 5].as_slice(), &[0x79, 0, 5]] {
        let mut bytes = good[..HEAD_BYTES + 2].to_vec();
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(&good[HEAD_BYTES + 3..]);
        bytes[HEAD_BYTES - 1] += head.len() as u8 - 1;
        refused(&bytes);
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let numbers = any::<([u8; 16], u64, u64, [u8; 16], [u8; 32])>();
    (numbers, 0..5_usize, "[^\\p{Cc}]{1,300}").prop_map(|(numbers, kind, dataset)| {
        let (log_id, seq, received_ns, event_id, commit) = numbers;
        Entry {
            log_id: LogId(log_id),
            seq,
            received_ns,
            event_id,
            kind: Kind::ALL[kind],
            commit: Hash(commit),
            dataset: Dataset::new(dataset).expect("a name"),
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(entry in any_entry()) {
        prop_assert_eq!(Entry::decode(&entry.encode()).expect("as written"), entry);
    }

    #[test]
    fn what_is_read_would_be_written_the_same(
        entry in any_entry(), at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = entry.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Entry::decode(&bytes));
        let mut bytes = [b"LLE1".to_vec(), bytes].concat();
        bytes.resize(bytes.len().max(57), 0);
        bytes[56] %= 5;
        drop(Entry::decode(&bytes));
    }
}

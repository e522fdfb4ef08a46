use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::key::{KeyName, SigningKey};

fn name(text: &str) -> KeyName {
    KeyName::new(text).expect("a name")
}

fn line(text: &str, key_id: u32) -> SignatureLine {
    SignatureLine { name: name(text), key_id, signature: vec![1, 2, 3] }
}

fn note(text: &str, lines: &[SignatureLine]) -> String {
    let lines: String = lines.iter().map(SignatureLine::to_text).collect();
    format!("{text}\n{lines}")
}

#[test]
fn notes_are_read_as_written() {
    let text = note("a\n\nb\n", &[line("k", 7)]);
    assert_eq!(text, "a\n\nb\n\n— k AAAABwECAw==\n");
    let read = SignedNote::parse(text.as_bytes()).expect("a note");
    assert_eq!((read.text(), read.lines()), ("a\n\nb\n", [line("k", 7)].as_slice()));
    assert_eq!(read.to_text(), text);
    let signer = Signer::new(name("k"), SigningKey::from_seed(&[1; 32]));
    let signed = SignedNote::sign("a\n", &signer).expect("a text");
    assert_eq!(signed.lines(), [signer.sign_note("a\n")]);
    assert_eq!(SignedNote::parse(signed.to_text().as_bytes()).expect("as written"), signed);
    for text in ["a", "", "a\tb\n", "\r\n"] {
        let error = SignedNote::sign(text, &signer).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

#[test]
fn other_texts_are_refused() {
    let good = "a\n\n— k AAAABwECAw==\n";
    SignedNote::parse(good.as_bytes()).expect("a note");
    let wrong = [
        "",
        "a\n",
        "a\n\n",
        "a\n— k AAAABwECAw==\n",
        "a\n\n— k AAAABwECAw==",
        "a\n\n- k AAAABwECAw==\n",
        "a\n\n—k AAAABwECAw==\n",
        "a\n\n— k\n",
        "a\n\n— k AAAA\n",
        "a\n\n— k AAAABwECAw\n",
        "a\n\n— k AAAABwECAw== \n",
        "a\n\n—  k AAAABwECAw==\n",
        "a\n\n— k+ AAAABwECAw==\n",
        "a\n\n— k AAAABwECAw==\n— k AAAABwEC\n",
        "a\r\n\n— k AAAABwECAw==\n",
        "a\0\n\n— k AAAABwECAw==\n",
    ];
    for text in wrong {
        let error = SignedNote::parse(text.as_bytes()).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
    let not_utf8 = [b"\xff", good.as_bytes()].concat();
    assert_eq!(SignedNote::parse(&not_utf8).expect_err("not UTF-8").kind(), ErrorKind::Malformed);
    let four = SignatureLine::parse("— k AAAABw==").expect("a key id alone");
    assert_eq!((four.key_id, four.signature.len()), (7, 0));
}

#[test]
fn notes_are_limited() {
    let lines = |count: u32| (0..count).map(|id| line("k", id)).collect::<Vec<_>>();
    let most = note("a\n", &lines(64));
    SignedNote::parse(most.as_bytes()).expect("64 lines");
    let more = note("a\n", &lines(65));
    assert_eq!(SignedNote::parse(more.as_bytes()).expect_err("65").kind(), ErrorKind::Malformed);
    let rest = note("\n", &[line("k", 7)]).len();
    let longest = note(&("a".repeat(NOTE_BYTES_MAX - rest) + "\n"), &[line("k", 7)]);
    assert_eq!(longest.len(), 65_536);
    SignedNote::parse(longest.as_bytes()).expect("64 KiB");
    let longer = format!("a{longest}");
    let error = SignedNote::parse(longer.as_bytes()).expect_err("more");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn lines_have_an_order() {
    let ordered = [line("z", 1), line("z", 2), line("a", 3), line("b", 0), line("b", 9)];
    let read = |lines: &[SignatureLine]| {
        SignedNote::parse(note("z\nmore\n", lines).as_bytes()).expect("a note")
    };
    assert!(read(&ordered).is_ordered());
    for at in 1..ordered.len() {
        let mut other = ordered.clone();
        other.swap(at - 1, at);
        assert!(!read(&other).is_ordered(), "{at}");
        let mut added = read(&other[..1]);
        other[1..].iter().rev().for_each(|line| added.add(line.clone()));
        assert_eq!(added.lines(), ordered);
    }
    let mut replaced = read(&ordered);
    let newer = SignatureLine { signature: vec![9], ..line("b", 9) };
    replaced.add(newer.clone());
    assert_eq!(replaced.lines()[..4], ordered[..4]);
    assert_eq!(replaced.lines()[4..], [newer]);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        text in "([^\\p{Cc}\\s]{0,9}\n){1,9}",
        names in prop::collection::vec("[^\\s\\p{Cc}\\p{Z}+]{1,9}", 1..5),
        signature: Vec<u8>,
    ) {
        let lines: Vec<SignatureLine> = (names.iter().enumerate())
            .map(|(id, text)| SignatureLine {
                name: name(text),
                key_id: id as u32,
                signature: signature.clone(),
            })
            .collect();
        let text = note(&text, &lines);
        let read = SignedNote::parse(text.as_bytes()).expect("as written");
        prop_assert_eq!(read.lines(), lines);
        prop_assert_eq!(read.to_text(), text);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, text in "[a\n— =A]{0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes(), format!("{text}\n\n— {text}").as_bytes()] {
            if let Ok(note) = SignedNote::parse(bytes) {
                let written = note.to_text();
                prop_assert_eq!(written.as_bytes(), bytes);
            }
        }
    }
}

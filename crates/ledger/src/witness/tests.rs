use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::key::{KeyName, KeyUse, Signer, SigningKey};
use crate::sample::Tree;
use crate::tree::{consistency, root};

fn signer(seed: u8) -> Signer {
    Signer::new(KeyName::new("log").expect("a name"), SigningKey::from_seed(&[seed; 32]))
}

fn head(tree: &Tree, size: u64) -> Head {
    Head { size, root: root(tree, size).expect("in memory") }
}

fn request(old_size: u64, proof: Vec<Hash>, head: Head, signer: &Signer) -> AddCheckpoint {
    let checkpoint = Checkpoint { origin: "log".to_owned(), head };
    AddCheckpoint { old_size, proof, note: checkpoint.sign(signer).expect("a text") }
}

fn decision(request: &AddCheckpoint, keys: &[Vkey], last: Option<&Head>) -> Decision {
    let text = request.to_text();
    let (read, checkpoint) = AddCheckpoint::parse(text.as_bytes()).expect("as written");
    assert_eq!(read, *request);
    decide(&read, &checkpoint, keys, last)
}

#[test]
fn a_witness_cosigns_trees_that_grow() {
    let tree = Tree::of(40);
    let proof = |from, to| consistency(&tree, from, to).expect("in memory");
    let keys = [signer(2).vkey(KeyUse::Log), signer(1).vkey(KeyUse::Log)];
    let [seven, nine] = [head(&tree, 7), head(&tree, 9)];
    let good = request(7, proof(7, 9), nine, &signer(1));
    assert_eq!(decision(&good, &keys, Some(&seven)), Decision::Cosign(nine));
    assert_eq!(decision(&good, &[], Some(&seven)), Decision::UnknownLog);
    assert_eq!(decision(&good, &keys[..1], Some(&seven)), Decision::Unsigned);
    assert_eq!(decision(&good, &keys, Some(&nine)), Decision::Conflict(9));
    assert_eq!(decision(&good, &keys, None), Decision::Conflict(0));
    let first = request(0, vec![], nine, &signer(1));
    assert_eq!(decision(&first, &keys, None), Decision::Cosign(nine));
    assert_eq!(decision(&first, &keys, Some(&seven)), Decision::Conflict(7));
    let first = request(0, proof(7, 9), nine, &signer(1));
    assert_eq!(decision(&first, &keys, None), Decision::BadProof);
    let again = request(7, vec![], seven, &signer(1));
    assert_eq!(decision(&again, &keys, Some(&seven)), Decision::Cosign(seven));
    let again = request(7, proof(7, 9), seven, &signer(1));
    assert_eq!(decision(&again, &keys, Some(&seven)), Decision::BadProof);
    let forked = Head { size: 7, root: nine.root };
    let fork = request(7, vec![], forked, &signer(1));
    assert_eq!(decision(&fork, &keys, Some(&seven)), Decision::Conflict(7));
    let smaller = request(9, vec![], seven, &signer(1));
    assert_eq!(decision(&smaller, &keys, Some(&nine)), Decision::BadRequest);
    let wrong = request(7, proof(6, 9), nine, &signer(1));
    assert_eq!(decision(&wrong, &keys, Some(&seven)), Decision::BadProof);
}

#[test]
fn known_keys_must_sign_well() {
    let tree = Tree::of(9);
    let nine = head(&tree, 9);
    let keys = [signer(1), signer(2)].map(|signer| signer.vkey(KeyUse::Log));
    let mut both = request(0, vec![], nine, &signer(1));
    both.note.add(signer(2).sign_note(both.note.text()));
    both.note.add(signer(3).sign_note("unknown keys sign what they like\n"));
    assert_eq!(decision(&both, &keys, None), Decision::Cosign(nine));
    for seed in [1, 2] {
        let mut wrong = both.clone();
        wrong.note.add(signer(seed).sign_note("another text\n"));
        assert_eq!(decision(&wrong, &keys, None), Decision::Unsigned);
    }
    let strange = request(0, vec![], nine, &signer(3));
    assert_eq!(decision(&strange, &keys, None), Decision::Unsigned);
}

#[test]
fn decisions_have_a_status() {
    let decisions = [
        (Decision::Cosign(Head::EMPTY), 200),
        (Decision::BadRequest, 400),
        (Decision::Unsigned, 403),
        (Decision::UnknownLog, 404),
        (Decision::Conflict(7), 409),
        (Decision::BadProof, 422),
    ];
    for (decision, status) in decisions {
        assert_eq!(decision.status(), status);
    }
}

#[test]
fn other_requests_are_refused() {
    let good = request(7, vec![Hash([1; 32])], Head::EMPTY, &signer(1));
    let text = good.to_text();
    assert!(text.starts_with(&format!("old 7\n{}\n\nlog\n0\n", Hash([1; 32]).to_base64())));
    let hash = Hash([1; 32]).to_base64();
    let wrong = [
        String::new(),
        text.replacen("old 7", "old 07", 1),
        text.replacen("old 7", "new 7", 1),
        text.replacen("old 7\n", "", 1),
        text.replacen(&hash, "AA==", 1),
        text.replacen("\n\n", "\n", 1),
        text.replacen("log\n0\n", "log\n0\n0\n", 1),
        text.replacen("\n\n—", "\nmore\n\n—", 1),
        text.trim_end().to_owned(),
    ];
    for text in wrong {
        let error = AddCheckpoint::parse(text.as_bytes()).expect_err(&text);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
    AddCheckpoint::parse(b"\xff").expect_err("not UTF-8");
    let long = |count| request(7, vec![Hash([1; 32]); count], Head::EMPTY, &signer(1)).to_text();
    AddCheckpoint::parse(long(PROOF_MAX).as_bytes()).expect("the longest proof");
    AddCheckpoint::parse(long(PROOF_MAX + 1).as_bytes()).expect_err("too long");
    let padded = text.replacen("\n\n", &("\n\n".to_owned() + &"x".repeat(REQUEST_BYTES_MAX)), 1);
    AddCheckpoint::parse(padded.as_bytes()).expect_err("too long");
    assert_eq!(REQUEST_BYTES_MAX, 69_632);
}

#[test]
fn answers_are_signature_lines() {
    let lines = [1, 2].map(|seed| signer(seed).cosign("a text\n", 7));
    let text = response(&lines);
    assert_eq!(parse_response(&text).expect("as written"), lines);
    for text in ["", "\n", text.trim_end(), &format!("{text}\n"), "x\n"] {
        assert_eq!(parse_response(text).expect_err(text).kind(), ErrorKind::Malformed);
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, text: String) {
        drop(AddCheckpoint::parse(&bytes));
        drop(AddCheckpoint::parse(format!("old 1\n{text}").as_bytes()));
        drop(parse_response(&text));
    }
}

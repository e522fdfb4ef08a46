use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::key::{KeyName, Signer, SigningKey};
use crate::sample::{Tree, leaf};
use crate::tree;

fn signer(name: &str) -> Signer {
    Signer::new(KeyName::new(name).expect("a name"), SigningKey::from_seed(&[1; 32]))
}

fn proof(index: u64, size: u64) -> (TlogProof, Checkpoint) {
    let tree = Tree::of(size);
    let checkpoint = Checkpoint { origin: "log".to_owned(), head: tree.frontier.head() };
    let note = checkpoint.sign(&signer("log")).expect("a text");
    let path = tree::inclusion(&tree, index, size).expect("in memory");
    (TlogProof { index, path, note }, checkpoint)
}

#[test]
fn proofs_are_those_of_the_specification() {
    let (proof, checkpoint) = proof(2, 3);
    let text = proof.to_text();
    let expected = format!(
        "c2sp.org/tlog-proof@v1\nindex 2\n{}\n\nlog\n3\n{}\n\n— log ",
        proof.path[0].to_base64(),
        checkpoint.head.root.to_base64()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(TlogProof::parse(&text).expect("as written"), proof);
    proof.check(leaf(2), &checkpoint).expect("it holds");
    let error = proof.check(leaf(1), &checkpoint).expect_err("another leaf");
    assert_eq!(error.kind(), ErrorKind::NotIncluded);
    let other = Checkpoint { head: tree::Head::EMPTY, ..checkpoint };
    proof.check(leaf(2), &other).expect_err("another tree");
}

#[test]
fn other_texts_are_refused() {
    let (good, _) = proof(2, 7);
    let text = good.to_text();
    let mut unordered = good.clone();
    unordered.note.add(signer("b").sign_note(good.note.text()));
    unordered.note.add(signer("a").sign_note(good.note.text()));
    TlogProof::parse(&unordered.to_text()).expect("in order");
    let line = unordered.note.lines()[1].to_text();
    let swapped = unordered.to_text().replacen(&line, "", 1) + &line;
    let hash = good.path[0].to_base64();
    let wrong = [
        String::new(),
        text.replacen("@v1", "@v2", 1),
        text.replacen("index 2\n", "index 02\n", 1),
        text.replacen("index 2\n", "index\n", 1),
        text.replacen("index 2\n", "", 1),
        text.replacen("index 2\n", "extra AA==\nindex 2\n", 1),
        text.replacen(&hash, "AA==", 1),
        text.replacen(&hash, "", 1),
        text.replacen("\n\n", "\n", 1),
        text.trim_end().to_owned(),
        swapped,
    ];
    for text in wrong {
        assert_eq!(TlogProof::parse(&text).expect_err(&text).kind(), ErrorKind::Malformed);
    }
    let mut long = good.clone();
    long.path = vec![Hash([0; 32]); PATH_MAX];
    TlogProof::parse(&long.to_text()).expect("the longest");
    long.path.push(Hash([0; 32]));
    TlogProof::parse(&long.to_text()).expect_err("too long");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        index: u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..20),
    ) {
        let (mut proof, _) = proof(0, 1);
        proof.index = index;
        proof.path = path.into_iter().map(Hash).collect();
        prop_assert_eq!(TlogProof::parse(&proof.to_text()).expect("as written"), proof);
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        drop(TlogProof::parse(&text));
        drop(TlogProof::parse(&format!("c2sp.org/tlog-proof@v1\nindex 1\n{text}")));
    }
}

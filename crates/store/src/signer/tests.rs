use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::tree::{Frontier, Nodes};
use ledgerline_world::{Chance, Options};

use super::*;

const LOG: LogId = LogId([7; 16]);

/// A tree in memory: its leaves.
struct Leaves(Vec<Hash>);

impl Leaves {
    fn of(first: u8, count: u8) -> Self {
        Self((0..count).map(|number| Hash([first.wrapping_add(number); 32])).collect())
    }

    fn head(&self, size: u64) -> Head {
        let mut frontier = Frontier::new();
        self.0[..size as usize].iter().for_each(|leaf| frontier.append(*leaf));
        frontier.head()
    }

    fn to_sign(&self, from: u64, size: u64) -> ToSign {
        let proof = ledgerline_ledger::tree::consistency(self, from, size).expect("in memory");
        ToSign { log_id: LOG, head: self.head(size), proof }
    }
}

impl Nodes for Leaves {
    fn node(&self, level: u8, index: u64) -> ledgerline_ledger::Result<Hash> {
        let width = 1_usize << level;
        let mut row = self.0[index as usize * width..(index as usize + 1) * width].to_vec();
        while row.len() > 1 {
            let pairs = row.chunks_exact(2);
            row = pairs.map(|pair| ledgerline_ledger::hash::node(&pair[0], &pair[1])).collect();
        }
        Ok(row[0])
    }
}

fn open(folder: &Path) -> Signer {
    let data = DataDir::open(folder, Chance::system(), Options::default()).expect("it opens");
    Signer::open(&data, "node.example").expect("the signer opens")
}

/// Signs one head, which must be signed.
fn sign(signer: &Signer, head: ToSign) -> String {
    let mut notes = signer.sign(&[head]).expect("the records are written");
    notes.pop().expect("one answer").expect("it is signed")
}

/// Refuses one head; the words why.
fn refused(signer: &Signer, head: ToSign) -> String {
    let mut notes = signer.sign(&[head]).expect("the records are written");
    let error = notes.pop().expect("one answer").expect_err("it must not be signed");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    error.to_string()
}

/// Which key signed a note.
fn signed_by<'a>(note: &str, keys: &'a [KeyPeriod]) -> Option<&'a KeyPeriod> {
    let note = SignedNote::parse(note.as_bytes()).expect("a signed note");
    keys.iter().find(|key| {
        note.lines().iter().any(|line| {
            let is_valid = key.vkey.verify(note.text().as_bytes(), &line.signature).is_ok();
            key.vkey.is_named_by(line) && is_valid
        })
    })
}

#[test]
fn a_log_gets_a_key_and_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = open(folder.path());
    assert_eq!(signer.signed(LOG).expect("read"), None);
    let keys = signer.keys(LOG).expect("a key");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].since, 0);
    let origin = signer.origin(LOG).expect("an origin").to_string();
    assert_eq!(origin, format!("logs.node.example/{LOG}"));
    assert!(keys[0].vkey.to_string().starts_with(&format!("{origin}+")));
    let other = LogId([8; 16]);
    assert_ne!(signer.keys(other).expect("a key")[0].vkey.public(), keys[0].vkey.public());
    drop(signer);
    assert_eq!(open(folder.path()).keys(LOG).expect("its key"), keys);
}

#[test]
fn a_host_that_no_origin_can_have_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataDir::open(folder.path(), Chance::system(), Options::default()).expect("opens");
    for host in ["", "with space", "a+b"] {
        let error = Signer::open(&data, host).expect_err(host);
        assert_eq!(error.kind(), ErrorKind::Bug, "{host:?}");
    }
}

#[test]
fn only_a_tree_that_holds_what_was_signed_is_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tree, fork) = (Leaves::of(0, 40), Leaves::of(100, 40));
    let mut signer = open(folder.path());
    let first = sign(&signer, tree.to_sign(0, 7));
    assert!(first.starts_with(&format!("{}\n7\n", signer.origin(LOG).expect("an origin"))));
    assert_eq!(sign(&signer, tree.to_sign(7, 7)), first, "the same once more");
    sign(&signer, tree.to_sign(7, 23));
    // Twice: what was signed is known to the next process too.
    for _ in 0..2 {
        assert_eq!(signer.signed(LOG).expect("read"), Some(tree.head(23)));
        let smaller = ToSign { log_id: LOG, head: tree.head(7), proof: Vec::new() };
        assert!(refused(&signer, smaller).contains(&LOG.to_string()));
        let empty = ToSign { log_id: LOG, head: Head::EMPTY, proof: Vec::new() };
        refused(&signer, empty);
        refused(&signer, fork.to_sign(23, 23));
        refused(&signer, fork.to_sign(23, 30));
        let unproven = ToSign { proof: Vec::new(), ..tree.to_sign(23, 30) };
        refused(&signer, unproven);
        refused(&signer, tree.to_sign(7, 30));
        assert_eq!(signer.signed(LOG).expect("read"), Some(tree.head(23)), "nothing was noted");
        drop(signer);
        signer = open(folder.path());
    }
    sign(&signer, tree.to_sign(23, 30));
    assert_eq!(signer.signed(LOG).expect("read"), Some(tree.head(30)));
}

#[test]
fn each_log_is_judged_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = open(folder.path());
    let tree = Leaves::of(0, 9);
    sign(&signer, tree.to_sign(0, 5));
    let other = ToSign { log_id: LogId([8; 16]), ..tree.to_sign(0, 3) };
    let notes = signer.sign(&[ToSign { log_id: LOG, ..tree.to_sign(0, 3) }, other]);
    let notes = notes.expect("the records are written");
    assert!(notes[0].is_err() && notes[1].is_ok());
    assert_eq!(signer.signed(LOG).expect("read"), Some(tree.head(5)));
    assert_eq!(signer.signed(LogId([8; 16])).expect("read"), Some(tree.head(3)));
    assert!(signer.sign(&[]).expect("nothing to do").is_empty());
}

#[test]
fn a_new_key_signs_once_it_is_adopted() {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = open(folder.path());
    let tree = Leaves::of(0, 20);
    let before = sign(&signer, tree.to_sign(0, 4));
    let (rotation, prepared) = signer.prepare_rotation(LOG).expect("a new key");
    rotation.check(&signer.origin(LOG).expect("an origin")).expect("both keys say it");
    assert!(!format!("{prepared:?}{signer:?}").contains("seed"), "a secret is not shown");
    let between = sign(&signer, tree.to_sign(4, 5));
    signer.adopt(&prepared, 6).expect("adopted");
    let after = sign(&signer, tree.to_sign(5, 8));
    let line = signer.sign_line(LOG, "{}").expect("signed");
    drop(signer);
    let signer = open(folder.path());
    let keys = signer.keys(LOG).expect("keys");
    assert_eq!(keys.iter().map(|key| key.since).collect::<Vec<_>>(), [0, 6]);
    for (note, since) in [(before, 0), (between, 0), (after, 6), (line, 6)] {
        assert_eq!(signed_by(&note, &keys).map(|key| key.since), Some(since), "{note}");
    }
    let again = sign(&signer, tree.to_sign(8, 9));
    assert_eq!(signed_by(&again, &keys).map(|key| key.since), Some(6));
}

#[test]
fn only_one_line_is_signed_that_is_no_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = open(folder.path());
    let head = Leaves::of(0, 3).head(3);
    let forged = format!("{}\n3\n{}", signer.origin(LOG).expect("one"), head.root.to_base64());
    assert_eq!(signer.sign_line(LOG, &forged).expect_err("lines").kind(), ErrorKind::Bug);
    assert_eq!(signer.signed(LOG).expect("read"), None);
}

#[test]
fn keys_of_another_node_do_not_open() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    open(one.path()).keys(LOG).expect("a key");
    drop(open(two.path()));
    let file = |folder: &Path| folder.join("control").join(FILE);
    std::fs::copy(file(one.path()), file(two.path())).expect("copied");
    for ending in ["-wal", "-shm"] {
        drop(std::fs::remove_file(file(two.path()).with_extension(format!("db{ending}"))));
    }
    let error = open(two.path()).keys(LOG).expect_err("sealed by another root key");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

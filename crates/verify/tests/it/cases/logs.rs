//! Pairs of checkpoints, and whole ledgers.

use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::key::KeyUse;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::tree::{self, Head};

use super::{Cases, Map};
use crate::sample::*;

impl Cases {
    pub(super) fn consistency(&mut self, log: &Log) {
        let proof = |from, to| {
            let proof = tree::consistency(log, from, to).expect("in memory");
            proof.iter().map(|hash| hash.to_base64() + "\n").collect::<String>()
        };
        let note = |size| log.checkpoint(size);
        self.pair("sound", 0, &note(23), &note(40), &proof(23, 40));
        self.pair("power-of-two", 0, &note(32), &note(40), &proof(32, 40));
        self.pair("same", 0, &note(23), &note(23), "");
        self.pair("from-nothing", 0, &note(0), &note(40), "");
        self.pair("from-the-old-key", 0, &note(6), &note(40), &proof(6, 40));
        self.pair("no-proof", 4, &note(23), &note(40), "");
        self.pair("another-proof", 4, &note(23), &note(40), &proof(22, 40));
        self.pair("proof-too-long", 4, &note(23), &note(23), &proof(22, 40));
        let mut fork = Log::new("log", 22);
        fork.push("{\"id\":\"forked\"}".to_owned());
        self.pair("forked", 4, &fork.checkpoint(23), &note(40), &proof(23, 40));
        self.pair("forked-at-once", 4, &fork.checkpoint(23), &note(23), "");
        self.pair("swapped", 64, &note(40), &note(23), &proof(23, 40));
        let other = Log::new("another log", 40);
        let mut both = log.policy_builder();
        both.log(signer(&other.origin.to_string(), "a key of its own").vkey(KeyUse::Log), None)
            .expect("a key");
        both.quorum(None).expect("none");
        let both = both.build().expect("a policy").to_bytes();
        self.files.insert("policy-two-logs.txt".to_owned(), both);
        let key = signer(&other.origin.to_string(), "a key of its own");
        let foreign = SignedNote::sign(other.checkpoint(40).text(), &key).expect("a text");
        self.with_policy("policy-two-logs.txt", |cases| {
            cases.pair("two-logs", 64, &note(23), &foreign, &proof(23, 40));
        });
        self.pair("unknown-log", 2, &note(23), &foreign, &proof(23, 40));
        let stranger = signer(&log.origin.to_string(), "a stranger");
        let forged = SignedNote::sign(note(40).text(), &stranger).expect("a text");
        self.pair("stranger", 2, &note(23), &forged, &proof(23, 40));
        let cut = proof(23, 40);
        self.pair("proof-cut", 64, &note(23), &note(40), cut.trim_end());
        self.pair("proof-empty-line", 64, &note(23), &note(40), &format!("{cut}\n"));
    }

    pub(super) fn ledgers(&mut self, log: &Log) {
        self.ledger("sound", 0, &Log::new("log", 260).files(&[3, 200, 256, 257]));
        self.ledger("empty", 0, &Log::new("log", 0).files(&[]));
        let sound = log.files(&[7]);
        self.ledger("small", 0, &sound);
        let with = |change: &dyn Fn(&mut Map)| {
            let mut files = sound.clone();
            change(&mut files.0);
            files
        };
        let without = |path: &'static str| {
            with(&move |files| assert!(files.remove(path).is_some(), "{path}"))
        };
        self.ledger("no-checkpoint", 6, &without("checkpoint"));
        self.ledger("no-tile", 6, &without("tile/0/000.p/40"));
        self.ledger("no-entries", 6, &without("tile/entries/000.p/40"));
        self.ledger("no-earlier-tile", 0, &without("tile/0/000.p/7"));
        let flipped = |path: &'static str, at: usize| {
            with(&move |files| files.get_mut(path).expect("a file")[at] ^= 1)
        };
        self.ledger("tile-changed", 3, &flipped("tile/0/000.p/40", 99));
        self.ledger("earlier-tile-changed", 3, &flipped("tile/0/000.p/7", 99));
        self.ledger("earlier-entries-changed", 3, &flipped("tile/entries/000.p/7", 99));
        self.ledger("entry-changed", 3, &flipped("tile/entries/000.p/40", 60));
        self.ledger(
            "entry-cut",
            64,
            &with(&|files| {
                files.get_mut("tile/entries/000.p/40").expect("a file").pop();
            }),
        );
        self.ledger(
            "entry-missing",
            3,
            &with(&|files| {
                let bytes = files.get_mut("tile/entries/000.p/40").expect("a file");
                let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
                bytes.drain(..length + 2);
            }),
        );
        self.ledger(
            "stray-file",
            3,
            &with(&|files| {
                files.insert("tile/0/notes".to_owned(), Vec::new());
            }),
        );
        self.ledger(
            "beyond",
            3,
            &with(&|files| {
                files.insert("tile/0/000.p/41".to_owned(), vec![0; 41 * 32]);
            }),
        );
        self.ledger(
            "beside",
            0,
            &with(&|files| {
                files.insert("notes.txt".to_owned(), Vec::new());
            }),
        );
        self.forged_ledgers(log, &sound);
    }

    fn forged_ledgers(&mut self, log: &Log, sound: &Files) {
        let mut root = sound.clone();
        let forked = log.sign(Head { size: 40, root: Hash([9; 32]) });
        root.0.insert("checkpoint".to_owned(), forked.to_text().into_bytes());
        self.ledger("another-root", 4, &root);
        let mut other = sound.clone();
        let foreign = Log::new("another log", 40).checkpoint(40).to_text();
        other.0.insert("checkpoint".to_owned(), foreign.into_bytes());
        self.ledger("another-log", 2, &other);
        let mut mixed = Log::new("log", 20);
        let mut item = Log::new("another log", 21).items[20].clone();
        item.entry.seq = 20;
        mixed.push_item(item);
        self.ledger("entry-of-another-log", 3, &mixed.files(&[]));
        let mut wrong = Log::new("log", 20);
        wrong.push_item(wrong.items[19].clone());
        self.ledger("entry-twice", 3, &wrong.files(&[]));
    }
}

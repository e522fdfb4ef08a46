//! Export bundles.

use ledgerline_ledger::body::Shown;
use ledgerline_ledger::bundle::{Extent, Manifest};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::tree;

use super::Cases;
use crate::sample::*;

impl Cases {
    pub(super) fn bundles(&mut self, log: &Log) {
        let seqs: Vec<u64> = (0..40).collect();
        self.export("range-all", 0, log.parts(Kind::Range, &seqs).bundle(log));
        self.export("range", 0, log.parts(Kind::Range, &seqs[3..30]).bundle(log));
        self.export("range-one", 0, log.parts(Kind::Range, &seqs[39..]).bundle(log));
        let some: Vec<u64> = [0, 2, 3, 7, 12, 17, 20, 39].to_vec();
        self.export("filter", 0, log.parts(Kind::Filter, &some).bundle(log));
        let mut empty = log.parts(Kind::Filter, &[]);
        empty.erasures.clear();
        self.export("filter-empty", 0, empty.bundle(log));
    }

    pub(super) fn forged_bundles(&mut self, log: &Log) {
        let seqs: Vec<u64> = (5..25).collect();
        let range = log.parts(Kind::Range, &seqs);
        let filter = log.parts(Kind::Filter, &[2, 7, 12, 20]);
        let mut changed = range.clone();
        changed.events.remove(6);
        self.export("line-missing", 6, changed.bundle(log));
        self.export("line-missing-unsigned", 6, changed.archive(&manifest(&range, log)));
        let mut changed = range.clone();
        changed.events.pop();
        self.export("last-line-missing", 6, changed.bundle(log));
        let mut changed = range.clone();
        changed.events.remove(0);
        self.export("first-line-missing", 6, changed.bundle(log));
        let mut changed = range.clone();
        changed.events[5] = changed.events[4].clone();
        self.export("line-twice", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.events.push(log.lines(&[25], |_| Shown::Range).remove(0));
        self.export("line-too-many", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.events[5] = changed.events[5].replacen("document.update", "document.upd4te", 1);
        self.export("line-changed", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.events[5] = "{}".to_owned();
        self.export("line-of-nothing", 64, changed.bundle(log));
        let mut changed = range.clone();
        changed.events[5].push('\n');
        self.export("empty-line", 64, changed.bundle(log));
        let mut changed = range.clone();
        changed.erasures.clear();
        self.export("not-explained", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.erasures.swap(0, 1);
        self.export("erasures-swapped", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.erasures[1] = log.body_shown(6, log.path(6)).to_text();
        self.export("erasure-is-an-event", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.erasures[0] = changed.erasures[0].replacen("[7,8]", "[6,8]", 1);
        self.export("erasure-changed", 3, changed.bundle(log));
        let mut changed = range.clone();
        changed.range_proof = Some(log_range_proof(log, 6, 24));
        self.export("range-proof-of-another", 3, changed.bundle(log));
        let mut changed = range.clone();
        let proof = changed.range_proof.take().expect("a range has one");
        changed.range_proof = Some(proof.replacen("left 2", "left 02", 1));
        self.export("range-proof-otherwise", 64, changed.bundle(log));
        let mut fork = Log::new("log", 39);
        fork.push("{\"id\":\"forked\"}".to_owned());
        let mut changed = range.clone();
        changed.checkpoint = fork.checkpoint(40).to_text();
        changed.erasures.clear();
        changed.events = log.lines(&[5, 6], |_| Shown::Range);
        changed.bounds = Some((5, 6));
        changed.range_proof = Some(log_range_proof(log, 5, 6));
        changed.erased = 0;
        self.export("range-of-another-tree", 3, changed.bundle(log));
        let mut changed = filter.clone();
        changed.events.swap(0, 3);
        self.export("filter-swapped", 3, changed.bundle(log));
        let mut changed = filter.clone();
        changed.events[3] = log.lines(&[20], |_| log.path(21)).remove(0);
        self.export("filter-path-of-another", 3, changed.bundle(log));
        let mut changed = filter.clone();
        changed.events[3] = log.lines(&[20], |_| Shown::Range).remove(0);
        self.export("filter-line-without-path", 64, changed.bundle(log));
        self.forged_manifests(log, &range, &filter);
    }

    fn forged_manifests(&mut self, log: &Log, range: &Parts, filter: &Parts) {
        let sound = range.manifest(log);
        let with = |change: fn(&mut Manifest)| {
            let mut manifest = sound.clone();
            change(&mut manifest);
            range.bundle_with(&manifest, log)
        };
        self.export("manifest-count", 3, with(|manifest| manifest.count += 1));
        self.export("manifest-erased", 3, with(|manifest| manifest.erased -= 1));
        self.export("manifest-events", 3, with(|manifest| manifest.events = Hash([0; 32])));
        self.export("manifest-erasures", 3, with(|manifest| manifest.erasures = Hash([0; 32])));
        self.export("manifest-checkpoint", 3, with(|manifest| manifest.checkpoint = Hash([0; 32])));
        let longer = with(|manifest| {
            if let Extent::Range { last, .. } = &mut manifest.extent {
                *last += 1;
            }
        });
        self.export("manifest-longer", 3, longer);
        let later = with(|manifest| {
            if let Extent::Range { last, .. } = &mut manifest.extent {
                *last = 40;
            }
        });
        self.export("manifest-beyond-the-tree", 3, later);
        let other = Log::new("another log", 20);
        let mut foreign = sound.clone();
        foreign.log_id = other.origin.log_id();
        self.export("manifest-of-another-log", 3, range.bundle_with(&foreign, log));
        self.export(
            "manifest-kind",
            64,
            with(|manifest| {
                manifest.extent = Extent::Filter { bounds: Some((5, 24)) };
            }),
        );
        let mut bounds = filter.manifest(log);
        bounds.extent = Extent::Filter { bounds: Some((2, 21)) };
        self.export("manifest-bounds", 3, filter.bundle_with(&bounds, log));
        let text = manifest(range, log);
        self.export("manifest-unsigned", 2, range.archive(&text.replacen("u-1", "u-2", 1)));
        let stranger = signer(&log.origin.to_string(), "a stranger");
        let note = SignedNote::sign(sound.to_text(), &stranger).expect("a text").to_text();
        self.export("manifest-by-a-stranger", 2, range.archive(&note));
        let spaced = sound.to_text().replacen(":", ": ", 1);
        let note = SignedNote::sign(spaced, &log.key).expect("a text").to_text();
        self.export("manifest-otherwise", 64, range.archive(&note));
        let bundle = range.bundle(log);
        self.export("cut", 64, bundle[..bundle.len() - 512].to_vec());
        self.export("longer", 64, [bundle.clone(), vec![0; 512]].concat());
        self.export("too-short", 64, vec![0; 1024]);
        let mut mode = bundle.clone();
        mode[103] = b'7';
        self.export("mode", 64, mode);
        let members = [text.as_str(), &range.checkpoint, "", ""];
        self.export("no-range-proof", 64, archive(&members));
        self.with_policy("policy-old-key.txt", |cases| {
            cases.export("unknown-key", 2, bundle);
        });
    }
}

fn manifest(parts: &Parts, log: &Log) -> String {
    SignedNote::sign(parts.manifest(log).to_text(), &log.key).expect("a text").to_text()
}

fn log_range_proof(log: &Log, first: u64, last: u64) -> String {
    tree::range(log, first, last, log.size()).expect("in memory").to_text()
}

//! A log in memory, made of nothing but seeds: the same on every machine.

use std::collections::BTreeMap;

use ledgerline_ledger::body::{Body, Shown};
use ledgerline_ledger::bundle::{Extent, MEMBERS, Manifest, TAR_END, tar_header, tar_padding};
use ledgerline_ledger::checkpoint::{Checkpoint, Origin};
use ledgerline_ledger::commit::{self, Salt};
use ledgerline_ledger::entry::{Dataset, Entry};
use ledgerline_ledger::erased::Erased;
use ledgerline_ledger::hash::{self, Hash};
use ledgerline_ledger::key::{KeyName, KeyUse, Signer, SigningKey};
use ledgerline_ledger::log_id::{LogId, uuid_text};
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::payload;
use ledgerline_ledger::policy::{Group, Policy, PolicyBuilder};
use ledgerline_ledger::proof::TlogProof;
use ledgerline_ledger::rotation::Rotation;
use ledgerline_ledger::tile::{TILE_WIDTH, bundles_written, push_entry, tiles_written};
use ledgerline_ledger::tree::{self, Frontier, Head, Nodes};
use ledgerline_ledger::{Error, Result, json};
use ledgerline_verify::Folder;

/// The places of the entries that are no events, and what they speak of.
pub(crate) const AMENDED: u64 = 2;
pub(crate) const AMENDMENTS: [u64; 2] = [5, 9];
pub(crate) const OTHER_ID: u64 = 3;
pub(crate) const ERASED: u64 = 7;
pub(crate) const ERASURE: u64 = 12;
pub(crate) const RETIRED: u64 = 1;
pub(crate) const RETIREMENT: u64 = 15;
pub(crate) const ROTATION: u64 = 17;

/// One entry with what it commits to.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) entry: Entry,
    pub(crate) payload: String,
    pub(crate) salt: Salt,
}

/// A log with its keys.
pub(crate) struct Log {
    pub(crate) origin: Origin,
    pub(crate) old_key: Signer,
    pub(crate) key: Signer,
    pub(crate) witnesses: [Signer; 2],
    pub(crate) items: Vec<Item>,
    levels: Vec<Vec<Hash>>,
}

impl Nodes for Log {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        Ok(self.levels[usize::from(level)][usize::try_from(index).expect("in memory")])
    }
}

fn seed(text: &str) -> [u8; 32] {
    hash::of(&[b"sample ", text.as_bytes()]).0
}

pub(crate) fn signing_key(text: &str) -> SigningKey {
    SigningKey::from_seed(&seed(text))
}

pub(crate) fn signer(name: &str, key: &str) -> Signer {
    Signer::new(KeyName::new(name).expect("a name"), signing_key(key))
}

/// The id of the event at a place: a UUID but for one.
pub(crate) fn id(seq: u64) -> String {
    if seq == OTHER_ID {
        return "order 7 / \"Zürich\"".to_owned();
    }
    let mut bytes: [u8; 16] = *seed(&format!("id {seq}")).first_chunk().expect("long enough");
    bytes[6] = 0x70 | bytes[6] & 0x0f;
    uuid_text(&bytes)
}

impl Log {
    /// A log of so many entries, at least 20 for all kinds.
    pub(crate) fn new(name: &str, size: u64) -> Self {
        let log_id = LogId(*seed(name).first_chunk().expect("long enough"));
        let origin = Origin::new("ledger.example", log_id).expect("a host");
        let key_name = origin.to_string();
        let mut log = Self {
            old_key: signer(&key_name, "the log's first key"),
            key: signer(&key_name, "the log's second key"),
            witnesses: [
                signer("witness.example/w1", "witness 1"),
                signer("witness.example/w2", "witness 2"),
            ],
            origin,
            items: Vec::new(),
            levels: Vec::new(),
        };
        (0..size).for_each(|seq| log.push(log.payload(seq)));
        log
    }

    /// Appends an entry for a payload.
    pub(crate) fn push(&mut self, payload: String) {
        let seq = self.items.len() as u64;
        let salt = Salt(seed(&format!("salt {seq}")));
        let claims = payload::read(&payload).expect("a payload");
        let entry = Entry {
            log_id: self.origin.log_id(),
            seq,
            received_ns: 1_795_563_587_000_000_000 + seq * 1_234_567_891,
            event_id: commit::event_id(&claims.id, &salt),
            kind: claims.statement.kind(),
            commit: commit::payload(&commit::blob(&salt, payload.as_bytes()), &[]),
            dataset: Dataset::new("audit").expect("a name"),
        };
        self.push_item(Item { entry, payload, salt });
    }

    /// Appends an entry as it is.
    pub(crate) fn push_item(&mut self, item: Item) {
        let (size, hashes) = (self.items.len() as u64, self.edge());
        let mut frontier = Frontier::from_parts(size, hashes).expect("the edge");
        let levels = &mut self.levels;
        frontier.append_visiting(item.entry.leaf(), |level, _, hash| {
            levels.resize_with(levels.len().max(usize::from(level) + 1), Vec::new);
            levels[usize::from(level)].push(hash);
        });
        self.items.push(item);
    }

    fn edge(&self) -> Vec<Hash> {
        let size = self.items.len();
        let levels = (0..self.levels.len()).rev().filter(|level| size >> level & 1 == 1);
        levels.map(|level| self.levels[level][(size >> level) - 1]).collect()
    }

    fn payload(&self, seq: u64) -> String {
        let id = json::quote(&id(seq));
        if AMENDMENTS.contains(&seq) {
            let amends = json::quote(&self::id(AMENDED));
            return format!(
                "{{\"id\":{id},\"kind\":\"amendment\",\"amends\":{amends},\
                 \"amends_seq\":{AMENDED},\"note\":\"looked into\",\"severity\":\"INFO\"}}"
            );
        }
        match seq {
            ERASURE => format!(
                "{{\"id\":{id},\"kind\":\"erasure\",\"erases\":[[3,4],[7,8]],\
                 \"reason\":\"a person asked\"}}"
            ),
            RETIREMENT => {
                format!("{{\"id\":{id},\"kind\":\"retirement\",\"retires\":[[0,1]]}}")
            }
            ROTATION => {
                let rotation = Rotation::sign(&self.origin, self.old_key.key(), self.key.key());
                let members = rotation.members();
                let members: Vec<String> =
                    members.iter().map(|(name, text)| format!("\"{name}\":\"{text}\"")).collect();
                format!("{{\"id\":{id},\"kind\":\"key_rotation\",{}}}", members.join(","))
            }
            _ => format!(
                "{{\"id\":{id},\"action\":\"document.update\",\"actor\":{{\"id\":\"u-{}\",\
                 \"name\":\"Zoë \\u00e9\\n\"}},\"n\":[{seq},-1.5e3,true,null,{{}}]}}",
                seq % 5
            ),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.items.len() as u64
    }

    pub(crate) fn head(&self, size: u64) -> Head {
        Head { size, root: tree::root(self, size).expect("in memory") }
    }

    /// The checkpoint of a size, signed and seen by both witnesses.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedNote {
        self.sign(self.head(size))
    }

    pub(crate) fn sign(&self, head: Head) -> SignedNote {
        let key = if head.size <= ROTATION { &self.old_key } else { &self.key };
        let checkpoint = Checkpoint { origin: self.origin.to_string(), head };
        let mut note = checkpoint.sign(key).expect("an origin is a line");
        for (number, witness) in self.witnesses.iter().enumerate() {
            let line = witness.cosign(note.text(), 1_795_563_600 + head.size + number as u64);
            note.add(line);
        }
        note
    }

    pub(crate) fn proof(&self, seq: u64, size: u64) -> TlogProof {
        let path = tree::inclusion(self, seq, size).expect("in memory");
        TlogProof { index: seq, path, note: self.checkpoint(size) }
    }

    pub(crate) fn path(&self, seq: u64) -> Shown {
        Shown::Path(tree::inclusion(self, seq, self.size()).expect("in memory"))
    }

    pub(crate) fn body_shown(&self, seq: u64, shown: Shown) -> Body {
        let item = &self.items[usize::try_from(seq).expect("in memory")];
        Body::new(item.payload.clone(), item.entry.clone(), item.salt, shown).expect("they fit")
    }

    /// The body of an event as it is answered when the log has a certain size.
    pub(crate) fn body_at(&self, seq: u64, size: u64) -> Body {
        self.body_shown(seq, Shown::TlogProof(self.proof(seq, size).to_text()))
    }

    pub(crate) fn body(&self, seq: u64) -> Body {
        self.body_at(seq, self.size())
    }

    /// The body of the amended event, with its history.
    pub(crate) fn amended(&self) -> Body {
        let history = AMENDMENTS.map(|seq| self.body(seq)).to_vec();
        self.body(AMENDED).with_history(history).expect("its amendments")
    }

    pub(crate) fn erased_shown(&self, seq: u64, shown: Shown) -> Erased {
        Erased::new(self.items[usize::try_from(seq).expect("in memory")].entry.clone(), shown)
    }

    /// The problem that answers for an event whose payload is gone.
    pub(crate) fn gone(&self, seq: u64, by: u64) -> String {
        let shown = Shown::TlogProof(self.proof(seq, self.size()).to_text());
        let erased = self.erased_shown(seq, shown).explained(self.body(by)).expect("it names it");
        format!(
            "{{\"type\":\"about:blank\",\"status\":410,\"title\":\"erased\",\"erased\":{},\
             \"detail\":\"it is gone\"}}",
            erased.to_text()
        )
    }

    pub(crate) fn policy_builder(&self) -> PolicyBuilder {
        let mut policy = PolicyBuilder::new();
        for key in [&self.old_key, &self.key] {
            policy.log(key.vkey(KeyUse::Log), None).expect("a key");
        }
        for (name, witness) in ["w1", "w2"].into_iter().zip(&self.witnesses) {
            let url = Some(b"https://witness.example/".to_vec());
            policy.witness(name.into(), witness.vkey(KeyUse::Witness), url).expect("a key");
        }
        policy
    }

    /// Both keys of the log, and both witnesses are needed.
    pub(crate) fn policy(&self) -> Policy {
        let mut policy = self.policy_builder();
        let members = vec![b"w1".to_vec(), b"w2".to_vec()];
        let group = Group { name: b"both".to_vec(), threshold: 2, members };
        policy.group(group).expect("a group");
        policy.quorum(Some(b"both".to_vec())).expect("it is defined");
        policy.build().expect("a policy")
    }

    fn is_removed(seq: u64) -> bool {
        [0, 1, 3, 4, 7, 8].contains(&seq)
    }

    /// The lines of a bundle's events, some of them without payload.
    pub(crate) fn lines(&self, seqs: &[u64], shown: impl Fn(u64) -> Shown) -> Vec<String> {
        let line = |seq: &u64| {
            let shown = shown(*seq);
            if Self::is_removed(*seq) {
                self.erased_shown(*seq, shown).to_text()
            } else {
                self.body_shown(*seq, shown).to_text()
            }
        };
        seqs.iter().map(line).collect()
    }

    pub(crate) fn parts(&self, kind: Kind, seqs: &[u64]) -> Parts {
        let events = match kind {
            Kind::Range => self.lines(seqs, |_| Shown::Range),
            Kind::Filter => self.lines(seqs, |seq| self.path(seq)),
        };
        let (first, last) = (seqs.first().copied(), seqs.last().copied());
        let range_proof = match (kind, first, last) {
            (Kind::Range, Some(first), Some(last)) => {
                let proof = tree::range(self, first, last, self.size()).expect("in memory");
                Some(proof.to_text())
            }
            _ => None,
        };
        let erasures =
            [ERASURE, RETIREMENT].map(|seq| self.body_shown(seq, self.path(seq)).to_text());
        Parts {
            checkpoint: self.checkpoint(self.size()).to_text(),
            events,
            erasures: erasures.to_vec(),
            range_proof,
            bounds: first.zip(last),
            erased: seqs.iter().filter(|seq| Self::is_removed(**seq)).count() as u64,
        }
    }

    /// A ledger's files as they are served, the partial tiles of some earlier sizes among them.
    pub(crate) fn files(&self, earlier: &[u64]) -> Files {
        let mut files = BTreeMap::new();
        files.insert("checkpoint".to_owned(), self.checkpoint(self.size()).to_text().into_bytes());
        for size in earlier.iter().copied().chain([self.size()]) {
            for tile in tiles_written(0, size) {
                let first = tile.id.first();
                let nodes = first..first + u64::from(tile.id.width());
                let hash = |index| self.node(8 * tile.level, index).expect("in memory").0;
                files.insert(tile.path(), nodes.flat_map(hash).collect());
            }
            for bundle in bundles_written(0, size) {
                let mut bytes = Vec::new();
                let first = bundle.0.index() * TILE_WIDTH;
                for seq in first..first + u64::from(bundle.0.width()) {
                    let item = &self.items[usize::try_from(seq).expect("in memory")];
                    push_entry(&mut bytes, &item.entry.encode()).expect("it is short");
                }
                files.insert(bundle.path(), bytes);
            }
        }
        Files(files)
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Range,
    Filter,
}

/// What a bundle is put together from.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) checkpoint: String,
    pub(crate) events: Vec<String>,
    pub(crate) erasures: Vec<String>,
    pub(crate) range_proof: Option<String>,
    pub(crate) bounds: Option<(u64, u64)>,
    pub(crate) erased: u64,
}

impl Parts {
    pub(crate) fn manifest(&self, log: &Log) -> Manifest {
        let digest = |text: &str| hash::of(&[text.as_bytes()]);
        let extent = match (&self.range_proof, self.bounds) {
            (Some(proof), Some((first, last))) => {
                Extent::Range { first, last, proof: digest(proof) }
            }
            _ => Extent::Filter { bounds: self.bounds },
        };
        Manifest {
            log_id: log.origin.log_id(),
            dataset: Dataset::new("audit").expect("a name"),
            extent,
            filter: "{\"actor\":\"u-1\"}".to_owned(),
            count: self.events.len() as u64,
            erased: self.erased,
            created_ns: 1_795_563_700_000_000_000,
            checkpoint: digest(&self.checkpoint),
            events: digest(&lines(&self.events)),
            erasures: digest(&lines(&self.erasures)),
        }
    }

    /// The bundle, its manifest signed by the log.
    pub(crate) fn bundle(&self, log: &Log) -> Vec<u8> {
        self.bundle_with(&self.manifest(log), log)
    }

    pub(crate) fn bundle_with(&self, manifest: &Manifest, log: &Log) -> Vec<u8> {
        let note = SignedNote::sign(manifest.to_text(), &log.key).expect("a line of text");
        self.archive(&note.to_text())
    }

    pub(crate) fn archive(&self, manifest: &str) -> Vec<u8> {
        let (events, erasures) = (lines(&self.events), lines(&self.erasures));
        let mut members = vec![manifest, &self.checkpoint, &events, &erasures];
        members.extend(self.range_proof.as_deref());
        archive(&members)
    }
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| line.clone() + "\n").collect()
}

/// An archive of members.
pub(crate) fn archive(members: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in MEMBERS.into_iter().zip(members) {
        let size = content.len() as u64;
        bytes.extend_from_slice(&tar_header(name, size).expect("it is small"));
        bytes.extend_from_slice(content.as_bytes());
        bytes.resize(bytes.len() + tar_padding(size), 0);
    }
    bytes.resize(bytes.len() + TAR_END, 0);
    bytes
}

/// A folder in memory.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Folder for Files {
    fn read(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        match self.0.get(path) {
            Some(bytes) if bytes.len() > bytes_max => {
                Err(Error::new(ledgerline_ledger::ErrorKind::Malformed, "a file is too large"))
            }
            bytes => Ok(bytes.cloned()),
        }
    }

    fn walk(&self, path: &str, show: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let prefix = format!("{path}/");
        self.0.keys().filter(|path| path.starts_with(&prefix)).try_for_each(|path| show(path))
    }
}

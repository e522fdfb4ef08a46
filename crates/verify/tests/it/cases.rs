//! What the verifiers must answer for what: files by name, and a code for each command line.

mod bundles;
mod logs;

use std::collections::BTreeMap;

use ledgerline_ledger::body::{Body, Shown};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::key::KeyUse;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::policy::PolicyBuilder;
use ledgerline_ledger::rotation::Rotation;
use ledgerline_ledger::tree::Head;

use crate::sample::*;

/// One command line and its code.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The command and the files that it names.
    pub(crate) arguments: Vec<String>,
    pub(crate) policy: &'static str,
    pub(crate) code: u8,
}

type Map = BTreeMap<String, Vec<u8>>;

/// All cases, and the files that they name.
#[derive(Default)]
pub(crate) struct Cases {
    pub(crate) cases: Vec<Case>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    policy: &'static str,
}

impl Cases {
    pub(crate) fn all() -> Self {
        let mut cases = Self { policy: "policy.txt", ..Self::default() };
        let log = Log::new("log", 40);
        cases.policies(&log);
        cases.events(&log);
        cases.forged_texts(&log);
        cases.forged_proofs(&log);
        cases.forged_entries(&log);
        cases.histories(&log);
        cases.erased(&log);
        cases.bundles(&log);
        cases.forged_bundles(&log);
        cases.consistency(&log);
        cases.ledgers(&log);
        cases
    }

    fn event(&mut self, name: &str, code: u8, body: impl Into<Vec<u8>>) {
        let file = format!("event-{name}.json");
        self.case(&format!("event {name}"), code, "event", &[(&file, body.into())]);
    }

    fn export(&mut self, name: &str, code: u8, bundle: Vec<u8>) {
        let file = format!("bundle-{name}.tar");
        self.case(&format!("export {name}"), code, "export", &[(&file, bundle)]);
    }

    fn pair(&mut self, name: &str, code: u8, old: &SignedNote, new: &SignedNote, proof: &str) {
        let files = [("old", old.to_text()), ("new", new.to_text()), ("proof", proof.to_owned())];
        let files =
            files.map(|(file, text)| (format!("pair-{name}-{file}.txt"), text.into_bytes()));
        let [old, new, proof] = files;
        let files = [(old.0.as_str(), old.1), (new.0.as_str(), new.1), (proof.0.as_str(), proof.1)];
        self.case(&format!("consistency {name}"), code, "consistency", &files);
    }

    fn ledger(&mut self, name: &str, code: u8, files: &Files) {
        let folder = format!("ledger-{name}");
        for (path, bytes) in &files.0 {
            self.files.insert(format!("{folder}/{path}"), bytes.clone());
        }
        let (name, arguments) = (format!("ledger {name}"), vec!["ledger".to_owned(), folder]);
        self.cases.push(Case { name, arguments, policy: self.policy, code });
    }

    fn case(&mut self, name: &str, code: u8, command: &str, files: &[(&str, Vec<u8>)]) {
        let mut arguments = vec![command.to_owned()];
        for (file, bytes) in files {
            arguments.push((*file).to_owned());
            let earlier = self.files.insert((*file).to_owned(), bytes.clone());
            assert_eq!(earlier, None, "two files {file}");
        }
        self.cases.push(Case { name: name.to_owned(), arguments, policy: self.policy, code });
    }

    fn with_policy(&mut self, policy: &'static str, add: impl FnOnce(&mut Self)) {
        self.policy = policy;
        add(self);
        self.policy = "policy.txt";
    }

    fn policies(&mut self, log: &Log) {
        let mut put = |name: &str, bytes: Vec<u8>| self.files.insert(name.to_owned(), bytes);
        put("policy.txt", log.policy().to_bytes());
        let quorum = |name: &str| {
            let mut policy = log.policy_builder();
            policy.quorum((name != "none").then(|| name.into())).expect("it is defined");
            policy.build().expect("a policy").to_bytes()
        };
        put("policy-one-witness.txt", quorum("w1"));
        put("policy-no-quorum.txt", quorum("none"));
        let mut policy = PolicyBuilder::new();
        policy.log(log.old_key.vkey(KeyUse::Log), None).expect("a key");
        policy.quorum(None).expect("none");
        put("policy-old-key.txt", policy.build().expect("a policy").to_bytes());
        let groups = String::from_utf8(quorum("none")).expect("a text");
        let groups = groups.replace(
            "quorum none\n",
            "  # either one\n\tgroup either any w1\tw2\ngroup outer all either \n\nquorum outer",
        );
        put("policy-groups.txt", groups.clone().into_bytes());
        put("policy-no-logs.txt", b"quorum none\n".to_vec());
        let wrong = [
            ("no-quorum-line", groups.replace("quorum outer", "")),
            ("unknown-name", groups.replace("quorum outer", "quorum other")),
            ("two-quorums", groups.clone() + "\nquorum none\n"),
            ("member-twice", groups.replace("all either", "all either w1")),
            ("threshold", groups.replace("any w1\tw2", "3 w1 w2")),
            ("key-id", groups.replacen("+", "+0", 1)),
            ("control", groups.replace("either one", "either\u{7f}one")),
        ];
        let body = log.body(6).to_text();
        put("event-any.json", body.into_bytes());
        for (name, text) in wrong {
            let policy: &'static str = match name {
                "no-quorum-line" => "policy-wrong-no-quorum-line.txt",
                "unknown-name" => "policy-wrong-unknown-name.txt",
                "two-quorums" => "policy-wrong-two-quorums.txt",
                "member-twice" => "policy-wrong-member-twice.txt",
                "threshold" => "policy-wrong-threshold.txt",
                "key-id" => "policy-wrong-key-id.txt",
                _ => "policy-wrong-control.txt",
            };
            self.files.insert(policy.to_owned(), text.into_bytes());
            let arguments = vec!["event".to_owned(), "event-any.json".to_owned()];
            let name = format!("policy wrong {name}");
            self.cases.push(Case { name, arguments, policy, code: 64 });
        }
    }

    fn events(&mut self, log: &Log) {
        let sound = log.body(6).to_text();
        self.event("sound", 0, sound.clone());
        self.event("sound-newline", 0, sound.clone() + "\n");
        self.event("sound-first", 0, log.body(0).to_text());
        self.event("sound-last", 0, log.body(39).to_text());
        self.event("sound-amended", 0, log.amended().to_text());
        self.event("sound-other-id", 0, log.body(OTHER_ID).to_text());
        self.event("sound-amendment", 0, log.body(AMENDMENTS[0]).to_text());
        self.event("sound-erasure", 0, log.body(ERASURE).to_text());
        self.event("sound-retirement", 0, log.body(RETIREMENT).to_text());
        self.event("sound-rotation", 0, log.body(ROTATION).to_text());
        let early = log.body_at(6, ROTATION).to_text();
        self.event("sound-old-key", 0, early.clone());
        self.event("sound-one-entry", 0, log.body_at(0, 1).to_text());
        self.with_policy("policy-old-key.txt", |cases| {
            cases.event("old-key-knows-itself", 0, early);
            cases.event("old-key-knows-no-new-one", 2, sound.clone());
        });
        self.with_policy("policy-no-logs.txt", |cases| {
            cases.event("no-logs", 2, sound.clone());
        });
        let cosigned_by = |numbers: &[usize]| {
            let mut proof = log.proof(6, 40);
            let text = proof.note.text().to_owned();
            proof.note = SignedNote::sign(text.clone(), &log.key).expect("a text");
            for number in numbers {
                proof.note.add(log.witnesses[*number].cosign(&text, 1_795_563_640));
            }
            log.body_shown(6, Shown::TlogProof(proof.to_text())).to_text()
        };
        self.event("one-witness-of-two", 2, cosigned_by(&[1]));
        self.event("no-witness", 2, cosigned_by(&[]));
        self.with_policy("policy-one-witness.txt", |cases| {
            cases.event("the-witness", 0, cosigned_by(&[0]));
            cases.event("the-other-witness", 2, cosigned_by(&[1]));
        });
        self.with_policy("policy-groups.txt", |cases| {
            cases.event("either-witness", 0, cosigned_by(&[1]));
            cases.event("neither-witness", 2, cosigned_by(&[]));
        });
        self.with_policy("policy-no-quorum.txt", |cases| {
            cases.event("no-witness-needed", 0, cosigned_by(&[]));
            let known = cosigned_by(&[1]);
            // The last character of a signature of 64 bytes and 12 before it carries two bits.
            let at = known.find("witness.example/w2 ").expect("its line") + 60;
            let mut wrong = known.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            cases.event("known-witness-signs-badly", 2, wrong);
            cases.event("sound-without-quorum", 0, known);
        });
    }

    /// Bodies that are not of the format.
    fn forged_texts(&mut self, log: &Log) {
        let sound = log.body(6).to_text();
        let replace = |from: &str, to: &str| {
            assert!(sound.contains(from), "{from}");
            sound.replacen(from, to, 1)
        };
        self.event("payload-changed", 3, replace("document.update", "document.delete"));
        self.event("payload-longer", 3, replace("\"n\":[6,", "\"more\":1,\"n\":[6,"));
        self.event("id-changed", 3, replace(&id(6)[..8], "00000000"));
        self.event("seq-changed", 3, replace("\"seq\":6,", "\"seq\":7,"));
        self.event("seq-otherwise", 3, replace("\"seq\":6,", "\"seq\":6.0,"));
        self.event("time-changed", 3, replace("\"received_at\":\"2026", "\"received_at\":\"2027"));
        self.event("escape-otherwise", 3, replace("@v1\\n", "@v1\\u000a"));
        self.event("name-otherwise", 3, replace("\"seq\":", "\"s\\u0065q\":"));
        self.event("space", 64, replace("\"seq\":6,", "\"seq\": 6,"));
        self.event("two-newlines", 64, sound.clone() + "\n\n");
        self.event("space-at-the-end", 64, sound.clone() + " ");
        self.event("cut", 64, &sound.as_bytes()[..sound.len() - 1]);
        self.event("empty", 64, "");
        self.event("not-an-object", 64, "[]");
        self.event("nothing-in-it", 64, "{}");
        self.event("not-utf-8", 64, [sound.as_bytes(), b"\xff"].concat());
        let deep = format!("\"deep\":{}{}", "[".repeat(200), "]".repeat(200));
        self.event("too-deep", 64, replace("\"seq\":6,", &format!("{deep},\"seq\":6,")));
        self.event("member-twice", 64, replace("\"n\":", "\"id\":\"x\",\"n\":"));
        let escaped = replace("\"n\":", "\"\\u0069d\":\"x\",\"n\":");
        self.event("member-twice-escaped", 64, escaped);
        self.event("reserved-name", 64, replace("\"n\":", "\"history\":[],\"n\":"));
        self.event("unknown-kind", 64, replace("\"n\":", "\"kind\":\"other\",\"n\":"));
        self.event("member-added", 64, replace(",\"proof\":", ",\"note\":1,\"proof\":"));
        self.event("member-behind", 64, sound[..sound.len() - 1].to_owned() + ",\"x\":1}");
        let no_time = replace("\"received_at\":", "\"received\":");
        self.event("no-time", 64, no_time);
        self.event("no-salt", 64, replace("\"salt\":", "\"sale\":"));
        self.event("no-id", 64, replace("{\"id\":", "{\"identity\":"));
        self.event("id-no-text", 64, replace("\"n\":", "\"kind\":1,\"n\":"));
        self.event("bad-base64", 64, replace("\"entry\":\"TExF", "\"entry\":\"TEx-"));
        self.event("other-magic", 64, replace("\"entry\":\"TExFM", "\"entry\":\"TExFN"));
        let erasure = log.body(ERASURE).to_text();
        self.event("ranges-fall", 64, erasure.replacen("[[3,4],[7,8]]", "[[7,8],[3,4]]", 1));
        self.event("ranges-later", 3, erasure.replacen("[[3,4],[7,8]]", "[[3,4],[7,99]]", 1));
        let lone = replace("{\"id\":\"", "{\"id\":\"\\ud800");
        self.event("half-a-pair", 64, lone);
        self.event("nested-half-a-pair", 3, replace("Zoë", "Zo\\udc00"));
    }

    /// Bodies whose proof does not fit.
    fn forged_proofs(&mut self, log: &Log) {
        let other = Log::new("another log", 40);
        let shown = |proof: String| log.body_shown(6, Shown::TlogProof(proof)).to_text();
        let proof = log.proof(6, 40);
        let text = proof.to_text();
        self.event("proof-of-a-neighbour", 3, shown(log.proof(7, 40).to_text()));
        let foreign = other.proof(6, 40).to_text();
        self.event("proof-of-another-log", 2, shown(foreign.clone()));
        let mut changed = proof.clone();
        changed.path[0] = Hash([0; 32]);
        self.event("path-changed", 3, shown(changed.to_text()));
        let mut changed = proof.clone();
        changed.path.pop();
        self.event("path-shorter", 3, shown(changed.to_text()));
        let mut changed = proof.clone();
        changed.path.push(Hash([0; 32]));
        self.event("path-longer", 3, shown(changed.to_text()));
        self.event("proof-of-a-smaller-log", 3, {
            let mut early = log.proof(5, 6);
            early.index = 6;
            shown(early.to_text())
        });
        let mut changed = proof.clone();
        changed.note = log.sign(Head { size: 40, root: Hash([1; 32]) });
        self.event("another-root", 3, shown(changed.to_text()));
        self.event("proof-version", 64, shown(text.replacen("@v1", "@v2", 1)));
        self.event("proof-extra", 64, shown(text.replacen("index", "extra AA==\nindex", 1)));
        self.event("index-zeros", 64, shown(text.replacen("index 6", "index 06", 1)));
        self.event("size-zeros", 64, shown(text.replacen("\n40\n", "\n040\n", 1)));
        self.event("size-changed", 2, shown(text.replacen("\n40\n", "\n41\n", 1)));
        self.event("no-signature", 64, shown(text[..text.find("— ").expect("a line")].to_owned()));
        let extended = text.replacen("\n\n—", "\nextension\n\n—", 1);
        self.event("extension-line", 64, shown(extended));
        let lines = text.split_inclusive('\n').collect::<Vec<_>>();
        let (rest, last) = lines.split_at(lines.len() - 2);
        let swapped = rest.concat() + last[1] + last[0];
        self.event("witnesses-swapped", 64, shown(swapped));
        self.event("witness-twice", 64, shown(text.clone() + last[1]));
        let unknown = signer("another.example/w", "witness 3");
        let mut more = proof.clone();
        more.note.add(unknown.cosign(more.note.text(), 1));
        self.event("unknown-witness", 0, shown(more.to_text()));
        let renamed = signer(&other.origin.to_string(), "the log's second key");
        let mut changed = proof.clone();
        changed.note = SignedNote::sign(proof.note.text(), &renamed).expect("a text");
        self.event("signed-under-another-name", 2, shown(changed.to_text()));
        self.event("another-log", 2, other.body(6).to_text());
    }

    /// Entries that a log should not have taken.
    fn forged_entries(&mut self, log: &Log) {
        let other = Log::new("another log", 40);
        let mut forged = Log::new("log", 17);
        let rotation = Rotation::sign(&log.origin, log.old_key.key(), log.key.key());
        let wrong = Rotation { new_signature: rotation.old_signature, ..rotation };
        let members = wrong.members().map(|(name, text)| format!(",\"{name}\":\"{text}\""));
        forged.push(format!("{{\"id\":\"r\",\"kind\":\"key_rotation\"{}}}", members.concat()));
        self.event("rotation-not-signed", 2, forged.body(17).to_text());
        let witness_key = log.key.vkey(KeyUse::Witness).to_string();
        let log_key = log.key.vkey(KeyUse::Log).to_string();
        let mut forged = Log::new("log", 17);
        let members = members_of(log).replace(&log_key, &witness_key);
        forged.push(format!("{{\"id\":\"r\",\"kind\":\"key_rotation\"{members}}}"));
        self.event("rotation-to-a-witness-key", 2, forged.body(17).to_text());
        let mut mixed = Log::new("log", 20);
        let mut item = other.items[6].clone();
        item.entry.seq = 20;
        mixed.push_item(item);
        let mixed_body = mixed.body(20).to_text();
        self.event("entry-of-another-log", 3, mixed_body);
        let mut wrong = Log::new("log", 20);
        let mut item = wrong.items[6].clone();
        item.entry.seq = 99;
        wrong.push_item(item);
        let proof = wrong.proof(20, 21).to_text();
        let body = Body::new(
            wrong.items[20].payload.clone(),
            wrong.items[20].entry.clone(),
            wrong.items[20].salt,
            Shown::TlogProof(proof),
        );
        self.event("entry-of-another-place", 3, body.expect("they fit").to_text());
    }

    fn histories(&mut self, log: &Log) {
        let amended = log.amended().to_text();
        let [one, two] = AMENDMENTS.map(|seq| log.body(seq).to_text());
        let history =
            |items: &str| amended.replacen(&format!("[{one},{two}]"), &format!("[{items}]"), 1);
        self.event("history-shorter", 0, history(&one));
        self.event("history-empty", 3, history(""));
        self.event("history-swapped", 3, history(&format!("{two},{one}")));
        self.event("history-twice", 3, history(&format!("{one},{one}")));
        self.event("history-of-events", 3, history(&log.body(6).to_text()));
        self.event("history-of-a-history", 64, history(&amended));
        self.event("history-no-array", 64, amended.replacen("\"history\":[", "\"history\":{", 1));
        self.event("amendment-changed", 3, amended.replacen("looked into", "lo0ked into", 1));
        let sound = log.body(6).to_text();
        let of_another =
            sound.replacen(",\"proof\"", &format!(",\"history\":[{one}],\"proof\""), 1);
        self.event("history-of-another", 3, of_another);
        let erasure = log.body(ERASURE).to_text();
        let with_history = format!(",\"history\":[{one}],\"proof\"");
        self.event("erasure-with-history", 64, erasure.replacen(",\"proof\"", &with_history, 1));
        let mut fork = Log::new("log", 39);
        fork.push("{\"id\":\"forked\"}".to_owned());
        let forked = fork.body(AMENDMENTS[0]).to_text();
        self.event("two-trees-of-one-size", 4, history(&forked));
        let earlier = log.body_at(AMENDMENTS[0], 30).to_text();
        self.event("two-trees-of-two-sizes", 0, history(&earlier));
    }

    fn erased(&mut self, log: &Log) {
        let gone = log.gone(ERASED, ERASURE);
        self.event("erased", 5, gone.clone());
        self.event("erased-newline", 5, gone.clone() + "\n");
        self.event("erased-other-id", 5, log.gone(OTHER_ID, ERASURE));
        self.event("retired", 5, log.gone(RETIRED, RETIREMENT));
        self.event("erased-other-problem", 5, gone.replacen("it is gone", "not here", 1));
        let replace = |from: &str, to: &str| {
            assert!(gone.contains(from), "{from}");
            gone.replacen(from, to, 1)
        };
        self.event("erased-id-changed", 3, replace(&id(ERASED)[..8], "00000000"));
        self.event("erased-seq-changed", 3, replace("\"seq\":7,", "\"seq\":8,"));
        let later = replace("\"received_at\":\"2026", "\"received_at\":\"2027");
        self.event("erased-time-changed", 3, later);
        self.event("erased-twice", 64, replace("\"title\":\"erased\"", "\"erased\":{}"));
        self.event("erased-not-known", 64, replace("\"erasure\":", "\"because\":"));
        self.event("erased-reason-changed", 3, replace("a person asked", "nobody asked"));
        self.event("erased-ranges-changed", 3, replace("[7,8]", "[6,8]"));
        let (from, to) = (log.body(ERASURE).to_text(), log.body(RETIREMENT).to_text());
        self.event("erased-by-another", 3, replace(&from, &to));
        self.event("erased-by-an-event", 3, replace(&from, &log.body(6).to_text()));
        let proof = log.proof(ERASED, 40);
        let mut wrong = proof.clone();
        wrong.path[2] = Hash([3; 32]);
        let quote = |text: String| ledgerline_ledger::json::quote(&text);
        let (from, to) = (quote(proof.to_text()), quote(wrong.to_text()));
        self.event("erased-path-changed", 3, replace(&from, &to));
        self.with_policy("policy-old-key.txt", |cases| {
            cases.event("erased-unknown-key", 2, gone.clone());
        });
    }
}

fn members_of(log: &Log) -> String {
    let rotation = Rotation::sign(&log.origin, log.old_key.key(), log.key.key());
    rotation.members().map(|(name, text)| format!(",\"{name}\":\"{text}\"")).concat()
}

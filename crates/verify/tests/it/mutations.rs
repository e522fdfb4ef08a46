//! Whatever is changed in what the verifier accepts, it accepts no longer.
//!
//! `LEDGERLINE_MUTATIONS` says how many changes are tried in all; there are fewer in daily work.

use std::io::Cursor;
use std::ops::Range;

use ledgerline_ledger::policy::Policy;
use ledgerline_ledger::tree;
use ledgerline_verify::{Outcome, Pair, consistency, event, export, ledger};

use crate::python;
use crate::sample::{ERASED, ERASURE, Kind, Log, RETIRED, RETIREMENT, ROTATION};

/// Numbers that look random and are the same in every run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is small")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn run(&mut self, length: usize) -> Range<usize> {
        let first = self.below(length);
        first..length.min(first + 1 + self.below(8))
    }

    /// Changes a text in one of many ways.
    fn change(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        if bytes.is_empty() {
            return vec![self.byte()];
        }
        let at = self.below(bytes.len());
        match self.below(10) {
            0..=2 => bytes[at] ^= 1 << self.below(8),
            3 => bytes[at] = self.byte(),
            // Another character of the same sort: the text stays one of its format more often.
            4 => bytes[at] = like(bytes[at], self.byte()),
            5 => {
                let other = self.below(bytes.len());
                bytes.swap(at, other);
            }
            6 => drop(bytes.drain(self.run(original.len()))),
            7 => {
                let piece = match self.below(2) {
                    0 => original[self.run(original.len())].to_vec(),
                    _ => vec![self.byte()],
                };
                bytes.splice(at..at, piece);
            }
            8 => bytes.truncate(at),
            _ => return self.change_lines(original),
        }
        bytes
    }

    /// Swaps, drops or doubles lines; in JSON a line of a text ends in a backslash and an n.
    fn change_lines(&mut self, original: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(original).into_owned();
        let end = if self.below(2) == 0 && text.contains("\\n") { "\\n" } else { "\n" };
        let mut lines: Vec<&str> = text.split(end).collect();
        let (one, two) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(3) {
            0 => lines.swap(one, two),
            1 => drop(lines.remove(one)),
            _ => lines.insert(one, lines[two]),
        }
        lines.join(end).into_bytes()
    }
}

fn like(byte: u8, random: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0' + random % 10,
        b'a'..=b'z' => b'a' + random % 26,
        b'A'..=b'Z' => b'A' + random % 26,
        _ => byte ^ 1,
    }
}

/// How many changes are tried on each of the targets.
fn count() -> usize {
    const TARGETS: usize = 8;
    let all = std::env::var("LEDGERLINE_MUTATIONS").ok().and_then(|text| text.parse().ok());
    all.unwrap_or(20_000) / TARGETS
}

fn is_sound(outcome: &Outcome) -> bool {
    matches!(outcome.code, 0 | 5)
}

/// Tries changes of one file. What `check` accepts unchanged, it must accept with no change.
fn refuse_changes(original: &[u8], mut check: impl FnMut(&[u8]) -> Outcome) {
    assert!(is_sound(&check(original)), "{}", check(original).text);
    let mut random = Random(original.len() as u64);
    for number in 0..count() {
        let changed = random.change(original);
        if changed != original {
            let outcome = check(&changed);
            let text = String::from_utf8_lossy(&changed);
            assert!(!is_sound(&outcome), "change {number}: {}\n{text}", outcome.text);
        }
    }
}

fn sample() -> (Log, Policy) {
    let log = Log::new("log", 40);
    let policy = log.policy();
    (log, policy)
}

/// One newline behind a body is no change of it.
fn refuse_changes_of_event(body: &str, policy: &Policy) {
    refuse_changes(body.as_bytes(), |changed| {
        if changed.strip_suffix(b"\n") == Some(body.as_bytes()) {
            return event(b"", policy);
        }
        event(changed, policy)
    });
}

#[test]
fn no_changed_event_is_sound() {
    let (log, policy) = sample();
    refuse_changes_of_event(&log.amended().to_text(), &policy);
    refuse_changes_of_event(&log.body(ROTATION).to_text(), &policy);
}

/// The value of the member `erased`, in its place.
fn erased_in(text: &str) -> Range<usize> {
    let members = ledgerline_ledger::json::object(text).expect("a problem");
    let erased = members.iter().find(|member| member.name == "erased").expect("it says so");
    let first = text.find(erased.value).expect("it is a part");
    first..first + erased.value.len()
}

#[test]
fn no_changed_erased_event_is_sound() {
    let (log, policy) = sample();
    for text in [log.gone(ERASED, ERASURE), log.gone(RETIRED, RETIREMENT)] {
        let place = erased_in(&text);
        let (before, behind) = (&text[..place.start], &text[place.end..]);
        refuse_changes(&text.as_bytes()[place], |changed| {
            event(&[before.as_bytes(), changed, behind.as_bytes()].concat(), &policy)
        });
    }
}

#[test]
fn no_changed_bundle_is_sound() {
    let (log, policy) = sample();
    let range = log.parts(Kind::Range, &(5..20).collect::<Vec<_>>());
    let filter = log.parts(Kind::Filter, &[2, 7, 12, 20]);
    for bundle in [range.bundle(&log), filter.bundle(&log)] {
        refuse_changes(&bundle, |changed| export(Cursor::new(changed), &policy));
    }
}

#[test]
fn no_changed_pair_of_checkpoints_is_sound() {
    let (log, policy) = sample();
    let (old, new) = (log.checkpoint(23).to_text(), log.checkpoint(40).to_text());
    let proof = tree::consistency(&log, 23, 40).expect("in memory");
    let proof: String = proof.iter().map(|hash| hash.to_base64() + "\n").collect();
    let files = [old.as_bytes(), new.as_bytes(), proof.as_bytes()];
    let mut random = Random(1);
    for number in 0..count() {
        let which = random.below(3);
        let changed = random.change(files[which]);
        if changed == files[which] {
            continue;
        }
        let mut files = files;
        files[which] = &changed;
        let [old, new, proof] = files;
        let outcome = consistency(Pair { old, new, proof }, &policy);
        assert!(!is_sound(&outcome), "change {number} of {which}: {}", outcome.text);
    }
}

#[test]
fn no_changed_ledger_is_sound() {
    let (log, policy) = sample();
    let sound = log.files(&[7, 39]);
    assert!(is_sound(&ledger(&sound, &policy)));
    let names: Vec<String> = sound.0.keys().cloned().collect();
    let mut random = Random(2);
    for number in 0..count() {
        let name = &names[random.below(names.len())];
        let changed = random.change(&sound.0[name]);
        if changed != sound.0[name] {
            let mut files = sound.clone();
            files.0.insert(name.clone(), changed);
            let outcome = ledger(&files, &policy);
            assert!(!is_sound(&outcome), "change {number} of {name}: {}", outcome.text);
        }
    }
}

#[test]
fn the_other_verifier_judges_changes_the_same() {
    const CHANGES: usize = 500;
    let Some(python) = python::Python::find() else { return };
    let (log, policy) = sample();
    let folder = tempfile::tempdir().expect("a folder");
    let policy_path = folder.path().join("policy");
    std::fs::write(&policy_path, policy.to_bytes()).expect("it can be written");
    let originals =
        [log.amended().to_text(), log.body(ROTATION).to_text(), log.gone(ERASED, ERASURE)];
    let mut random = Random(3);
    let mut lines = Vec::new();
    let mut ours = Vec::new();
    for number in 0..CHANGES {
        let changed = random.change(originals[number % originals.len()].as_bytes());
        let path = folder.path().join(number.to_string());
        std::fs::write(&path, &changed).expect("it can be written");
        let (path, rules) = (path.display().to_string(), policy_path.display().to_string());
        lines.push(["event".to_owned(), path, "--policy".to_owned(), rules]);
        ours.push((event(&changed, &policy), changed));
    }
    let theirs = python.batch(folder.path(), &lines);
    for ((ours, changed), theirs) in ours.iter().zip(theirs) {
        let text = String::from_utf8_lossy(changed);
        assert_eq!(ours.code, theirs, "{}\n{text}", ours.text);
    }
}

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::checkpoint::Checkpoint;
use crate::key::{KeyName, Signer, SigningKey};
use crate::note::SignedNote;
use crate::tree::Head;

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(KeyName::new(name).expect("a name"), SigningKey::from_seed(&[seed; 32]))
}

fn log_key(seed: u8) -> String {
    signer("log", seed).vkey(KeyUse::Log).to_string()
}

fn witness_key(seed: u8) -> String {
    signer("witness", seed).vkey(KeyUse::Witness).to_string()
}

fn parse(text: &str) -> Result<Policy> {
    Policy::parse(text.as_bytes())
}

fn names(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

#[test]
fn policies_are_those_of_the_specification() {
    let (old, new, x, y, z) =
        (log_key(1), log_key(2), witness_key(3), witness_key(4), witness_key(5));
    let text = format!(
        "# a comment\n  \t# another\n\n \t\nlog {old}\n\tlog  {new}\thttps://log.example/ \n\
         witness X {x}\nwitness \u{212a} {y} https://y.example/\ngroup some any X \u{212a}\n\
         witness Z {z}\ngroup outer all some Z\nquorum outer"
    );
    let policy = parse(&text).expect("a policy");
    let logs: Vec<String> = policy.logs().iter().map(|log| log.vkey.to_string()).collect();
    assert_eq!(logs, [old.clone(), new]);
    assert_eq!(policy.logs()[0].url, None);
    assert_eq!(policy.logs()[1].url.as_deref(), Some(b"https://log.example/".as_slice()));
    assert_eq!(policy.witnesses()[1].name, "\u{212a}".as_bytes());
    assert_eq!(policy.witnesses()[1].url.as_deref(), Some(b"https://y.example/".as_slice()));
    assert_eq!(policy.witnesses()[2].vkey.to_string(), z);
    let thresholds: Vec<usize> = policy.groups().iter().map(|group| group.threshold).collect();
    assert_eq!(thresholds, [1, 2]);
    assert_eq!(policy.groups()[0].members, names(&["X", "\u{212a}"]));
    assert_eq!(policy.quorum(), Some(b"outer".as_slice()));
    assert_eq!(Policy::parse(&policy.to_bytes()).expect("as written"), policy);
    let none = parse("quorum none\n").expect("a policy");
    assert_eq!((none.quorum(), none.to_bytes()), (None, b"quorum none\n".to_vec()));
    let latin = [b"witness \xe9 ", x.as_bytes(), b"\nquorum \xe9\n"].concat();
    assert_eq!(Policy::parse(&latin).expect("a policy").to_bytes(), latin);
    let number = format!("witness X {x}\nwitness Y {y}\ngroup g 2 X Y\nquorum g\n");
    assert_eq!(parse(&number).expect("a policy").to_bytes(), number.as_bytes());
}

#[test]
fn other_texts_are_refused() {
    let (log, x, y) = (log_key(1), witness_key(3), witness_key(4));
    let both = format!("witness X {x}\nwitness Y {y}\n");
    let wrong = [
        String::new(),
        "quorum\n".to_owned(),
        "quorum X\n".to_owned(),
        "quorum none none\n".to_owned(),
        "quorum none\nquorum none\n".to_owned(),
        "Quorum none\n".to_owned(),
        "other\nquorum none\n".to_owned(),
        "quorum none\r\n".to_owned(),
        "# \u{7f}\nquorum none\n".to_owned(),
        "# \0\nquorum none\n".to_owned(),
        format!("log\nquorum none\n# {log}"),
        format!("log {log} a b\nquorum none\n"),
        format!("log {x}\nquorum none\n"),
        format!("log {log}\nlog {log}\nquorum none\n"),
        format!("log x{log}\nquorum none\n"),
        format!("witness X {log}\nquorum none\n"),
        format!("witness {x}\nquorum none\n"),
        format!("witness X {x} a b\nquorum none\n"),
        format!("witness none {x}\nquorum none\n"),
        format!("witness X {x}\nwitness X {y}\nquorum none\n"),
        format!("witness X {x}\nwitness Y {x}\nquorum none\n"),
        format!("quorum X\nwitness X {x}\n"),
        format!("{both}group\nquorum none\n"),
        format!("{both}group g\nquorum none\n"),
        format!("{both}group g all\nquorum none\n"),
        format!("{both}group g any\nquorum none\n"),
        format!("{both}group g 0 X Y\nquorum none\n"),
        format!("{both}group g 3 X Y\nquorum none\n"),
        format!("{both}group g 01 X Y\nquorum none\n"),
        format!("{both}group g some X Y\nquorum none\n"),
        format!("{both}group g 18446744073709551616 X Y\nquorum none\n"),
        format!("{both}group g all X X\nquorum none\n"),
        format!("{both}group g all X Z\nquorum none\n"),
        format!("{both}group g all g\nquorum none\n"),
        format!("{both}group g all none\nquorum none\n"),
        format!("{both}group X all X Y\nquorum none\n"),
        format!("{both}group none all X Y\nquorum none\n"),
        format!("{both}group g all X\ngroup h all X Y\nquorum none\n"),
        format!("group g all X\n{both}quorum none\n"),
    ];
    for text in wrong {
        assert_eq!(parse(&text).expect_err(&text).kind(), ErrorKind::Malformed);
    }
    let error = parse("# a\n\nother\nquorum none\n").expect_err("no line of a policy");
    assert!(error.to_string().starts_with("line 3 of the policy: "), "{error}");
    Policy::parse(b"log \xff\nquorum none\n").expect_err("a vkey is text");
}

#[test]
fn words_have_no_spaces() {
    let vkey = || signer("log", 1).vkey(KeyUse::Log);
    let witness = || signer("witness", 3).vkey(KeyUse::Witness);
    for word in ["", "a b", "a\tb", "a\nb", "a\u{7f}"] {
        let word = word.as_bytes().to_vec();
        let mut policy = PolicyBuilder::new();
        policy.log(vkey(), Some(word.clone())).expect_err("no address");
        policy.witness(b"w".to_vec(), witness(), Some(word.clone())).expect_err("no address");
        policy.witness(word.clone(), witness(), None).expect_err("no name");
        policy.witness(b"w".to_vec(), witness(), None).expect("a witness");
        let group = Group { name: word, threshold: 1, members: names(&["w"]) };
        policy.group(group).expect_err("no name");
    }
    let mut policy = PolicyBuilder::new();
    policy.log(vkey(), Some(b"!~\x80\xff".to_vec())).expect("an address");
    policy.build().expect_err("there is no quorum");
}

#[test]
fn policies_are_limited() {
    let comment = |length: usize| format!("quorum none\n#{}", "x".repeat(length - 13));
    parse(&comment(POLICY_BYTES_MAX)).expect("the longest");
    assert_eq!(POLICY_BYTES_MAX, 262_144);
    parse(&comment(POLICY_BYTES_MAX + 1)).expect_err("too long");
    let vkey = |number: u32, key_use| {
        let mut public = [0; 32];
        public[..4].copy_from_slice(&number.to_be_bytes());
        Vkey::new(KeyName::new("k").expect("a name"), key_use, public)
    };
    let mut policy = PolicyBuilder::new();
    for number in 0..1024 {
        policy.log(vkey(number, KeyUse::Log), None).expect("there is room");
        let name = number.to_string().into_bytes();
        policy.witness(name, vkey(number, KeyUse::Witness), None).expect("there is room");
    }
    policy.log(vkey(1024, KeyUse::Log), None).expect_err("there is no room");
    let witness = vkey(1024, KeyUse::Witness);
    policy.witness(b"more".to_vec(), witness, None).expect_err("there is no room");
    let group = Group { name: b"g".to_vec(), threshold: 1, members: names(&["7"]) };
    policy.group(group).expect_err("there is no room");
}

/// A checkpoint signed by keys of the log and cosigned by witnesses.
fn note(logs: &[u8], witnesses: &[u8]) -> SignedNote {
    let checkpoint = Checkpoint { origin: "log".to_owned(), head: Head::EMPTY };
    let mut note = checkpoint.sign(&signer("stranger", 99)).expect("a text");
    for seed in logs {
        note.add(signer("log", *seed).sign_note(note.text()));
    }
    for seed in witnesses {
        note.add(signer("witness", *seed).cosign(note.text(), 1000 + u64::from(*seed)));
    }
    note
}

#[test]
fn a_note_needs_a_key_of_the_log_and_the_quorum() {
    let (old, new, x, y, z) =
        (log_key(1), log_key(2), witness_key(3), witness_key(4), witness_key(5));
    let lines = format!(
        "log {old}\nlog {new}\nwitness X {x}\nwitness Y {y}\nwitness Z {z}\n\
         group some 2 X Y Z\n"
    );
    let policy = |quorum: &str| parse(&format!("{lines}quorum {quorum}\n")).expect("a policy");
    let kind = |policy: &Policy, note: &SignedNote| policy.open(note).map_err(|error| error.kind());
    let none = policy("none");
    for logs in [[1].as_slice(), &[2], &[1, 2], &[1, 9]] {
        let opened = none.open(&note(logs, &[])).expect("a key of the log signed");
        assert_eq!(opened.checkpoint.head, Head::EMPTY);
        let known: Vec<u8> = logs.iter().copied().filter(|seed| *seed < 9).collect();
        assert_eq!(opened.signed_by.len(), known.len());
        for (key, seed) in known.iter().map(|seed| (log_key(*seed), seed)) {
            assert!(opened.signed_by.iter().any(|by| by.to_string() == key), "{seed}");
        }
    }
    assert_eq!(kind(&none, &note(&[], &[3])).expect_err("no key"), ErrorKind::Signature);
    assert_eq!(kind(&none, &note(&[9], &[3])).expect_err("no key"), ErrorKind::Signature);
    let sets = [[].as_slice(), &[3], &[4], &[3, 4], &[4, 5], &[3, 4, 5], &[4, 9]];
    for witnesses in sets {
        let note = note(&[1], witnesses);
        let known = witnesses.iter().filter(|seed| **seed < 9).count();
        let opened = none.open(&note).expect("none is needed");
        let times: Vec<u64> = opened.cosigned.iter().map(|cosigned| cosigned.time).collect();
        assert_eq!(times.len(), known);
        for seed in witnesses.iter().filter(|seed| **seed < 9) {
            assert!(times.contains(&(1000 + u64::from(*seed))));
        }
        assert!(opened.cosigned.iter().all(|cosigned| cosigned.name.as_str() == "witness"));
        assert_eq!(policy("X").open(&note).is_ok(), witnesses.contains(&3), "{witnesses:?}");
        assert_eq!(policy("some").open(&note).is_ok(), known >= 2, "{witnesses:?}");
        if known < 2 {
            let error = kind(&policy("some"), &note).expect_err("no quorum");
            assert_eq!(error, ErrorKind::Signature);
        }
    }
}

#[test]
fn groups_count_groups() {
    let keys: Vec<String> = (3..7).map(witness_key).collect();
    let text = format!(
        "log {}\nwitness a {}\nwitness b {}\nwitness c {}\nwitness d {}\ngroup ab any a b\n\
         group cd all c d\ngroup both all ab cd\nquorum both\n",
        log_key(1),
        keys[0],
        keys[1],
        keys[2],
        keys[3]
    );
    let policy = parse(&text).expect("a policy");
    let is_enough = |witnesses: &[u8]| policy.open(&note(&[1], witnesses)).is_ok();
    assert!(is_enough(&[3, 5, 6]));
    assert!(is_enough(&[4, 5, 6]));
    assert!(!is_enough(&[3, 4, 5]));
    assert!(!is_enough(&[5, 6]));
}

#[test]
fn known_keys_must_sign_well() {
    let (log, other) = (log_key(1), signer("other", 2).vkey(KeyUse::Log));
    let text = format!("log {log}\nlog {other}\nwitness X {}\nquorum none\n", witness_key(3));
    let policy = parse(&text).expect("a policy");
    let good = note(&[1], &[3]);
    policy.open(&good).expect("all is well");
    let with = |line| {
        let mut note = good.clone();
        note.add(line);
        policy.open(&note).map_err(|error| error.kind())
    };
    let text = good.text();
    with(signer("other", 2).sign_note(text)).expect("another log's key may sign too");
    let wrong = [
        signer("log", 1).sign_note("another text\n"),
        signer("other", 2).sign_note("another text\n"),
        signer("witness", 3).cosign("another text\n", 7),
    ];
    for line in wrong {
        assert_eq!(with(line).expect_err("a known key"), ErrorKind::Signature);
    }
    with(signer("witness", 9).cosign("another text\n", 7)).expect("an unknown key");
    // Only another log's key signed.
    let mut foreign = note(&[], &[]);
    foreign.add(signer("other", 2).sign_note(text));
    let error = policy.open(&foreign).expect_err("no key of this log");
    assert_eq!(error.kind(), ErrorKind::Signature);
    let opened = policy.open_manifest(&foreign, "other").expect("it is the other log's");
    assert_eq!(opened, [other]);
    policy.open_manifest(&good, "log").expect("it is the log's");
    let error = policy.open_manifest(&good, "other").expect_err("it is the log's");
    assert_eq!(error.kind(), ErrorKind::Signature);
}

#[test]
fn lines_must_be_in_order() {
    let policy = parse(&format!("log {}\nquorum none\n", log_key(1))).expect("a policy");
    let good = note(&[1], &[3]);
    policy.open(&good).expect("in order");
    let [one, two, three] = [0, 1, 2].map(|at| good.lines()[at].to_text());
    let swapped = format!("{}\n{one}{three}{two}", good.text());
    let swapped = SignedNote::parse(swapped.as_bytes()).expect("a note");
    assert_eq!(policy.open(&swapped).expect_err("out of order").kind(), ErrorKind::Malformed);
    let error = policy.open_manifest(&swapped, "log").expect_err("out of order");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    let other = SignedNote::sign("no checkpoint\n", &signer("log", 1)).expect("a text");
    assert_eq!(policy.open(&other).expect_err("no checkpoint").kind(), ErrorKind::Malformed);
    policy.open_manifest(&other, "log").expect("any text");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        logs in 0..4_u8, witnesses in 0..5_u8, urls: [bool; 2],
        thresholds in prop::collection::vec(1..4_usize, 0..3), quorum: prop::sample::Index,
    ) {
        let mut policy = PolicyBuilder::new();
        let url = |has: bool| has.then(|| b"https://x.example/".to_vec());
        for seed in 0..logs {
            policy.log(signer("log", seed).vkey(KeyUse::Log), url(urls[0])).expect("a key");
        }
        let mut free: Vec<Vec<u8>> = Vec::new();
        let mut all: Vec<Option<Vec<u8>>> = vec![None];
        for seed in 0..witnesses {
            let name = format!("w{seed}").into_bytes();
            let vkey = signer("w", seed).vkey(KeyUse::Witness);
            policy.witness(name.clone(), vkey, url(urls[1])).expect("a key");
            free.push(name.clone());
            all.push(Some(name));
        }
        for (number, threshold) in thresholds.into_iter().enumerate() {
            if free.len() >= threshold {
                let members = free.split_off(free.len() - threshold);
                let name = format!("g{number}").into_bytes();
                let group = Group { name: name.clone(), threshold, members };
                policy.group(group).expect("a group");
                free.push(name.clone());
                all.push(Some(name));
            }
        }
        policy.quorum(all[quorum.index(all.len())].clone()).expect("it is defined");
        let policy = policy.build().expect("a policy");
        prop_assert_eq!(Policy::parse(&policy.to_bytes()).expect("as written"), policy);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, text in "(log|witness|group|quorum| |a|\n|1|any){0,30}") {
        drop(Policy::parse(&bytes));
        drop(Policy::parse(text.as_bytes()));
    }
}

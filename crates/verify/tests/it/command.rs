//! What the verifier says to people.

use std::io::Cursor;

use ledgerline_verify::{DiskFolder, Outcome, event, export, ledger, run};

use crate::sample::{ERASED, ERASURE, Kind, Log, RETIRED, RETIREMENT};

fn first_line(outcome: &Outcome) -> &str {
    outcome.text.lines().next().unwrap_or_default()
}

#[test]
fn the_verdict_is_in_the_first_line() {
    let log = Log::new("log", 40);
    let policy = log.policy();
    let erased = event(log.gone(ERASED, ERASURE).as_bytes(), &policy);
    assert_eq!((first_line(&erased), erased.code), ("INCLUDED, ERASED BY seq 12", 5));
    let retired = event(log.gone(RETIRED, RETIREMENT).as_bytes(), &policy);
    assert_eq!((first_line(&retired), retired.code), ("INCLUDED, RETIRED BY seq 15", 5));
    let sound = event(log.amended().to_text().as_bytes(), &policy);
    let log_id = log.origin.log_id();
    let expected = [
        "INCLUDED".to_owned(),
        "seq 2, received at 2026-11-24T23:39:49.469135782Z".to_owned(),
        format!("log logs.ledger.example/{log_id}"),
        format!("tree of 40 entries, root {:?}", log.head(40).root),
    ];
    let lines: Vec<&str> = sound.text.lines().collect();
    assert_eq!(lines[..4], expected);
    assert!(lines[4].starts_with("signed by the log's key "), "{}", sound.text);
    let witness = "seen by witness witness.example/w1 at 2026-11-24T23:40:40.000000000Z";
    assert_eq!(lines[5], witness);
    assert_eq!(lines[7..], ["amended by seq 5", "amended by seq 9"]);
}

#[test]
fn bundles_claim_completeness_only_for_a_range() {
    let log = Log::new("log", 40);
    let policy = log.policy();
    let range = log.parts(Kind::Range, &(5..20).collect::<Vec<_>>()).bundle(&log);
    let outcome = export(Cursor::new(range), &policy);
    assert_eq!(first_line(&outcome), "COMPLETE");
    let line = outcome.text.lines().nth(1);
    let expected = "every entry from seq 5 to 19: 15, 2 of them without payload; that none is \
                    missing is proven";
    assert_eq!(line, Some(expected));
    let filter = log.parts(Kind::Filter, &[2, 7, 20]).bundle(&log);
    let outcome = export(Cursor::new(filter), &policy);
    assert_eq!(first_line(&outcome), "INCLUDED");
    assert!(outcome.text.contains("that it should is not proven"), "{}", outcome.text);
}

#[test]
fn other_programs_read_a_bundle() {
    let log = Log::new("log", 40);
    let parts = log.parts(Kind::Range, &(5..20).collect::<Vec<_>>());
    let bundle = parts.bundle(&log);
    let mut archive = tar::Archive::new(Cursor::new(&bundle));
    let mut names = Vec::new();
    for member in archive.entries().expect("an archive") {
        let mut member = member.expect("a member");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut member, &mut text).expect("a text");
        let header = member.header();
        assert_eq!(header.mode().expect("a mode"), 0o644);
        assert_eq!(header.entry_type(), tar::EntryType::Regular);
        let name = member.path().expect("a path").display().to_string();
        if name == "checkpoint" {
            assert_eq!(text, parts.checkpoint);
        }
        names.push(name);
    }
    assert_eq!(names, ledgerline_ledger::bundle::MEMBERS);
}

#[test]
fn a_ledger_on_a_disk_is_what_its_files_are() {
    let log = Log::new("log", 40);
    let policy = log.policy();
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in log.files(&[9]).0 {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(path, bytes).expect("it can be written");
    }
    let disk = DiskFolder(folder.path().to_owned());
    let outcome = ledger(&disk, &policy);
    assert_eq!((first_line(&outcome), outcome.code), ("COMPLETE", 0), "{}", outcome.text);
    let large = folder.path().join("tile/0/000.p/40");
    std::fs::write(&large, vec![0; 2 * 1024 * 1024]).expect("it can be written");
    assert_eq!(ledger(&disk, &policy).code, 64);
    std::fs::remove_file(&large).expect("it is there");
    std::fs::create_dir(&large).expect("it can be made");
    assert_eq!(ledger(&disk, &policy).code, 64);
    std::fs::remove_dir(&large).expect("it is there");
    assert_eq!(ledger(&disk, &policy).code, 6);
}

#[test]
fn bodies_are_limited() {
    let policy = Log::new("log", 20).policy();
    let longest = 16 * 1024 * 1024;
    let outcome = event(&vec![b' '; longest + 1], &policy);
    assert_eq!(outcome.code, 64);
    assert!(outcome.text.contains("more than 16 MiB"), "{}", outcome.text);
    let outcome = event(&vec![b' '; longest], &policy);
    assert!(!outcome.text.contains("more than 16 MiB"), "{}", outcome.text);
}

#[test]
fn whoever_asks_is_told_how() {
    let outcome = run(["--help".into()]);
    assert_eq!((outcome.code, outcome.text.as_str()), (0, ledgerline_verify::USAGE));
    assert!(run(["event".into()]).text.contains(ledgerline_verify::USAGE));
}

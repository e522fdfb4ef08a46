//! Erasure: the content of events goes from every segment, and of all others nothing changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags};
use ledgerline_model::convention::ID_KEY;
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::Job;
use ledgerline_store::part::{Part, System};
use ledgerline_store::snapshot::{Kept, Snapshot};
use ledgerline_store::{Erase, Erased, Horizon};
use ledgerline_world::disk::MemoryDisk;

use crate::home::{Home, NOW, Seen, job, seen, segments};

const HOUR: i64 = 3600 * Timestamp::SECOND;
const DATASET: u32 = 1;

/// A word that only one event has.
fn word(number: u64) -> String {
    format!("word{number}end")
}

/// Audit events with these numbers, some days apart, each with words of its own.
fn events(numbers: Range<u64>) -> Batch {
    let mut builder = BatchBuilder::new(NOW);
    for number in numbers {
        let id = format!("event-{number}");
        builder.str(ID_KEY, &id).expect("a key");
        builder.str("actor.id", &word(number)).expect("a key");
        builder.str("kind", if number.is_multiple_of(2) { "even" } else { "odd" }).expect("a key");
        builder.i64("number", number as i64).expect("a key");
        builder.json("list", &format!(r#"["{}"]"#, word(number))).expect("a key");
        builder.str(&format!("metadata.{}", word(number)), "x").expect("a key");
        let payload = format!(r#"{{"id":"{id}","actor":"{}"}}"#, word(number));
        builder.evidence(&payload, "c2FsdA==").expect("of its own");
        builder.commit(EventHead {
            time: Timestamp(NOW.0 - (number % 5) as i64 * 60 * HOUR),
            severity: Severity::INFO,
            flags: Flags::default(),
            bytes_in: 100,
        });
    }
    builder.finish()
}

/// All that is known of a dataset's events.
#[derive(Debug, PartialEq)]
struct State {
    seen: BTreeMap<u64, Seen>,
    kept: Vec<Option<Kept>>,
    severities: BTreeMap<u64, i64>,
}

fn state(home: &Home, count: u64) -> State {
    let snapshot = home.snapshot(DATASET);
    let seqs: Vec<Seq> = (0..count).map(Seq).collect();
    let mut severities = BTreeMap::new();
    for part in snapshot.parts() {
        let of_part = part.system(System::Severity).expect("read");
        let numbers = part.system(System::Seq).expect("read");
        severities.extend(numbers.into_iter().map(|seq| seq as u64).zip(of_part));
    }
    let mut kept = snapshot.kept(&seqs).expect("read");
    // Rows are numbered anew where others go.
    for evidence in kept.iter_mut().flatten().filter_map(|kept| kept.evidence.as_mut()) {
        evidence.row = 0;
    }
    State { seen: seen(&snapshot), kept, severities }
}

fn words(part: &Part) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let see = |word: &[u8]| {
        words.insert(String::from_utf8_lossy(word).into_owned());
        false
    };
    part.words(see).expect("read");
    words
}

fn all_words(snapshot: &Snapshot) -> BTreeSet<String> {
    snapshot.parts().iter().flat_map(words).collect()
}

fn erase(home: &Home, seqs: &[Range<u64>], how: Erase) -> Erased {
    let erased = home.store.erase(&job(Job::Erase), DatasetId(DATASET), seqs, how);
    erased.expect("erased")
}

/// Forty events in segments of several windows, some of them merged.
fn home(folder: &Path) -> Home {
    let home = Home::open(folder, MemoryDisk::new(), 1);
    for first in [0, 10, 20, 30] {
        home.append(DATASET, events(first..first + 10));
        home.flush();
    }
    home.compact();
    let segments = home.store.usage(DatasetId(DATASET)).segments;
    assert!((5..20).contains(&segments), "{segments} segments");
    home
}

fn is_in(seqs: &[Range<u64>], seq: u64) -> bool {
    seqs.iter().any(|span| span.contains(&seq))
}

/// What was erased has its number, its times, its severity and its id, and nothing else; the
/// others are as they were.
fn check_content(home: &Home, before: &State, seqs: &[Range<u64>]) {
    let after = state(home, 40);
    assert_eq!(after.severities, before.severities);
    for seq in 0..40 {
        let (was, is) = (&before.kept[seq as usize], &after.kept[seq as usize]);
        let (was, is) = (was.as_ref().expect("an event"), is.as_ref().expect("still there"));
        if is_in(seqs, seq) {
            assert_eq!(*is, Kept { evidence: None, ..was.clone() });
            let fields: Vec<&String> = after.seen[&seq].fields.keys().collect();
            assert_eq!(fields, ["_id/Str"], "{seq}");
        } else {
            assert_eq!((was, &before.seen[&seq]), (is, &after.seen[&seq]), "{seq}");
        }
    }
    check_words(home, seqs);
}

fn check_words(home: &Home, seqs: &[Range<u64>]) {
    let snapshot = home.snapshot(DATASET);
    let words = all_words(&snapshot);
    for seq in 0..40 {
        assert_eq!(words.contains(&word(seq)), !is_in(seqs, seq), "the word of {seq}");
    }
    for part in snapshot.parts() {
        for (number, head) in part.columns().iter().enumerate() {
            let dictionary = part.dictionary(number).expect("read");
            let text = format!("{} {dictionary:?}", head.name);
            let gone = (0..40).filter(|seq| is_in(seqs, *seq));
            gone.for_each(|seq| assert!(!text.contains(&word(seq)), "{seq} in {text}"));
        }
    }
}

#[test]
fn the_content_of_events_goes_from_segments_of_all_windows() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(folder.path());
    let before = state(&home, 40);
    let files = segments(&home.disk);
    let seqs = [3..4, 10..17, 39..40];
    let erased = erase(&home, &seqs, Erase::Content);
    assert_eq!(erased.events, 9);
    assert!(erased.segments > 1, "{erased:?}");
    check_content(&home, &before, &seqs);
    let now = segments(&home.disk);
    let stayed = files.iter().filter(|file| now.contains(file)).count();
    assert_eq!(now.len(), files.len(), "each took the place of one");
    assert_eq!(stayed, files.len() - erased.segments as usize, "the others were not touched");

    assert_eq!(erase(&home, &seqs, Erase::Content), Erased::default(), "it is done");
    assert_eq!(segments(&home.disk), now);
    // More of it, over what is erased already.
    let more = [3..4, 8..20, 38..60];
    assert_eq!(erase(&home, &more, Erase::Content).events, 6);
    let all = [3..4, 8..20, 38..40];
    check_content(&home, &before, &all);
    home.compact();
    check_content(&home, &before, &all);
    let home = home.power_cut(folder.path(), 0, 2);
    check_content(&home, &before, &all);
}

#[test]
fn events_go_altogether() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(folder.path());
    let before = state(&home, 40);
    let seqs = [0..7, 21..30];
    assert_eq!(erase(&home, &seqs, Erase::Whole).events, 16);
    let check = |home: &Home| {
        let after = state(home, 40);
        let mut left = 0;
        for seq in 0..40 {
            match after.seen.get(&seq) {
                // Only where a segment alone tells how far the journal is does a row stay.
                Some(seen) if is_in(&seqs, seq) => {
                    assert_eq!(seen.fields.len(), 1, "{seq}");
                    left += 1;
                }
                Some(seen) => {
                    assert_eq!(*seen, before.seen[&seq], "{seq}");
                    assert_eq!(after.kept[seq as usize], before.kept[seq as usize]);
                }
                None => assert!(is_in(&seqs, seq), "{seq} is lost"),
            }
        }
        assert!(left <= 4, "{left} rows stayed");
        check_words(home, &seqs);
    };
    check(&home);
    assert_eq!(erase(&home, &seqs, Erase::Whole), Erased::default());
    home.compact();
    check(&home);
    let home = home.power_cut(folder.path(), 0, 2);
    check(&home);
    // The numbers go on where they were.
    home.append(DATASET, events(40..41));
    assert!(home.visible(DATASET).contains_key(&40));
}

#[test]
fn all_events_of_a_dataset_go_and_the_journal_still_agrees() {
    for how in [Erase::Content, Erase::Whole] {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(folder.path());
        erase(&home, &[0..40], how);
        assert_eq!(erase(&home, &[0..40], how), Erased::default());
        check_words(&home, &[0..40]);
        let home = home.power_cut(folder.path(), 0, 2);
        check_words(&home, &[0..40]);
        home.append(DATASET, events(40..42));
        home.flush();
        let home = home.power_cut(folder.path(), 0, 3);
        let left = home.visible(DATASET);
        assert!(left.contains_key(&40) && left.contains_key(&41));
    }
}

#[test]
fn other_datasets_and_numbers_that_are_none_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(folder.path());
    home.append(2, events(0..5));
    home.flush();
    let (before, other) = (state(&home, 40), home.visible(2));
    assert_eq!(erase(&home, &[], Erase::Content), Erased::default());
    assert_eq!(erase(&home, &[40..90], Erase::Content), Erased::default());
    let absent = home.store.erase(&job(Job::Erase), DatasetId(9), &[0..4], Erase::Whole);
    assert_eq!(absent.expect("nothing to do"), Erased::default());
    erase(&home, &[0..4], Erase::Content);
    assert_eq!(home.visible(2), other);
    check_content(&home, &before, &[0..4]);
}

/// Erases on a disk that is lost after so many changes, has `happen` happen, does it again, and
/// says whether the first try ended.
fn cut_short(changes: u64, happen: impl FnOnce(Home, &Path) -> Home) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(folder.path());
    let before = state(&home, 40);
    let seqs = [3..4, 10..17, 39..40];
    home.disk.lose_after(changes);
    let first = home.store.erase(&job(Job::Erase), DatasetId(DATASET), &seqs, Erase::Content);
    let home = happen(home, folder.path());
    erase(&home, &seqs, Erase::Content);
    check_content(&home, &before, &seqs);
    let live = home.store.usage(DatasetId(DATASET)).segments;
    assert_eq!(segments(&home.disk).len() as u64, live, "after {changes} changes");
    first.is_ok()
}

#[test]
fn an_erasure_that_a_power_cut_ends_is_ended_by_doing_it_again() {
    let cut = |changes| cut_short(changes, |home, folder| home.power_cut(folder, 0, changes + 2));
    let tries = (0..).find(|changes| cut(*changes)).expect("it ends");
    assert!(tries > 20, "{tries}");
}

/// The disk takes nothing for a while: a file that could not be deleted, whichever work it was left
/// by, is deleted before an erasure counts as done.
#[test]
fn an_erasure_that_the_disk_ends_is_ended_by_doing_it_again() {
    let heal = |home: Home, _: &Path| {
        home.disk.keep_all();
        home
    };
    let tries = (0..).find(|changes| cut_short(*changes, heal)).expect("it ends");
    assert!(tries > 20, "{tries}");
}

#[test]
fn what_a_merge_could_not_delete_is_deleted_by_an_erasure() {
    for changes in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::open(folder.path(), MemoryDisk::new(), 1);
        for first in [0, 10, 20, 30] {
            home.append(DATASET, events(first..first + 10));
            home.flush();
        }
        home.disk.lose_after(changes);
        let merged = home.store.compact(&job(Job::Compact), &Horizon::at(NOW));
        home.disk.keep_all();
        let live = home.store.usage(DatasetId(DATASET)).segments;
        let stayed = segments(&home.disk).len() as u64 - live;
        let before = state(&home, 40);
        erase(&home, &[5..6], Erase::Content);
        check_content(&home, &before, &[5..6]);
        let live = home.store.usage(DatasetId(DATASET)).segments;
        assert_eq!(segments(&home.disk).len() as u64, live, "{stayed} had stayed");
        if merged.is_ok() && stayed == 0 {
            break;
        }
    }
}

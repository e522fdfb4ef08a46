//! Torn tails are left out; damage before them is refused and named.

use std::path::{Path, PathBuf};

use ledgerline_journal::{ErrorKind, Options};
use ledgerline_world::disk::{Disk, Fault, MemoryDisk};

use crate::support::{Bench, small_files};

fn length(disk: &MemoryDisk, file: &Path) -> usize {
    let file = disk.open(file).expect("the file is there");
    file.len().expect("it has a length") as usize
}

fn name(file: &Path) -> String {
    format!("journal/{}", file.file_name().expect("a name").to_string_lossy())
}

/// A journal in one file that was not sealed, and where its last group begins.
fn unsealed(bench: &Bench) -> (MemoryDisk, PathBuf, usize) {
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["a", "b", "c"]);
    let file = bench.log_files(&disk).remove(0);
    let start = length(&disk, &file);
    bench.append_all(&opened, &["d"]);
    (disk.after_power_cut(0), file, start)
}

#[test]
fn a_tail_torn_at_any_byte_is_left_out_and_nothing_else() {
    let bench = Bench::new();
    let (disk, file, start) = unsealed(&bench);
    let end = length(&disk, &file);
    for cut in start..=end {
        for fill in [None, Some(0), Some(0xa5)] {
            let disk = disk.after_power_cut(0);
            let mut is_whole = cut == end;
            disk.tamper(&file, |bytes| {
                let before = bytes.clone();
                bytes.truncate(cut);
                if let Some(fill) = fill {
                    bytes.resize(end, fill);
                }
                is_whole |= *bytes == before;
            });
            let opened = bench.open(&disk, Options::default()).expect("a torn tail is no damage");
            let expected: &[&str] = if is_whole { &["a", "b", "c", "d"] } else { &["a", "b", "c"] };
            assert_eq!(opened.texts(), expected, "cut at byte {cut}, filled with {fill:?}");
            let torn = if is_whole { 0 } else { length_after(cut, fill, end) - start };
            assert_eq!(opened.recovered.trimmed_bytes, torn as u64, "cut at byte {cut}");
            bench.append_all(&opened, &["e"]);
            drop(opened);
            let again = bench.open(&disk.after_power_cut(0), Options::default()).expect("it opens");
            let expected = [expected, &["e"]].concat();
            assert_eq!(again.texts(), expected, "cut at byte {cut}, filled with {fill:?}");
        }
    }
}

fn length_after(cut: usize, fill: Option<u8>, end: usize) -> usize {
    if fill.is_some() { end } else { cut }
}

#[test]
fn every_byte_that_was_proven_durable_is_guarded() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let texts: Vec<String> = (0..11).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.append_all(&opened, &texts);
    // The next file begins where a full disk cut a group short, so its end is named, not sealed.
    disk.fail_next(Fault::ShortAppend(70));
    bench.append(&opened, 1, bench.texts(&["refused"]), None).expect_err("full");
    bench.append_all(&opened, &["after", "last"]);
    let files = bench.log_files(&disk);
    assert!(files.len() >= 4);
    let disk = disk.after_power_cut(0);
    drop(opened);
    let whole = bench.open(&disk.after_power_cut(0), small_files()).expect("it opens").texts();
    assert_eq!(whole.len(), 13);
    let mut guarded = 0;
    for file in &files {
        for at in 0..length(&disk, file) {
            let disk = disk.after_power_cut(0);
            disk.tamper(file, |bytes| bytes[at] ^= 1 << (at % 8));
            match bench.open(&disk, small_files()) {
                Ok(opened) => {
                    // Behind the end of a file that is continued, or in the last group, which
                    // nothing proves yet.
                    let texts = opened.texts();
                    assert_eq!(texts, whole[..texts.len()], "{} byte {at}", name(file));
                    assert!(texts.len() >= 12, "{} byte {at}", name(file));
                }
                Err(error) => {
                    guarded += 1;
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{} byte {at}", name(file));
                    let text = error.to_string();
                    assert!(text.starts_with(&name(file)), "{} byte {at}: {text}", name(file));
                    let place = text
                        .split("at byte ")
                        .nth(1)
                        .and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
                    assert!(place.is_some_and(|place| place <= at), "byte {at}: {text}");
                    let mut after = 0;
                    disk.tamper(file, |bytes| after = bytes.len());
                    assert_eq!(after, length(&disk, file), "nothing was cut off");
                }
            }
        }
    }
    let total: usize = files.iter().map(|file| length(&disk, file)).sum();
    assert!(guarded * 10 > total * 6, "{guarded} of {total} bytes are guarded");
}

#[test]
fn a_sealed_journal_guards_its_last_group_too() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["a", "b"]);
    let file = bench.log_files(&disk).remove(0);
    let sealed_from = length(&disk, &file);
    opened.journal.close();
    for at in 0..sealed_from {
        let disk = disk.after_power_cut(0);
        disk.tamper(&file, |bytes| bytes[at] ^= 4);
        let error = bench.open(&disk, Options::default()).expect_err("damage");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
        assert!(error.to_string().starts_with(&name(&file)), "byte {at}: {error}");
    }
}

#[test]
fn damage_in_the_last_group_is_told_from_a_tear_by_the_frames_behind_it() {
    let bench = Bench::new();
    let (disk, file, start) = unsealed(&bench);
    disk.tamper(&file, |bytes| bytes[start + 40] ^= 1);
    let error = bench.open(&disk, Options::default()).expect_err("a valid frame lies behind");
    let expected = format!("{} at byte {start}: ", name(&file));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn a_missing_swapped_or_foreign_file_is_refused() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let texts: Vec<String> = (0..20).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.append_all(&opened, &texts);
    drop(opened);
    let files = bench.log_files(&disk);
    let copy = |disk: &MemoryDisk, source: &Path, target: &Path| {
        let mut stolen = Vec::new();
        disk.tamper(source, |bytes| stolen.clone_from(bytes));
        disk.tamper(target, |bytes| *bytes = stolen);
    };
    type Change<'a> = Box<dyn Fn(&MemoryDisk) + 'a>;
    let changes: [(&str, Change<'_>); 5] = [
        ("the first is gone", Box::new(|disk| disk.remove(&files[0]).expect("it was there"))),
        ("one is gone", Box::new(|disk| disk.remove(&files[1]).expect("it was there"))),
        ("one is another", Box::new(|disk| copy(disk, &files[1], &files[2]))),
        ("one is cut", Box::new(|disk| disk.tamper(&files[1], |bytes| bytes.truncate(400)))),
        ("one is empty", Box::new(|disk| disk.tamper(&files[1], Vec::clear))),
    ];
    for (what, change) in changes {
        let disk = disk.after_power_cut(0);
        change(&disk);
        let error = bench.open(&disk, small_files()).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        assert!(error.to_string().starts_with("journal/"), "{what}: {error}");
    }
}

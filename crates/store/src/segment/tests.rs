use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::batch::{Kind, Values};
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_model::strings::Strings;
use ledgerline_model::time::Timestamp;

use super::directory::{Directory, SEQ, TIME};
use super::read::SegmentReader;
use super::write::{SegmentWriter, Stored};
use crate::error::{Error, Result};
use crate::index::build::IndexBuilder;
use crate::index::read::{Found, find};
use crate::run::Run;
use crate::sample::InMemory;
use crate::window::Window;

const ROWS: u32 = 1000;

/// A segment of 1,000 rows with one column of every third row's text.
fn segment() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let mut writer = SegmentWriter::new(&mut sink, 3).expect("zstd has level 3");
    let times: Vec<i64> = (0..i64::from(ROWS)).map(|row| row * 1_000_000).collect();
    let numbers: Vec<i64> = (0..i64::from(ROWS)).collect();
    let zeros = vec![0; ROWS as usize];
    let mut write = || -> Result<Directory> {
        let present: Vec<Range<u32>> = (0..ROWS).step_by(3).map(|row| row..row + 1).collect();
        let texts: Strings = present.iter().map(|span| format!("Word{} x", span.start)).collect();
        let mut index = IndexBuilder::new(4);
        for (span, text) in present.iter().zip(texts.iter()) {
            let text = std::str::from_utf8(text).expect("the text is UTF-8");
            index.add(0, span.start as usize / 256, text);
        }
        let texts = Values::Str(texts);
        let name: Arc<str> = "text".into();
        let system = [
            writer.integers(&times)?,
            writer.integers(&numbers)?,
            writer.integers(&zeros)?,
            writer.integers(&zeros)?,
        ];
        let stored = Stored::Plain(&texts);
        let columns = vec![writer.column(&name, Kind::Str, &present, ROWS, &stored)?];
        let (chunks, column_sets) = index.finish(|piece| writer.piece(piece))?;
        Ok(Directory {
            dataset: DatasetId(7),
            id: SegmentId::from_bytes([1; 16]).expect("not all zero"),
            rows: ROWS,
            block_rows: 256,
            window: Window::of(Timestamp(0), Timestamp::DAY),
            is_settled: true,
            seqs: (Seq(0), Seq(u64::from(ROWS) - 1)),
            times: (Timestamp(0), Timestamp(999_000_000)),
            received: (Timestamp(5), Timestamp(5)),
            bytes_in: 1,
            word_version: 1,
            applied: 3,
            flushed: 3,
            replaces: Vec::new(),
            runs: vec![Run {
                first_seq: Seq(0),
                count: u64::from(ROWS),
                received: Timestamp(5),
                id_base: 9,
            }],
            system,
            columns,
            column_sets,
            chunks,
        })
    };
    let directory = write().expect("memory takes every byte");
    writer.finish(&directory).expect("memory takes every byte");
    bytes
}

fn open(bytes: Vec<u8>) -> Result<SegmentReader> {
    SegmentReader::open(Box::new(InMemory(bytes)))
}

#[test]
fn what_was_written_is_read() -> Result<()> {
    let reader = open(segment())?;
    assert_eq!(reader.system(TIME)?[999], 999_000_000);
    assert_eq!(reader.system(SEQ)?[17], 17);
    let column = &reader.directory().columns[0];
    let data = reader.column(column, &[4..10, 990..1000], &mut 0)?;
    let rows: Vec<u32> = data.rows.iter().collect();
    assert_eq!(rows, [6, 9, 990, 993, 996, 999]);
    assert_eq!(data.value(1), crate::column::ValueRef::Str("Word9 x"));
    assert!(reader.column(column, &[7..9], &mut 0)?.rows.is_empty());
    Ok(())
}

/// What every segment of this file's events must give, whatever version wrote it.
fn check(reader: &SegmentReader) -> Result<()> {
    assert_eq!(reader.system(TIME)?[999], 999_000_000);
    assert_eq!(reader.directory().rows, ROWS);
    assert_eq!(reader.directory().runs[0].id_base, 9);
    let column = &reader.directory().columns[0];
    assert_eq!((&*column.name, column.present), ("text", 334));
    let data = reader.column(column, &[990..1000], &mut 0)?;
    assert_eq!(data.value(3), crate::column::ValueRef::Str("Word999 x"));
    let found = find(reader.directory(), "word999", |chunk| reader.read(chunk.span))?;
    assert!(matches!(found, Found::At(_)));
    reader.verify()
}

#[test]
fn every_version_ever_released_is_read() -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let version = folder.join("v1/segment.lls");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&version, segment()).map_err(|error| Error::disk("golden", error))?;
    }
    check(&open(std::fs::read(&version).map_err(|error| Error::disk("golden", error))?)?)?;
    check(&open(segment())?)
}

#[test]
fn words_are_found_in_their_block_and_nowhere_else() -> Result<()> {
    let reader = open(segment())?;
    let look = |word: &str| find(reader.directory(), word, |chunk| reader.read(chunk.span));
    let Found::At(posting) = look("word999")? else { panic!("word999 is in the segment") };
    assert_eq!(posting.blocks.iter().collect::<Vec<_>>(), [3]);
    assert_eq!(reader.directory().column_sets[posting.set as usize], [0]);
    assert!(matches!(look("word1")?, Found::Nowhere));
    assert!(matches!(look("12")?, Found::Unknown));
    let Found::At(posting) = look("x")? else { panic!("x is in the segment") };
    assert!(posting.blocks.is_all());
    Ok(())
}

#[test]
fn a_changed_directory_or_tail_is_refused() {
    let bytes = segment();
    let tail = bytes.len() - 28;
    for at in (tail - 20)..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(open(bytes).is_err(), "byte {at}");
    }
    assert!(open(bytes[..20].to_vec()).is_err());
}

//! Batches, cut where an event ends.

use std::sync::Arc;

use crate::failure::Failure;
use crate::send::Format;
use crate::send::layout::Layout;
use crate::send::records::Records;
use crate::send::source::{Filled, Source};
use crate::send::values::Values;

/// How much of a file is looked at to tell its layout.
const START_BYTES: usize = 64 << 10;
/// What one event may take here; the server's own limit is far below it and names the event.
const EVENT_BYTES_MAX: usize = 63 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Events to be sent together.
#[derive(Debug)]
pub(super) struct Batch {
    /// Its number within the run.
    pub(super) number: u64,
    /// The file that it was cut from.
    pub(super) source: Arc<str>,
    /// The number, in that file, of its first line or value.
    pub(super) first: u64,
    /// How many lines or values it has.
    pub(super) events: u64,
    /// How its events follow one another.
    pub(super) layout: Layout,
    /// The events.
    pub(super) bytes: Vec<u8>,
}

/// Cuts one file.
#[derive(Debug)]
pub(super) struct Cutter {
    source: Source,
    layout: Layout,
    batch_bytes: usize,
    /// What is read and not yet handed over: the start of an event, at most.
    rest: Vec<u8>,
    values: Values,
    records: Records,
    first: u64,
    has_ended: bool,
}

impl Cutter {
    /// Looks at the start of a file.
    pub(super) fn new(
        mut source: Source,
        format: Format,
        batch_bytes: usize,
    ) -> Result<Self, Failure> {
        let mut rest = Vec::new();
        let mut filled = source.fill(&mut rest, START_BYTES)?;
        while filled == Filled::Quiet && rest.trim_ascii().is_empty() {
            filled = source.fill(&mut rest, START_BYTES)?;
        }
        if rest.starts_with(BYTE_ORDER_MARK) {
            rest.drain(..BYTE_ORDER_MARK.len());
        }
        let layout = Layout::detect(&rest, format);
        let has_ended = filled == Filled::Ended;
        let (values, records) = (Values::default(), Records::default());
        Ok(Self { source, layout, batch_bytes, rest, values, records, first: 1, has_ended })
    }

    /// The next batch, or nothing at the end. `buffer` is memory to use again.
    pub(super) fn next(
        &mut self,
        number: u64,
        mut buffer: Vec<u8>,
    ) -> Result<Option<Batch>, Failure> {
        buffer.clear();
        let events = match self.layout {
            Layout::JsonLines | Layout::TextLines => self.cut_lines(&mut buffer)?,
            Layout::JsonValues => self.cut_values(&mut buffer)?,
            Layout::CloudTrail => self.cut_records(&mut buffer)?,
        };
        if buffer.is_empty() {
            return Ok(None);
        }
        let source = Arc::clone(&self.source.name);
        let (first, layout) = (self.first, self.layout);
        let batch = Batch { number, source, first, events, layout, bytes: buffer };
        self.first += events;
        Ok(Some(batch))
    }

    /// Fills the buffer with whole lines, and counts them.
    fn cut_lines(&mut self, buffer: &mut Vec<u8>) -> Result<u64, Failure> {
        buffer.append(&mut self.rest);
        let mut target = self.batch_bytes;
        loop {
            let mut filled = Filled::Wholly;
            if !self.has_ended && buffer.len() < target {
                filled = self.source.fill(buffer, target)?;
                self.has_ended = filled == Filled::Ended;
            }
            if self.has_ended && buffer.len() <= self.batch_bytes {
                break;
            }
            if let Some(end) = self.end_of_lines(buffer) {
                self.rest.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
                break;
            }
            if self.has_ended {
                break;
            }
            target = target.max(buffer.len());
            if filled != Filled::Quiet {
                target = self.longer(target)?;
            }
        }
        let has_open_end = buffer.last().is_some_and(|last| *last != b'\n');
        Ok(memchr::memchr_iter(b'\n', buffer).count() as u64 + u64::from(has_open_end))
    }

    /// Where the last line ends that fits in a batch; the first, when not even that one fits.
    fn end_of_lines(&self, buffer: &[u8]) -> Option<usize> {
        let (fitting, rest) = buffer.split_at(buffer.len().min(self.batch_bytes));
        let last = memchr::memrchr(b'\n', fitting);
        let end = last.or_else(|| Some(fitting.len() + memchr::memchr(b'\n', rest)?));
        end.map(|end| end + 1)
    }

    /// How far to read for the end of a line that is longer than a batch.
    fn longer(&self, target: usize) -> Result<usize, Failure> {
        if target >= EVENT_BYTES_MAX {
            return Err(Failure::new(format!(
                "{}: line {} is longer than an event may be",
                self.source.name, self.first
            )));
        }
        Ok(target.saturating_mul(2).min(EVENT_BYTES_MAX))
    }

    /// Fills the buffer with an array of whole values, and counts them.
    fn cut_values(&mut self, buffer: &mut Vec<u8>) -> Result<u64, Failure> {
        let mut events = 0;
        loop {
            let mut take = |value: &[u8]| {
                buffer.push(if buffer.is_empty() { b'[' } else { b',' });
                buffer.extend_from_slice(value);
                events += 1;
            };
            self.values.feed(&self.rest, &mut take);
            self.rest.clear();
            if self.has_ended {
                self.values.finish(&mut take);
            }
            self.check_unfinished(events)?;
            if self.has_ended || buffer.len() >= self.batch_bytes {
                break;
            }
            let filled = self.source.fill(&mut self.rest, START_BYTES)?;
            self.has_ended = filled == Filled::Ended;
            if filled == Filled::Quiet && !buffer.is_empty() && self.rest.is_empty() {
                break;
            }
        }
        if !buffer.is_empty() {
            buffer.push(b']');
        }
        Ok(events)
    }

    /// Fills the buffer with records of CloudTrail, and counts them.
    fn cut_records(&mut self, buffer: &mut Vec<u8>) -> Result<u64, Failure> {
        loop {
            let records = &mut self.records;
            let mut take = |value: &[u8]| records.take(value);
            self.values.feed(&self.rest, &mut take);
            self.rest.clear();
            if self.has_ended {
                self.values.finish(&mut take);
            }
            self.check_unfinished(0)?;
            if self.has_ended || self.records.are_enough(self.batch_bytes) {
                break;
            }
            let filled = self.source.fill(&mut self.rest, START_BYTES)?;
            self.has_ended = filled == Filled::Ended;
            if filled == Filled::Quiet && self.rest.is_empty() && self.records.are_enough(1) {
                break;
            }
        }
        Ok(self.records.put(buffer, self.batch_bytes))
    }

    /// Whether the value that has not ended yet, behind so many others, may go on.
    fn check_unfinished(&self, events: u64) -> Result<(), Failure> {
        if self.values.unfinished_bytes() <= EVENT_BYTES_MAX {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{}: event {} is longer than an event may be",
            self.source.name,
            self.first + events
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batches(text: &[u8], format: Format, batch_bytes: usize) -> Vec<(u64, String)> {
        let mut cutter = Cutter::new(Source::of(text), format, batch_bytes).expect("readable");
        let mut batches = Vec::new();
        while let Some(batch) =
            cutter.next(batches.len() as u64, b"used before".to_vec()).expect("readable")
        {
            assert_eq!(batch.number, batches.len() as u64);
            batches.push((batch.first, String::from_utf8_lossy(&batch.bytes).into_owned()));
        }
        batches
    }

    fn check(text: &str, batch_bytes: usize, expected: &[(u64, &str)]) {
        let expected: Vec<(u64, String)> =
            expected.iter().map(|(first, text)| (*first, (*text).to_owned())).collect();
        assert_eq!(batches(text.as_bytes(), Format::Auto, batch_bytes), expected, "{text}");
    }

    #[test]
    fn lines_are_never_cut() {
        check("one\ntwo\nthree\n", 9, &[(1, "one\ntwo\n"), (3, "three\n")]);
        check("one\ntwo\nthree", 9, &[(1, "one\ntwo\n"), (3, "three")]);
        check(
            "a line longer than a batch\nx\n",
            4,
            &[(1, "a line longer than a batch\n"), (2, "x\n")],
        );
        check("no end of line", 4, &[(1, "no end of line")]);
        check("", 4, &[]);
        check("\u{feff}x\n", 4, &[(1, "x\n")]);
    }

    #[test]
    fn values_become_arrays() {
        check("[{\"a\":1},{\"a\":2}]", 1, &[(1, "[{\"a\":1},{\"a\":2}]")]);
        check("{\n\"a\":1}\n{}", 99, &[(1, "[{\n\"a\":1},{}]")]);
        check("[]", 1, &[]);
    }

    #[test]
    fn a_long_array_is_cut_into_several() {
        let event = format!("{{\"pad\":\"{}\"}}", "x".repeat(9_000));
        let text = format!("[{}]", vec![event; 100].join(",\n"));
        let batches = batches(text.as_bytes(), Format::Auto, 100_000);
        assert!(batches.len() > 3, "{}", batches.len());
        let mut next = 1;
        for (first, batch) in &batches {
            let events: Vec<serde_json::Value> = serde_json::from_str(batch).expect("an array");
            assert_eq!(*first, next);
            next += events.len() as u64;
        }
        assert_eq!(next, 101);
    }

    #[test]
    fn records_of_cloudtrail_are_cut_wherever_they_are() {
        let delivered = r#"{"Records":[{"eventID":"a"},{"eventID":"b"}]}"#;
        let lines = "{\"eventID\":\"a\"}\n{\"eventID\":\"b\"}\n";
        for text in [delivered, lines, r#"[{"eventID":"a"},{"eventID":"b"}]"#] {
            let whole = batches(text.as_bytes(), Format::CloudTrail, 1 << 20);
            assert_eq!(whole, [(1, delivered.to_owned())], "{text}");
            let each = batches(text.as_bytes(), Format::CloudTrail, 1);
            let firsts: Vec<u64> = each.iter().map(|(first, _)| *first).collect();
            assert_eq!(firsts, [1, 2], "{text}");
        }
        assert_eq!(batches(b"", Format::CloudTrail, 9), []);
    }

    proptest! {
        #[test]
        fn batches_of_lines_are_the_file_again(
            text in "([a-z]{0,9}\n?){0,40}",
            batch_bytes in 1_usize..30,
        ) {
            let batches = batches(text.as_bytes(), Format::Text, batch_bytes);
            let joined: String = batches.iter().map(|(_, batch)| batch.as_str()).collect();
            prop_assert_eq!(&joined, &text);
            let mut line = 1;
            for (at, (first, batch)) in batches.iter().enumerate() {
                prop_assert_eq!(*first, line);
                prop_assert!(batch.ends_with('\n') || at + 1 == batches.len());
                line += batch.matches('\n').count() as u64;
            }
        }
    }
}

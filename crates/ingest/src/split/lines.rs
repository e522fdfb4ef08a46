//! An event a line.

use crate::refusal::Refusal;

use super::Sink;
use super::carry::Carry;

/// Splits at line feeds. Blank lines are no events; a carriage return at the end of a line is not
/// part of it.
#[derive(Debug, Default)]
pub(crate) struct LineSplitter {
    carry: Carry,
    /// The complete lines so far.
    lines: u64,
}

impl LineSplitter {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(&mut self, piece: &[u8], sink: &mut impl Sink) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            self.end_line(&piece[start..end], sink);
            start = end + 1;
        }
        if start < piece.len() {
            self.carry.add(&piece[start..]);
        }
    }

    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        if !self.carry.is_empty() {
            self.end_line(b"", sink);
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.carry.size_bytes()
    }

    fn end_line(&mut self, last: &[u8], sink: &mut impl Sink) {
        self.lines += 1;
        let number = self.lines;
        self.carry.end(last, |line| match line {
            Ok(line) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !line.trim_ascii().is_empty() {
                    sink.take(number, Ok(line));
                }
            }
            Err(refusal) => sink.take(number, Err::<&[u8], Refusal>(refusal)),
        });
    }
}

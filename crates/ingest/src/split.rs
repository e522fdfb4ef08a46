//! Finding the events in a body that comes in pieces: where each begins and ends, without knowing
//! what it says. No more of the body is held than the event that is not complete yet.

mod array;
mod carry;
mod lines;
mod nesting;
mod objects;

use crate::refusal::Refusal;

use array::ArraySplitter;
use lines::LineSplitter;
use nesting::{Nesting, Step};
use objects::ObjectSplitter;

use ledgerline_model::limits;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Takes the events of a body one after the other.
pub(crate) trait Sink {
    /// Takes an event, or why there is none, at a line (in an array: a number) counted from 1.
    fn take(&mut self, line: u64, event: Result<&[u8], Refusal>);
}

/// Splits lines of text, or JSON in any of its layouts.
#[derive(Debug)]
pub(crate) enum Splitter {
    /// The first three bytes may be a byte order mark.
    Start {
        head: Vec<u8>,
        is_text: bool,
    },
    /// JSON whose layout is not known yet.
    Guess(Guess),
    Lines(LineSplitter),
    Objects(ObjectSplitter),
    Array(ArraySplitter),
}

impl Splitter {
    pub(crate) fn text() -> Self {
        Self::Start { head: Vec::new(), is_text: true }
    }

    pub(crate) fn json() -> Self {
        Self::Start { head: Vec::new(), is_text: false }
    }

    /// Takes the next piece of the body.
    pub(crate) fn push(&mut self, piece: &[u8], sink: &mut impl Sink) {
        match self {
            Self::Lines(lines) => lines.push(piece, sink),
            Self::Objects(objects) => objects.push(piece, sink),
            Self::Array(array) => array.push(piece, sink),
            Self::Start { head, .. } => {
                head.extend_from_slice(piece);
                if head.len() >= BOM.len() || !BOM.starts_with(head) {
                    self.begin(sink);
                }
            }
            Self::Guess(guess) => {
                guess.head.extend_from_slice(piece);
                self.decide(sink, false);
            }
        }
    }

    /// Ends the body.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) {
        if let Self::Start { .. } = self {
            self.begin(sink);
        }
        if let Self::Guess(_) = self {
            self.decide(sink, true);
        }
        match self {
            Self::Lines(lines) => lines.finish(sink),
            Self::Objects(objects) => objects.finish(sink),
            Self::Array(array) => array.finish(sink),
            Self::Start { .. } | Self::Guess(_) => {}
        }
    }

    /// Bytes of memory that it holds.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Start { head, .. } => head.capacity(),
            Self::Guess(guess) => guess.head.capacity(),
            Self::Lines(lines) => lines.size_bytes(),
            Self::Objects(objects) => objects.size_bytes(),
            Self::Array(array) => array.size_bytes(),
        }
    }

    fn begin(&mut self, sink: &mut impl Sink) {
        let Self::Start { head, is_text } = self else { return };
        let head = std::mem::take(head);
        *self = if *is_text { Self::Lines(LineSplitter::new()) } else { Self::Guess(Guess::new()) };
        self.push(head.strip_prefix(BOM).unwrap_or(&head), sink);
    }

    fn decide(&mut self, sink: &mut impl Sink, is_end: bool) {
        let Self::Guess(guess) = self else { return };
        let Some(layout) = guess.layout(is_end) else { return };
        let head = std::mem::take(&mut guess.head);
        *self = match layout {
            Layout::Lines => Self::Lines(LineSplitter::new()),
            Layout::Objects => Self::Objects(ObjectSplitter::new()),
            Layout::Array => Self::Array(ArraySplitter::new()),
        };
        self.push(&head, sink);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// An event a line.
    Lines,
    /// Objects one after the other, over several lines each or several on one line.
    Objects,
    /// One array of objects, or several.
    Array,
}

/// Guesses the layout of JSON by its first bytes: `[` begins an array. When the first line is a
/// complete object, or cannot be the beginning of one, every line is an event. Else objects may
/// begin and end anywhere.
#[derive(Debug)]
pub(crate) struct Guess {
    head: Vec<u8>,
    /// How much of the head was looked at.
    seen: usize,
    /// The object that the first line begins with.
    object: Option<Nesting>,
    is_object_complete: bool,
}

impl Guess {
    fn new() -> Self {
        Self { head: Vec::new(), seen: 0, object: None, is_object_complete: false }
    }

    fn layout(&mut self, is_end: bool) -> Option<Layout> {
        while let Some(byte) = self.head.get(self.seen).copied() {
            self.seen += 1;
            let layout = match &mut self.object {
                None => self.before_object(byte),
                Some(_) if self.is_object_complete => after_object(byte),
                Some(nesting) => match nesting.step(byte) {
                    _ if byte == b'\n' && nesting.was_in_text() => Some(Layout::Lines),
                    _ if byte == b'\n' => Some(Layout::Objects),
                    Step::Closed => {
                        self.is_object_complete = true;
                        None
                    }
                    Step::Inside | Step::Broken => None,
                },
            };
            if layout.is_some() {
                return layout;
            }
            if self.seen > limits::EVENT_BYTES_MAX {
                return Some(Layout::Objects);
            }
        }
        is_end.then_some(Layout::Lines)
    }

    fn before_object(&mut self, byte: u8) -> Option<Layout> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => None,
            b'[' => Some(Layout::Array),
            b'{' => {
                let mut nesting = Nesting::new();
                nesting.step(byte);
                self.object = Some(nesting);
                None
            }
            _ => Some(Layout::Lines),
        }
    }
}

fn after_object(byte: u8) -> Option<Layout> {
    match byte {
        b' ' | b'\t' | b'\r' => None,
        b'{' => Some(Layout::Objects),
        _ => Some(Layout::Lines),
    }
}

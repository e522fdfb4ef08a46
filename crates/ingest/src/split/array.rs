//! The items of a JSON array.

use crate::refusal::Refusal;

use super::Sink;
use super::carry::Carry;
use super::nesting::Nesting;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the array, or behind it.
    Outside,
    /// Behind `[`, where the array may end.
    First,
    /// Behind a comma.
    Next,
    /// In an item.
    Item,
    /// In something that is not an array; the rest of the body is passed over.
    Other,
}

/// Splits at the commas of an array. Whatever stands between two of them is one item. Behind one
/// array another may follow, and the items are counted on.
#[derive(Debug)]
pub(crate) struct ArraySplitter {
    carry: Carry,
    place: Place,
    nesting: Nesting,
    /// The items so far, the current one included.
    items: u64,
}

impl ArraySplitter {
    pub(super) fn new() -> Self {
        Self { carry: Carry::default(), place: Place::Outside, nesting: Nesting::new(), items: 0 }
    }

    pub(super) fn push(&mut self, piece: &[u8], sink: &mut impl Sink) {
        // Where in the piece the current item begins or goes on.
        let mut start = 0;
        let mut at = 0;
        while at < piece.len() {
            let byte = piece[at];
            if self.place == Place::Item {
                let skip = self.nesting.skip(&piece[at..]);
                if skip > 0 {
                    at += skip;
                    continue;
                }
                if self.is_end_of_item(byte) {
                    let number = self.items;
                    self.carry.end(&piece[start..at], |item| take_item(number, item, sink));
                    self.place = if byte == b',' { Place::Next } else { Place::Outside };
                } else {
                    self.nesting.step(byte);
                }
            } else {
                self.step_outside(byte, sink);
                if self.place == Place::Item {
                    start = at;
                }
            }
            at += 1;
        }
        if self.place == Place::Item {
            self.carry.add(&piece[start..]);
        }
    }

    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        match self.place {
            Place::Outside | Place::Other => {}
            Place::Item => {
                let number = self.items;
                self.carry.end(b"", |item| take_item(number, item, sink));
                self.refuse("the array is never closed", sink);
            }
            Place::First | Place::Next => self.refuse("the array is never closed", sink),
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.carry.size_bytes()
    }

    fn is_end_of_item(&self, byte: u8) -> bool {
        self.nesting.depth() == 0 && !self.nesting.is_in_text() && matches!(byte, b',' | b']')
    }

    fn step_outside(&mut self, byte: u8, sink: &mut impl Sink) {
        match (self.place, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') | (Place::Other, _) => {}
            (Place::Outside, b'[') => self.place = Place::First,
            (Place::Outside, _) => {
                self.refuse("an array is followed by something else", sink);
                self.place = Place::Other;
            }
            (Place::First, b']') => self.place = Place::Outside,
            (_, b']') => {
                self.refuse("an item is missing", sink);
                self.place = Place::Outside;
            }
            (_, b',') => {
                self.refuse("an item is missing", sink);
                self.place = Place::Next;
            }
            (_, _) => {
                self.items += 1;
                self.nesting = Nesting::new();
                self.nesting.step(byte);
                self.place = Place::Item;
            }
        }
    }

    /// Refuses an item that is not there.
    fn refuse(&mut self, reason: &str, sink: &mut impl Sink) {
        self.items += 1;
        sink.take(self.items, Err(Refusal::InvalidJson(reason.to_owned())));
    }
}

fn take_item(number: u64, item: Result<&[u8], Refusal>, sink: &mut impl Sink) {
    sink.take(number, item.map(<[u8]>::trim_ascii));
}

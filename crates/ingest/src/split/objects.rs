//! Objects one after the other, wherever they begin and end.

use crate::refusal::Refusal;

use super::Sink;
use super::carry::Carry;
use super::nesting::{Nesting, Step};

#[derive(Debug, Clone, Copy)]
enum Place {
    Between,
    /// In an object that began at this line.
    Object(Nesting, u64),
    /// In something else, which is refused at the end of its line.
    Other,
}

/// Splits behind every closing brace of an outermost object.
#[derive(Debug)]
pub(crate) struct ObjectSplitter {
    carry: Carry,
    place: Place,
    line: u64,
}

impl ObjectSplitter {
    pub(super) fn new() -> Self {
        Self { carry: Carry::default(), place: Place::Between, line: 1 }
    }

    pub(super) fn push(&mut self, piece: &[u8], sink: &mut impl Sink) {
        // Where in the piece the current object begins or goes on.
        let mut start = 0;
        let mut at = 0;
        while at < piece.len() {
            let byte = piece[at];
            match &mut self.place {
                Place::Object(nesting, line) => {
                    let skip = nesting.skip(&piece[at..]);
                    if skip > 0 {
                        at += skip;
                        continue;
                    }
                    match nesting.step(byte) {
                        Step::Inside => {}
                        Step::Closed => {
                            self.carry.end(&piece[start..=at], |object| sink.take(*line, object));
                            self.place = Place::Between;
                        }
                        Step::Broken => {
                            self.carry
                                .end(&piece[start..at], |_| sink.take(*line, Err(unclosed())));
                            self.begin(byte);
                            start = at;
                        }
                    }
                }
                Place::Between if byte == b'{' => {
                    self.begin(byte);
                    start = at;
                }
                Place::Between if byte.is_ascii_whitespace() => {}
                Place::Between => self.place = Place::Other,
                Place::Other if byte == b'\n' => {
                    sink.take(self.line, Err(Refusal::NotAnObject));
                    self.place = Place::Between;
                }
                Place::Other => {}
            }
            self.line += u64::from(byte == b'\n');
            at += 1;
        }
        if let Place::Object(..) = self.place {
            self.carry.add(&piece[start..]);
        }
    }

    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        match self.place {
            Place::Between => {}
            Place::Object(_, line) => self.carry.end(b"", |object| {
                sink.take(line, Err(object.err().unwrap_or_else(unclosed)));
            }),
            Place::Other => sink.take(self.line, Err(Refusal::NotAnObject)),
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.carry.size_bytes()
    }

    fn begin(&mut self, byte: u8) {
        let mut nesting = Nesting::new();
        nesting.step(byte);
        self.place = Place::Object(nesting, self.line);
    }
}

fn unclosed() -> Refusal {
    Refusal::InvalidJson("the object is never closed".to_owned())
}

//! How deep in objects, arrays and texts a place in JSON lies.

use memchr::memchr3;

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The value goes on.
    Inside,
    /// The byte closed the outermost object or array.
    Closed,
    /// The byte is a `{` where none can be: the object before it was never closed.
    Broken,
}

/// Follows brackets, quotes and escapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nesting {
    depth: u32,
    /// The innermost 64 levels, the lowest bit the innermost: 1 for an array.
    arrays: u64,
    is_in_text: bool,
    is_escaped: bool,
    /// The last byte outside of texts that was not a space.
    last: u8,
    was_in_text: bool,
}

impl Nesting {
    pub(super) fn new() -> Self {
        Self {
            depth: 0,
            arrays: 0,
            is_in_text: false,
            is_escaped: false,
            last: 0,
            was_in_text: false,
        }
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn is_in_text(&self) -> bool {
        self.is_in_text
    }

    /// Whether the last line feed lay in a text, where JSON allows none.
    pub(super) fn was_in_text(&self) -> bool {
        self.was_in_text
    }

    /// How many of the bytes can be passed over, as they change nothing.
    #[inline]
    pub(super) fn skip(&self, bytes: &[u8]) -> usize {
        if self.is_in_text && !self.is_escaped {
            memchr3(b'"', b'\\', b'\n', bytes).unwrap_or(bytes.len())
        } else {
            0
        }
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn step(&mut self, byte: u8) -> Step {
        if self.is_in_text {
            self.step_in_text(byte);
            return Step::Inside;
        }
        let last = self.last;
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        match byte {
            b'"' => self.is_in_text = true,
            b'{' | b'[' => {
                if byte == b'{' && !self.can_hold_object(last) {
                    return Step::Broken;
                }
                self.depth += 1;
                self.arrays = self.arrays << 1 | u64::from(byte == b'[');
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.arrays >>= 1;
                if self.depth == 0 {
                    return Step::Closed;
                }
            }
            b'\n' => self.was_in_text = false,
            _ => {}
        }
        Step::Inside
    }

    fn step_in_text(&mut self, byte: u8) {
        match byte {
            // A text cannot hold a line feed, so its closing quote is missing. To go on as if it
            // stood here keeps the events on the next lines whole.
            b'\n' => {
                self.is_in_text = false;
                self.is_escaped = false;
                self.was_in_text = true;
            }
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.is_in_text = false;
                self.last = byte;
            }
            _ => {}
        }
    }

    /// Whether an object can stand behind the byte `last`: at the top, behind a colon, or as an
    /// item of an array.
    fn can_hold_object(&self, last: u8) -> bool {
        let is_in_array = self.arrays & 1 == 1;
        self.depth == 0 || last == b':' || is_in_array && (last == b'[' || last == b',')
    }
}

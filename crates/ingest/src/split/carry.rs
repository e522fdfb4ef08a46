//! The beginning of an event that is not complete yet.

use ledgerline_model::limits;

use crate::refusal::Refusal;

/// Holds the beginning of an event until its end has come, and forgets events that are too long.
#[derive(Debug, Default)]
pub(super) struct Carry {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Carry {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_too_long
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds to the event.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.is_too_long {
            return;
        }
        if self.bytes.len() + bytes.len() > limits::EVENT_BYTES_MAX {
            self.is_too_long = true;
            self.bytes.clear();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Ends the event with its last bytes and hands it to `take`.
    #[inline]
    pub(super) fn end(&mut self, last: &[u8], take: impl FnOnce(Result<&[u8], Refusal>)) {
        if self.is_empty() && last.len() <= limits::EVENT_BYTES_MAX {
            return take(Ok(last));
        }
        self.add(last);
        if self.is_too_long {
            take(Err(Refusal::EventTooLarge));
        } else {
            take(Ok(&self.bytes));
        }
        self.bytes.clear();
        self.is_too_long = false;
    }
}

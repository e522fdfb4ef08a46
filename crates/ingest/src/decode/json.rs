//! The text of one JSON object to the fields of an event.

use std::fmt;

use ledgerline_model::limits;
use simd_json::{Buffers, ErrorType, INPUT_PADDING, Tape};

use crate::events::Events;
use crate::refusal::Refusal;

use super::flatten::Flattener;
use super::numbers;

/// Decodes one event after the other with the same memory.
pub(crate) struct JsonDecoder {
    input: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
    flattener: Flattener,
}

impl fmt::Debug for JsonDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonDecoder").finish_non_exhaustive()
    }
}

impl JsonDecoder {
    pub(crate) fn new() -> Self {
        Self {
            input: Vec::new(),
            buffers: Buffers::with_max_depth(0, limits::EVENT_DEPTH_MAX),
            tape: Tape(Vec::new()),
            flattener: Flattener::default(),
        }
    }

    /// Gives the current event what an object says.
    pub(crate) fn decode(&mut self, text: &[u8], events: &mut Events) -> Result<(), Refusal> {
        let mut tape: Tape<'_> = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        pad(&mut self.input, text);
        let parsed =
            simd_json::fill_tape_padded(&mut self.input, text.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => self.flattener.flatten(&tape.0, &[], events),
            Err(error) if *error.error() == ErrorType::InvalidNumber => {
                self.tape = tape.reset();
                return self.decode_large_numbers(text, events);
            }
            Err(error) => Err(refusal(&error)),
        };
        self.tape = tape.reset();
        result
    }

    /// Decodes an object in which a number may be larger than 64 bits or a double can hold: the
    /// parser is given a 0 instead, and the digits are put in its place afterwards.
    #[cold]
    fn decode_large_numbers(&mut self, text: &[u8], events: &mut Events) -> Result<(), Refusal> {
        pad(&mut self.input, text);
        let large = numbers::replace_large(&mut self.input[..text.len()]);
        let mut tape: Tape<'_> = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed =
            simd_json::fill_tape_padded(&mut self.input, text.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => {
                let places = numbers::put_back(&mut tape.0, &large);
                self.flattener.flatten(&tape.0, &places, events)
            }
            Err(error) => Err(refusal(&error)),
        };
        self.tape = tape.reset();
        result
    }
}

fn pad(input: &mut Vec<u8>, text: &[u8]) {
    input.clear();
    input.extend_from_slice(text);
    input.resize(text.len() + INPUT_PADDING, 0);
}

#[cold]
fn refusal(error: &simd_json::Error) -> Refusal {
    match error.error() {
        ErrorType::DepthLimitExceeded => Refusal::TooDeep,
        ErrorType::InvalidUtf8 if error.index() == 0 => Refusal::InvalidUtf8,
        kind => {
            Refusal::InvalidJson(format!("not valid JSON at byte {}: {kind:?}", error.index() + 1))
        }
    }
}

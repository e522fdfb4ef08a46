//! A body that comes in pieces to a batch.

use std::fmt;

use aws_lc_rs::digest;
use ledgerline_model::batch::Batch;
use ledgerline_model::convention::Conventions;
use ledgerline_model::time::Timestamp;

use crate::decode::json::JsonDecoder;
use crate::decode::text;
use crate::error::{Error, Reject};
use crate::events::Events;
use crate::inflate::{Encoding, Inflater};
use crate::refusal::Refusal;
use crate::split::{Sink, Splitter};

/// How a body is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON array of objects, one object, or objects one after the other (NDJSON): told apart by
    /// the first bytes.
    Json,
    /// A line of text an event; the whole line is the message.
    Text,
}

/// What all events of a request have in common.
#[derive(Debug, Clone)]
pub struct Reception {
    /// When they were received.
    pub received: Timestamp,
    /// Which keys mean what.
    pub conventions: Conventions,
    /// Whether the body's digest is wanted; it costs time.
    pub digest: bool,
}

/// The decoded body.
#[derive(Debug)]
pub struct Admitted {
    /// The events that were taken.
    pub batch: Batch,
    /// How many were not.
    pub rejected: u64,
    /// The first `limits::REJECTS_NAMED_MAX` of those.
    pub rejects: Vec<Reject>,
    /// SHA-256 over the decompressed body, where it was asked for.
    pub digest: Option<[u8; 32]>,
}

/// Takes a body piece by piece and never holds the whole of it.
///
/// A key of the sender that is also the name of something of ours (`_time`, `_seq`, `_received`,
/// and so on) is stored as it is; a query that uses the name means ours. An `_id` is the exception:
/// it is the sender's way to name an event, and becomes a text of 1 to `limits::ID_BYTES_MAX` bytes
/// or the event is refused.
#[derive(Debug)]
pub struct Admission {
    inflater: Inflater,
    body: Body,
    failed: Option<Error>,
}

impl Admission {
    /// Begins a body.
    #[must_use]
    pub fn new(format: Format, encoding: Encoding, reception: Reception) -> Self {
        let splitter = match format {
            Format::Json => Splitter::json(),
            Format::Text => Splitter::text(),
        };
        let taken = Taken { format, json: JsonDecoder::new(), events: Events::new(&reception) };
        let digest = reception.digest.then(|| digest::Context::new(&digest::SHA256));
        Self {
            inflater: Inflater::new(encoding),
            body: Body { splitter, taken, digest },
            failed: None,
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When the whole body is refused; every later call answers the same.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let Self { inflater, body, .. } = self;
        let result = inflater.push(piece, |bytes| body.push(bytes));
        self.failed = result.clone().err();
        result
    }

    /// About how many bytes of memory the events take that were read so far.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.body.taken.events.size_bytes() + self.body.splitter.size_bytes()
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When the whole body is refused.
    pub fn finish(self) -> Result<Admitted, Error> {
        let Self { mut inflater, mut body, failed } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        inflater.finish(|bytes| body.push(bytes))?;
        body.finish()
    }
}

/// A body after decompression.
struct Body {
    splitter: Splitter,
    taken: Taken,
    digest: Option<digest::Context>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Body {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        self.splitter.push(bytes, &mut self.taken);
        self.taken.events.check_size()
    }

    fn finish(mut self) -> Result<Admitted, Error> {
        self.splitter.finish(&mut self.taken);
        self.taken.events.check_size()?;
        Ok(admitted(self.taken.events, self.digest.map(digest::Context::finish)))
    }
}

/// The answer of events and a digest.
pub(crate) fn admitted(events: Events, digest: Option<digest::Digest>) -> Admitted {
    let (batch, rejected, rejects) = events.finish();
    let digest = digest
        .map(|digest| digest.as_ref().try_into().expect("the digest of SHA-256 has 32 bytes"));
    Admitted { batch, rejected, rejects, digest }
}

/// Decodes every event that the splitter finds.
#[derive(Debug)]
struct Taken {
    format: Format,
    json: JsonDecoder,
    events: Events,
}

impl Sink for Taken {
    fn take(&mut self, line: u64, event: Result<&[u8], Refusal>) {
        let decoded = event.and_then(|event| {
            match self.format {
                Format::Json => self.json.decode(event, &mut self.events),
                Format::Text => text::decode(event, &mut self.events),
            }?;
            Ok(event.len())
        });
        match decoded {
            Ok(bytes_in) => self.events.commit(bytes_in),
            Err(refusal) => self.events.reject(line, &refusal),
        }
    }
}

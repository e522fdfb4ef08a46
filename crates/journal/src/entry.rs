//! What a journal keeps of one commit, as bytes.
//!
//! ```text
//! entry = version u8 (1) | dataset u32 | first_seq u64 | rows u32 | duplicates u64 | received i64
//!       | id_base u128
//!       | has_key u8 (0, 1) | key mark u128 | key digest [32]  (mark and digest when it is 1)
//!       | ids u32 | id mark u128 × ids
//!       | packed u8 (0 as it is, 1 zstd) | plain_bytes u32
//!       | body: the rest, a batch as `model::batch::format` draws it
//! ```
//! Numbers are little-endian. The marks stand beside the batch so that a restart can remember them
//! without reading the batch.

use std::fmt;

use ledgerline_model::batch::{Batch, format};
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_model::time::Timestamp;
use parking_lot::Mutex;
use zstd::bulk::Compressor;

use crate::dedupe::{KeyMark, Mark};
use crate::error::{Error, ErrorKind, Result};
use crate::receipt::Receipt;

const VERSION: u8 = 1;
/// The longest body. A batch is bounded by `limits::BATCH_BYTES_MAX` as it was sent, and its
/// columns take little more than that; this bounds what a reader allocates.
pub(crate) const BODY_BYTES_MAX: usize = 512 << 20;
/// Below this the frame around a body weighs more than what compression saves.
const PACK_BYTES_MIN: usize = 512;
const PACK_LEVEL: i32 = 1;
/// More compressors than this are not kept; each holds about 1 MiB.
const PACKERS_MAX: usize = 4;

/// Everything about a commit but its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryHead {
    pub(crate) dataset: DatasetId,
    pub(crate) first_seq: Seq,
    pub(crate) rows: u32,
    pub(crate) duplicates: u64,
    pub(crate) received: Timestamp,
    pub(crate) id_base: u128,
    pub(crate) key: Option<KeyMark>,
    pub(crate) ids: Vec<Mark>,
}

impl EntryHead {
    /// What the sender is told.
    pub(crate) fn receipt(&self) -> Receipt {
        Receipt {
            first_seq: self.first_seq,
            stored: u64::from(self.rows),
            duplicates: self.duplicates,
            received: self.received,
            id_base: self.id_base,
            replayed: false,
        }
    }

    /// The number after the last event's.
    pub(crate) fn next_seq(&self) -> Seq {
        Seq(self.first_seq.0 + u64::from(self.rows))
    }

    /// Appends the entry.
    pub(crate) fn write(&self, out: &mut Vec<u8>, body: &Body) {
        out.push(VERSION);
        out.extend_from_slice(&self.dataset.0.to_le_bytes());
        out.extend_from_slice(&self.first_seq.0.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.duplicates.to_le_bytes());
        out.extend_from_slice(&self.received.0.to_le_bytes());
        out.extend_from_slice(&self.id_base.to_le_bytes());
        out.push(u8::from(self.key.is_some()));
        if let Some(key) = &self.key {
            out.extend_from_slice(&key.mark.to_le_bytes());
            out.extend_from_slice(&key.digest);
        }
        let ids = u32::try_from(self.ids.len()).expect("a batch has fewer than 2^32 events");
        out.extend_from_slice(&ids.to_le_bytes());
        self.ids.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
        out.push(u8::from(body.is_packed));
        out.extend_from_slice(&body.plain_bytes.to_le_bytes());
        out.extend_from_slice(&body.bytes);
    }
}

/// A batch as bytes, compressed where that pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    is_packed: bool,
    plain_bytes: u32,
}

impl Body {
    /// How many bytes it takes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The batch; nothing when the bytes are not one.
    pub(crate) fn open(&self) -> Option<Batch> {
        if !self.is_packed {
            return format::decode(&self.bytes).ok();
        }
        let plain_bytes = self.plain_bytes as usize;
        if plain_bytes > BODY_BYTES_MAX {
            return None;
        }
        let plain = zstd::bulk::decompress(&self.bytes, plain_bytes).ok()?;
        format::decode(&plain).ok().filter(|_| plain.len() == plain_bytes)
    }
}

/// Takes an entry apart; nothing when it is not one.
pub(crate) fn read(bytes: &[u8]) -> Option<(EntryHead, Body)> {
    let mut input = Input(bytes);
    if input.array()? != [VERSION] {
        return None;
    }
    let dataset = DatasetId(u32::from_le_bytes(input.array()?));
    let first_seq = Seq(u64::from_le_bytes(input.array()?));
    let rows = u32::from_le_bytes(input.array()?);
    first_seq.0.checked_add(u64::from(rows))?;
    let duplicates = u64::from_le_bytes(input.array()?);
    let received = Timestamp(i64::from_le_bytes(input.array()?));
    let id_base = u128::from_le_bytes(input.array()?);
    let key = match input.array()? {
        [0] => None,
        [1] => Some(KeyMark { mark: u128::from_le_bytes(input.array()?), digest: input.array()? }),
        _ => return None,
    };
    let count = u32::from_le_bytes(input.array()?) as usize;
    let ids = input.take(count.checked_mul(16)?)?;
    let ids = ids.chunks_exact(16).map(|id| {
        let id = id.try_into().expect("chunks of 16 bytes");
        u128::from_le_bytes(id)
    });
    let ids = ids.collect();
    let is_packed = match input.array()? {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    let plain_bytes = u32::from_le_bytes(input.array()?);
    let body = Body { bytes: input.0.to_vec(), is_packed, plain_bytes };
    let head = EntryHead { dataset, first_seq, rows, duplicates, received, id_base, key, ids };
    Some((head, body))
}

/// Bytes that are taken off the front.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

/// Makes bodies. Keeps a few compressors, which cost more to make than to use.
#[derive(Default)]
pub(crate) struct Packer {
    idle: Mutex<Vec<Compressor<'static>>>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer(..)")
    }
}

impl Packer {
    /// The batch as bytes.
    ///
    /// # Errors
    /// `Bug` when it is longer than any batch may be.
    pub(crate) fn pack(&self, batch: &Batch) -> Result<Body> {
        let plain = format::encode(batch);
        if plain.len() > BODY_BYTES_MAX {
            let what = format!("a batch of {} bytes is longer than a journal keeps", plain.len());
            return Err(Error::new(ErrorKind::Bug, what));
        }
        let plain_bytes = u32::try_from(plain.len()).expect("below the limit, which fits");
        let packed = if plain.len() < PACK_BYTES_MIN { None } else { self.compress(&plain) };
        Ok(match packed.filter(|packed| packed.len() < plain.len() / 8 * 7) {
            Some(bytes) => Body { bytes, is_packed: true, plain_bytes },
            None => Body { bytes: plain, is_packed: false, plain_bytes },
        })
    }

    fn compress(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let idle = self.idle.lock().pop();
        let mut compressor = match idle {
            Some(compressor) => compressor,
            None => Compressor::new(PACK_LEVEL).ok()?,
        };
        let packed = compressor.compress(plain).ok();
        let mut idle = self.idle.lock();
        if idle.len() < PACKERS_MAX {
            idle.push(compressor);
        }
        packed
    }
}

#[cfg(test)]
mod tests {
    use ledgerline_model::batch::{BatchBuilder, EventHead, Flags};
    use ledgerline_model::severity::Severity;
    use proptest::prelude::*;

    use super::*;

    fn batch(texts: &[String]) -> Batch {
        let mut builder = BatchBuilder::new(Timestamp(5));
        for text in texts {
            builder.str("text", text).expect("one key");
            let time = Timestamp(1);
            let severity = Severity::default();
            builder.commit(EventHead { time, severity, flags: Flags(0), bytes_in: text.len() });
        }
        builder.finish()
    }

    proptest! {
        #[test]
        fn entries_round_trip(
            texts in prop::collection::vec(".{0,200}", 0..20),
            numbers: (u32, u32, u32, u64, i64, u128),
            key in prop::option::of(any::<(u128, [u8; 32])>()),
            ids: Vec<u128>,
        ) {
            let batch = batch(&texts);
            let body = Packer::default().pack(&batch)?;
            let head = EntryHead {
                dataset: DatasetId(numbers.0),
                first_seq: Seq(u64::from(numbers.1) << 20),
                rows: numbers.2,
                duplicates: numbers.3,
                received: Timestamp(numbers.4),
                id_base: numbers.5,
                key: key.map(|(mark, digest)| KeyMark { mark, digest }),
                ids,
            };
            let mut bytes = Vec::new();
            head.write(&mut bytes, &body);
            let (head_again, body_again) = read(&bytes).expect("an entry");
            prop_assert_eq!(&head_again, &head);
            prop_assert_eq!(body_again.open(), Some(batch));
            for length in 0..bytes.len() - body.len() {
                prop_assert!(read(&bytes[..length]).is_none(), "cut to {} bytes", length);
            }
        }

        #[test]
        fn foreign_bytes_are_refused_quietly(bytes: Vec<u8>) {
            let mut bytes = bytes;
            if let Some((_, body)) = read(&bytes) {
                prop_assert!(body.open().is_none());
            }
            bytes.insert(0, VERSION);
            if let Some((_, body)) = read(&bytes) {
                prop_assert!(body.open().is_none());
            }
        }
    }
}

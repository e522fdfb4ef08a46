//! An entry of the log: what the tree commits to. It holds no payload, only the commitment to it,
//! so that a payload can be erased and every proof still holds.
//!
//! ```text
//! entry = "LLE1" | log_id [16] | seq u64 | received_ns u64 | event_id [16] | schema u32 = 1
//!       | kind u8 | payload_commit [32] | meta_len u16 | meta            (numbers big-endian)
//! kind  = 0 event | 1 amendment | 2 erasure | 3 key rotation | 4 retirement
//! meta  = a2 00 <text: dataset> 01 70 "application/json"        (deterministic CBOR, RFC 8949 §4.2)
//! ```

use crate::error::{Error, Result};
use crate::hash::{self, HASH_BYTES, Hash};
use crate::log_id::LogId;

/// The longest entry.
pub const ENTRY_BYTES_MAX: usize = 2048;

const MAGIC: &[u8] = b"LLE1";
const SCHEMA: u32 = 1;
/// Everything before the metadata.
const HEAD_BYTES: usize = 91;
/// The metadata around the name: the map, two keys, the name's longest head, the content type.
const META_FRAME_BYTES: usize = 23;
const DATASET_BYTES_MAX: usize = ENTRY_BYTES_MAX - HEAD_BYTES - META_FRAME_BYTES;
const CONTENT_TYPE: &[u8; 16] = b"application/json";

/// What an entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What somebody did.
    Event,
    /// An addition to an earlier event.
    Amendment,
    /// The payloads of earlier entries were erased.
    Erasure,
    /// From here on another key signs.
    KeyRotation,
    /// The payloads of earlier entries were removed because their time was over.
    Retirement,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Event, Self::Amendment, Self::Erasure, Self::KeyRotation, Self::Retirement];

    /// The kind's byte in an entry.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Event => 0,
            Self::Amendment => 1,
            Self::Erasure => 2,
            Self::KeyRotation => 3,
            Self::Retirement => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_byte() == byte)
    }
}

/// The name of a dataset as an entry carries it: text without control characters, 1 to 1,934 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dataset(String);

impl Dataset {
    /// Takes a name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when it is empty, too long, or has a control character.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let fits = (1..=DATASET_BYTES_MAX).contains(&name.len());
        if fits && !name.chars().any(char::is_control) {
            Ok(Self(name))
        } else {
            Err(Error::malformed("this name of a dataset does not go into an entry"))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The log that it belongs to.
    pub log_id: LogId,
    /// Its place in the log, from zero.
    pub seq: u64,
    /// When it was received, in nanoseconds since 1970.
    pub received_ns: u64,
    /// The id of the event: [`crate::commit::event_id`].
    pub event_id: [u8; 16],
    /// What it stands for.
    pub kind: Kind,
    /// The commitment to the payload: [`crate::commit::payload`].
    pub commit: Hash,
    /// The dataset that the log is of.
    pub dataset: Dataset,
}

impl Entry {
    /// The bytes of the entry: those that the tree's leaf is the hash of.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let meta = meta(&self.dataset);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + meta.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.log_id.0);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.received_ns.to_be_bytes());
        bytes.extend_from_slice(&self.event_id);
        bytes.extend_from_slice(&SCHEMA.to_be_bytes());
        bytes.push(self.kind.to_byte());
        bytes.extend_from_slice(&self.commit.0);
        let length = u16::try_from(meta.len()).expect("the name of a dataset is short");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&meta);
        bytes
    }

    /// Reads the bytes of one entry. There is one spelling of each: what is read would be written
    /// the same.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for all other bytes: another version or schema, an unknown
    /// kind, other metadata, something behind the end.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        let entry = decode_head(&mut rest).and_then(|entry| entry.with_dataset(rest));
        let entry = entry.ok_or_else(|| Error::malformed("these bytes are no entry"))?;
        // The name of the dataset is found by its place; everything around it is compared here.
        if entry.encode() == bytes {
            Ok(entry)
        } else {
            Err(Error::malformed("these bytes are no entry of this version"))
        }
    }

    /// The hash that the tree has for the entry.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        hash::leaf(&self.encode())
    }

    fn with_dataset(mut self, meta: &[u8]) -> Option<Self> {
        let name = match meta.get(2)? {
            head @ 0x60..=0x77 => meta.get(3..3 + usize::from(head - 0x60))?,
            0x78 => meta.get(4..4 + usize::from(*meta.get(3)?))?,
            _ => {
                let length = u16::from_be_bytes([*meta.get(3)?, *meta.get(4)?]);
                meta.get(5..5 + usize::from(length))?
            }
        };
        self.dataset = Dataset::new(String::from_utf8(name.to_vec()).ok()?).ok()?;
        Some(self)
    }
}

/// The fields before the metadata, the dataset still to come.
fn decode_head(rest: &mut &[u8]) -> Option<Entry> {
    take::<4>(rest)?;
    let log_id = LogId(take(rest)?);
    let seq = u64::from_be_bytes(take(rest)?);
    let received_ns = u64::from_be_bytes(take(rest)?);
    let event_id = take(rest)?;
    take::<4>(rest)?;
    let [kind] = take(rest)?;
    let kind = Kind::from_byte(kind)?;
    let commit = Hash(take::<HASH_BYTES>(rest)?);
    take::<2>(rest)?;
    let dataset = Dataset(String::new());
    Some(Entry { log_id, seq, received_ns, event_id, kind, commit, dataset })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

/// The metadata: the map {0: dataset, 1: content type}, every length in its shortest form.
fn meta(dataset: &Dataset) -> Vec<u8> {
    let name = dataset.0.as_bytes();
    let mut meta = vec![0xa2, 0x00];
    match u8::try_from(name.len()) {
        Ok(length @ 0..24) => meta.push(0x60 + length),
        Ok(length) => meta.extend_from_slice(&[0x78, length]),
        Err(_) => {
            let length = u16::try_from(name.len()).expect("the name of a dataset is short");
            meta.push(0x79);
            meta.extend_from_slice(&length.to_be_bytes());
        }
    }
    meta.extend_from_slice(name);
    meta.extend_from_slice(&[0x01, 0x70]);
    meta.extend_from_slice(CONTENT_TYPE);
    meta
}

#[cfg(test)]
mod tests;

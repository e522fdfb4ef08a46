//! Frames: what a journal's file is made of.
//!
//! ```text
//! frame  = header [22] | payload [len] | payload_crc32c u32
//! header = len u32 | type u8 | flags u8 (0) | epoch u32 | ordinal u64 | header_crc32c u32
//! ```
//! Numbers are little-endian. `len` counts the payload, which is sealed (AES-256-GCM, its tag at
//! its end) under the file's key with the ordinal as nonce. `epoch` is random for each file, so
//! that bytes of another file are never taken for this one's; `ordinal` counts the file's frames
//! from 0. The header has a checksum of its own, because without one its length cannot be trusted.
//! The payload's checksum is over its sealed bytes: it tells, without the key, whether they are
//! what was written.

use ledgerline_world::FrameKey;

/// Bytes before the payload.
pub(crate) const HEADER_BYTES: usize = 22;
/// Bytes after the payload.
pub(crate) const TRAILER_BYTES: usize = 4;
/// The longest payload. The longest entry is `BODY_BYTES_MAX` and the marks of its events' ids.
pub(crate) const PAYLOAD_BYTES_MAX: u32 = 2 << 30;
const CHECKED_BYTES: usize = HEADER_BYTES - 4;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FrameType {
    /// The first of a file.
    Begin = 1,
    /// One commit's entry.
    Entry = 2,
    /// The end of a group of entries, which without it do not count.
    Commit = 3,
    /// The end of a file.
    Seal = 4,
}

impl FrameType {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Begin, Self::Entry, Self::Commit, Self::Seal]
            .into_iter()
            .find(|frame_type| *frame_type as u8 == number)
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) payload_bytes: u32,
    pub(crate) frame_type: FrameType,
    pub(crate) epoch: u32,
    pub(crate) ordinal: u64,
}

impl Header {
    /// The header as bytes.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[4] = self.frame_type as u8;
        bytes[6..10].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[10..18].copy_from_slice(&self.ordinal.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKED_BYTES]);
        bytes[CHECKED_BYTES..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header that these bytes are; nothing when they are none.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (checked, checksum) = bytes.split_at(CHECKED_BYTES);
        if crc32c::crc32c(checked).to_le_bytes() != checksum {
            return None;
        }
        let payload_bytes = u32::from_le_bytes(bytes[..4].try_into().expect("4 bytes"));
        let frame_type = FrameType::from_number(bytes[4])?;
        let epoch = u32::from_le_bytes(bytes[6..10].try_into().expect("4 bytes"));
        let ordinal = u64::from_le_bytes(bytes[10..18].try_into().expect("8 bytes"));
        let is_allowed = bytes[5] == 0 && payload_bytes <= PAYLOAD_BYTES_MAX;
        is_allowed.then_some(Self { payload_bytes, frame_type, epoch, ordinal })
    }

    /// How long the whole frame is.
    pub(crate) fn frame_bytes(&self) -> u64 {
        u64::from(self.payload_bytes) + (HEADER_BYTES + TRAILER_BYTES) as u64
    }

    /// Whether bytes could be a header of a file with this epoch: a cheap first look.
    pub(crate) fn has_epoch(bytes: &[u8], epoch: u32) -> bool {
        bytes[6..10] == epoch.to_le_bytes()
    }
}

/// Appends a frame whose payload `write` appends.
pub(crate) fn push(
    out: &mut Vec<u8>,
    key: &FrameKey,
    (frame_type, epoch, ordinal): (FrameType, u32, u64),
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let payload = start + HEADER_BYTES;
    write(out);
    key.seal(ordinal, out, payload);
    let payload_bytes = u32::try_from(out.len() - payload)
        .ok()
        .filter(|bytes| *bytes <= PAYLOAD_BYTES_MAX)
        .expect("an entry is bounded far below the longest payload");
    let header = Header { payload_bytes, frame_type, epoch, ordinal };
    out[start..payload].copy_from_slice(&header.encode());
    let checksum = crc32c::crc32c(&out[payload..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn headers_round_trip_and_show_every_flipped_bit(
            payload_bytes in 0..=PAYLOAD_BYTES_MAX,
            epoch: u32,
            ordinal: u64,
        ) {
            let header = Header { payload_bytes, frame_type: FrameType::Entry, epoch, ordinal };
            let bytes = header.encode();
            prop_assert_eq!(Header::parse(&bytes), Some(header));
            prop_assert!(Header::has_epoch(&bytes, epoch));
            for bit in 0..HEADER_BYTES * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(Header::parse(&flipped), None);
            }
        }
    }
}

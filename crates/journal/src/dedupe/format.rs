//! The keys and ids as bytes, written before the journal forgets the commits that carry them. The
//! keys come first; a reader takes them in any order.
//!
//! ```text
//! dedupe     = version u8 (1) | covered u64 | commits u32 | remembered*
//! remembered = stamp i64
//!            | has_key u8 (0, 1) | mark u128 | digest [32] | first_seq u64 | stored u64
//!              | duplicates u64 | received i64 | id_base u128      (mark to id_base when it is 1)
//!            | ids u32 | id mark u128 × ids
//! ```
//! Numbers are little-endian.

use std::ops::Range;
use std::sync::Arc;

use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;

use super::{Answer, Dedupe, Mark};
use crate::committed::Position;
use crate::entry::Input;
use crate::receipt::Receipt;

const VERSION: u8 = 1;
/// Where the number of commits stands.
const COMMITS: Range<usize> = 9..13;
/// How many bytes a key takes.
pub(super) const KEY_BYTES: usize = 8 + 1 + 16 + 32 + 8 + 8 + 8 + 8 + 16 + 4;
/// How many keys, or commits with ids, are copied at once: whoever appends waits as long.
const SLICE: usize = 1024;

/// The keys and ids as bytes, copied slice after slice, so that nobody waits for all of them.
/// What is remembered after the first slice is left out, and what is forgotten meanwhile may be.
#[derive(Debug)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    commits: usize,
    keys: Range<u64>,
    ids: Range<u64>,
}

impl Kept {
    /// Begins with nothing.
    pub(crate) fn new(dedupe: &Dedupe) -> Self {
        let mut bytes = Vec::with_capacity(dedupe.kept_bytes() as usize + 64);
        bytes.push(VERSION);
        bytes.extend_from_slice(&dedupe.covered.0.to_le_bytes());
        bytes.extend_from_slice(&[0; COMMITS.end - COMMITS.start]);
        Self {
            bytes,
            commits: 0,
            keys: dedupe.key_order.left..dedupe.key_order.end(),
            ids: dedupe.id_order.left..dedupe.id_order.end(),
        }
    }

    /// Takes the next slice; nothing when there is none.
    pub(crate) fn slice(&mut self, dedupe: &Dedupe) -> Option<Slice> {
        let mut slice = Slice { keys: Vec::new(), ids: Vec::new() };
        let before = (self.keys.start, self.ids.start);
        let keys = dedupe.key_order.from(self.keys.start);
        for (number, (stamp_ns, mark)) in keys.take(SLICE) {
            if number >= self.keys.end {
                break;
            }
            self.keys.start = number + 1;
            slice.keys.extend(dedupe.keys.get(mark).map(|answer| (*stamp_ns, *mark, *answer)));
        }
        if self.keys.start == before.0 {
            let ids = dedupe.id_order.from(self.ids.start);
            for (number, (stamp_ns, ids)) in ids.take(SLICE) {
                if number >= self.ids.end {
                    break;
                }
                self.ids.start = number + 1;
                let gone = if number == dedupe.id_order.left { dedupe.oldest_gone } else { 0 };
                slice.ids.push((*stamp_ns, gone, Arc::clone(ids)));
            }
        }
        ((self.keys.start, self.ids.start) != before).then_some(slice)
    }

    /// Appends a slice.
    pub(crate) fn put(&mut self, slice: Slice) {
        let out = &mut self.bytes;
        self.commits += slice.keys.len() + slice.ids.len();
        for (stamp_ns, mark, answer) in slice.keys {
            out.extend_from_slice(&stamp_ns.to_le_bytes());
            out.push(1);
            out.extend_from_slice(&mark.to_le_bytes());
            out.extend_from_slice(&answer.digest);
            put_receipt(out, &answer.receipt);
            put_count(out, 0);
        }
        for (stamp_ns, gone, ids) in slice.ids {
            out.extend_from_slice(&stamp_ns.to_le_bytes());
            out.push(0);
            put_count(out, ids.len() - gone);
            ids[gone..].iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
        }
    }

    /// All slices.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let commits = u32::try_from(self.commits).expect("bounded by what is remembered");
        self.bytes[COMMITS].copy_from_slice(&commits.to_le_bytes());
        self.bytes
    }
}

/// Some keys, or the ids of some commits and how many of them are left out.
#[derive(Debug)]
pub(crate) struct Slice {
    keys: Vec<(i64, Mark, Answer)>,
    ids: Vec<(i64, usize, Arc<[Mark]>)>,
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("bounded by the most keys that are remembered");
    out.extend_from_slice(&count.to_le_bytes());
}

fn put_receipt(out: &mut Vec<u8>, receipt: &Receipt) {
    out.extend_from_slice(&receipt.first_seq.0.to_le_bytes());
    out.extend_from_slice(&receipt.stored.to_le_bytes());
    out.extend_from_slice(&receipt.duplicates.to_le_bytes());
    out.extend_from_slice(&receipt.received.0.to_le_bytes());
    out.extend_from_slice(&receipt.id_base.to_le_bytes());
}

/// The keys and ids that these bytes hold; nothing when they are not that.
pub(crate) fn decode(bytes: &[u8]) -> Option<Dedupe> {
    let mut input = Input(bytes);
    if input.array()? != [VERSION] {
        return None;
    }
    let mut dedupe =
        Dedupe { covered: Position(u64::from_le_bytes(input.array()?)), ..Dedupe::default() };
    let commits = u32::from_le_bytes(input.array()?);
    for _ in 0..commits {
        take_remembered(&mut input, &mut dedupe)?;
    }
    input.0.is_empty().then_some(dedupe)
}

fn take_remembered(input: &mut Input<'_>, dedupe: &mut Dedupe) -> Option<()> {
    let stamp_ns = i64::from_le_bytes(input.array()?);
    match input.array()? {
        [0] => {}
        [1] => {
            let mark = u128::from_le_bytes(input.array()?);
            let answer = Answer { digest: input.array()?, receipt: take_receipt(input)? };
            dedupe.put_key(stamp_ns, mark, answer);
        }
        _ => return None,
    }
    let count = u32::from_le_bytes(input.array()?) as usize;
    let ids = input.take(count.checked_mul(16)?)?.chunks_exact(16);
    let ids = ids.map(|id| u128::from_le_bytes(id.try_into().expect("chunks of 16 bytes")));
    if count > 0 {
        dedupe.put_ids(stamp_ns, ids.collect());
    }
    Some(())
}

fn take_receipt(input: &mut Input<'_>) -> Option<Receipt> {
    Some(Receipt {
        first_seq: Seq(u64::from_le_bytes(input.array()?)),
        stored: u64::from_le_bytes(input.array()?),
        duplicates: u64::from_le_bytes(input.array()?),
        received: Timestamp(i64::from_le_bytes(input.array()?)),
        id_base: u128::from_le_bytes(input.array()?),
        replayed: false,
    })
}

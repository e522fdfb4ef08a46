//! The keys and ids as bytes, written before the journal forgets the commits that carry them.
//!
//! ```text
//! dedupe     = version u8 (1) | covered u64 | commits u32 | remembered*
//! remembered = stamp i64
//!            | has_key u8 (0, 1) | mark u128 | digest [32] | first_seq u64 | stored u64
//!              | duplicates u64 | received i64 | id_base u128      (mark to id_base when it is 1)
//!            | ids u32 | id mark u128 × ids
//! ```
//! Numbers are little-endian.

use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;

use super::{Answer, Dedupe, Remembered};
use crate::committed::Position;
use crate::entry::Input;
use crate::receipt::Receipt;

const VERSION: u8 = 1;

/// The keys and ids as bytes.
pub(crate) fn encode(dedupe: &Dedupe) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 * dedupe.ids.len() + 112 * dedupe.keys.len() + 64);
    out.push(VERSION);
    out.extend_from_slice(&dedupe.covered.0.to_le_bytes());
    put_count(&mut out, dedupe.order.len());
    for remembered in &dedupe.order {
        out.extend_from_slice(&remembered.stamp_ns.to_le_bytes());
        let answer = remembered.key.and_then(|mark| Some((mark, dedupe.keys.get(&mark)?)));
        out.push(u8::from(answer.is_some()));
        if let Some((mark, answer)) = answer {
            out.extend_from_slice(&mark.to_le_bytes());
            out.extend_from_slice(&answer.digest);
            put_receipt(&mut out, &answer.receipt);
        }
        put_count(&mut out, remembered.ids.len());
        remembered.ids.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
    }
    out
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
        let remembered = take_remembered(&mut input, &mut dedupe)?;
        dedupe.count += remembered.count();
        dedupe.ids.extend(&remembered.ids);
        dedupe.order.push_back(remembered);
    }
    input.0.is_empty().then_some(dedupe)
}

fn take_remembered(input: &mut Input<'_>, dedupe: &mut Dedupe) -> Option<Remembered> {
    let stamp_ns = i64::from_le_bytes(input.array()?);
    let key = match input.array()? {
        [0] => None,
        [1] => {
            let mark = u128::from_le_bytes(input.array()?);
            let answer = Answer { digest: input.array()?, receipt: take_receipt(input)? };
            dedupe.keys.insert(mark, answer);
            Some(mark)
        }
        _ => return None,
    };
    let count = u32::from_le_bytes(input.array()?) as usize;
    let ids = input.take(count.checked_mul(16)?)?.chunks_exact(16);
    let ids = ids.map(|id| u128::from_le_bytes(id.try_into().expect("chunks of 16 bytes")));
    Some(Remembered { stamp_ns, key, ids: ids.collect() })
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

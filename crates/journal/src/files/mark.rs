//! What the frames say that carry no events: where a file begins, where a group ends, where a file
//! ends.
//!
//! ```text
//! begin    = version u8 (1) | first u64 | chain [32] | has_before u8 (0, 1)
//!          | before first u64 | before end u64                        (when has_before is 1)
//! commit   = entries u32 | synced u64 | position u64 | chain [32]
//! seal     = end u64 | position u64 | chain [32]
//! ```
//! Numbers are little-endian. `first` is the position of the file's first commit, `position` that
//! after the last one so far. `before` names the file that this one continues, and where that one's
//! last group ended: all of it up to there was durable, and nothing after it counts. `synced` is
//! where the group begins: all before was durable when it was written. `chain` is SHA-256 over the
//! chain before and, of each entry frame of the group, header and payload; it runs on from file to
//! file.

use aws_lc_rs::digest::{Context, SHA256};

use crate::committed::Position;
use crate::entry::Input;

const VERSION: u8 = 1;

/// What every group is chained by.
pub(crate) type Chain = [u8; 32];

/// Makes the chain after a group of the one before it and of the group's entry frames.
pub(crate) struct Chaining(Context);

impl Chaining {
    pub(crate) fn new(before: &Chain) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(before);
        Self(context)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn end(self) -> Chain {
        self.0.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

/// The end of a file that another continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) first: Position,
    pub(crate) end: u64,
}

/// Where a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin {
    pub(crate) first: Position,
    pub(crate) chain: Chain,
    pub(crate) before: Option<Before>,
}

/// Where a group ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) entries: u32,
    pub(crate) synced: u64,
    pub(crate) position: Position,
    pub(crate) chain: Chain,
}

/// Where a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) end: u64,
    pub(crate) position: Position,
    pub(crate) chain: Chain,
}

impl Begin {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(&self.first.0.to_le_bytes());
        out.extend_from_slice(&self.chain);
        out.push(u8::from(self.before.is_some()));
        if let Some(before) = &self.before {
            out.extend_from_slice(&before.first.0.to_le_bytes());
            out.extend_from_slice(&before.end.to_le_bytes());
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        if input.array()? != [VERSION] {
            return None;
        }
        let first = Position(u64::from_le_bytes(input.array()?));
        let chain = input.array()?;
        let before = match input.array()? {
            [0] => None,
            [1] => Some(Before {
                first: Position(u64::from_le_bytes(input.array()?)),
                end: u64::from_le_bytes(input.array()?),
            }),
            _ => return None,
        };
        input.0.is_empty().then_some(Self { first, chain, before })
    }
}

impl Commit {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.entries.to_le_bytes());
        out.extend_from_slice(&self.synced.to_le_bytes());
        out.extend_from_slice(&self.position.0.to_le_bytes());
        out.extend_from_slice(&self.chain);
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let entries = u32::from_le_bytes(input.array()?);
        let synced = u64::from_le_bytes(input.array()?);
        let position = Position(u64::from_le_bytes(input.array()?));
        let chain = input.array()?;
        input.0.is_empty().then_some(Self { entries, synced, position, chain })
    }
}

impl Seal {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.end.to_le_bytes());
        out.extend_from_slice(&self.position.0.to_le_bytes());
        out.extend_from_slice(&self.chain);
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let end = u64::from_le_bytes(input.array()?);
        let position = Position(u64::from_le_bytes(input.array()?));
        let chain = input.array()?;
        input.0.is_empty().then_some(Self { end, position, chain })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_round_trip(numbers: [u64; 3], chain: Chain, has_before: bool, entries: u32) {
            let [a, b, c] = numbers;
            let before = has_before.then_some(Before { first: Position(b), end: c });
            let begin = Begin { first: Position(a), chain, before };
            let commit = Commit { entries, synced: a, position: Position(b), chain };
            let seal = Seal { end: a, position: Position(b), chain };
            let (mut begins, mut commits, mut seals) = (Vec::new(), Vec::new(), Vec::new());
            begin.write(&mut begins);
            commit.write(&mut commits);
            seal.write(&mut seals);
            prop_assert_eq!(Begin::read(&begins), Some(begin));
            prop_assert_eq!(Commit::read(&commits), Some(commit));
            prop_assert_eq!(Seal::read(&seals), Some(seal));
            prop_assert_eq!(Begin::read(&begins[1..]), None);
            prop_assert_eq!(Commit::read(&commits[1..]), None);
            prop_assert_eq!(Seal::read(&seals[1..]), None);
        }
    }
}

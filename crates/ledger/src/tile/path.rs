//! Which tile of a level, as part of a path.

use super::TILE_WIDTH;
use crate::error::{Error, Result};
use crate::text;

/// The place of a tile or a bundle within its level, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    index: u64,
    width: u16,
}

impl TileId {
    /// The tile `index` of a level with so many hashes; nothing when the level does not reach it.
    #[must_use]
    pub fn of(index: u64, hashes: u64) -> Option<Self> {
        let behind = hashes.checked_sub(index.checked_mul(TILE_WIDTH)?)?;
        let width = u16::try_from(behind.min(TILE_WIDTH)).expect("at most 256");
        (width > 0).then_some(Self { index, width })
    }

    /// The tiles of a level with `to` hashes that it has not with `from` hashes.
    pub(super) fn written(from: u64, to: u64) -> impl Iterator<Item = Self> {
        let last = if from < to { to.div_ceil(TILE_WIDTH) } else { 0 };
        (from / TILE_WIDTH..last).filter_map(move |index| Self::of(index, to))
    }

    /// Which tile of its level.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has: 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it can grow no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The first hash or entry of it, counted within the level.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    /// `x001/x234/067`, and `.p/<width>` behind it when it is not full.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        if !self.is_full() {
            path.push_str(&format!(".p/{}", self.width));
        }
        path
    }

    /// Reads what [`TileId::path`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for every other text, and for an index whose entries have
    /// no 64-bit number.
    pub fn parse(path: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not the path of a tile");
        let (digits, width) = match path.split_once(".p/") {
            Some((digits, width)) => (digits, text::parse_decimal(width).map_err(|_| wrong())?),
            None => (path, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for group in digits.split('/') {
            let group = group.strip_prefix('x').unwrap_or(group);
            let group = group.parse::<u64>().map_err(|_| wrong())?;
            let sum = index.checked_mul(1000).and_then(|index| index.checked_add(group));
            index = sum.ok_or_else(wrong)?;
        }
        let end = index.checked_mul(TILE_WIDTH).and_then(|first| first.checked_add(width));
        let id = end.and_then(|end| Self::of(index, end)).ok_or_else(wrong)?;
        if id.path() == path { Ok(id) } else { Err(wrong()) }
    }
}

//! The tree in files of 256 hashes, and the entries in bundles of 256, as C2SP tlog-tiles has them.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         hashes of the nodes (8·L, 256·N) … one after another, 32 bytes each
//! tile/entries/<N>[.p/<W>]     entries 256·N …, each with its length before it as u16 big-endian
//! N = x001/x234/067            groups of three digits, all but the last with an x
//! ```

mod path;

pub use path::TileId;

use crate::error::{Error, Result};
use crate::hash::{HASH_BYTES, Hash, node};
use crate::tree::Nodes;

/// How many hashes or entries a full tile or bundle has.
pub const TILE_WIDTH: u64 = 256;

/// One tile of hashes, of a certain width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// The level of the tile: its hashes are nodes of the level `8 · level`.
    pub level: u8,
    /// Which, and how wide.
    pub id: TileId,
}

impl Tile {
    /// The path of the tile below the log's prefix.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.id.path())
    }

    /// Reads what [`Tile::path`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for every other text.
    pub fn parse(path: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not the path of a tile");
        let rest = path.strip_prefix("tile/").ok_or_else(wrong)?;
        let (level, id) = rest.split_once('/').ok_or_else(wrong)?;
        let level = crate::text::parse_decimal(level).map_err(|_| wrong())?;
        let level = u8::try_from(level).ok().filter(|level| *level < 64).ok_or_else(wrong)?;
        Ok(Self { level, id: TileId::parse(id)? })
    }

    /// The tile of a tree of `size` leaves that a node is computed from, and the first of the
    /// tile's hashes below the node, of which there are `2^(level mod 8)`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotIncluded`] when the tree has no such complete node.
    pub fn of_node(level: u8, index: u64, size: u64) -> Result<(Self, usize)> {
        let missing = || Error::not_included(format!("node {index} of level {level} is not there"));
        let end = index.checked_add(1).ok_or_else(missing)?;
        let nodes = size.checked_shr(u32::from(level)).unwrap_or(0);
        if end > nodes {
            return Err(missing());
        }
        let first = index << (level % 8);
        let level = level / 8;
        let id = TileId::of(first / TILE_WIDTH, hashes_at(level, size));
        let id = id.expect("the node's first hash is within the tree");
        Ok((Self { level, id }, (first % TILE_WIDTH) as usize))
    }
}

/// One bundle of entries, of a certain width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle(pub TileId);

impl Bundle {
    /// The path of the bundle below the log's prefix.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/entries/{}", self.0.path())
    }

    /// Reads what [`Bundle::path`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for every other text.
    pub fn parse(path: &str) -> Result<Self> {
        let id = path.strip_prefix("tile/entries/");
        let id = id.ok_or_else(|| Error::malformed("this is not the path of a bundle"))?;
        Ok(Self(TileId::parse(id)?))
    }
}

/// How many hashes all tiles of a level hold for a tree of `size` leaves.
#[must_use]
pub fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The tiles that a tree of `to` leaves has and a tree of `from` leaves has not, from the lowest
/// level up: what must be written when a log grows. From zero, all tiles of the tree.
pub fn tiles_written(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..8).take_while(move |level| hashes_at(*level, to) > 0);
    levels.flat_map(move |level| {
        TileId::written(hashes_at(level, from), hashes_at(level, to))
            .map(move |id| Tile { level, id })
    })
}

/// The bundles that a log of `to` entries has and a log of `from` entries has not.
pub fn bundles_written(from: u64, to: u64) -> impl Iterator<Item = Bundle> {
    TileId::written(from, to).map(Bundle)
}

/// The hash of a node from the bytes of its tile, as [`Tile::of_node`] found it.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] when the tile is shorter.
pub fn node_in_tile(tile: &[u8], first: usize, level: u8) -> Result<Hash> {
    let hashes = 1 << (level % 8);
    let bytes = tile.get(first * HASH_BYTES..(first + hashes) * HASH_BYTES);
    let bytes = bytes.ok_or_else(|| Error::malformed("a tile is shorter than it should be"))?;
    let (chunks, _) = bytes.as_chunks::<HASH_BYTES>();
    let mut row: Vec<Hash> = chunks.iter().map(|chunk| Hash(*chunk)).collect();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
    }
    Ok(row[0])
}

/// Nodes read from the tiles of a tree of a certain size.
pub struct TileNodes<F> {
    size: u64,
    read: F,
}

impl<F: Fn(&Tile) -> Result<Vec<u8>>> TileNodes<F> {
    /// Reads the nodes of a tree of `size` leaves from its tiles, whose bytes `read` answers.
    pub fn new(size: u64, read: F) -> Self {
        Self { size, read }
    }
}

impl<F> std::fmt::Debug for TileNodes<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TileNodes").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<F: Fn(&Tile) -> Result<Vec<u8>>> Nodes for TileNodes<F> {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        let (tile, first) = Tile::of_node(level, index, self.size)?;
        node_in_tile(&(self.read)(&tile)?, first, level).map_err(|error| error.about(tile.path()))
    }
}

/// Appends an entry to the bytes of a bundle.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] when the entry is longer than a bundle can say.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<()> {
    let length = u16::try_from(entry.len())
        .map_err(|_| Error::malformed("an entry of a bundle has at most 65,535 bytes"))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] when an entry is cut short.
pub fn entries(mut bundle: &[u8]) -> Result<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or_else(cut_short)?;
        entries.push(entry);
        bundle = rest;
    }
    if bundle.is_empty() { Ok(entries) } else { Err(cut_short()) }
}

fn cut_short() -> Error {
    Error::malformed("a bundle of entries is cut short")
}

#[cfg(test)]
mod tests;

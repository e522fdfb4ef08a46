//! A whole ledger in a folder, as it is served: every tile is computed anew from the entries.

use std::collections::BTreeMap;

use ledgerline_ledger::checkpoint::Origin;
use ledgerline_ledger::entry::Entry;
use ledgerline_ledger::hash::{HASH_BYTES, Hash};
use ledgerline_ledger::note::{NOTE_BYTES_MAX, SignedNote};
use ledgerline_ledger::policy::Policy;
use ledgerline_ledger::tile::{
    Bundle, TILE_WIDTH, Tile, TileId, bundles_written, entries, hashes_at,
};
use ledgerline_ledger::tree::Frontier;
use ledgerline_ledger::{Error, ErrorKind, Result};

use crate::event::describe_checkpoint;
use crate::outcome::Outcome;

/// The largest file of a ledger: a bundle of the longest entries is smaller.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Where the files of a ledger are read from. Paths have `/` between their parts.
pub trait Folder {
    /// The bytes of a file of at most so many bytes; nothing when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read or is larger.
    fn read(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>>;

    /// Shows the path of each file below a folder.
    ///
    /// # Errors
    /// When it cannot be listed, and those of `show`.
    fn walk(&self, path: &str, show: &mut dyn FnMut(&str) -> Result<()>) -> Result<()>;
}

/// Checks a ledger: `checkpoint`, and below `tile/` everything that a log of the checkpoint's size
/// serves and nothing that it does not.
#[must_use]
pub fn ledger(folder: &dyn Folder, policy: &Policy) -> Outcome {
    check(folder, policy).into()
}

fn differ<T>(what: impl Into<std::borrow::Cow<'static, str>>) -> Result<T> {
    Err(Error::new(ErrorKind::NotIncluded, what))
}

fn missing(path: &str) -> Error {
    Error::new(ErrorKind::Incomplete, format!("the file {path} is missing"))
}

fn check(folder: &dyn Folder, policy: &Policy) -> Result<Outcome> {
    let note = folder.read("checkpoint", NOTE_BYTES_MAX)?.ok_or_else(|| missing("checkpoint"))?;
    let opened = policy.open(&SignedNote::parse(&note)?)?;
    let origin: Origin = opened.checkpoint.origin.parse()?;
    let head = &opened.checkpoint.head;
    let mut walk = Walk { folder, origin, frontier: Frontier::new(), levels: BTreeMap::new() };
    for bundle in bundles_written(0, head.size) {
        walk.take(bundle)?;
    }
    walk.check_last_tiles(head.size)?;
    if walk.frontier.root() != head.root {
        let what = "the entries lead to another root than the checkpoint's";
        return Err(Error::new(ErrorKind::Inconsistent, what));
    }
    let size = head.size;
    folder.walk("tile", &mut |path| check_belongs(path, size))?;
    let (text, size) = (describe_checkpoint(&opened), head.size);
    Ok(Outcome::sound(format!("COMPLETE\nall {size} entries and every tile over them\n{text}")))
}

/// Whether a file is one that a log of this size has served once.
fn check_belongs(path: &str, size: u64) -> Result<()> {
    let (id, hashes) = match (Bundle::parse(path), Tile::parse(path)) {
        (Ok(Bundle(id)), _) => (id, size),
        (_, Ok(tile)) => (tile.id, hashes_at(tile.level, size)),
        _ => return differ(format!("the file {path:?} does not belong to a ledger")),
    };
    if id.first() + u64::from(id.width()) <= hashes {
        Ok(())
    } else {
        differ(format!("the file {path:?} goes beyond the checkpoint"))
    }
}

/// The way through the entries.
struct Walk<'a> {
    folder: &'a dyn Folder,
    origin: Origin,
    frontier: Frontier,
    /// The tile of each level that is being filled: its number and its hashes.
    levels: BTreeMap<u8, (u64, Vec<u8>)>,
}

impl Walk<'_> {
    /// Checks the entries of a bundle, and the tiles that they fill.
    fn take(&mut self, bundle: Bundle) -> Result<()> {
        let path = bundle.path();
        let bytes = self.folder.read(&path, FILE_BYTES_MAX)?.ok_or_else(|| missing(&path))?;
        let entries = entries(&bytes).map_err(|error| error.about(&path))?;
        if entries.len() != usize::from(bundle.0.width()) {
            return differ(format!("the bundle {path} has another number of entries"));
        }
        let mut full = Vec::new();
        let mut ends = Vec::new();
        let mut end = 0;
        for bytes in entries {
            let entry = Entry::decode(bytes).map_err(|error| error.about(&path))?;
            if entry.seq != self.frontier.size() || entry.log_id != self.origin.log_id() {
                return differ(format!("an entry of {path} is of another place or log"));
            }
            self.append(&entry, &mut full);
            end += 2 + bytes.len();
            ends.push(end);
        }
        for (tile, hashes) in full {
            self.check_tile(tile, &hashes)?;
        }
        self.check_earlier(bundle.0, |id| Bundle(id).path(), |width| &bytes[..ends[width - 1]])
    }

    fn append(&mut self, entry: &Entry, full: &mut Vec<(Tile, Vec<u8>)>) {
        let levels = &mut self.levels;
        self.frontier.append_visiting(entry.leaf(), |level, index, Hash(hash)| {
            if level % 8 != 0 {
                return;
            }
            let (number, hashes) = levels.entry(level / 8).or_default();
            hashes.extend_from_slice(&hash);
            if (index + 1) % TILE_WIDTH == 0 {
                let id = TileId::of(*number, index + 1).expect("the tile is full");
                full.push((Tile { level: level / 8, id }, std::mem::take(hashes)));
                *number += 1;
            }
        });
    }

    /// Checks the tiles that are not full at the end.
    fn check_last_tiles(&mut self, size: u64) -> Result<()> {
        for (level, (number, hashes)) in std::mem::take(&mut self.levels) {
            if let Some(id) = TileId::of(number, hashes_at(level, size)) {
                self.check_tile(Tile { level, id }, &hashes)?;
            }
        }
        Ok(())
    }

    fn check_tile(&self, tile: Tile, hashes: &[u8]) -> Result<()> {
        let path = tile.path();
        let bytes = self.folder.read(&path, FILE_BYTES_MAX)?.ok_or_else(|| missing(&path))?;
        if bytes != hashes {
            return differ(format!("the tile {path} has other hashes than the entries"));
        }
        let path = |id| Tile { level: tile.level, id }.path();
        self.check_earlier(tile.id, path, |width| &hashes[..width * HASH_BYTES])
    }

    /// Checks the files that were served while a tile or bundle was less full.
    fn check_earlier<'b>(
        &self,
        id: TileId,
        path: impl Fn(TileId) -> String,
        beginning: impl Fn(usize) -> &'b [u8],
    ) -> Result<()> {
        let first = TileId::of(id.index(), id.first() + 1).expect("it has a hash");
        let first = path(first);
        let folder = first.strip_suffix("/1").expect("a width of one is in the path");
        self.folder.walk(folder, &mut |found| {
            let width = found.rsplit('/').next().and_then(|width| width.parse::<u16>().ok());
            let Some(width) = width.filter(|width| (1..id.width()).contains(width)) else {
                // It does not belong here, or goes beyond the checkpoint: found in the end.
                return Ok(());
            };
            let bytes = self.folder.read(found, FILE_BYTES_MAX)?;
            if bytes.as_deref() != Some(beginning(usize::from(width))) {
                return differ(format!("the file {found:?} is no beginning of the later one"));
            }
            Ok(())
        })
    }
}

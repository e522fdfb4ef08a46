//! The durable entries of one ledger: as entries, as tiles and as nodes of the tree.

use ledgerline_ledger::entry::{Dataset, Entry};
use ledgerline_ledger::hash::{Hash, node};
use ledgerline_ledger::tile::{Bundle, TILE_WIDTH, Tile, TileId, push_entry};
use ledgerline_ledger::tree::Nodes;
use ledgerline_ledger::{Error as LedgerError, ErrorKind as LedgerKind, Result as LedgerResult};
use ledgerline_model::id::Seq;

use super::record::{RECORD_BYTES, Record};
use super::rows::Rows;
use super::{Log, entry};
use crate::error::{Error, ErrorKind, Result};

/// The durable entries of one ledger, as they were when it was taken.
#[derive(Debug)]
pub struct View<'a> {
    pub(super) rows: &'a Rows,
    pub(super) log: Log,
    pub(super) dataset: Dataset,
}

impl View<'_> {
    /// The log, with size and root.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The same entries but for the last ones: as they were when there were `size`.
    ///
    /// # Errors
    /// `NotFound` when there are fewer.
    pub fn at(mut self, size: u64) -> Result<Self> {
        if size > self.log.size {
            let what = format!("the ledger has {} entries", self.log.size);
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        if size < self.log.size {
            let root = ledgerline_ledger::tree::root(&self, size);
            self.log.root = root.map_err(unreadable)?;
            self.log.size = size;
        }
        Ok(self)
    }

    /// The entry of an event.
    ///
    /// # Errors
    /// `NotFound` when there is none yet.
    pub fn entry(&self, seq: Seq) -> Result<Entry> {
        if seq.0 >= self.log.size {
            let what = format!("the ledger has {} entries", self.log.size);
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        let first = seq.0 % TILE_WIDTH;
        let records = self.records(seq.0 / TILE_WIDTH, first, 1)?;
        Ok(entry(self.log.id, &self.dataset, seq.0, &records[0]))
    }

    /// The bytes of a tile.
    ///
    /// # Errors
    /// `NotFound` when the tree has not that many hashes.
    pub fn tile(&self, tile: Tile) -> Result<Vec<u8>> {
        let (first, count) = (tile.id.first(), u64::from(tile.id.width()));
        self.check(tile.level, tile.id)?;
        let hashes = self.row(tile.level, first, count)?;
        Ok(hashes.iter().flat_map(|hash| hash.0).collect())
    }

    /// The bytes of a bundle of entries.
    ///
    /// # Errors
    /// `NotFound` when the log has not that many entries.
    pub fn bundle(&self, bundle: Bundle) -> Result<Vec<u8>> {
        self.check(0, bundle.0)?;
        let first = bundle.0.first();
        let mut bytes = Vec::new();
        let records = self.records(first / TILE_WIDTH, 0, bundle.0.width().into())?;
        for (seq, record) in (first..).zip(&records) {
            let entry = entry(self.log.id, &self.dataset, seq, record).encode();
            push_entry(&mut bytes, &entry).map_err(unreadable)?;
        }
        Ok(bytes)
    }

    /// The signed head of a size, or the largest there is.
    ///
    /// # Errors
    /// The database's.
    pub fn checkpoint(&self, size: Option<u64>) -> Result<Option<String>> {
        self.rows.checkpoint(self.log.dataset, size)
    }

    /// The largest signed head that a witness cosigned.
    ///
    /// # Errors
    /// The database's.
    pub fn cosigned_checkpoint(&self) -> Result<Option<String>> {
        self.rows.cosigned_checkpoint(self.log.dataset)
    }

    /// The signed heads above a size, the smallest first.
    ///
    /// # Errors
    /// The database's.
    pub fn checkpoints(&self, above: u64, limit: u32) -> Result<Vec<String>> {
        self.rows.checkpoints(self.log.dataset, above, limit)
    }

    fn check(&self, level: u8, id: TileId) -> Result<()> {
        let there = ledgerline_ledger::tile::hashes_at(level, self.log.size);
        if id.first() + u64::from(id.width()) <= there {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, "the ledger has no such tile"))
    }

    /// So many hashes of a level of tiles.
    fn row(&self, level: u8, first: u64, count: u64) -> Result<Vec<Hash>> {
        let hashes = if level == 0 {
            let records = self.records(first / TILE_WIDTH, first % TILE_WIDTH, count)?;
            let leaf = |(seq, record)| entry(self.log.id, &self.dataset, seq, record).leaf();
            (first..).zip(&records).map(leaf).collect()
        } else {
            self.rows.nodes(self.log.dataset, level, first, count)?
        };
        if hashes.len() as u64 == count {
            return Ok(hashes);
        }
        Err(Error::corrupt(format!("hashes of level {level} from {first} on are lost")))
    }

    /// So many records of a tile.
    fn records(&self, number: u64, first: u64, count: u64) -> Result<Vec<Record>> {
        let lost = || Error::corrupt(format!("tile {number} of the ledger is lost or damaged"));
        let tile = self.rows.tile(self.log.dataset, number)?.ok_or_else(lost)?;
        let (records, _) = tile.as_chunks::<RECORD_BYTES>();
        let wanted = records.get(first as usize..(first + count) as usize).ok_or_else(lost)?;
        wanted.iter().map(|bytes| Record::read(bytes).ok_or_else(lost)).collect()
    }
}

impl Nodes for View<'_> {
    fn node(&self, level: u8, index: u64) -> LedgerResult<Hash> {
        let within = level % 8;
        let row = self.row(level / 8, index << within, 1 << within);
        let mut row = row.map_err(|error| LedgerError::unavailable("the ledger's rows", error))?;
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
        }
        row.pop().ok_or_else(|| LedgerError::new(LedgerKind::Unavailable, "a row of no hashes"))
    }
}

fn unreadable(error: LedgerError) -> Error {
    Error::caused(ErrorKind::Corrupt, "the ledger", error)
}

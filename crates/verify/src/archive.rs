//! The members of a bundle's archive, in the one spelling that a bundle has.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use ledgerline_ledger::bundle::{MEMBERS, TAR_BLOCK, TAR_END, tar_header, tar_padding};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

/// Where the members are.
#[derive(Debug)]
pub(crate) struct Archive<R> {
    reader: R,
    /// Offset and size of each member, in the order of [`MEMBERS`].
    members: Vec<(u64, u64)>,
}

fn malformed(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Malformed, what)
}

fn unreadable(error: io::Error) -> Error {
    Error::unavailable(format!("the bundle cannot be read: {error}"), error)
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the headers, and everything that is not in a member.
    pub(crate) fn open(mut reader: R) -> Result<Self> {
        let length = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let mut members = Vec::new();
        let mut at = 0;
        // Nothing but the end is shorter than a header and the end.
        while length.saturating_sub(at) > TAR_END as u64 {
            let name = MEMBERS.get(members.len());
            let name = *name.ok_or_else(|| malformed("the bundle has too many members"))?;
            let header = read_exactly::<TAR_BLOCK>(&mut reader, at)?;
            let size = octal(&header[124..135]);
            if header != tar_header(name, size)? {
                return Err(malformed(format!("the bundle has no member {name:?} at its place")));
            }
            at += TAR_BLOCK as u64;
            members.push((at, size));
            at += size;
            let padding = tar_padding(size);
            if at + padding as u64 + TAR_END as u64 > length {
                return Err(malformed("the bundle is cut short"));
            }
            let zeros = read_exactly::<TAR_BLOCK>(&mut reader, at)?;
            if zeros[..padding].iter().any(|byte| *byte != 0) {
                return Err(malformed("the bundle has something between its members"));
            }
            at += padding as u64;
        }
        if at + TAR_END as u64 != length
            || read_exactly::<TAR_END>(&mut reader, at)? != [0; TAR_END]
        {
            return Err(malformed("the bundle does not end as it should"));
        }
        if members.len() < MEMBERS.len() - 1 {
            return Err(malformed("the bundle has too few members"));
        }
        Ok(Self { reader, members })
    }

    /// Whether the bundle has the last member, `range.proof`.
    pub(crate) fn has_range_proof(&self) -> bool {
        self.members.len() == MEMBERS.len()
    }

    /// A small member whole.
    pub(crate) fn read(&mut self, member: usize, size_max: u64) -> Result<Vec<u8>> {
        let (at, size) = self.members[member];
        if size > size_max {
            let name = MEMBERS[member];
            return Err(malformed(format!("the bundle's member {name:?} is too large")));
        }
        let mut bytes = Vec::new();
        self.reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        (&mut self.reader).take(size).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// A member line by line, each without its newline, and then its SHA-256.
    pub(crate) fn lines(
        &mut self,
        member: usize,
        line_max: usize,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Hash> {
        let (at, size) = self.members[member];
        self.reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        let mut lines = BufReader::new((&mut self.reader).take(size));
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            line.clear();
            let longest = line_max as u64 + 2;
            (&mut lines).take(longest).read_until(b'\n', &mut line).map_err(unreadable)?;
            if line.is_empty() {
                return Ok(Hash(digest.finalize().into()));
            }
            number += 1;
            digest.update(&line);
            let name = MEMBERS[member];
            let place = format_args!("line {number} of {name}");
            let line = line.strip_suffix(b"\n");
            let line = line.ok_or_else(|| malformed("it is too long or does not end"));
            line.and_then(&mut take).map_err(|error| error.about(place))?;
        }
    }
}

fn read_exactly<const N: usize>(reader: &mut (impl Read + Seek), at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
    reader.read_exact(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The number in octal digits; some other number for other bytes, whose header then differs.
fn octal(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 8 + u64::from(digit & 7))
}

//! Export bundles: a tar archive with events and their proof, in one spelling.
//!
//! ```text
//! manifest           a note signed by the log's key; its text is one line of JSON
//! checkpoint         a note signed by the log and its witnesses
//! events.ndjson      a line for each event
//! erasures.ndjson    a line for each erasure or retirement that explains an event without payload
//! range.proof        the proof of the range, when the bundle is of a range
//! ```

use crate::entry::Dataset;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::log_id::LogId;
use crate::{json, text, time};

/// The members of the archive in their order; the last one only in a bundle of a range.
pub const MEMBERS: [&str; 5] =
    ["manifest", "checkpoint", "events.ndjson", "erasures.ndjson", "range.proof"];

const FORMAT: &str = "ledgerline-bundle/1";

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Every entry from one place to another: nothing is left out, and that is proven.
    Range {
        /// The first place.
        first: u64,
        /// The last place.
        last: u64,
        /// SHA-256 of `range.proof`.
        proof: Hash,
    },
    /// The entries that a filter found. That nothing was left out is not proven.
    Filter {
        /// The first and the last place; nothing when no entry was found.
        bounds: Option<(u64, u64)>,
    },
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The log.
    pub log_id: LogId,
    /// The name of the log's dataset.
    pub dataset: Dataset,
    /// What the bundle holds.
    pub extent: Extent,
    /// What was asked for: any JSON object, compact.
    pub filter: String,
    /// How many lines `events.ndjson` has.
    pub count: u64,
    /// How many of them have no payload.
    pub erased: u64,
    /// When the bundle was made, in nanoseconds since 1970.
    pub created_ns: u64,
    /// SHA-256 of `checkpoint`.
    pub checkpoint: Hash,
    /// SHA-256 of `events.ndjson`.
    pub events: Hash,
    /// SHA-256 of `erasures.ndjson`.
    pub erasures: Hash,
}

impl Manifest {
    /// The text of the note: one line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (kind, bounds, proof) = match &self.extent {
            Extent::Range { first, last, proof } => ("range", Some((*first, *last)), Some(proof)),
            Extent::Filter { bounds } => ("filter", *bounds, None),
        };
        let seq = |seq: Option<u64>| seq.map_or_else(|| "null".to_owned(), |seq| seq.to_string());
        let (log_id, filter) = (self.log_id, &self.filter);
        let dataset = json::quote(self.dataset.as_str());
        let (first, last) = (seq(bounds.map(|ends| ends.0)), seq(bounds.map(|ends| ends.1)));
        let (count, erased) = (self.count, self.erased);
        let created_at = time::format(self.created_ns);
        let digests = [&self.checkpoint, &self.events, &self.erasures].into_iter().chain(proof);
        let digests: Vec<String> = MEMBERS[1..]
            .iter()
            .zip(digests)
            .map(|(name, hash)| format!("\"{name}\":\"{}\"", text::hex(&hash.0)))
            .collect();
        let digests = digests.join(",");
        format!(
            "{{\"format\":\"{FORMAT}\",\"log_id\":\"{log_id}\",\"dataset\":{dataset},\
             \"kind\":\"{kind}\",\"filter\":{filter},\"first_seq\":{first},\"last_seq\":{last},\
             \"count\":{count},\"erased\":{erased},\"created_at\":\"{created_at}\",\
             \"sha256\":{{{digests}}}}}\n"
        )
    }

    /// Reads what [`Manifest::to_text`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::malformed("this is not the manifest of a bundle");
        let line = text.strip_suffix('\n').ok_or_else(wrong)?;
        let members = json::object(line)?;
        let values: Vec<&str> = members.iter().map(|member| member.value).collect();
        let [_, log_id, dataset, kind, filter, first, last, count, erased, created_at, digests] =
            values[..]
        else {
            return Err(wrong());
        };
        let digests: Vec<Hash> = json::object(digests)?
            .iter()
            .map(|member| Ok(Hash(text::parse_hex(&json::string(member.value)?)?)))
            .collect::<Result<_>>()?;
        let bounds = match (first, last) {
            ("null", "null") => None,
            (first, last) => Some((text::parse_decimal(first)?, text::parse_decimal(last)?)),
        };
        let (extent, [checkpoint, events, erasures]) = match (kind, bounds, &digests[..]) {
            ("\"range\"", Some((first, last)), [rest @ .., proof]) if rest.len() == 3 => {
                (Extent::Range { first, last, proof: *proof }, [rest[0], rest[1], rest[2]])
            }
            ("\"filter\"", bounds, [checkpoint, events, erasures]) => {
                (Extent::Filter { bounds }, [*checkpoint, *events, *erasures])
            }
            _ => return Err(wrong()),
        };
        json::object(filter)?;
        let manifest = Self {
            log_id: json::string(log_id)?.parse()?,
            dataset: Dataset::new(json::string(dataset)?)?,
            extent,
            filter: filter.to_owned(),
            count: text::parse_decimal(count)?,
            erased: text::parse_decimal(erased)?,
            created_ns: time::parse(&json::string(created_at)?)?,
            checkpoint,
            events,
            erasures,
        };
        // The names of the members, their order and the format are compared here.
        if manifest.to_text() == text { Ok(manifest) } else { Err(wrong()) }
    }
}

/// How many bytes a block of a tar archive has. Each member begins at a block and is filled up with
/// zeros.
pub const TAR_BLOCK: usize = 512;
/// How many zeros end the archive: two blocks.
pub const TAR_END: usize = 2 * TAR_BLOCK;
/// The largest member: eleven octal digits.
pub const TAR_MEMBER_MAX: u64 = (1 << 33) - 1;

/// The header of a member: the POSIX ustar header of a plain file with mode 0644, owner, group and
/// time zero. It depends on nothing but name and size, so a verifier can compare it.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] when the size is beyond [`TAR_MEMBER_MAX`] or the name longer
/// than 100 bytes.
pub fn tar_header(name: &str, size: u64) -> Result<[u8; TAR_BLOCK]> {
    if size > TAR_MEMBER_MAX || name.len() > 100 {
        return Err(Error::malformed("this does not go into an archive"));
    }
    let mut header = [0; TAR_BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\0");
    put(124, format!("{size:011o}\x0000000000000\0").as_bytes());
    put(148, b"        0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\x000000000\0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// How many zeros follow a member of this size.
#[must_use]
pub fn tar_padding(size: u64) -> usize {
    (size.wrapping_neg() % TAR_BLOCK as u64) as usize
}

#[cfg(test)]
mod tests;

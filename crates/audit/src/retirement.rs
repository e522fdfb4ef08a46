//! Retirements: the record that events were removed because their time was over, or because
//! somebody cleaned up.

use ledgerline_model::limits::QUERY_BYTES_MAX;
use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal};
use crate::event::read_moment;
use crate::json;
use crate::members::{Members, TextRule};
use crate::moment::{Moment, written};
use crate::ranges::Ranges;
use crate::reason::read_reason;
use crate::record::{Author, KIND, Record};
use crate::writer::ObjectWriter;

const FILTER: TextRule =
    TextRule { bytes_max: QUERY_BYTES_MAX, may_be_empty: false, may_have_controls: true };

/// What is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// Events from before this point.
    pub before: Moment,
    /// Only those that match this query.
    pub filter: Option<String>,
    /// Why.
    pub reason: String,
}

/// What the record of a retirement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRetirement {
    /// The numbers of the events that were removed.
    pub retires: Ranges,
    /// What was to be removed.
    pub retirement: Retirement,
    /// Who asked for it.
    pub retired_by: Author,
}

impl Retirement {
    /// Reads a request to clean up: `{before, filter?, reason}`.
    ///
    /// # Errors
    /// All that is wrong with the body.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(body, "a retirement")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        let known = ["before", "filter", "reason"];
        members.refuse_unknown(&mut faults, &known, "a retirement has these and no others");
        let retirement = Self::read(&mut faults, members);
        faults.finish(retirement)
    }

    fn read(faults: &mut Faults, members: Members<'_, '_>) -> Option<Self> {
        let is_given = members.required(faults, "before").is_some();
        let before = if is_given { read_moment(faults, members, "before") } else { None };
        let filter = members.text(faults, "filter", FILTER);
        let reason = read_reason(faults, members);
        Some(Self { before: before?, filter, reason: reason? })
    }

    /// The bytes that are stored. `retires` has at most
    /// [`RANGES_MAX`](crate::ranges::RANGES_MAX) ranges: see [`Ranges::split`].
    ///
    /// ```text
    /// {"id","kind":"retirement","retires":[[first,last],…],"before",["filter"],"reason",
    ///  "retired_by":{"id","type"},"occurred_at"}
    /// ```
    #[must_use]
    pub fn payload(&self, id: &str, retires: &Ranges, by: &Author, at: Timestamp) -> Vec<u8> {
        let mut object = ObjectWriter::new();
        object
            .text("id", id)
            .text(KIND, Record::Retirement.as_str())
            .raw("retires", &retires.json())
            .text("before", self.before.as_str())
            .text_if("filter", self.filter.as_deref())
            .text("reason", &self.reason)
            .raw("retired_by", &by.json())
            .text("occurred_at", &written(at));
        object.finish().into_bytes()
    }
}

impl StoredRetirement {
    /// Reads the bytes that [`Retirement::payload`] made.
    ///
    /// # Errors
    /// When the bytes are not those of a stored retirement.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Refusal> {
        let tree = json::read_object(payload, "a retirement")?;
        let mut faults = Faults::default();
        let members = Members::new(tree.as_object().unwrap_or_default(), "");
        Record::Retirement.check(&mut faults, members);
        let retires = members.required(&mut faults, "retires");
        let retires = retires.and_then(|tree| Ranges::read(&mut faults, "/retires", tree));
        let retirement = Retirement::read(&mut faults, members);
        let by = members.required(&mut faults, "retired_by");
        let by = by.and_then(|tree| Author::read(&mut faults, tree, "/retired_by"));
        let stored = match (retires, retirement, by) {
            (Some(retires), Some(retirement), Some(retired_by)) => {
                Some(Self { retires, retirement, retired_by })
            }
            _ => None,
        };
        faults.finish(stored)
    }
}

#[cfg(test)]
mod tests;

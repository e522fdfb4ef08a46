//! The span of time that a request names.

use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_query::lang::time;

use crate::error::{Failure, Result};

/// The span from `from` to `to`; open where nothing is said.
///
/// # Errors
/// `invalid_request` for a text that is no time.
pub(crate) fn range(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<TimeRange> {
    let start = from.map(|text| point("from", text, now)).transpose()?;
    let end = to.map(|text| point("to", text, now)).transpose()?;
    let (start, end) = (start.unwrap_or(TimeRange::ALL.start), end.unwrap_or(TimeRange::ALL.end));
    if start > end {
        return Err(Failure::invalid("from", "from is later than to"));
    }
    Ok(TimeRange { start, end })
}

/// The time that a field names.
///
/// # Errors
/// `invalid_request` for a text that is no time.
pub(crate) fn point(field: &str, text: &str, now: Timestamp) -> Result<Timestamp> {
    time::instant(text, now).ok_or_else(|| {
        let detail = format!("{field} is no time: write RFC 3339, or relative to now as in -1h");
        Failure::invalid(field, detail)
    })
}

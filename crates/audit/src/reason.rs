//! The reason that somebody gives for what cannot be undone.

use crate::error::{Faults, code};
use crate::limits::REASON_CHARACTERS_MAX;
use crate::members::{Members, TextRule};

const REASON: TextRule = TextRule {
    // A character has at most four bytes; characters are counted below.
    bytes_max: 4 * REASON_CHARACTERS_MAX,
    may_be_empty: false,
    may_have_controls: true,
};

/// The `reason` of 1 to [`REASON_CHARACTERS_MAX`] characters that must be there.
pub(crate) fn read_reason(faults: &mut Faults, members: Members<'_, '_>) -> Option<String> {
    let reason = members.required_text(faults, "reason", REASON)?;
    if reason.trim().is_empty() {
        faults.push(code::EMPTY, members.at("reason"), "a reason says why");
        return None;
    }
    if reason.chars().count() > REASON_CHARACTERS_MAX {
        let detail = format!("longer than {REASON_CHARACTERS_MAX} characters");
        faults.push(code::TOO_LONG, members.at("reason"), detail);
        return None;
    }
    Some(reason)
}

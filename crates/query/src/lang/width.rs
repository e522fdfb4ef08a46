//! Widths of time, as in `5m`.

use std::fmt;

use ledgerline_model::time::Timestamp;

/// A positive length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Width(i64);

/// The letters of the units and their lengths in seconds, the longest first.
pub const UNITS: [(char, i64); 5] =
    [('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Weeks begin on Monday: 1970-01-05.
const FIRST_MONDAY: i64 = 4 * Timestamp::DAY;

impl Width {
    /// A width of some seconds; none if that is not positive or more than a [`Timestamp`] can span.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let nanoseconds = seconds.checked_mul(Timestamp::SECOND)?;
        (nanoseconds > 0).then_some(Self(nanoseconds))
    }

    /// In nanoseconds.
    #[must_use]
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    /// The start of the span of this width that holds the point. Spans are aligned to
    /// 1970-01-01T00:00:00Z; those of whole weeks to Monday, 1970-01-05.
    #[must_use]
    pub fn floor(self, point: Timestamp) -> Timestamp {
        let offset = self.offset();
        let into = (i128::from(point.0) - i128::from(offset)).rem_euclid(i128::from(self.0));
        let into = i64::try_from(into).expect("a remainder is smaller than its divisor");
        Timestamp(point.0.saturating_sub(into))
    }

    /// Where a span of this width starts: nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn offset(self) -> i64 {
        if self.0 % (7 * Timestamp::DAY) == 0 { FIRST_MONDAY } else { 0 }
    }
}

/// In the longest unit that divides it, as in `2h`.
impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / Timestamp::SECOND;
        let (unit, length) =
            UNITS.into_iter().find(|(_, length)| seconds % length == 0).unwrap_or(('s', 1));
        write!(f, "{}{unit}", seconds / length)
    }
}

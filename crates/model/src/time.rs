//! Points in time.

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Spans the years 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Nanoseconds in a second.
    pub const SECOND: i64 = 1_000_000_000;
    /// Nanoseconds in a day.
    pub const DAY: i64 = 86_400 * Self::SECOND;

    /// Whole milliseconds since 1970, rounded down.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The start of the aligned span of `width` nanoseconds that holds this point.
    #[must_use]
    pub fn floor(self, width: i64) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(width)))
    }
}

/// A span of time, `start` in it, `end` not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first point of the span.
    pub start: Timestamp,
    /// The first point after it.
    pub end: Timestamp,
}

impl TimeRange {
    /// Every representable time but the last nanosecond.
    pub const ALL: Self = Self { start: Timestamp(i64::MIN), end: Timestamp(i64::MAX) };

    /// Whether the point lies in the span. The last representable point counts as inside of
    /// [`TimeRange::ALL`].
    #[must_use]
    pub fn contains(&self, point: Timestamp) -> bool {
        self.start <= point && (point < self.end || self.end.0 == i64::MAX)
    }
}

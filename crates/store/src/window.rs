//! Windows: aligned spans of time that a segment never crosses.
//!
//! Events of the last quarter of an hour lie in windows of 15 minutes, older ones in windows of an
//! hour, and those of days that are over in windows of a day. Where events are strewn over more
//! windows than one flush may make, the windows are wider.

use std::collections::BTreeMap;
use std::ops::Range;

use ledgerline_model::time::{TimeRange, Timestamp};

use crate::column::spans;

/// Widths of windows in nanoseconds, the narrowest first. The last one holds all times.
pub(crate) const WIDTHS: [i64; 6] = [
    15 * 60 * Timestamp::SECOND,
    3600 * Timestamp::SECOND,
    Timestamp::DAY,
    32 * Timestamp::DAY,
    1024 * Timestamp::DAY,
    i64::MAX,
];

/// The number of the day's width in [`WIDTHS`].
const DAY: usize = 2;

/// How many windows one flush makes for one dataset at most: events with random times would
/// otherwise make a segment each.
const WINDOWS_MAX: usize = 64;

/// The window of a width that holds a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Window {
    /// Its first point.
    pub(crate) start: Timestamp,
    /// How long it is, in nanoseconds.
    pub(crate) width: i64,
}

impl Window {
    /// The window of a width that holds a time.
    pub(crate) fn of(time: Timestamp, width: i64) -> Self {
        let start = if width == i64::MAX { Timestamp(i64::MIN) } else { time.floor(width) };
        Self { start, width }
    }

    /// Whether the window is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.width != i64::MAX && self.start.0.saturating_add(self.width) <= now.0
    }

    /// Whether the times from `least` to `most` lie in it.
    pub(crate) fn holds(&self, least: Timestamp, most: Timestamp) -> bool {
        Self::of(least, self.width) == *self && Self::of(most, self.width) == *self
    }
}

/// The narrowest window for an event of this time: as wide as windows are that are over.
fn natural(time: Timestamp, now: Timestamp) -> Window {
    let over = WIDTHS[..=DAY].iter().rev().map(|width| Window::of(time, *width));
    over.into_iter().find(|window| window.is_over(now)).unwrap_or(Window::of(time, WIDTHS[0]))
}

/// For each window the parts that have rows in it, by their numbers, and those rows.
pub(crate) type Windows = BTreeMap<Window, Vec<(usize, Vec<Range<u32>>)>>;

/// The rows of each part, by the window that they belong to. `times` are the times of the rows of
/// the parts.
pub(crate) fn split(times: &[Vec<i64>], now: Timestamp) -> Windows {
    let mut widen = 0;
    loop {
        let window = |time: Timestamp| match widen {
            0 => natural(time, now),
            _ => Window::of(time, WIDTHS[DAY + widen - 1]),
        };
        match split_by(times, window) {
            Some(windows) => return windows,
            None => widen += 1,
        }
    }
}

/// Nothing when there are too many windows, which never happens with the widest.
fn split_by(times: &[Vec<i64>], window: impl Fn(Timestamp) -> Window) -> Option<Windows> {
    let mut windows = Windows::new();
    for (part, times) in times.iter().enumerate() {
        let mut rows: BTreeMap<Window, Vec<u32>> = BTreeMap::new();
        let mut last: Option<Window> = None;
        for (row, time) in times.iter().enumerate() {
            let time = Timestamp(*time);
            let window = match last {
                Some(window) if window.holds(time, time) => window,
                _ => window(time),
            };
            last = Some(window);
            rows.entry(window).or_default().push(row as u32);
            if rows.len() > WINDOWS_MAX {
                return None;
            }
        }
        for (window, rows) in rows {
            windows.entry(window).or_default().push((part, spans(rows.into_iter())));
        }
        if windows.len() > WINDOWS_MAX {
            return None;
        }
    }
    Some(windows)
}

/// Whether two spans of time, both with their ends, have a point in common with a range.
pub(crate) fn meets(times: (Timestamp, Timestamp), range: TimeRange) -> bool {
    times.0 < range.end && range.start <= times.1 || range.contains(times.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(day: i64) -> i64 {
        day * Timestamp::DAY
    }

    #[test]
    fn windows_grow_as_time_goes_by() {
        let now = Timestamp(day(10) + 3700 * Timestamp::SECOND);
        let width = |time: i64| natural(Timestamp(time), now).width;
        assert_eq!(width(now.0), WIDTHS[0]);
        assert_eq!(width(now.0 + day(5)), WIDTHS[0]);
        assert_eq!(width(day(10) + 5), WIDTHS[1]);
        assert_eq!(width(day(9) + 5), WIDTHS[2]);
        assert_eq!(width(i64::MIN), WIDTHS[2]);
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_window_that_holds_it(
            times in prop::collection::vec(prop::collection::vec(any::<i64>(), 0..40), 0..5),
            near in prop::collection::vec(0..400_000_000_000_000_i64, 0..100),
        ) {
            let mut times = times;
            times.push(near);
            let windows = split(&times, Timestamp(day(3)));
            prop_assert!(windows.len() <= WINDOWS_MAX);
            let mut seen: Vec<Vec<bool>> = times.iter().map(|t| vec![false; t.len()]).collect();
            for (window, parts) in &windows {
                for (part, rows) in parts {
                    for row in rows.iter().cloned().flatten() {
                        let time = Timestamp(times[*part][row as usize]);
                        prop_assert!(window.holds(time, time));
                        prop_assert!(!std::mem::replace(&mut seen[*part][row as usize], true));
                    }
                }
            }
            prop_assert!(seen.iter().flatten().all(|seen| *seen));
        }
    }
}

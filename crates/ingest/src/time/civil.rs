//! Dates of the Gregorian calendar.

use ledgerline_model::time::Timestamp;

/// A date and a time of day as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanosecond: u32,
}

impl Civil {
    pub(super) fn midnight(year: i64, month: u32, day: u32) -> Self {
        Self { year, month, day, hour: 0, minute: 0, second: 0, nanosecond: 0 }
    }

    /// The point in time, if there is such a date and time. Second 60 is the leap second, which
    /// counts as the first of the next minute.
    pub(super) fn timestamp(self, offset_s: i64) -> Option<Timestamp> {
        let is_date =
            (1..=12).contains(&self.month) && self.day >= 1 && self.day <= self.days_of_month();
        if !is_date || self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let seconds = self.days() * 86_400
            + i64::from(self.hour * 3600 + self.minute * 60 + self.second)
            - offset_s;
        Some(clamped(i128::from(seconds) * 1_000_000_000 + i128::from(self.nanosecond)))
    }

    fn days_of_month(self) -> u32 {
        let is_leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", `days_from_civil`.
    fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = i64::from((self.month + 9) % 12);
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

/// Nanoseconds as a timestamp, or the nearest that there is.
pub(super) fn clamped(nanoseconds: i128) -> Timestamp {
    let nearest = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    Timestamp(i64::try_from(nearest).expect("clamped to 64 bits"))
}

/// The year in which 1970 and a number of nanoseconds falls.
pub(super) fn year_of(time: Timestamp) -> i64 {
    let days = time.0.div_euclid(Timestamp::DAY);
    // The mean length of a year is near enough to guess, and a guess is off by one at most.
    let guess = 1970 + days.div_euclid(365).min(days * 400 / 146_097);
    let starts = |year: i64| Civil::midnight(year, 1, 1).days();
    if starts(guess) > days {
        guess - 1
    } else if starts(guess + 1) <= days {
        guess + 1
    } else {
        guess
    }
}

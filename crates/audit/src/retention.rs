//! Retention: how long events are kept, how long they must be, and what is going to go.

use ledgerline_model::time::Timestamp;

use crate::error::{Faults, Refusal, code};
use crate::hold::Hold;
use crate::ranges::Ranges;

/// The longest retention that is not for ever.
pub const RETENTION_DAYS_MAX: u32 = 36_500;

/// A set of rules that many have to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// PCI DSS 4.0.1, 10.5.1: twelve months, of which three are at hand at once.
    PciDss,
    /// HIPAA, 45 CFR 164.316(b)(2): six years.
    Hipaa,
    /// SOC 2 names no time; auditors look at a year.
    Soc2,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::PciDss, Self::Hipaa, Self::Soc2];

    /// The preset's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PciDss => "pci_dss",
            Self::Hipaa => "hipaa",
            Self::Soc2 => "soc2",
        }
    }

    /// The preset of that name.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// The shortest retention that follows it. Six years have two leap days at most.
    #[must_use]
    pub fn floor(self) -> Floor {
        match self {
            Self::PciDss => Floor { days_min: 365, hot_days_min: 90 },
            Self::Hipaa => Floor { days_min: 6 * 365 + 2, hot_days_min: 0 },
            Self::Soc2 => Floor { days_min: 365, hot_days_min: 0 },
        }
    }
}

/// The shortest retention that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Floor {
    /// How many days events are kept at least.
    pub days_min: u32,
    /// How many days they can be searched without being fetched from an archive first.
    pub hot_days_min: u32,
}

impl Floor {
    /// What follows all of several rules: the longest minimum wins.
    #[must_use]
    pub fn of(floors: impl IntoIterator<Item = Self>) -> Self {
        floors.into_iter().fold(Self::default(), |all, floor| Self {
            days_min: all.days_min.max(floor.days_min),
            hot_days_min: all.hot_days_min.max(floor.hot_days_min),
        })
    }
}

/// How long events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many days; nothing is for ever.
    pub days: Option<u32>,
    /// How many of them events can be searched at once; nothing is all of them.
    pub hot_days: Option<u32>,
}

impl Retention {
    /// Whether the retention follows the rules.
    ///
    /// # Errors
    /// `retention_too_short` where it is shorter than the floor, `bad_value` where it is longer
    /// than [`RETENTION_DAYS_MAX`] or events would be at hand longer than they are kept.
    pub fn check(&self, floor: Floor) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let wanted = [
            ("/days", self.days, floor.days_min),
            ("/hot_days", self.hot_days, floor.hot_days_min),
        ];
        for (pointer, days, days_min) in wanted {
            let Some(days) = days else { continue };
            if days < days_min {
                let detail = format!("at least {days_min} days are required, not {days}");
                faults.push(code::RETENTION_TOO_SHORT, pointer, detail);
            } else if days > RETENTION_DAYS_MAX || days == 0 {
                let detail = format!("1 to {RETENTION_DAYS_MAX} days can be said");
                faults.push(code::BAD_VALUE, pointer, detail);
            }
        }
        if let (Some(days), Some(hot_days)) = (self.days, self.hot_days)
            && hot_days > days
        {
            faults.push(code::BAD_VALUE, "/hot_days", "no event is at hand after it is removed");
        }
        faults.finish(Some(()))
    }

    /// When an event of that time is over its time; nothing when it never is.
    #[must_use]
    pub fn over_at(&self, time: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.days?);
        Some(Timestamp(time.0.saturating_add(days.saturating_mul(Timestamp::DAY))))
    }
}

/// Events that lie together and go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// How many there are.
    pub events: u64,
    /// The time of the newest: all go when it may.
    pub newest: Timestamp,
}

/// A hold, and the numbers of the events that its query matches.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// The hold.
    pub hold: &'h Hold,
    /// What it matches.
    pub matches: &'h Ranges,
}

/// What is going to happen to a stretch of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanItem {
    /// The events.
    pub stretch: Stretch,
    /// When their time is over.
    pub would_go_at: Timestamp,
    /// The ids of the holds that keep them all the same.
    pub blocked_by: Vec<String>,
}

impl PlanItem {
    /// Whether nothing keeps the events any more.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.would_go_at <= now && self.blocked_by.is_empty()
    }
}

/// What is over its time now or until a point of time, the first to go first, and what keeps it.
#[must_use]
pub fn plan(
    until: Timestamp,
    stretches: &[Stretch],
    retention: &Retention,
    holds: &[Held<'_>],
) -> Vec<PlanItem> {
    let mut items = Vec::new();
    for stretch in stretches {
        let Some(would_go_at) = retention.over_at(stretch.newest) else { continue };
        if would_go_at > until {
            continue;
        }
        let blocks = |held: &&Held<'_>| {
            held.hold.is_active() && held.matches.overlaps(stretch.first, stretch.last)
        };
        let blocked_by = holds.iter().filter(blocks).map(|held| held.hold.id.clone()).collect();
        items.push(PlanItem { stretch: *stretch, would_go_at, blocked_by });
    }
    items.sort_by_key(|item| (item.would_go_at, item.stretch.first));
    items
}

#[cfg(test)]
mod tests;

//! How long accepted batches took.

use std::time::Duration;

/// Latencies, to the microsecond.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    sorted_us: Vec<u32>,
}

impl Latencies {
    /// Adds these; one above an hour counts as about an hour.
    pub(super) fn add_all(&mut self, latencies: impl IntoIterator<Item = Duration>) {
        let short = |latency: Duration| u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        self.sorted_us.extend(latencies.into_iter().map(short));
        self.sorted_us.sort_unstable();
    }

    /// The latency that `percent` of all do not exceed; zero when there are none.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted_us.len() * percent).div_ceil(100);
        let latency_us = self.sorted_us.get(rank.saturating_sub(1)).copied().unwrap_or(0);
        Duration::from_micros(u64::from(latency_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(99), Duration::ZERO);
        latencies.add_all((1..=100).rev().map(Duration::from_micros));
        let percentiles =
            [50, 90, 99, 100].map(|percent| latencies.percentile(percent).as_micros());
        assert_eq!(percentiles, [50, 90, 99, 100]);
    }
}

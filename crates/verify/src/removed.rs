//! The places whose payloads a bundle's erasures and retirements removed.

use ledgerline_ledger::ranges::SeqRanges;
use ledgerline_ledger::{Error, ErrorKind, Result};

/// The most runs that are remembered: memory must not grow with a bundle.
const RUNS_MAX: usize = 1_000_000;

/// Runs of places, first in any order, then sorted and joined.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    runs: Vec<(u64, u64)>,
}

impl Removed {
    /// Adds runs.
    pub(crate) fn add(&mut self, ranges: &SeqRanges) -> Result<()> {
        if self.runs.len() + ranges.runs().len() > RUNS_MAX {
            let what = "the erasures have more than a million runs of places";
            return Err(Error::new(ErrorKind::Malformed, what));
        }
        self.runs.extend_from_slice(ranges.runs());
        Ok(())
    }

    /// Sorts and joins the runs, after the last one was added.
    pub(crate) fn join(&mut self) {
        self.runs.sort_unstable();
        self.runs.dedup_by(|later, earlier| {
            let do_overlap = later.0 <= earlier.1;
            if do_overlap {
                earlier.1 = earlier.1.max(later.1);
            }
            do_overlap
        });
    }

    /// Whether the place is in one of the runs, after they were joined.
    pub(crate) fn contains(&self, seq: u64) -> bool {
        let before = self.runs.partition_point(|(_, last)| *last < seq);
        self.runs.get(before).is_some_and(|(first, _)| *first <= seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined() {
        let mut removed = Removed::default();
        for text in ["[[10,20],[30,40]]", "[[0,0],[15,32]]", "[[12,13]]", "[[41,41],[50,60]]"] {
            removed.add(&SeqRanges::parse(text).expect("runs")).expect("few");
        }
        removed.join();
        assert_eq!(removed.runs, [(0, 0), (10, 40), (41, 41), (50, 60)]);
        let inside: Vec<u64> = (0..100).filter(|seq| removed.contains(*seq)).collect();
        let expected: Vec<u64> = [0].into_iter().chain(10..=41).chain(50..=60).collect();
        assert_eq!(inside, expected);
    }

    #[test]
    fn runs_are_limited() {
        let run = SeqRanges::parse("[[1,2]]").expect("a run");
        let mut removed = Removed { runs: vec![(1, 2); RUNS_MAX - 1] };
        removed.add(&run).expect("the last one");
        let error = removed.add(&run).expect_err("one too many");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

//! Runs of places in a log, as erasures and retirements name them.

use crate::error::{Error, Result};
use crate::{json, text};

/// Runs `first ..= last` of places: at least one, rising, none touching the place of another. As
/// JSON `[[first,last],…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeqRanges(Vec<(u64, u64)>);

impl SeqRanges {
    /// Takes runs.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when there are none, one ends before it begins, or they do
    /// not rise without overlapping.
    pub fn new(runs: Vec<(u64, u64)>) -> Result<Self> {
        let are_runs = runs.iter().all(|(first, last)| first <= last);
        let do_rise = runs.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if !runs.is_empty() && are_runs && do_rise {
            Ok(Self(runs))
        } else {
            Err(Error::malformed("these are not rising runs of places"))
        }
    }

    /// The runs.
    #[must_use]
    pub fn runs(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// The last place of all.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.last().expect("there is a run").1
    }

    /// Whether the place is in one of the runs.
    #[must_use]
    pub fn contains(&self, seq: u64) -> bool {
        let before = self.0.partition_point(|(_, last)| *last < seq);
        self.0.get(before).is_some_and(|(first, _)| *first <= seq)
    }

    /// The runs as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let runs: Vec<_> = self.0.iter().map(|(first, last)| format!("[{first},{last}]")).collect();
        format!("[{}]", runs.join(","))
    }

    /// Reads what [`SeqRanges::to_json`] writes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut runs = Vec::new();
        for run in json::array(text)? {
            let ends = json::array(run)?;
            let [first, last] = ends[..] else {
                return Err(Error::malformed("a run of places is [first,last]"));
            };
            runs.push((text::parse_decimal(first)?, text::parse_decimal(last)?));
        }
        Self::new(runs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_rise() {
        let ranges = SeqRanges::parse("[[0,0],[2,5],[6,9]]").expect("rising runs");
        assert_eq!(ranges.runs(), [(0, 0), (2, 5), (6, 9)]);
        assert_eq!(ranges.last(), 9);
        let inside: Vec<u64> = (0..12).filter(|seq| ranges.contains(*seq)).collect();
        assert_eq!(inside, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
        let wrong = [
            "[]",
            "[[2,1]]",
            "[[0,3],[3,4]]",
            "[[5,6],[1,2]]",
            "[[1]]",
            "[[1,2,3]]",
            "[1,2]",
            "[[1,2.0]]",
            "[[1,-2]]",
            "[[1,2],]",
            "{}",
            "",
        ];
        for text in wrong {
            let error = SeqRanges::parse(text).expect_err(text);
            assert_eq!(error.kind(), crate::ErrorKind::Malformed);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(steps in prop::collection::vec((1..9u64, 0..9u64), 1..20)) {
            let mut at = 0;
            let mut runs = Vec::new();
            for (gap, length) in steps {
                runs.push((at + gap, at + gap + length));
                at += gap + length;
            }
            let ranges = SeqRanges::new(runs.clone()).expect("rising");
            prop_assert_eq!(&SeqRanges::parse(&ranges.to_json()).expect("as written"), &ranges);
            for seq in 0..at + 3 {
                let is_in = runs.iter().any(|(first, last)| (*first..=*last).contains(&seq));
                prop_assert_eq!(ranges.contains(seq), is_in);
            }
        }
    }
}

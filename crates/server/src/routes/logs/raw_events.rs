//! Events of a body, each as the text that it is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How many events may come at once.
pub(super) const EVENTS_MAX: usize = 1_000;

/// Some events. Of too many the first are kept and all are counted, so that a body of many small
/// values takes no more memory than one of a few.
#[derive(Debug, Default)]
pub(super) struct RawEvents<'a> {
    kept: Vec<&'a RawValue>,
    count: usize,
}

impl<'a> RawEvents<'a> {
    pub(super) fn push(&mut self, event: &'a RawValue) {
        self.count += 1;
        if self.count <= EVENTS_MAX {
            self.kept.push(event);
        }
    }

    pub(super) fn extend(&mut self, others: RawEvents<'a>) {
        let left_out = others.count - others.kept.len();
        others.kept.into_iter().for_each(|event| self.push(event));
        self.count += left_out;
    }

    /// All of them.
    ///
    /// # Errors
    /// How many they are, when they are too many.
    pub(super) fn all(self) -> Result<Vec<&'a RawValue>, usize> {
        if self.count > EVENTS_MAX { Err(self.count) } else { Ok(self.kept) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawEvents<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;
        impl<'de> Visitor<'de> for OfList {
            type Value = RawEvents<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut events = RawEvents::default();
                while let Some(event) = list.next_element()? {
                    events.push(event);
                }
                Ok(events)
            }
        }
        deserializer.deserialize_seq(OfList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(events: usize) -> String {
        format!("[{}]", vec!["1"; events].join(","))
    }

    fn read(text: &str) -> RawEvents<'_> {
        serde_json::from_str(text).expect("a list")
    }

    #[test]
    fn too_many_are_counted_and_not_kept() {
        let [most, more] = [list(EVENTS_MAX), list(EVENTS_MAX + 7)];
        assert_eq!(read(&most).all().map(|events| events.len()), Ok(EVENTS_MAX));
        let events = read(&more);
        assert_eq!(events.kept.len(), EVENTS_MAX);
        assert_eq!(events.all().map(|events| events.len()), Err(EVENTS_MAX + 7));
        let mut both = read("[1]");
        both.extend(read(&more));
        assert_eq!(both.all().map(|events| events.len()), Err(EVENTS_MAX + 8));
        assert!(serde_json::from_str::<RawEvents<'_>>("{}").is_err());
    }
}

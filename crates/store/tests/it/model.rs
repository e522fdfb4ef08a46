//! Random lives of a tenant against a model that is a map.

use std::collections::BTreeMap;

use ledgerline_model::time::Timestamp;
use ledgerline_world::disk::MemoryDisk;
use proptest::prelude::*;

use crate::home::{Home, NOW, Seen, batch, expected};

#[derive(Debug, Clone)]
enum Step {
    Append { dataset: u32, events: Vec<(i64, u8)> },
    Flush,
    Compact,
    Archive { dataset: u32 },
    PowerCut { torn_bytes: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![
        4 => 0..40 * Timestamp::DAY,
        1 => any::<i64>().prop_map(|time| time / 2),
    ];
    let events = prop::collection::vec((time, any::<u8>()), 1..30);
    prop_oneof![
        5 => (1..3_u32, events).prop_map(|(dataset, events)| Step::Append { dataset, events }),
        2 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => (1..3_u32).prop_map(|dataset| Step::Archive { dataset }),
        1 => (0..200_usize).prop_map(|torn_bytes| Step::PowerCut { torn_bytes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_was_acknowledged_is_visible_once(steps in prop::collection::vec(step(), 1..20)) {
        let folder = tempfile::tempdir()?;
        let mut home = Home::open(folder.path(), MemoryDisk::new(), 1);
        let mut model: BTreeMap<u32, BTreeMap<u64, Seen>> = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { dataset, events } => {
                    let known = model.entry(dataset).or_default();
                    let texts: Vec<String> =
                        events.iter().map(|(_, word)| format!("Word {word}")).collect();
                    let events: Vec<(i64, &str, i64)> = events
                        .iter()
                        .zip(&texts)
                        .map(|((back, word), text)| (NOW.0 - back, &**text, i64::from(*word)))
                        .collect();
                    home.append(dataset, batch(&events));
                    for (time, word, number) in events {
                        known.insert(known.len() as u64, expected(time, word, number));
                    }
                }
                Step::Flush => home.flush(),
                Step::Compact => home.compact(),
                Step::Archive { dataset } => {
                    home.archive(dataset);
                }
                Step::PowerCut { torn_bytes } => {
                    home = home.power_cut(folder.path(), torn_bytes, number as u64 + 2);
                }
            }
            for (dataset, known) in &model {
                prop_assert_eq!(&home.visible(*dataset), known);
            }
        }
    }
}

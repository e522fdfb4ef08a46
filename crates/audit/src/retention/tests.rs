use super::*;
use crate::record::Author;

#[test]
fn presets_have_names_and_floors() {
    for preset in Preset::ALL {
        assert_eq!(Preset::from_text(preset.as_str()), Some(preset));
    }
    assert_eq!(Preset::from_text("gdpr"), None);
    assert_eq!(Preset::PciDss.floor(), Floor { days_min: 365, hot_days_min: 90 });
    assert_eq!(Preset::Hipaa.floor(), Floor { days_min: 2192, hot_days_min: 0 });
    assert_eq!(Preset::Soc2.floor(), Floor { days_min: 365, hot_days_min: 0 });
}

#[test]
fn the_longest_minimum_wins() {
    assert_eq!(Floor::of([]), Floor { days_min: 0, hot_days_min: 0 });
    let own = Floor { days_min: 400, hot_days_min: 100 };
    let all = Floor::of([Preset::PciDss.floor(), own, Preset::Soc2.floor()]);
    assert_eq!(all, own);
    let all = Floor::of([own, Preset::Hipaa.floor()]);
    assert_eq!(all, Floor { days_min: 2192, hot_days_min: 100 });
}

fn faults(days: Option<u32>, hot_days: Option<u32>) -> Vec<(&'static str, String)> {
    let checked = Retention { days, hot_days }.check(Preset::PciDss.floor());
    let faults = checked.err().map(Refusal::into_faults).unwrap_or_default();
    faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

#[test]
fn a_retention_is_never_shorter_than_its_floor() {
    let none = Vec::<(&str, String)>::new();
    assert_eq!(faults(None, None), none);
    assert_eq!(faults(Some(365), Some(90)), none);
    assert_eq!(faults(Some(36_500), Some(36_500)), none);
    assert_eq!(faults(Some(364), None), [("retention_too_short", "/days".to_owned())]);
    assert_eq!(faults(None, Some(89)), [("retention_too_short", "/hot_days".to_owned())]);
    assert_eq!(faults(Some(36_501), None), [("bad_value", "/days".to_owned())]);
    assert_eq!(faults(Some(400), Some(401)), [("bad_value", "/hot_days".to_owned())]);
    let zero = Retention { days: Some(0), hot_days: None }.check(Floor::default());
    assert_eq!(zero.expect_err("no retention").faults()[0].code, "bad_value");
    let one = Retention { days: Some(1), hot_days: Some(1) };
    assert_eq!(one.check(Floor::default()), Ok(()));
}

#[test]
fn time_does_not_run_over() {
    let retention = |days| Retention { days, hot_days: None };
    assert_eq!(retention(None).over_at(Timestamp(5)), None);
    assert_eq!(retention(Some(2)).over_at(Timestamp(5)), Some(Timestamp(5 + 2 * Timestamp::DAY)));
    assert_eq!(retention(Some(u32::MAX)).over_at(Timestamp(i64::MAX)), Some(Timestamp(i64::MAX)));
}

fn stretch(first: u64, last: u64, newest_day: i64) -> Stretch {
    let newest = Timestamp(newest_day * Timestamp::DAY);
    Stretch { first, last, events: last - first + 1, newest }
}

fn hold(id: &str) -> Hold {
    let body = br#"{"name":"n","query":"q","reason":"r","owner":"o"}"#;
    Hold::parse(id, body).expect("a hold")
}

#[test]
fn a_plan_says_what_goes_and_what_stays() {
    let retention = Retention { days: Some(10), hot_days: None };
    let stretches = [stretch(20, 29, 3), stretch(0, 9, 2), stretch(10, 19, 2), stretch(30, 39, 4)];
    let (on, mut off) = (hold("on"), hold("off"));
    off.release(Timestamp(0), Author { id: "u".to_owned(), kind: "user".to_owned() });
    let (some, all) = (Ranges::of([19, 25]), Ranges::merged(vec![(0, 100)]));
    let holds = [Held { hold: &on, matches: &some }, Held { hold: &off, matches: &all }];
    let until = Timestamp(13 * Timestamp::DAY);
    let plan = plan(until, &stretches, &retention, &holds);
    let seen: Vec<(u64, i64, Vec<String>)> = plan
        .iter()
        .map(|item| {
            let day = item.would_go_at.0 / Timestamp::DAY;
            (item.stretch.first, day, item.blocked_by.clone())
        })
        .collect();
    let held = || vec!["on".to_owned()];
    assert_eq!(seen, [(0, 12, vec![]), (10, 12, held()), (20, 13, held())]);
    let day = |day: i64| Timestamp(day * Timestamp::DAY);
    assert!(plan[0].is_due(day(12)));
    assert!(!plan[0].is_due(Timestamp(day(12).0 - 1)));
    assert!(!plan[1].is_due(day(12)));
    let for_ever = Retention { days: None, hot_days: None };
    assert_eq!(super::plan(until, &stretches, &for_ever, &holds), []);
}

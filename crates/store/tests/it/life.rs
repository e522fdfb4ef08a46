//! Windows, retention, and readers that go on while segments change.

use ledgerline_model::id::{DatasetId, Seq, TenantId};
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::Horizon;
use ledgerline_store::tenant::Usage;
use ledgerline_world::disk::MemoryDisk;

use crate::home::{Home, NOW, batch, expected, job, read_scope, seen, tenant};

const HOUR: i64 = 3600 * Timestamp::SECOND;

#[test]
fn a_reader_sees_what_was_there_while_segments_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    home.append(1, batch(&[(NOW.0 - 1, "a", 1)]));
    let in_memory = home.snapshot(1);
    home.flush();
    let in_segments = home.snapshot(1);
    for word in ["b", "c", "d"] {
        home.append(1, batch(&[(NOW.0 - 50 * HOUR, word, 2)]));
        home.flush();
    }
    home.compact();
    for snapshot in [in_memory, in_segments] {
        assert_eq!(snapshot.as_of(), Seq(1));
        let events = seen(&snapshot);
        assert_eq!(events.into_values().collect::<Vec<_>>(), [expected(NOW.0 - 1, "a", 1)]);
    }
    assert_eq!(home.visible(1).len(), 4);
}

#[test]
fn small_segments_of_a_day_that_is_over_become_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    for hour in [30, 31, 32, 80] {
        home.append(1, batch(&[(NOW.0 - hour * HOUR, "a", hour)]));
        home.flush();
    }
    assert_eq!(home.store.usage(DatasetId(1)).segments, 4);
    home.compact();
    let usage = home.store.usage(DatasetId(1));
    assert_eq!((usage.segments, usage.events, usage.bytes_in), (2, 4, 40));
    assert_eq!(home.store.usage(DatasetId(9)), Usage::default());
    home.compact();
    assert_eq!(home.store.usage(DatasetId(1)), usage, "there is nothing left to do");
}

#[test]
fn only_segments_whose_every_event_is_past_its_time_expire() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    home.append(1, batch(&[(NOW.0 - 100 * HOUR, "old", 1), (NOW.0 - 1, "new", 1)]));
    home.append(2, batch(&[(NOW.0 - 100 * HOUR, "other", 1)]));
    home.flush();
    let expire = |before: i64| {
        home.store.expire(&job(Job::Expire), DatasetId(1), Timestamp(before)).expect("expired")
    };
    assert_eq!(expire(NOW.0 - 50 * HOUR).segments, 0, "received just now");
    assert_eq!(expire(NOW.0).segments, 0, "received just now, and `before` itself stays");
    assert_eq!(expire(NOW.0 + 1).events, 2);
    assert!(home.visible(1).is_empty());
    assert_eq!(home.visible(2).len(), 1);
    home.append(1, batch(&[(NOW.0, "next", 1)]));
    assert_eq!(home.visible(1).into_keys().collect::<Vec<_>>(), [2], "numbers go on");
}

#[test]
fn what_is_old_is_archived_found_merged_with_what_comes_late_and_expires() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    home.append(1, batch(&[(NOW.0 - 100 * HOUR, "old", 1), (NOW.0 - 150 * HOUR, "older", 2)]));
    home.append(2, batch(&[(NOW.0 - 100 * HOUR, "other", 3)]));
    home.flush();
    assert_eq!(home.archive(1), 0, "what was written in haste waits");
    home.compact();
    let before = home.visible(1);
    let held = home.snapshot(1);
    let scope = job(Job::Archive);
    let archive = |before| home.store.archive_next(&scope, DatasetId(1), before).expect("moved");
    assert_eq!(archive(NOW), None, "received just now");
    assert_eq!(home.archive(1), 2);
    let usage = home.store.usage(DatasetId(1));
    assert!(usage.bytes_archived > 0);
    assert_eq!(usage.bytes_archived, usage.bytes_stored);
    assert_eq!(home.store.usage(DatasetId(2)).bytes_archived, 0);
    assert_eq!((home.visible(1), seen(&held)), (before.clone(), before.clone()));
    let home = home.power_cut(folder.path(), 0, 2);
    assert_eq!(home.store.usage(DatasetId(1)), usage);
    assert_eq!(home.visible(1), before);
    home.append(1, batch(&[(NOW.0 - 100 * HOUR, "late", 4)]));
    home.flush();
    home.compact();
    assert_eq!(home.visible(1).len(), 3);
    assert!(home.store.usage(DatasetId(1)).bytes_archived < usage.bytes_archived, "it came back");
    assert_eq!(home.archive(1), 1);
    home.append(2, batch(&[(NOW.0, "last", 5)]));
    home.flush();
    let expired = home.store.expire(&job(Job::Expire), DatasetId(1), Timestamp(NOW.0 + 1));
    assert_eq!(expired.expect("expired").events, 3);
    let archived = folder.path().join("archive").join(tenant().to_string());
    assert!(!home.disk.all_files().iter().any(|file| file.starts_with(&archived)));
}

#[test]
fn a_range_leaves_out_parts_that_have_none_of_its_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    home.append(1, batch(&[(NOW.0 - 100 * HOUR, "a", 1), (NOW.0 - 60 * HOUR, "b", 1)]));
    home.flush();
    home.append(1, batch(&[(NOW.0, "c", 1)]));
    let parts = |start: i64, end: i64| {
        let range = TimeRange { start: Timestamp(start), end: Timestamp(end) };
        home.store.snapshot(&read_scope(), DatasetId(1), range).expect("a snapshot").parts().len()
    };
    assert_eq!(parts(i64::MIN, i64::MAX), 3);
    assert_eq!(parts(NOW.0, NOW.0 + 1), 1);
    assert_eq!(parts(NOW.0 - 60 * HOUR, NOW.0), 1);
    assert_eq!(parts(NOW.0 - 100 * HOUR + 1, NOW.0 - 60 * HOUR), 0);
}

#[test]
fn a_watch_wakes_with_new_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    let mut watch = home.store.watch(&read_scope(), DatasetId(1)).expect("a watch");
    assert!(!watch.has_changed().expect("open"));
    home.append(1, batch(&[(NOW.0, "a", 1), (NOW.0, "b", 1)]));
    assert!(watch.has_changed().expect("open"));
    assert_eq!(*watch.borrow_and_update(), 2);
}

#[test]
fn a_scope_of_another_tenant_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    let other = upkeep(TenantId::from_bytes([4; 16]).expect("not zero"), Job::Flush);
    assert!(home.store.flush(&other).is_err());
    assert!(home.store.compact(&other, &Horizon::at(NOW)).is_err());
    assert!(home.store.expire(&other, DatasetId(1), NOW).is_err());
}

//! API keys.

use std::time::Duration;

use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, KeyScope};
use ledgerline_tenancy::{ApiKey, ErrorKind, NewKey};
use ledgerline_world::Clock;

use crate::platform::{Platform, kind, manage};

fn scopes(texts: &[&str]) -> Vec<KeyScope> {
    texts.iter().map(|text| text.parse().expect("a scope")).collect()
}

fn new_key(texts: &[&str]) -> NewKey {
    NewKey { name: "a key".to_owned(), scopes: scopes(texts), expires: None }
}

fn make(platform: &Platform, tenant: TenantId) -> (ApiKey, String) {
    let scope = manage(tenant, Action::ManageKeys);
    platform.tenancy().create_key(&scope, &new_key(&["ingest:*"])).expect("made")
}

#[test]
fn a_key_is_known_by_its_secret_alone() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let (key, secret) = make(&platform, tenant.id);
    assert!(secret.starts_with(&key.prefix) && secret.len() == 53);
    for _ in 0..2 {
        let principal = platform.who(&secret).expect("known");
        assert_eq!(principal.tenant(), Some(tenant.id));
        assert_eq!(principal.key_scopes(), scopes(&["ingest:*"]));
        platform.restart();
    }
    let kinds = [&secret[1..], &secret[..52], &secret.to_lowercase(), "ll_", "", &key.prefix];
    for wrong in kinds {
        assert_eq!(platform.who(wrong), Err(ErrorKind::Unauthenticated));
    }
    assert_eq!(platform.who(&"l".repeat(1 << 20)), Err(ErrorKind::Unauthenticated));
}

#[test]
fn bad_keys_are_refused_with_their_field() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageKeys);
    let past = Some(platform.clock.now());
    let cases = [
        ("name", NewKey { name: String::new(), ..new_key(&["ingest:*"]) }),
        ("name", NewKey { name: "é".repeat(101), ..new_key(&["ingest:*"]) }),
        ("name", NewKey { name: "a\nb".to_owned(), ..new_key(&["ingest:*"]) }),
        ("scopes", new_key(&[])),
        ("expires_at", NewKey { expires: past, ..new_key(&["ingest:*"]) }),
    ];
    for (field, key) in cases {
        let error = platform.tenancy().create_key(&scope, &key).expect_err("refused");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)));
    }
    let twice = new_key(&["query:web", "query:web"]);
    let (key, _) = platform.tenancy().create_key(&scope, &twice).expect("made");
    assert_eq!(key.scopes, scopes(&["query:web"]));
    let only_read = manage(tenant.id, Action::ReadKeys);
    let denied = platform.tenancy().create_key(&only_read, &new_key(&["ingest:*"]));
    assert_eq!(kind(denied), ErrorKind::Denied);
}

#[test]
fn a_revoked_key_is_dead_at_once() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let (key, secret) = make(&platform, tenant.id);
    let (_, other) = make(&platform, tenant.id);
    assert!(platform.who(&secret).is_ok());
    let scope = manage(tenant.id, Action::ManageKeys);
    let revoked = platform.tenancy().revoke_key(&scope, key.id).expect("revoked");
    assert!(revoked.revoked);
    for _ in 0..2 {
        assert_eq!(platform.who(&secret), Err(ErrorKind::Unauthenticated));
        assert!(platform.who(&other).is_ok());
        platform.restart();
    }
    let rotated = platform.tenancy().rotate_key(&scope, key.id, 60);
    assert_eq!(kind(rotated), ErrorKind::Conflict);
    let unknown = platform.data().chance().record_id();
    assert_eq!(kind(platform.tenancy().revoke_key(&scope, unknown)), ErrorKind::NotFound);
    assert_eq!(kind(platform.tenancy().rotate_key(&scope, unknown, 0)), ErrorKind::NotFound);
}

#[test]
fn a_key_ends_to_the_nanosecond() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageKeys);
    let expires = Some(Timestamp(platform.clock.now().0 + 1_000));
    let key = NewKey { expires, ..new_key(&["ingest:*"]) };
    let (_, secret) = platform.tenancy().create_key(&scope, &key).expect("made");
    platform.clock.advance(Duration::from_nanos(999));
    assert!(platform.who(&secret).is_ok());
    platform.clock.advance(Duration::from_nanos(1));
    assert_eq!(platform.who(&secret), Err(ErrorKind::Unauthenticated));
}

#[test]
fn a_rotated_key_has_two_secrets_for_a_while() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageKeys);
    let (key, first) = make(&platform, tenant.id);
    let rotate = |seconds| {
        let (rotated, secret) =
            platform.tenancy().rotate_key(&scope, key.id, seconds).expect("rotated");
        assert_eq!(rotated.id, key.id);
        assert!(secret.starts_with(&rotated.prefix));
        secret
    };
    let is_good = |secret: &str| platform.who(secret).is_ok();
    assert!(is_good(&first));
    let second = rotate(60);
    assert!(is_good(&first) && is_good(&second));
    platform.advance(60);
    assert!(!is_good(&first) && is_good(&second));

    let third = rotate(3_600);
    assert!(is_good(&second) && is_good(&third));
    let fourth = rotate(3_600);
    assert!(!is_good(&second), "only the newest two are good");
    assert!(is_good(&third) && is_good(&fourth));
    let fifth = rotate(0);
    assert!(!is_good(&third) && !is_good(&fourth) && is_good(&fifth));
    let too_long = platform.tenancy().rotate_key(&scope, key.id, u64::MAX);
    assert_eq!(kind(too_long), ErrorKind::Invalid);
}

#[test]
fn when_a_key_was_used_is_kept_in_memory_and_written_late() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let (_, secret) = make(&platform, tenant.id);
    let listed = |platform: &Platform| {
        let keys = platform.tenancy().keys(&manage(tenant.id, Action::ReadKeys)).expect("read");
        keys[0].last_used
    };
    let stored = |platform: &Platform| -> Option<i64> {
        let file = platform.records_file(tenant.id);
        let sql = rusqlite::Connection::open(file).expect("opened");
        sql.query_row("SELECT last_used FROM key", [], |row| row.get(0)).expect("read")
    };
    let use_it = |platform: &Platform| {
        platform.advance(10);
        platform.who(&secret).expect("known");
        platform.clock.now()
    };
    assert_eq!(listed(&platform), None);
    let first = use_it(&platform);
    assert_eq!((listed(&platform), stored(&platform)), (Some(first), None));
    platform.tenancy().maintain().expect("maintained");
    assert_eq!(stored(&platform), Some(first.0));
    let second = use_it(&platform);
    platform.tenancy().maintain().expect("maintained");
    assert_eq!((listed(&platform), stored(&platform)), (Some(second), Some(first.0)));
    platform.advance(60);
    platform.tenancy().maintain().expect("maintained");
    assert_eq!(stored(&platform), Some(second.0));
    let third = use_it(&platform);
    platform.restart();
    assert_eq!((listed(&platform), stored(&platform)), (Some(third), Some(third.0)));
}

#[test]
fn revoked_keys_make_room_and_live_ones_do_not() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let (_, secret) = make(&platform, tenant.id);
    let sql = rusqlite::Connection::open(platform.records_file(tenant.id)).expect("opened");
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
        INSERT INTO key (id, name, prefix, scopes, created, revoked)
        SELECT randomblob(16), x'', '', 'ingest:*', n, 0 FROM n";
    assert_eq!(sql.execute(fill, []).expect("written"), 9_999);
    let scope = manage(tenant.id, Action::ManageKeys);
    let again = || platform.tenancy().create_key(&scope, &new_key(&["ingest:*"]));
    assert_eq!(kind(again()), ErrorKind::Invalid);
    let revoke = "UPDATE key SET revoked = 1 WHERE created IN (5, 7)";
    assert_eq!(sql.execute(revoke, []).expect("written"), 2);
    again().expect("made in the place of a revoked one");
    let left = "SELECT created FROM key WHERE revoked";
    let left: i64 = sql.query_row(left, [], |row| row.get(0)).expect("read");
    assert_eq!(left, 7, "the older one went");
    again().expect("made");
    assert_eq!(kind(again()), ErrorKind::Invalid);
    assert!(platform.who(&secret).is_ok(), "live ones stay");
}

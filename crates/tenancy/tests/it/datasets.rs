//! Datasets.

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetId, DatasetName, TenantId};
use ledgerline_model::limits::DATASETS_MAX;
use ledgerline_policy::{
    Action, Append, Job, Principal, Role, Scope, authorize_append, authorize_read,
    authorize_read_all, upkeep,
};
use ledgerline_tenancy::{DatasetSettings, ErrorKind};

use crate::platform::{Platform, kind, manage};

fn name(text: &str) -> DatasetName {
    text.parse().expect("a name")
}

fn user(platform: &Platform, tenant: TenantId, role: Role) -> Principal {
    let id = platform.data().chance().record_id();
    Principal::user(tenant, id, role).expect("a user")
}

fn append(platform: &Platform, tenant: TenantId, dataset: &str) -> Scope<Append> {
    let user = user(platform, tenant, Role::User);
    authorize_append(&user, &name(dataset)).expect("a user's")
}

fn audit(tenant: TenantId, dataset: &str) -> Scope<Append> {
    upkeep(tenant, Job::Audit).append_reserved(&name(dataset)).expect("the audit's")
}

#[test]
fn the_first_event_makes_a_dataset_unless_that_is_switched_off() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageDatasets);
    let web = append(&platform, tenant.id, "web");
    let made = platform.tenancy().dataset_to_append(&web).expect("made");
    assert_eq!((made.id, made.name.as_str()), (DatasetId(1), "web"));
    assert_eq!(platform.tenancy().dataset_to_append(&web).expect("there"), made);

    platform.tenancy().set_makes_datasets(&scope, false).expect("set");
    for _ in 0..2 {
        assert!(!platform.tenancy().tenant(tenant.id).expect("there").makes_datasets);
        let other = append(&platform, tenant.id, "other");
        assert_eq!(kind(platform.tenancy().dataset_to_append(&other)), ErrorKind::NotFound);
        assert_eq!(platform.tenancy().dataset_to_append(&web).expect("there"), made);
        platform.restart();
    }
    let own = platform.tenancy().dataset_to_append(&audit(tenant.id, "_audit")).expect("made");
    assert_eq!(own.id, DatasetId(2));
    let other = platform.tenancy().create_dataset(
        &scope,
        (&name("other"), DatasetKind::Logs),
        &Default::default(),
    );
    assert_eq!(other.expect("made").id, DatasetId(3));
}

#[test]
fn readers_see_what_they_may() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    for dataset in ["web", "app"] {
        let scope = append(&platform, tenant.id, dataset);
        platform.tenancy().dataset_to_append(&scope).expect("made");
    }
    platform.tenancy().dataset_to_append(&audit(tenant.id, "_audit")).expect("made");
    let seen = |principal: &Principal| -> Vec<String> {
        let grant = authorize_read_all(principal).expect("a reader's");
        let datasets = platform.tenancy().datasets(&grant).expect("read");
        datasets.iter().map(|dataset| dataset.name.to_string()).collect()
    };
    assert_eq!(seen(&user(&platform, tenant.id, Role::User)), ["app", "web"]);
    assert_eq!(seen(&user(&platform, tenant.id, Role::Auditor)), ["_audit", "app", "web"]);
    let key = platform.data().chance().record_id();
    let key = Principal::key(tenant.id, key, vec!["query:web".parse().expect("a scope")]);
    assert_eq!(seen(&key), ["web"]);
    let scope = authorize_read(&key, &name("web")).expect("the key's");
    assert_eq!(platform.tenancy().dataset_to_read(&scope).expect("there").id, DatasetId(1));
    let admin = user(&platform, tenant.id, Role::Admin);
    let missing = authorize_read(&admin, &name("missing")).expect("an admin's");
    assert_eq!(kind(platform.tenancy().dataset_to_read(&missing)), ErrorKind::NotFound);
    let all = platform.tenancy().all_datasets(&upkeep(tenant.id, Job::Flush)).expect("read");
    assert_eq!(all.len(), 3);
}

#[test]
fn settings_are_checked_and_kept() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageDatasets);
    let days = |days| DatasetSettings { retention_days: Some(days), ..Default::default() };
    let key = |length| DatasetSettings { time_key: Some("k".repeat(length)), ..Default::default() };
    for (field, settings) in [
        ("retention_days", days(0)),
        ("retention_days", days(36_501)),
        ("hot_days", DatasetSettings { hot_days: Some(0), ..Default::default() }),
        ("hot_days", DatasetSettings { hot_days: Some(8), ..days(7) }),
        ("time_key", key(0)),
        ("time_key", key(1_025)),
    ] {
        let made =
            platform.tenancy().create_dataset(&scope, (&name("web"), DatasetKind::Logs), &settings);
        let error = made.expect_err("refused");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)));
    }
    let settings = DatasetSettings {
        time_key: Some("when".to_owned()),
        message_key: Some("what".to_owned()),
        severity_key: Some("how".to_owned()),
        retention_days: Some(36_500),
        hot_days: Some(90),
    };
    let missing = platform.tenancy().update_dataset(&scope, &name("web"), &settings);
    assert_eq!(kind(missing), ErrorKind::NotFound);
    let made = platform
        .tenancy()
        .create_dataset(&scope, (&name("web"), DatasetKind::Logs), &settings)
        .expect("made");
    assert_eq!(made.conventions().time[0], "when");
    let again =
        platform.tenancy().create_dataset(&scope, (&name("web"), DatasetKind::Logs), &settings);
    assert_eq!(kind(again), ErrorKind::Conflict);
    let set = platform.tenancy().update_dataset(&scope, &name("web"), &days(7)).expect("set");
    assert_eq!((set.id, set.settings.clone()), (made.id, days(7)));
    platform.restart();
    let all = platform.tenancy().all_datasets(&upkeep(tenant.id, Job::Expire)).expect("read");
    assert_eq!(all, [set]);
}

#[test]
fn nobody_can_touch_the_audit_trail() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let own = platform.tenancy().dataset_to_append(&audit(tenant.id, "_audit")).expect("made");
    let scope = manage(tenant.id, Action::ManageDatasets);
    let short = DatasetSettings { retention_days: Some(1), ..Default::default() };
    let set = platform.tenancy().update_dataset(&scope, &name("_audit"), &short);
    assert_eq!(kind(set), ErrorKind::Invalid);
    let made =
        platform.tenancy().create_dataset(&scope, (&name("_mine"), DatasetKind::Logs), &short);
    assert_eq!(kind(made), ErrorKind::Invalid);
    let all = platform.tenancy().all_datasets(&upkeep(tenant.id, Job::Flush)).expect("read");
    assert_eq!(all, [own]);
}

#[test]
fn datasets_are_bounded_but_the_audit_trail_always_has_room() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    for number in 0..DATASETS_MAX {
        let scope = append(&platform, tenant.id, &format!("d{number}"));
        let made = platform.tenancy().dataset_to_append(&scope).expect("made");
        assert_eq!(made.id, DatasetId(number as u32 + 1), "dense");
    }
    let scope = append(&platform, tenant.id, "one-more");
    assert_eq!(kind(platform.tenancy().dataset_to_append(&scope)), ErrorKind::Invalid);
    assert!(platform.tenancy().dataset_to_append(&audit(tenant.id, "_audit")).is_ok());
}

#[test]
fn many_at_once_make_a_dataset_once() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = append(&platform, tenant.id, "web");
    let made: Vec<_> = std::thread::scope(|threads| {
        let threads: Vec<_> = (0..8)
            .map(|_| threads.spawn(|| platform.tenancy().dataset_to_append(&scope)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for dataset in made {
        assert_eq!(dataset.expect("made or found").id, DatasetId(1));
    }
}

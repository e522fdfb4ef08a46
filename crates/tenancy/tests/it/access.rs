//! Tenants: who may make them, and what is left of one that is gone.

use std::fs;

use ledgerline_model::id::TenantName;
use ledgerline_policy::{Action, Role, upkeep_of_tenants};
use ledgerline_tenancy::{ErrorKind, Tenancy};

use crate::platform::{
    OPERATOR, PASSWORD, Platform, admin_of, kind, manage, operator_scope, user_of,
};

fn name(text: &str) -> TenantName {
    text.parse().expect("a name")
}

#[test]
fn the_records_are_shared_among_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Tenancy>();
}

#[test]
fn the_operator_is_made_once() {
    let mut platform = Platform::new();
    let again = platform.tenancy().ensure_operator("other@localhost", Some(PASSWORD));
    assert_eq!(again.expect("read"), None);
    platform.restart();
    let again = platform.tenancy().ensure_operator(OPERATOR, None);
    assert_eq!(again.expect("read"), None);
    platform.login(OPERATOR, None);
}

#[test]
fn an_operator_without_a_password_gets_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let chance = ledgerline_world::Chance::system();
    let data = ledgerline_world::DataDir::open(folder.path(), chance, Default::default());
    let clock = std::sync::Arc::new(ledgerline_world::SystemClock::new());
    let options = ledgerline_tenancy::Options { argon2_kib: 8, ..Default::default() };
    let tenancy = Tenancy::open(&data.expect("opened"), clock, options).expect("opened");
    assert_eq!(kind(tenancy.ensure_operator(OPERATOR, Some("short"))), ErrorKind::Invalid);
    let password = tenancy.ensure_operator(OPERATOR, None).expect("made").expect("random");
    assert!(password.len() >= 20);
    assert!(tenancy.login(OPERATOR, &password, None, None).is_ok());
}

#[test]
fn only_the_right_scope_makes_tenants() {
    let platform = Platform::new();
    let tenancy = platform.tenancy();
    let only_read = operator_scope(Action::ReadTenants);
    let ada = admin_of("ada@example.com");
    assert_eq!(kind(tenancy.create_tenant(&only_read, &name("alpha"), &ada)), ErrorKind::Denied);
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    assert_eq!(kind(tenancy.delete_tenant(&only_read, tenant.id)), ErrorKind::Denied);
    assert_eq!(tenancy.tenants(&only_read).expect("read"), [tenant]);

    let scope = platform.operator();
    let taken = tenancy.create_tenant(&scope, &name("alpha"), &ada).expect_err("taken");
    assert_eq!((taken.kind(), taken.field()), (ErrorKind::Conflict, Some("name")));
    let user = user_of("ada@example.com", Role::User);
    assert_eq!(kind(tenancy.create_tenant(&scope, &name("beta"), &user)), ErrorKind::Invalid);
    let id = name("abcdefabcdefabcdefabcdefabcdefab");
    assert_eq!(kind(tenancy.create_tenant(&scope, &id, &ada)), ErrorKind::Invalid);
    assert_eq!(tenancy.all_tenants().expect("read").len(), 1);
}

#[test]
fn everything_is_found_again_after_a_restart() {
    let mut platform = Platform::new();
    let (alpha, ada) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    let tokens = platform.login("ada@example.com", None);
    platform.restart();
    assert_eq!(platform.tenancy().all_tenants().expect("read"), [alpha.clone(), beta]);
    let users = platform.tenancy().users(&manage(alpha.id, Action::ReadUsers)).expect("read");
    assert_eq!(users, [ada]);
    assert_eq!(platform.who(&tokens.access_token), Ok(tokens.principal));
}

#[test]
fn a_deleted_tenant_is_dead_at_once_and_its_name_is_free() {
    let mut platform = Platform::new();
    let (old, _) = platform.tenant("alpha", "ada@example.com");
    let tokens = platform.login("ada@example.com", None);
    assert!(platform.who(&tokens.access_token).is_ok());
    platform.tenancy().delete_tenant(&platform.operator(), old.id).expect("deleted");
    let gone = platform.tenancy().delete_tenant(&platform.operator(), old.id);
    assert_eq!(kind(gone), ErrorKind::NotFound);
    for _ in 0..2 {
        assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
        assert!(platform.tenancy().refresh(&tokens.refresh_token).is_err());
        assert_eq!(kind(platform.tenancy().tenant(old.id)), ErrorKind::NotFound);
        assert_eq!(platform.fails("ada@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
        platform.restart();
    }
    let (new, _) = platform.tenant("alpha", "ada@example.com");
    assert_ne!(new.id, old.id);
    assert!(platform.records_file(old.id).exists(), "nobody finished it yet");
    let mut gone = Vec::new();
    let left = platform.tenancy().remove_leftovers(&upkeep_of_tenants(), |id| gone.push(id));
    assert_eq!((left, gone), (vec![], vec![old.id]));
    assert!(!platform.records_file(old.id).exists());
    assert!(platform.records_file(new.id).exists());
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
    platform.login("ada@example.com", Some("alpha"));
}

#[test]
fn a_tenant_whose_making_was_cut_short_never_was() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    platform.stop();
    // As if the process had ended before the last step.
    let sql = rusqlite::Connection::open(platform.control_file()).expect("opened");
    sql.execute("UPDATE tenant SET state = 'making', name = NULL", []).expect("written");
    drop(sql);
    platform.restart();
    assert_eq!(platform.tenancy().all_tenants().expect("read"), []);
    assert_eq!(platform.fails("ada@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
    let (again, _) = platform.tenant("alpha", "ada@example.com");
    assert_ne!(again.id, tenant.id);
    assert_eq!(platform.tenancy().remove_leftovers(&upkeep_of_tenants(), |_| ()), []);
    assert!(!platform.records_file(tenant.id).exists());
    platform.restart();
    assert_eq!(platform.tenancy().all_tenants().expect("read"), [again]);
}

#[test]
fn a_tenant_that_was_not_confirmed_is_gone_after_a_restart() {
    let mut platform = Platform::new();
    let (tenancy, scope) = (platform.tenancy(), platform.operator());
    let ada = admin_of("ada@example.com");
    let name = name("alpha");
    let (tenant, _) = tenancy.create_tenant(&scope, &name, &ada).expect("made");
    let taken = tenancy.create_tenant(&scope, &name, &ada);
    assert_eq!(kind(taken), ErrorKind::Conflict, "its name is taken meanwhile");
    platform.restart();
    assert_eq!(kind(platform.tenancy().tenant(tenant.id)), ErrorKind::NotFound);
    assert_eq!(platform.tenancy().remove_leftovers(&upkeep_of_tenants(), |_| ()), []);
    assert!(!platform.records_file(tenant.id).exists());
    platform.tenant("alpha", "ada@example.com");
}

#[test]
fn a_deletion_that_could_not_end_ends_later() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    platform.tenancy().delete_tenant(&platform.operator(), tenant.id).expect("deleted");
    // A scope for something else deletes nothing, so the first try fails.
    let unfit = operator_scope(Action::ReadTenants);
    assert_eq!(platform.tenancy().remove_leftovers(&unfit, |_| ()), [tenant.id]);
    assert!(platform.records_file(tenant.id).exists());
    assert_eq!(platform.tenancy().remove_leftovers(&upkeep_of_tenants(), |_| ()), []);
    assert!(!platform.records_file(tenant.id).exists());
}

#[test]
fn a_tenant_with_damaged_records_can_be_deleted_and_keeps_its_name_until_then() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    platform.stop();
    fs::write(platform.records_file(tenant.id), b"no database at all, whatever its name says")
        .expect("written");
    platform.restart();
    assert_eq!(platform.tenancy().damaged_tenants().len(), 1);
    let scope = platform.operator();
    let ada = admin_of("ada@example.com");
    let name = name("alpha");
    let taken = platform.tenancy().create_tenant(&scope, &name, &ada);
    assert_eq!(kind(taken), ErrorKind::Conflict);
    platform.tenancy().delete_tenant(&scope, tenant.id).expect("deleted");
    assert_eq!(platform.tenancy().damaged_tenants(), []);
    assert_eq!(platform.tenancy().remove_leftovers(&upkeep_of_tenants(), |_| ()), []);
    assert!(!platform.records_file(tenant.id).exists());
    platform.tenant("alpha", "ada@example.com");
}

#[test]
fn records_that_were_only_out_of_reach_are_opened_again() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    platform.stop();
    let file = platform.records_file(tenant.id);
    let elsewhere = file.with_extension("away");
    fs::rename(&file, &elsewhere).expect("moved");
    platform.restart();
    assert_eq!(platform.tenancy().retry_damaged(), []);
    fs::rename(&elsewhere, &file).expect("moved back");
    assert_eq!(platform.tenancy().retry_damaged(), [tenant.id]);
    assert_eq!(platform.tenancy().damaged_tenants(), []);
    platform.login("ada@example.com", None);

    platform.stop();
    fs::write(&file, b"no database at all, whatever its name says").expect("written");
    platform.restart();
    assert_eq!(platform.tenancy().retry_damaged(), [], "what is damaged stays so");
    assert_eq!(platform.tenancy().damaged_tenants().len(), 1);
}

#[test]
fn a_lost_index_is_rebuilt_from_the_tenants_files() {
    let mut platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    let scope = manage(alpha.id, Action::ManageKeys);
    let key = ledgerline_tenancy::NewKey {
        name: "a key".to_owned(),
        scopes: vec!["ingest:*".parse().expect("a scope")],
        expires: None,
    };
    let (_, secret) = platform.tenancy().create_key(&scope, &key).expect("made");
    platform.stop();
    let sql = rusqlite::Connection::open(platform.control_file()).expect("opened");
    let rows = |sql: &rusqlite::Connection| -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut select = sql.prepare("SELECT hash, tenant FROM lookup ORDER BY hash").expect("sql");
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
        rows.map(|row| row.expect("a row")).collect()
    };
    let before = rows(&sql);
    assert_eq!(before.len(), 3);
    sql.execute("DELETE FROM lookup", []).expect("written");
    let stray = "INSERT INTO lookup VALUES (randomblob(32), ?)";
    sql.execute(stray, [beta.id.as_bytes()]).expect("written");
    platform.restart();
    assert_eq!(rows(&sql), before);
    assert_eq!(platform.who(&secret).map(|who| who.tenant()), Ok(Some(alpha.id)));
    assert_eq!(platform.login("bob@example.com", None).principal.tenant(), Some(beta.id));
}

#[test]
fn a_lost_control_file_costs_no_tenant_and_brings_none_back() {
    let mut platform = Platform::new();
    let (alpha, ada) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    let tokens = platform.login("ada@example.com", None);
    platform.tenancy().delete_tenant(&platform.operator(), beta.id).expect("deleted");
    assert!(platform.records_file(beta.id).exists());
    platform.stop();
    for file in ["control.db", "control.db-wal", "control.db-shm"] {
        let file = platform.control_file().with_file_name(file);
        assert!(!file.exists() || fs::remove_file(file).is_ok());
    }
    platform.restart();
    assert_eq!(platform.tenancy().all_tenants().expect("read"), std::slice::from_ref(&alpha));
    let users = platform.tenancy().users(&manage(alpha.id, Action::ReadUsers)).expect("read");
    assert_eq!(users, [ada]);
    assert!(platform.tenancy().ensure_operator(OPERATOR, Some(PASSWORD)).expect("made").is_some());
    platform.login("ada@example.com", None);
    assert_eq!(platform.fails("bob@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
    // The key that signs is another one now; sessions go on with their refresh tokens.
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
    assert!(platform.tenancy().refresh(&tokens.refresh_token).is_ok());
}

#[test]
fn a_tenants_file_in_anothers_place_is_refused_and_the_others_are_served() {
    let mut platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    platform.stop();
    let (source, target) = (platform.records_file(beta.id), platform.records_file(alpha.id));
    fs::copy(source, &target).expect("copied");
    let set_aside = |platform: &Platform| {
        let damaged = platform.tenancy().damaged_tenants();
        assert_eq!(damaged.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [alpha.id]);
        // Who is of the damaged tenant gets nowhere, and the others are served.
        let fails = platform.fails("ada@example.com", PASSWORD, Some("alpha"));
        assert_eq!(fails, ErrorKind::Unauthenticated);
        assert!(platform.tenancy().tenant(alpha.id).is_err());
        platform.login("bob@example.com", Some("beta"));
    };
    platform.restart();
    set_aside(&platform);

    platform.stop();
    fs::remove_file(&target).expect("removed");
    platform.restart();
    set_aside(&platform);
    assert!(!target.exists());
}

#[test]
fn a_hash_that_was_moved_to_another_row_does_not_open() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageUsers);
    let bob = user_of("bob@example.com", Role::User);
    let bob = platform.tenancy().create_user(&scope, &bob).expect("made");
    let sql = rusqlite::Connection::open(platform.records_file(tenant.id)).expect("opened");
    let moved = "UPDATE user SET password = (SELECT password FROM user WHERE id = ?) WHERE id <> ?";
    let id = bob.id.as_bytes();
    assert_eq!(sql.execute(moved, (id, id)).expect("written"), 1);
    assert_eq!(platform.fails("ada@example.com", PASSWORD, None), ErrorKind::Corrupt);
    platform.login("bob@example.com", None);
}

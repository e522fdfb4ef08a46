//! Logins, refresh tokens and what ends a session.

use ledgerline_policy::{Action, Role};
use ledgerline_tenancy::ErrorKind;

use crate::platform::{OPERATOR, PASSWORD, Platform, manage, user_of};

#[test]
fn a_login_gives_the_principal_of_the_records() {
    let platform = Platform::new();
    let (tenant, admin) = platform.tenant("alpha", "Ada@Example.com");
    let tokens = platform.login("ADA@example.com", None);
    assert_eq!(tokens.expires_in, 900);
    assert_eq!(tokens.principal.tenant(), Some(tenant.id));
    assert_eq!(tokens.principal.role(), Some(Role::Admin));
    assert_eq!(platform.who(&tokens.access_token), Ok(tokens.principal.clone()));
    assert_eq!(admin.email, "ada@example.com");

    let operator = platform.login(OPERATOR, None);
    assert_eq!(operator.principal.tenant(), None);
    assert_eq!(platform.who(&operator.access_token), Ok(operator.principal));
}

#[test]
fn every_wrong_login_gets_the_same_answer() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    platform.tenant("beta", "bob@example.com");
    let long = "x".repeat(2_000);
    let cases = [
        ("ada@example.com", "another password", None),
        ("ada@example.com", "", None),
        ("ada@example.com", long.as_str(), None),
        ("nobody@example.com", PASSWORD, None),
        ("no address", PASSWORD, None),
        ("", PASSWORD, None),
        (long.as_str(), PASSWORD, None),
        ("ada@example.com", PASSWORD, Some("beta")),
        ("ada@example.com", PASSWORD, Some("gamma")),
        ("ada@example.com", PASSWORD, Some("")),
        (OPERATOR, PASSWORD, Some("alpha")),
    ];
    for (email, password, tenant) in cases {
        let error = platform.tenancy().login(email, password, tenant, None).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert_eq!(error.to_string(), "the credential is not valid");
    }
}

#[test]
fn an_address_of_several_tenants_needs_a_name_or_a_password_of_its_own() {
    let platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, ada) = platform.tenant("beta", "ada@example.com");
    let tenants = platform.tenancy().tenants_of_address("ADA@example.com").expect("read");
    assert_eq!(tenants.len(), 2);
    assert!(tenants.contains(&alpha.id) && tenants.contains(&beta.id));

    assert_eq!(platform.fails("ada@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
    let named = platform.login("ada@example.com", Some("alpha"));
    assert_eq!(named.principal.tenant(), Some(alpha.id));
    let by_id = platform.login("ada@example.com", Some(&beta.id.to_string()));
    assert_eq!(by_id.principal.tenant(), Some(beta.id));

    let other = "a password of its own";
    let scope = manage(beta.id, Action::ManageUsers);
    let changed = platform.tenancy().update_user(&scope, ada.id, None, None, Some(other));
    assert!(changed.is_ok());
    let only = platform.login("ada@example.com", None);
    assert_eq!(only.principal.tenant(), Some(alpha.id));
    let tokens = platform.tenancy().login("ada@example.com", other, None, None).expect("logged in");
    assert_eq!(tokens.principal.tenant(), Some(beta.id));
}

#[test]
fn too_many_wrong_passwords_shut_the_address_for_a_while() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(platform.fails(email, "wrong password", None), ErrorKind::Unauthenticated);
        }
        let error = platform.tenancy().login(email, PASSWORD, None, None).expect_err("shut");
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.retry_after().is_some_and(|after| after.as_secs() == 900));
        let folded = email.to_uppercase();
        assert_eq!(platform.fails(&folded, PASSWORD, Some("alpha")), ErrorKind::Busy);
    }
    platform.login(OPERATOR, None);
    platform.advance(900);
    platform.login("ada@example.com", None);
}

#[test]
fn an_access_token_ends_by_the_clock() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    let tokens = platform.login("ada@example.com", None);
    platform.advance(899);
    assert!(platform.who(&tokens.access_token).is_ok());
    platform.advance(1);
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
}

#[test]
fn a_refresh_token_is_good_once() {
    let mut platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    for email in ["ada@example.com", OPERATOR] {
        let first = platform.login(email, None);
        let second = platform.tenancy().refresh(&first.refresh_token).expect("refreshed");
        assert_eq!(second.principal, first.principal);
        platform.restart();
        let third = platform.tenancy().refresh(&second.refresh_token).expect("refreshed");
        assert!(platform.who(&third.access_token).is_ok());
        let reused = platform.tenancy().refresh(&first.refresh_token);
        assert_eq!(reused.map(drop).map_err(|e| e.kind()), Err(ErrorKind::Unauthenticated));
        for token in [&first, &second, &third] {
            assert_eq!(platform.who(&token.access_token), Err(ErrorKind::Unauthenticated));
            assert!(platform.tenancy().refresh(&token.refresh_token).is_err());
        }
        platform.login(email, None);
    }
}

#[test]
fn a_refresh_token_ends_and_each_use_carries_on() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    let days = |days: u64| platform.advance(days * 24 * 3600);
    let mut tokens = platform.login("ada@example.com", None);
    for _ in 0..5 {
        days(29);
        platform.tenancy().maintain().expect("maintained");
        tokens = platform.tenancy().refresh(&tokens.refresh_token).expect("refreshed");
    }
    days(30);
    assert!(platform.tenancy().refresh(&tokens.refresh_token).is_err());
    platform.tenancy().maintain().expect("maintained");
    assert!(platform.tenancy().refresh(&tokens.refresh_token).is_err());
}

#[test]
fn a_logout_ends_the_session_and_no_other() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    let (one, two) = (platform.login("ada@example.com", None), platform.login(OPERATOR, None));
    let three = platform.login("ada@example.com", None);
    assert!(platform.who(&one.access_token).is_ok());
    platform.tenancy().logout(&one.refresh_token).expect("logged out");
    platform.tenancy().logout(&one.refresh_token).expect("again is no error");
    platform.tenancy().logout("no token").expect("nor is this");
    assert_eq!(platform.who(&one.access_token), Err(ErrorKind::Unauthenticated));
    assert!(platform.tenancy().refresh(&one.refresh_token).is_err());
    assert!(platform.who(&two.access_token).is_ok());
    assert!(platform.who(&three.access_token).is_ok());
}

#[test]
fn a_user_has_a_bounded_number_of_sessions() {
    let platform = Platform::new();
    platform.tenant("alpha", "ada@example.com");
    let first = platform.login("ada@example.com", None);
    for _ in 0..100 {
        platform.advance(1);
        platform.login("ada@example.com", None);
    }
    assert_eq!(platform.who(&first.access_token), Err(ErrorKind::Unauthenticated));
}

#[test]
fn changes_of_a_user_are_felt_at_once() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageUsers);
    let tenancy = platform.tenancy();
    let bob = tenancy.create_user(&scope, &user_of("bob@example.com", Role::Admin)).expect("made");
    let login = || {
        let tokens = platform.login("bob@example.com", None);
        assert!(platform.who(&tokens.access_token).is_ok());
        tokens
    };

    let tokens = login();
    tenancy.update_user(&scope, bob.id, Some(Role::User), None, None).expect("demoted");
    let role = platform.who(&tokens.access_token).map(|principal| principal.role());
    assert_eq!(role, Ok(Some(Role::User)));

    tenancy.update_user(&scope, bob.id, None, Some(true), None).expect("disabled");
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
    assert!(tenancy.refresh(&tokens.refresh_token).is_err());
    assert_eq!(platform.fails("bob@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
    tenancy.update_user(&scope, bob.id, None, Some(false), None).expect("enabled");
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));

    let tokens = login();
    tenancy.update_user(&scope, bob.id, None, None, Some(PASSWORD)).expect("changed");
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));

    let tokens = login();
    tenancy.delete_user(&scope, bob.id).expect("deleted");
    assert_eq!(platform.who(&tokens.access_token), Err(ErrorKind::Unauthenticated));
    assert_eq!(platform.fails("bob@example.com", PASSWORD, None), ErrorKind::Unauthenticated);
    assert_eq!(tenancy.tenants_of_address("bob@example.com").expect("read"), []);
}

#[test]
fn a_hash_of_old_parameters_is_replaced_at_login() {
    let mut platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let stored = |platform: &Platform| -> Vec<u8> {
        let file = platform.records_file(tenant.id);
        let sql = rusqlite::Connection::open(file).expect("opened");
        sql.query_row("SELECT password FROM user", [], |row| row.get(0)).expect("read")
    };
    let before = stored(&platform);
    platform.login("ada@example.com", None);
    assert_eq!(stored(&platform), before);
    platform.options.argon2_kib = 16;
    platform.restart();
    platform.login("ada@example.com", None);
    let after = stored(&platform);
    assert_ne!(after, before);
    platform.login("ada@example.com", None);
    assert_eq!(stored(&platform), after);
}

//! Users, and the rules of the last admin.

use ledgerline_policy::{Action, Role};
use ledgerline_tenancy::{ErrorKind, NewUser};

use crate::platform::{PASSWORD, Platform, admin_of, kind, manage, user_of};

#[test]
fn bad_users_are_refused_with_their_field() {
    let platform = Platform::new();
    let (tenant, _) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageUsers);
    let with = |email: &str, password: &str, role| NewUser {
        email: email.to_owned(),
        password: password.to_owned(),
        role,
    };
    let cases = [
        ("email", with("no address", PASSWORD, Role::User)),
        ("password", with("bob@example.com", "short", Role::User)),
        ("password", with("bob@example.com", "BOB@example.com", Role::User)),
        ("password", with("bob@example.com", &"x".repeat(1_025), Role::User)),
        ("role", with("bob@example.com", PASSWORD, Role::Operator)),
    ];
    for (field, user) in cases {
        let error = platform.tenancy().create_user(&scope, &user).expect_err("refused");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)));
    }
    let taken = platform.tenancy().create_user(&scope, &user_of("ADA@example.com", Role::User));
    let error = taken.expect_err("taken");
    assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("email")));
    let only_read = manage(tenant.id, Action::ReadUsers);
    let bob = user_of("bob@example.com", Role::User);
    assert_eq!(kind(platform.tenancy().create_user(&only_read, &bob)), ErrorKind::Denied);
    let users = platform.tenancy().users(&only_read).expect("read");
    assert_eq!(users.len(), 1);
    assert_eq!(kind(platform.tenancy().users(&manage(tenant.id, Action::ReadKeys))), {
        ErrorKind::Denied
    });
}

#[test]
fn the_last_enabled_admin_stays_one() {
    let mut platform = Platform::new();
    let (tenant, ada) = platform.tenant("alpha", "ada@example.com");
    let scope = manage(tenant.id, Action::ManageUsers);
    let bob = platform.tenancy().create_user(&scope, &admin_of("bob@example.com")).expect("made");
    let tenancy = platform.tenancy();
    tenancy.update_user(&scope, bob.id, None, Some(true), None).expect("disabled");

    let changes = [(Some(Role::User), None), (Some(Role::Auditor), None), (None, Some(true))];
    for (role, disabled) in changes {
        let changed = tenancy.update_user(&scope, ada.id, role, disabled, None);
        assert_eq!(kind(changed), ErrorKind::Conflict);
    }
    assert_eq!(kind(tenancy.delete_user(&scope, ada.id)), ErrorKind::Conflict);
    let operator = tenancy.update_user(&scope, ada.id, Some(Role::Operator), None, None);
    assert_eq!(kind(operator), ErrorKind::Invalid);
    platform.restart();
    assert_eq!(platform.tenancy().users(&scope).expect("read")[0], ada);

    let tenancy = platform.tenancy();
    tenancy.update_user(&scope, bob.id, None, Some(false), None).expect("enabled");
    tenancy.delete_user(&scope, ada.id).expect("deleted");
    assert_eq!(kind(tenancy.delete_user(&scope, ada.id)), ErrorKind::NotFound);
    assert_eq!(kind(tenancy.delete_user(&scope, bob.id)), ErrorKind::Conflict);
    let gone = tenancy.update_user(&scope, ada.id, None, Some(false), None);
    assert_eq!(kind(gone), ErrorKind::NotFound);
    // The address is free again.
    assert!(tenancy.create_user(&scope, &user_of("ada@example.com", Role::User)).is_ok());
}

#[test]
fn a_refused_change_ends_no_session() {
    let platform = Platform::new();
    let (tenant, ada) = platform.tenant("alpha", "ada@example.com");
    let tokens = platform.login("ada@example.com", None);
    let scope = manage(tenant.id, Action::ManageUsers);
    let other = Some("another password");
    let refused = platform.tenancy().update_user(&scope, ada.id, None, Some(true), other);
    assert_eq!(kind(refused), ErrorKind::Conflict);
    assert!(platform.who(&tokens.access_token).is_ok());
    platform.login("ada@example.com", None);
}

//! The text of key scopes.

use ledgerline_policy::{KeyScope, KeyScopeError, Role};

#[test]
fn key_scopes_print_as_they_parse() {
    for text in
        ["ingest:*", "ingest:logs:*", "ingest:logs:web", "query:*", "query:a.b-c_1", "admin:*"]
    {
        assert_eq!(text.parse::<KeyScope>().map(|scope| scope.to_string()), Ok(text.to_owned()));
    }
}

#[test]
fn what_is_not_exactly_a_key_scope_is_refused() {
    for text in [
        "",
        "*",
        "ingest",
        "ingest:",
        "ingest:logs",
        "ingest:logs:",
        "ingest:web",
        "ingest:audit",
        "ingest:logs:_audit",
        "ingest:logs:a*",
        "ingest:logs:*:*",
        "query",
        "query:",
        "query:_audit",
        "query:_usage",
        "query:../b",
        "query:Web",
        "admin",
        "admin:web",
        "Admin:*",
        " admin:*",
        "admin:* ",
        "admin:*\n",
        "query:**",
    ] {
        assert_eq!(text.parse::<KeyScope>(), Err(KeyScopeError), "{text:?}");
    }
}

#[test]
fn roles_print_as_they_parse() {
    for role in Role::ALL {
        assert_eq!(role.to_string().parse(), Ok(role));
    }
    assert!("Admin".parse::<Role>().is_err() && "root".parse::<Role>().is_err());
}

//! Who may do what, as a table, as a comparison with an independent one, and as what does not
//! compile.

mod differential;
mod key_scope;
mod roles;

#[test]
fn scopes_cannot_be_forged() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}

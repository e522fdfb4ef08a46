//! The table of every action × every kind of principal, kept as text in `roles.txt`.

use std::fmt::Write as _;

use ledgerline_model::id::{DatasetName, RecordId, TenantId};
use ledgerline_policy::{
    Action, Denied, Job, KeyScope, Principal, Role, Subject, authorize_append, authorize_manage,
    authorize_operator, authorize_read, authorize_read_all, upkeep,
};

fn tenant() -> TenantId {
    TenantId::from_bytes([7; 16]).expect("not zero")
}

fn record() -> RecordId {
    RecordId::from_bytes([9; 16]).expect("not zero")
}

fn dataset(name: &str) -> DatasetName {
    name.parse().expect("a good name")
}

fn principals() -> Vec<(String, Principal)> {
    let mut principals = vec![("operator".to_owned(), Principal::operator(record()))];
    for role in [Role::Admin, Role::Auditor, Role::User] {
        let user = Principal::user(tenant(), record(), role).expect("a role of a tenant");
        principals.push((role.to_string(), user));
    }
    let scopes =
        ["ingest:*", "ingest:logs:*", "ingest:logs:web", "query:*", "query:web", "admin:*"];
    for scope in scopes {
        let scopes = vec![scope.parse::<KeyScope>().expect("a good scope")];
        principals.push((scope.to_owned(), Principal::key(tenant(), record(), scopes)));
    }
    principals.push(("no scope".to_owned(), Principal::key(tenant(), record(), Vec::new())));
    principals
}

fn cell<T>(answer: Result<T, Denied>) -> &'static str {
    match answer {
        Ok(_) => "yes",
        Err(Denied::Forbidden) => "-",
        Err(Denied::NotFound) => "404",
    }
}

#[test]
fn the_table_of_roles_and_actions_is_as_agreed() -> Result<(), std::fmt::Error> {
    let principals = principals();
    let mut table = format!("{:<18}", "");
    for (name, _) in &principals {
        write!(table, " {name:>15}")?;
    }
    let mut row = |label: &str, decide: &dyn Fn(&Principal) -> &'static str| {
        write!(table, "\n{label:<18}")?;
        principals.iter().try_for_each(|(_, principal)| write!(table, " {:>15}", decide(principal)))
    };
    for name in ["web", "api", "_audit"] {
        row(&format!("append {name}"), &|p| cell(authorize_append(p, &dataset(name))))?;
    }
    for name in ["web", "api", "_audit"] {
        row(&format!("read {name}"), &|p| cell(authorize_read(p, &dataset(name))))?;
    }
    for action in Action::ALL {
        match action {
            Action::Append | Action::Read | Action::ReadAudit => {}
            Action::ReadTenants | Action::ManageTenants => {
                row(action.as_str(), &|p| cell(authorize_operator(p, action)))?;
            }
            _ => row(action.as_str(), &|p| cell(authorize_manage(p, action)))?,
        }
    }
    table.push('\n');
    assert_eq!(table, include_str!("roles.txt"), "the table is now:\n{table}");
    Ok(())
}

#[test]
fn a_scope_carries_who_and_what_and_nothing_wider() {
    let admin = Principal::user(tenant(), record(), Role::Admin).expect("a role of a tenant");
    let append = authorize_append(&admin, &dataset("web")).expect("an admin appends");
    assert_eq!((append.tenant(), append.subject()), (tenant(), Subject::User(record())));
    assert!(append.covers(&dataset("web")) && !append.covers(&dataset("api")));
    let manage = authorize_manage(&admin, Action::ManageUsers).expect("an admin manages");
    assert!(manage.allows(Action::ManageUsers) && manage.allows(Action::ReadUsers));
    assert!(!manage.allows(Action::ManageKeys) && !manage.allows(Action::ReadKeys));
    let list = authorize_manage(&admin, Action::ReadUsers).expect("an admin lists");
    assert!(!list.allows(Action::ManageUsers));
    let operator = Principal::operator(record());
    let list = authorize_operator(&operator, Action::ReadTenants).expect("the operator lists");
    assert!(!list.allows(Action::ManageTenants));
}

#[test]
fn actions_of_another_kind_are_denied_by_default() {
    let admin = Principal::user(tenant(), record(), Role::Admin).expect("a role of a tenant");
    let operator = Principal::operator(record());
    for action in [Action::Append, Action::Read, Action::ReadAudit, Action::ManageTenants] {
        assert_eq!(authorize_manage(&admin, action), Err(Denied::Forbidden), "{action}");
    }
    for action in [Action::Append, Action::Read, Action::ManageUsers, Action::ManageKeys] {
        assert_eq!(authorize_operator(&operator, action), Err(Denied::Forbidden), "{action}");
        assert_eq!(authorize_operator(&admin, action), Err(Denied::Forbidden), "{action}");
    }
    let operator_of_a_tenant = Principal::user(tenant(), record(), Role::Operator);
    assert_eq!(operator_of_a_tenant, Err(Denied::Forbidden));
}

#[test]
fn only_the_audit_job_appends_to_reserved_datasets() {
    for job in Job::ALL {
        let scope = upkeep(tenant(), job);
        assert_eq!((scope.job(), scope.subject()), (job, Subject::System));
        let appends = scope.append_reserved(&dataset("_audit")).is_ok();
        assert_eq!(appends, job == Job::Audit, "{job}");
        assert_eq!(scope.append_reserved(&dataset("web")), Err(Denied::Forbidden), "{job}");
    }
}

#[test]
fn a_grant_yields_a_scope_for_each_dataset_it_covers() {
    let scopes = vec!["query:web".parse().expect("a good scope")];
    let grant = authorize_read_all(&Principal::key(tenant(), record(), scopes)).expect("it reads");
    let read = grant.scope(&dataset("web")).expect("it covers web");
    assert_eq!((read.tenant(), read.subject()), (grant.tenant(), grant.subject()));
    assert!(read.covers(&dataset("web")) && !read.covers(&dataset("api")));
    assert_eq!(grant.scope(&dataset("api")), Err(Denied::NotFound));
    assert!(!grant.covers(&dataset("_audit")));
}

//! 10⁵ random questions, answered by the crate and by a table that shares nothing with it: the
//! reference works on texts alone.

use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_policy::{
    Action, Denied, Principal, Role, authorize_append, authorize_manage, authorize_operator,
    authorize_read,
};

const CASES: usize = 100_000;
const DATASETS: [&str; 6] = ["web", "api", "web2", "0", "_audit", "_usage"];
const SCOPES: [&str; 9] = [
    "ingest:*",
    "ingest:logs:*",
    "ingest:logs:web",
    "ingest:logs:web2",
    "query:*",
    "query:web",
    "query:api",
    "query:0",
    "admin:*",
];

/// What a line grants: `who action object`, `*` for any object that is not reserved.
const REFERENCE: &str = "
    operator read_tenants -
    operator manage_tenants -
    admin append *
    admin read *
    admin read _
    admin list_datasets -
    admin manage_datasets -
    admin read_users -
    admin manage_users -
    admin read_keys -
    admin manage_keys -
    admin amend_events -
    admin erase_events -
    admin manage_audit -
    auditor read *
    auditor read _
    auditor list_datasets -
    auditor read_users -
    auditor read_keys -
    user append *
    user read *
    user list_datasets -
";

/// A small generator with a fixed seed (splitmix64), so that every run asks the same questions.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).expect("31 bits") % bound
    }
}

/// Who asks, as the reference sees it.
enum Who {
    Role(&'static str),
    Key(Vec<&'static str>),
}

fn granted(who: &str, action: &str, object: &str) -> bool {
    REFERENCE.lines().any(|line| line.trim() == format!("{who} {action} {object}"))
}

fn object(dataset: &str) -> &str {
    if dataset.starts_with('_') { "_" } else { "*" }
}

fn key_touches(scopes: &[&str], prefix: &str, dataset: &str) -> bool {
    let open = !dataset.starts_with('_');
    scopes.iter().any(|scope| {
        (open && *scope == format!("{prefix}*")) || *scope == format!("{prefix}{dataset}")
    })
}

fn expect_append(who: &Who, dataset: &str) -> Result<(), Denied> {
    let yes = match who {
        Who::Role(role) => granted(role, "append", object(dataset)),
        Who::Key(scopes) => {
            !dataset.starts_with('_')
                && (scopes.contains(&"admin:*")
                    || scopes.contains(&"ingest:*")
                    || key_touches(scopes, "ingest:logs:", dataset))
        }
    };
    if yes { Ok(()) } else { Err(Denied::Forbidden) }
}

fn expect_read(who: &Who, dataset: &str) -> Result<(), Denied> {
    let (some, yes) = match who {
        Who::Role(role) => (granted(role, "read", "*"), granted(role, "read", object(dataset))),
        Who::Key(scopes) if scopes.contains(&"admin:*") => (true, true),
        Who::Key(scopes) => (
            scopes.iter().any(|scope| scope.starts_with("query:")),
            key_touches(scopes, "query:", dataset),
        ),
    };
    match (some, yes) {
        (false, _) => Err(Denied::Forbidden),
        (true, false) => Err(Denied::NotFound),
        (true, true) => Ok(()),
    }
}

fn expect_other(who: &Who, action: &str) -> bool {
    match who {
        Who::Role(role) => granted(role, action, "-"),
        Who::Key(scopes) => {
            (scopes.contains(&"admin:*") && granted("admin", action, "-"))
                || (action == "list_datasets"
                    && scopes.iter().any(|scope| scope.starts_with("query:")))
        }
    }
}

fn draw(dice: &mut Dice, tenant: TenantId, record: RecordId) -> (Who, Principal) {
    let user = |role| Principal::user(tenant, record, role).expect("a role of a tenant");
    match dice.below(8) {
        0 => (Who::Role("operator"), Principal::operator(record)),
        1 => (Who::Role("admin"), user(Role::Admin)),
        2 => (Who::Role("auditor"), user(Role::Auditor)),
        3 => (Who::Role("user"), user(Role::User)),
        _ => {
            let scopes: Vec<_> =
                (0..dice.below(4)).map(|_| SCOPES[dice.below(SCOPES.len())]).collect();
            let parsed = scopes.iter().map(|scope| scope.parse().expect("a good scope")).collect();
            (Who::Key(scopes), Principal::key(tenant, record, parsed))
        }
    }
}

#[test]
fn decisions_agree_with_an_independent_table() {
    let mut dice = Dice(20_260_701);
    let mut granted = 0;
    for case in 0..CASES {
        let tenant = u128::from(dice.0) + 1;
        let tenant = TenantId::from_bytes(tenant.to_be_bytes()).expect("not zero");
        let record = RecordId::from_bytes([9; 16]).expect("not zero");
        let (who, principal) = draw(&mut dice, tenant, record);
        let name = DATASETS[dice.below(DATASETS.len())];
        let dataset = name.parse().expect("a good name");
        let action = Action::ALL[dice.below(Action::ALL.len())];
        let (found, expected) = match action {
            Action::Append => (
                authorize_append(&principal, &dataset).map(|scope| Some(scope.tenant())),
                expect_append(&who, name),
            ),
            Action::Read | Action::ReadAudit => (
                authorize_read(&principal, &dataset).map(|scope| Some(scope.tenant())),
                expect_read(&who, name),
            ),
            Action::ReadTenants | Action::ManageTenants => (
                authorize_operator(&principal, action).map(|_| None),
                expect_other(&who, action.as_str()).then_some(()).ok_or(Denied::Forbidden),
            ),
            _ => (
                authorize_manage(&principal, action).map(|scope| Some(scope.tenant())),
                expect_other(&who, action.as_str()).then_some(()).ok_or(Denied::Forbidden),
            ),
        };
        let context = format!("case {case}: {principal:?} {action} {name}");
        assert_eq!(found.map(|_| ()), expected, "{context}");
        if let Ok(Some(opened)) = found {
            assert_eq!(opened, tenant, "{context}");
        }
        granted += usize::from(found.is_ok());
    }
    assert!(granted > CASES / 10, "the questions are too easy to refuse: {granted} granted");
}

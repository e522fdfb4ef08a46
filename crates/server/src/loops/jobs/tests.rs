use ledgerline_model::id::{DatasetId, TenantName};
use ledgerline_policy::{Action, Principal, Role, authorize_manage, authorize_operator, upkeep};
use ledgerline_tenancy::{DatasetSettings, DocumentKind, NewUser, Options};
use ledgerline_world::{Chance, DataDir, SystemClock};

use super::*;

const NOW: Timestamp = Timestamp(10_000 * Timestamp::DAY);

#[test]
fn audit_events_stay_as_long_as_rules_and_holds_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataDir::open(folder.path(), Chance::system(), ledgerline_world::Options::default());
    let data = data.expect("it opens");
    let options = Options { argon2_kib: 64, ..Options::default() };
    let tenancy = Tenancy::open(&data, Arc::new(SystemClock::new()), options).expect("it opens");
    let operator = Principal::operator(data.chance().record_id());
    let operator = authorize_operator(&operator, Action::ManageTenants).expect("the right");
    let name: TenantName = "acme".parse().expect("a name");
    let (email, password) = ("a@acme.example".to_owned(), "correct horse battery".to_owned());
    let admin = NewUser { email, password, role: Role::Admin };
    let (tenant, user) = tenancy.create_tenant(&operator, &name, &admin).expect("a tenant");
    let admin = Principal::user(tenant.id, user.id, Role::Admin).expect("an admin");
    let may = |action| authorize_manage(&admin, action).expect("the right");
    let make = |name: &str, kind: DatasetKind, retention_days: Option<u32>| -> DatasetId {
        let name = name.parse().expect("a name");
        let settings = DatasetSettings { retention_days, ..DatasetSettings::default() };
        let made = tenancy.create_dataset(&may(Action::ManageDatasets), (&name, kind), &settings);
        made.expect("a dataset").id
    };
    let audit = make("audit", DatasetKind::Audit, Some(30));
    let logs = make("app", DatasetKind::Logs, Some(30));
    let ever = make("ever", DatasetKind::Audit, None);
    let put = |kind: DocumentKind, id: &str, body: &str| {
        let put = tenancy.put_document(&may(Action::ManageAudit), kind, id, body);
        put.expect("a document");
    };
    let scope = upkeep(tenant.id, ledgerline_policy::Job::Expire);
    let days = |dataset: DatasetId| {
        let horizon = horizon(&tenancy, NOW, &scope).expect("a horizon");
        horizon.kept_from.get(&dataset).map(|from| (NOW.0 - from.0) / Timestamp::DAY)
    };
    let all = || (days(audit), days(logs), days(ever));
    assert_eq!(all(), (Some(30), Some(30), None));
    // The longest preset counts, and only for audit events.
    put(DocumentKind::AuditSettings, "settings", r#"{"retention_presets":["soc2","hipaa"]}"#);
    assert_eq!(all(), (Some(6 * 365 + 2), Some(30), None));
    let hold = |released: &str| {
        format!(
            r#"{{"id":"h","name":"n","query":"x","reason":"r","owner":"o","review_at":null,"released":{released}}}"#
        )
    };
    put(DocumentKind::Hold, "h", &hold("null"));
    assert_eq!(all(), (None, Some(30), None), "all of them are held");
    let released = r#"{"at":"2026-01-31T12:00:00Z","by":"u","by_type":"user"}"#;
    put(DocumentKind::Hold, "h", &hold(released));
    assert_eq!(all(), (Some(6 * 365 + 2), Some(30), None));
    // What cannot be read is taken for the worst.
    put(DocumentKind::Hold, "h", "{}");
    assert!(horizon(&tenancy, NOW, &scope).is_err());
}

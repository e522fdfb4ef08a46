//! A platform in a folder that is thrown away, with a clock that is moved by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{
    Action, Manage, OperatorScope, Principal, Role, Scope, authorize_manage, authorize_operator,
};
use ledgerline_tenancy::{Error, ErrorKind, NewUser, Options, Tenancy, Tenant, Tokens, User};
use ledgerline_world::{Chance, DataDir, ManualClock};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OPERATOR: &str = "operator@localhost";

pub(crate) struct Platform {
    folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) options: Options,
    seed: u64,
    /// Dropped and opened again by [`Platform::restart`].
    opened: Option<(DataDir, Tenancy)>,
}

impl Platform {
    /// With an operator and no tenant.
    pub(crate) fn new() -> Self {
        let mut platform = Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(ManualClock::new(Timestamp(1_800_000_000 * Timestamp::SECOND))),
            options: Options { argon2_kib: 8, ..Options::default() },
            seed: 1,
            opened: None,
        };
        platform.restart();
        let made = platform.tenancy().ensure_operator(OPERATOR, Some(PASSWORD));
        assert_eq!(made.expect("made").as_deref(), Some(PASSWORD));
        platform
    }

    pub(crate) fn stop(&mut self) {
        self.opened = None;
    }

    pub(crate) fn restart(&mut self) {
        self.try_restart().expect("the records open");
    }

    pub(crate) fn try_restart(&mut self) -> Result<(), Error> {
        self.stop();
        self.seed += 1;
        let chance = Chance::seeded(self.seed);
        let data = DataDir::open(self.folder.path(), chance, Default::default());
        let data = data.expect("the data folder opens");
        let clock: Arc<ManualClock> = Arc::clone(&self.clock);
        let tenancy = Tenancy::open(&data, clock, self.options.clone())?;
        self.opened = Some((data, tenancy));
        Ok(())
    }

    pub(crate) fn tenancy(&self) -> &Tenancy {
        &self.opened.as_ref().expect("running").1
    }

    pub(crate) fn data(&self) -> &DataDir {
        &self.opened.as_ref().expect("running").0
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn records_file(&self, tenant: TenantId) -> PathBuf {
        self.path().join("tenants").join(tenant.to_string()).join("records.db")
    }

    pub(crate) fn control_file(&self) -> PathBuf {
        self.path().join("control/control.db")
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn operator(&self) -> OperatorScope {
        operator_scope(Action::ManageTenants)
    }

    /// A tenant whose admin has [`PASSWORD`].
    pub(crate) fn tenant(&self, name: &str, admin: &str) -> (Tenant, User) {
        let name = name.parse().expect("a name");
        let made = self.tenancy().create_tenant(&self.operator(), &name, &admin_of(admin));
        let made = made.expect("a tenant");
        let confirmed = self.tenancy().confirm_tenant(&self.operator(), made.0.id);
        confirmed.expect("it is there for good");
        made
    }

    pub(crate) fn login(&self, email: &str, tenant: Option<&str>) -> Tokens {
        self.tenancy().login(email, PASSWORD, tenant, None).expect("logged in")
    }

    pub(crate) fn fails(&self, email: &str, password: &str, tenant: Option<&str>) -> ErrorKind {
        kind(self.tenancy().login(email, password, tenant, None))
    }

    /// The principal of a credential, or why there is none.
    pub(crate) fn who(&self, credential: &str) -> Result<Principal, ErrorKind> {
        self.tenancy().authenticate(credential).map_err(|error| error.kind())
    }
}

pub(crate) fn operator_scope(action: Action) -> OperatorScope {
    let id = RecordId::from_bytes([1; 16]).expect("an id");
    authorize_operator(&Principal::operator(id), action).expect("an operator's")
}

pub(crate) fn admin_of(email: &str) -> NewUser {
    user_of(email, Role::Admin)
}

pub(crate) fn user_of(email: &str, role: Role) -> NewUser {
    NewUser { email: email.to_owned(), password: PASSWORD.to_owned(), role }
}

/// What an admin of the tenant may do.
pub(crate) fn manage(tenant: TenantId, action: Action) -> Scope<Manage> {
    let id = RecordId::from_bytes([2; 16]).expect("an id");
    let principal = Principal::user(tenant, id, Role::Admin).expect("a user");
    authorize_manage(&principal, action).expect("an admin's")
}

pub(crate) fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error.kind(),
    }
}

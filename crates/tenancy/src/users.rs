//! The users of a tenant.

use ledgerline_model::id::RecordId;
use ledgerline_policy::{Action, Manage, Role, Scope};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::login::password;
use crate::people::Change;
use crate::records::{NewUser, User};
use crate::tenancy::Tenancy;

impl Tenancy {
    /// The tenant's users, by address.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ReadUsers`.
    pub fn users(&self, scope: &Scope<Manage>) -> Result<Vec<User>> {
        self.managed(scope, Action::ReadUsers)?.people().users()
    }

    /// Makes a user. Slow by design: it hashes a password.
    ///
    /// # Errors
    /// `Denied`, `Invalid`, `Conflict`, `Busy`.
    pub fn create_user(&self, scope: &Scope<Manage>, user: &NewUser) -> Result<User> {
        let records = self.managed(scope, Action::ManageUsers)?;
        check_role(user.role)?;
        let account = self.new_account(user)?;
        let _change = records.change().lock();
        self.index.put_address(records.id(), &account.address)?;
        records.people().insert(self.data.chance().record_id(), &account, self.now())
    }

    /// Changes a user. The last enabled admin cannot be changed to something else or disabled. A
    /// new password and being disabled end all of the user's sessions. Slow by design with a
    /// password.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Invalid`, `Conflict`, `Busy`.
    pub fn update_user(
        &self,
        scope: &Scope<Manage>,
        id: RecordId,
        role: Option<Role>,
        disabled: Option<bool>,
        password: Option<&str>,
    ) -> Result<User> {
        let records = self.managed(scope, Action::ManageUsers)?;
        let address = Address::parse(&records.people().get(id)?.email)?;
        role.map_or(Ok(()), check_role)?;
        if let Some(password) = password {
            password::check(password, &address)?;
        }
        let password = password.map(|password| self.passwords.hash(password)).transpose()?;
        let _change = records.change().lock();
        records.people().update(id, &Change { role, disabled, password })
    }

    /// Deletes a user and its sessions.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Conflict` for the last enabled admin.
    pub fn delete_user(&self, scope: &Scope<Manage>, id: RecordId) -> Result<User> {
        let records = self.managed(scope, Action::ManageUsers)?;
        let _change = records.change().lock();
        let user = records.people().get(id)?;
        let address = Address::parse(&user.email)?;
        records.people().delete(id)?;
        self.index.remove_address(records.id(), &address);
        Ok(user)
    }
}

fn check_role(role: Role) -> Result<()> {
    match role {
        Role::Admin | Role::Auditor | Role::User => Ok(()),
        Role::Operator => Err(Error::invalid("role", "nobody in a tenant is an operator")),
    }
}

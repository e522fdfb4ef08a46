//! The operators of the platform, who belong to no tenant.

use ledgerline_policy::Role;

use crate::error::Result;
use crate::records::NewUser;
use crate::secret;
use crate::tenancy::Tenancy;

impl Tenancy {
    /// Makes the operator when there is none. With no password given, makes a random one. Returns
    /// the password when an operator was made.
    ///
    /// # Errors
    /// The database's, and `Invalid` for a bad password.
    pub fn ensure_operator(&self, email: &str, password: Option<&str>) -> Result<Option<String>> {
        let _change = self.change.lock();
        if !self.operators.is_empty()? {
            return Ok(None);
        }
        let chance = self.data.chance();
        let password = password.map_or_else(|| secret::make_password(chance), str::to_owned);
        let user =
            NewUser { email: email.to_owned(), password: password.clone(), role: Role::Operator };
        let account = self.new_account(&user)?;
        self.operators.insert(chance.record_id(), &account, self.now())?;
        Ok(Some(password))
    }
}

//! Who comes in: by a password, by a refresh token, or with a credential in the request.

mod format;
pub(crate) mod password;
pub(crate) mod session;
pub(crate) mod token;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_policy::Principal;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::keys::after;
use crate::people::{Account, People};
use crate::records::Tokens;
use crate::seals::{Owner, sha256};
use crate::secret;
use crate::tenancy::Tenancy;
use crate::tenant::TenantRecords;
use crate::throttle::Attempt;
use session::{NewToken, Person};
use token::Bearer;

/// For how many accounts of one address a password is tried when no tenant is named. Somebody with
/// more must name it: nobody can make another's login cost more than this.
const ACCOUNTS_TRIED_MAX: usize = 8;
/// The longest credential that is looked at.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// The people of one file, held.
enum Holder<'a> {
    Platform(&'a People),
    Tenant(Arc<TenantRecords>),
}

impl Holder<'_> {
    fn people(&self) -> &People {
        match self {
            Self::Platform(people) => people,
            Self::Tenant(records) => records.people(),
        }
    }
}

impl Tenancy {
    /// Logs a person in. Of a user whose address is in several tenants, `tenant` (name or id) says
    /// which; without it, the password must be right in exactly one of them. `client` says from
    /// where the login comes, where that is known. Slow by design: call it off the async threads,
    /// after [`Tenancy::login_pause`]. An unknown address takes as long as a wrong password.
    ///
    /// # Errors
    /// `Unauthenticated`, `Busy` after too many failures.
    pub fn login(
        &self,
        email: &str,
        password: &str,
        tenant: Option<&str>,
        client: Option<IpAddr>,
    ) -> Result<Tokens> {
        let now = self.clock.monotonic();
        let attempt = Attempt::new(self.seals.hash_attempt(&email.to_lowercase()), client);
        self.throttle.check(&attempt, now)?;
        let accounts = self.accounts(email, tenant)?;
        let hashes: Result<Vec<String>> = accounts
            .iter()
            .map(|(holder, account)| holder.people().password_hash(account))
            .collect();
        let hashes = hashes?;
        let may_try = || self.throttle.check(&attempt, now);
        let mut matching = self.passwords.matching(password, &hashes, may_try)?;
        matching.retain(|at| !accounts[*at].1.disabled);
        let [only] = matching[..] else {
            self.throttle.failed(&attempt, now);
            return Err(Error::unauthenticated());
        };
        self.throttle.succeeded(&attempt);
        let (holder, account) = &accounts[only];
        if self.passwords.is_outdated(&hashes[only])
            // A full queue is no reason to refuse: the next login replaces it.
            && let Ok(hash) = self.passwords.hash(password)
        {
            let account = holder.people().replace_hash(account, &hash)?;
            return self.begin_session(holder.people(), &account);
        }
        self.begin_session(holder.people(), account)
    }

    /// How long to wait before a login: none, unless very many fail.
    #[must_use]
    pub fn login_pause(&self) -> Duration {
        self.throttle.pause(self.clock.monotonic())
    }

    /// The tenants that hold a user of this address: whom a failed login is told to.
    ///
    /// # Errors
    /// The database's.
    pub fn tenants_of_address(&self, email: &str) -> Result<Vec<TenantId>> {
        let Ok(address) = Address::parse(email) else { return Ok(Vec::new()) };
        let mut tenants = Vec::new();
        for id in self.index.tenants_of_address(&address) {
            let Ok(records) = self.records(id) else { continue };
            if records.people().find(&address)?.is_some() {
                tenants.push(id);
            }
        }
        Ok(tenants)
    }

    /// Exchanges a refresh token. Used twice, it ends the whole session.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn refresh(&self, refresh_token: &str) -> Result<Tokens> {
        let token = secret::refresh_token(refresh_token).ok_or_else(Error::unauthenticated)?;
        let (owner, hash) = token;
        let holder = self.holder(owner).ok_or_else(Error::unauthenticated)?;
        let people = holder.people();
        let (text, new) = self.new_token(owner);
        let (session, person) = people.rotate_token(&hash, &new, self.now())?;
        self.tokens(people, session, &person, text)
    }

    /// Ends the session of a refresh token. A token that is none ends nothing, and is no error.
    ///
    /// # Errors
    /// The database's.
    pub fn logout(&self, refresh_token: &str) -> Result<()> {
        let Some((owner, hash)) = secret::refresh_token(refresh_token) else { return Ok(()) };
        self.holder(owner).map_or(Ok(()), |holder| holder.people().end_session(&hash))
    }

    /// Who sends this credential: an API key or an access token. Quick: what the records say is
    /// kept for a few seconds, and forgotten at once in this process when it changes.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn authenticate(&self, credential: &str) -> Result<Principal> {
        if credential.len() > CREDENTIAL_BYTES_MAX {
            return Err(Error::unauthenticated());
        }
        if secret::looks_like_key(credential) {
            return self.authenticate_key(credential);
        }
        let now = self.now();
        let bearer = self.signer.verify(credential, now).ok_or_else(Error::unauthenticated)?;
        let holder = self.holder(bearer.owner).ok_or_else(Error::unauthenticated)?;
        let people = holder.people();
        let person = people.person(bearer.session, now, self.clock.monotonic())?;
        let person = person.filter(|person| person.user == bearer.user);
        let person = person.ok_or_else(Error::unauthenticated)?;
        people.principal(person.user, person.role)
    }

    /// The accounts that an address and perhaps a tenant mean.
    fn accounts(&self, email: &str, tenant: Option<&str>) -> Result<Vec<(Holder<'_>, Account)>> {
        let Ok(address) = Address::parse(email) else { return Ok(Vec::new()) };
        let holders = match tenant {
            Some(tenant) => self.find_tenant(tenant).map(Holder::Tenant).into_iter().collect(),
            None => {
                let tenants = self.index.tenants_of_address(&address).into_iter();
                let tenants = tenants.filter_map(|id| self.holder(Owner::Tenant(id)));
                let mut holders = vec![Holder::Platform(&self.operators)];
                holders.extend(tenants);
                holders
            }
        };
        let mut accounts = Vec::new();
        for holder in holders {
            if let Some(account) = holder.people().find(&address)? {
                accounts.push((holder, account));
            }
        }
        if accounts.len() > ACCOUNTS_TRIED_MAX {
            accounts.clear();
        }
        Ok(accounts)
    }

    fn find_tenant(&self, text: &str) -> Option<Arc<TenantRecords>> {
        if let Ok(id) = text.parse::<TenantId>() {
            return self.records(id).ok();
        }
        self.live_tenants().into_iter().find(|records| records.tenant().name.as_str() == text)
    }

    fn holder(&self, owner: Owner) -> Option<Holder<'_>> {
        match owner {
            Owner::Platform => Some(Holder::Platform(&self.operators)),
            Owner::Tenant(id) => self.records(id).ok().map(Holder::Tenant),
        }
    }

    fn begin_session(&self, people: &People, account: &Account) -> Result<Tokens> {
        let now = self.now();
        let session = self.data.chance().record_id();
        let (text, token) = self.new_token(people.seals().owner());
        people.begin_session(session, account, &token, now)?;
        let Account { user, role, .. } = *account;
        self.tokens(people, session, &Person { user, role, expires: token.expires }, text)
    }

    fn new_token(&self, owner: Owner) -> (String, NewToken) {
        let text = secret::make_refresh_token(self.data.chance(), owner);
        let hash = sha256(text.as_bytes());
        (text, NewToken { hash, expires: after(self.now(), self.options.refresh_seconds) })
    }

    fn tokens(
        &self,
        people: &People,
        session: RecordId,
        person: &Person,
        refresh_token: String,
    ) -> Result<Tokens> {
        let principal = people.principal(person.user, person.role)?;
        let bearer = Bearer { owner: people.seals().owner(), user: person.user, session };
        let expires_in = self.options.access_seconds;
        let (now, chance) = (self.now(), self.data.chance());
        let access_token = self.signer.sign(&bearer, person.role, now, expires_in, chance)?;
        Ok(Tokens { access_token, refresh_token, expires_in, principal })
    }
}

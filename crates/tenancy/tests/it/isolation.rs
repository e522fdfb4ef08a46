//! Two tenants with the same names, the same addresses and the same acts: neither ever meets the
//! other.

use std::sync::atomic::{AtomicBool, Ordering};

use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_policy::{Action, Job, Principal, Role, authorize_append, upkeep};
use ledgerline_tenancy::{ErrorKind, NewKey, Tokens};
use ledgerline_world::Chance;
use proptest::prelude::*;

use crate::platform::{PASSWORD, Platform, kind, manage, user_of};

/// One tenant, and what should be true of it.
struct Side {
    tenant: TenantId,
    name: &'static str,
    users: Vec<RecordId>,
    keys: Vec<(RecordId, String)>,
    dead: Vec<String>,
    tokens: Vec<Tokens>,
    datasets: u32,
}

impl Side {
    fn new(platform: &Platform, name: &'static str) -> Self {
        let (tenant, admin) = platform.tenant(name, "ada@example.com");
        Self {
            tenant: tenant.id,
            name,
            users: vec![admin.id],
            keys: Vec::new(),
            dead: Vec::new(),
            tokens: Vec::new(),
            datasets: 0,
        }
    }

    /// Does something that the other side does alike.
    fn act(&mut self, platform: &Platform, act: u8) {
        let tenancy = platform.tenancy();
        let keys = manage(self.tenant, Action::ManageKeys);
        let people = manage(self.tenant, Action::ManageUsers);
        match act % 8 {
            0 => {
                let email = format!("user{}@example.com", self.users.len());
                let user = tenancy.create_user(&people, &user_of(&email, Role::User));
                self.users.push(user.expect("made").id);
            }
            1 | 2 => {
                let scopes = vec!["ingest:*".parse().expect("a scope")];
                let key = NewKey { name: "the key".to_owned(), scopes, expires: None };
                let (key, secret) = tenancy.create_key(&keys, &key).expect("made");
                self.keys.push((key.id, secret));
            }
            3 => {
                if let Some((id, secret)) = self.keys.pop() {
                    tenancy.revoke_key(&keys, id).expect("revoked");
                    self.dead.push(secret);
                }
            }
            4 => self.tokens.push(platform.login("ada@example.com", Some(self.name))),
            5 => {
                if let Some(tokens) = self.tokens.pop() {
                    tenancy.logout(&tokens.refresh_token).expect("logged out");
                    self.dead.push(tokens.access_token);
                }
            }
            6 => {
                if let Some(tokens) = self.tokens.last_mut() {
                    *tokens = tenancy.refresh(&tokens.refresh_token).expect("refreshed");
                }
            }
            _ => {
                let who = Principal::user(self.tenant, self.users[0], Role::User).expect("a user");
                let dataset = format!("d{}", self.datasets).parse().expect("a name");
                let scope = authorize_append(&who, &dataset).expect("a user's");
                self.datasets += 1;
                let made = tenancy.dataset_to_append(&scope).expect("made");
                assert_eq!(made.id.0, self.datasets, "numbers are the tenant's own");
            }
        }
    }

    fn check(&self, platform: &Platform, other: &Self) {
        let tenancy = platform.tenancy();
        let own = |credential: &str| platform.who(credential).map(|who| who.tenant());
        for (_, secret) in &self.keys {
            assert_eq!(own(secret), Ok(Some(self.tenant)));
        }
        for tokens in &self.tokens {
            assert_eq!(own(&tokens.access_token), Ok(Some(self.tenant)));
        }
        for credential in &self.dead {
            assert_eq!(own(credential), Err(ErrorKind::Unauthenticated));
        }
        let users = tenancy.users(&manage(self.tenant, Action::ReadUsers)).expect("read");
        let mut ids: Vec<RecordId> = users.iter().map(|user| user.id).collect();
        let mut expected = self.users.clone();
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected);
        let datasets = tenancy.all_datasets(&upkeep(self.tenant, Job::Flush)).expect("read");
        assert_eq!(datasets.len(), self.datasets as usize);

        // The other's ids open nothing, and the answer is as for an id that never was.
        let (keys, people) =
            (manage(self.tenant, Action::ManageKeys), manage(self.tenant, Action::ManageUsers));
        let never = platform.data().chance().record_id();
        for id in other.users.iter().copied().chain([never]) {
            let deleted = tenancy.delete_user(&people, id).expect_err("not ours");
            assert_eq!((deleted.kind(), deleted.to_string()), {
                (ErrorKind::NotFound, "no such user".to_owned())
            });
        }
        for id in other.keys.iter().map(|(id, _)| *id).chain([never]) {
            assert_eq!(kind(tenancy.revoke_key(&keys, id)), ErrorKind::NotFound);
            assert_eq!(kind(tenancy.rotate_key(&keys, id, 0)), ErrorKind::NotFound);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn two_tenants_that_do_alike_never_meet(
        acts in prop::collection::vec((any::<bool>(), any::<u8>()), 1..60),
    ) {
        let mut platform = Platform::new();
        let (mut alpha, mut beta) = (Side::new(&platform, "alpha"), Side::new(&platform, "beta"));
        for (at, (first, act)) in acts.iter().enumerate() {
            let side = if *first { &mut alpha } else { &mut beta };
            side.act(&platform, *act);
            if at == acts.len() / 2 {
                platform.restart();
            }
        }
        alpha.check(&platform, &beta);
        beta.check(&platform, &alpha);
        platform.restart();
        alpha.check(&platform, &beta);
        beta.check(&platform, &alpha);
    }
}

#[test]
fn ten_thousand_requests_in_any_order_find_their_own_tenant() {
    let platform = Platform::new();
    let mut sides = [Side::new(&platform, "alpha"), Side::new(&platform, "beta")];
    let chance = Chance::seeded(20_260_101);
    for _ in 0..10_000 {
        let [side, what, which, act] = chance.bytes::<4>();
        let side = &mut sides[usize::from(side % 2)];
        let which = usize::from(which);
        if what < 4 {
            // Without new people, whose passwords would take the time.
            side.act(&platform, 1 + act % 7);
            continue;
        }
        let (credential, tenant) = match what % 3 {
            0 if !side.keys.is_empty() => {
                (&side.keys[which % side.keys.len()].1, Ok(Some(side.tenant)))
            }
            1 if !side.tokens.is_empty() => {
                (&side.tokens[which % side.tokens.len()].access_token, Ok(Some(side.tenant)))
            }
            _ if !side.dead.is_empty() => {
                (&side.dead[which % side.dead.len()], Err(ErrorKind::Unauthenticated))
            }
            _ => continue,
        };
        assert_eq!(platform.who(credential).map(|who| who.tenant()), tenant);
    }
    let [alpha, beta] = &sides;
    alpha.check(&platform, beta);
    beta.check(&platform, alpha);
}

#[test]
fn no_thread_sees_a_credential_after_its_end_was_answered() {
    let platform = Platform::new();
    let mut side = Side::new(&platform, "alpha");
    for _ in 0..20 {
        side.act(&platform, 1);
        side.act(&platform, 4);
        let (key, secret) = side.keys.pop().expect("made");
        let tokens = side.tokens.pop().expect("made");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            for credential in [&secret, &tokens.access_token] {
                threads.spawn(|| {
                    let mut over = false;
                    while !over {
                        over = is_over.load(Ordering::SeqCst);
                        assert!(!(platform.who(credential).is_ok() && over));
                    }
                });
            }
            let scope = manage(side.tenant, Action::ManageKeys);
            platform.tenancy().revoke_key(&scope, key).expect("revoked");
            platform.tenancy().logout(&tokens.refresh_token).expect("logged out");
            is_over.store(true, Ordering::SeqCst);
        });
    }
}

#[test]
fn a_name_or_address_tells_nothing_of_another_tenant() {
    let platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    let scope = manage(beta.id, Action::ManageUsers);
    let ada = user_of("ada@example.com", Role::Admin);
    let made = platform.tenancy().create_user(&scope, &ada).expect("an address is free elsewhere");
    platform.tenancy().delete_user(&scope, made.id).expect("deleted");
    assert_eq!(platform.tenancy().tenants_of_address("ada@example.com").expect("read"), [alpha.id]);
    assert_eq!(platform.login("ada@example.com", None).principal.tenant(), Some(alpha.id));
    assert_eq!(platform.fails("ada@example.com", PASSWORD, Some("beta")), {
        ErrorKind::Unauthenticated
    });
}

#[test]
fn a_refresh_token_cannot_be_taken_to_another_tenant() {
    let platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "ada@example.com");
    let tokens = platform.login("ada@example.com", Some("alpha"));
    for owner in [beta.id.to_string(), "platform".to_owned()] {
        let moved = tokens.refresh_token.replace(&alpha.id.to_string(), &owner);
        assert_eq!(kind(platform.tenancy().refresh(&moved)), ErrorKind::Unauthenticated);
        platform.tenancy().logout(&moved).expect("ends nothing");
    }
    assert!(platform.who(&tokens.access_token).is_ok());
    assert!(platform.tenancy().refresh(&tokens.refresh_token).is_ok());
}

//! Passwords: what one must be, and how it is kept (Argon2id, RFC 9106).

use std::fmt;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use ledgerline_world::Chance;
use parking_lot::{Condvar, Mutex};

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};

const CHARS_MIN: usize = 12;
/// Longer texts are no better passwords; every byte counts, none is cut off.
const BYTES_MAX: usize = 1024;
/// Two passes, one lane: with 19 MiB, OWASP's first choice.
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many passwords are hashed at once: each takes the whole memory cost and a core.
const RUNNING_MAX: usize = 4;
/// How many callers wait for their turn; each holds a thread.
const WAITING_MAX: usize = 64;
/// A full queue is worked off in about this time.
const QUEUE_TIME: Duration = Duration::from_secs(2);

/// Whether a password is good enough.
///
/// # Errors
/// `Invalid`, for the field `password`.
pub(crate) fn check(password: &str, address: &Address) -> Result<()> {
    let wrong = |what| Err(Error::invalid("password", what));
    if password.chars().count() < CHARS_MIN {
        return wrong("a password has at least 12 characters");
    }
    if password.len() > BYTES_MAX {
        return wrong("a password has at most 1,024 bytes");
    }
    if password.to_lowercase() == address.as_str() {
        return wrong("a password is not the address");
    }
    Ok(())
}

/// Hashes and verifies passwords.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    chance: Chance,
    /// What is verified for an address that nobody has, so that it takes as long.
    nobody: String,
    gate: Gate,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("argon2", &self.argon2).finish_non_exhaustive()
    }
}

impl Passwords {
    /// # Errors
    /// `Invalid` for a memory cost that Argon2 does not allow.
    pub(crate) fn new(memory_kib: u32, chance: Chance) -> Result<Self> {
        let params = Params::new(memory_kib, PASSES, LANES, None)
            .map_err(|_| Error::invalid("argon2_kib", "not a memory cost of Argon2"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut passwords = Self { argon2, chance, nobody: String::new(), gate: Gate::default() };
        let random: [u8; 32] = passwords.chance.bytes();
        passwords.nobody = passwords.hash_bytes(&random)?;
        Ok(passwords)
    }

    /// The PHC string of a password. Slow by design.
    ///
    /// # Errors
    /// `Busy` when too many wait.
    pub(crate) fn hash(&self, password: &str) -> Result<String> {
        self.gate.pass(|| self.hash_bytes(password.as_bytes()))?
    }

    /// Which of the PHC strings the password fits. As slow for none as for one.
    ///
    /// # Errors
    /// `Busy` when too many wait, and what `may_try` says when the turn has come.
    pub(crate) fn matching(
        &self,
        password: &str,
        hashes: &[String],
        may_try: impl FnOnce() -> Result<()>,
    ) -> Result<Vec<usize>> {
        self.gate.pass(|| {
            may_try()?;
            if hashes.is_empty() || password.len() > BYTES_MAX {
                self.verify("", &self.nobody)?;
                return Ok(Vec::new());
            }
            let mut matching = Vec::new();
            for (at, hash) in hashes.iter().enumerate() {
                if self.verify(password, hash)? {
                    matching.push(at);
                }
            }
            Ok(matching)
        })?
    }

    /// Whether the PHC string was made with other parameters than a new one would be.
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        PasswordHash::new(hash).ok().is_none_or(|hash| {
            hash.algorithm.as_str() != Algorithm::Argon2id.as_str()
                || Params::try_from(&hash).ok().is_none_or(|params| {
                    let ours = self.argon2.params();
                    (params.m_cost(), params.t_cost(), params.p_cost())
                        != (ours.m_cost(), ours.t_cost(), ours.p_cost())
                })
        })
    }

    fn hash_bytes(&self, password: &[u8]) -> Result<String> {
        let salt: [u8; 16] = self.chance.bytes();
        let hash: Result<PasswordHash, _> = self.argon2.hash_password_with_salt(password, &salt);
        hash.map(|hash| hash.to_string())
            .map_err(|_| Error::new(ErrorKind::Unavailable, "no memory to hash a password"))
    }

    fn verify(&self, password: &str, hash: &str) -> Result<bool> {
        use argon2::password_hash::Error as Refused;
        let hash = PasswordHash::new(hash)
            .map_err(|_| Error::corrupt("a stored password is not what was written"))?;
        match self.argon2.verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(Refused::PasswordInvalid) => Ok(false),
            Err(_) => Err(Error::new(ErrorKind::Unavailable, "no memory to verify a password")),
        }
    }
}

/// Lets a few in at once, and a bounded number wait.
#[derive(Debug, Default)]
struct Gate {
    load: Mutex<Load>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Load {
    running: usize,
    waiting: usize,
}

impl Gate {
    fn pass<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        let mut load = self.load.lock();
        if load.running >= RUNNING_MAX {
            if load.waiting >= WAITING_MAX {
                return Err(Error::busy(QUEUE_TIME));
            }
            load.waiting += 1;
            self.left.wait_while(&mut load, |load| load.running >= RUNNING_MAX);
            load.waiting -= 1;
        }
        load.running += 1;
        drop(load);
        let inside = Inside(self);
        let value = work();
        drop(inside);
        Ok(value)
    }
}

/// Lets the next one in, also when the work panics.
struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.load.lock().running -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(memory_kib: u32) -> Passwords {
        Passwords::new(memory_kib, Chance::seeded(1)).expect("a memory cost")
    }

    #[test]
    fn weak_passwords_are_refused() {
        let address = Address::parse("somebody@example.com").expect("an address");
        let long = "x".repeat(BYTES_MAX + 1);
        let cases = [
            ("", false),
            ("eleven char", false),
            ("twelve chars", true),
            // Characters are counted, not bytes.
            ("ééééééééééé", false),
            ("éééééééééééé", true),
            ("Somebody@Example.com", false),
            (&long[1..], true),
            (&long, false),
        ];
        for (password, good) in cases {
            assert_eq!(check(password, &address).is_ok(), good, "{} bytes", password.len());
        }
    }

    #[test]
    fn every_byte_of_a_password_counts() {
        let passwords = passwords(8);
        let long = "x".repeat(BYTES_MAX);
        let hashes = [passwords.hash(&long).expect("hashed")];
        assert!(hashes[0].starts_with("$argon2id$v=19$m=8,t=2,p=1$"));
        let matching = |password: &str| {
            passwords.matching(password, &hashes, || Ok(())).expect("verified").len()
        };
        assert_eq!(matching(&long), 1);
        assert_eq!(matching(&long[1..]), 0);
        assert_eq!(matching(&format!("{}y", &long[1..])), 0);
        assert_eq!(matching(&format!("{long}x")), 0);
        assert_eq!(matching(""), 0);
    }

    #[test]
    fn hashes_of_other_parameters_are_outdated() {
        let hash = passwords(8).hash("a good password").expect("hashed");
        assert!(!passwords(8).is_outdated(&hash));
        assert!(passwords(16).is_outdated(&hash));
        assert!(passwords(8).is_outdated(&hash.replace("argon2id", "argon2i")));
        assert!(passwords(8).is_outdated("no hash"));
    }

    #[test]
    fn few_run_at_once() {
        let gate = Gate::default();
        let most = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            for _ in 0..3 * RUNNING_MAX {
                scope.spawn(|| {
                    let passed = gate.pass(|| {
                        let mut counts = most.lock();
                        counts.0 += 1;
                        counts.1 = counts.1.max(counts.0);
                        drop(counts);
                        std::thread::yield_now();
                        most.lock().0 -= 1;
                    });
                    assert!(passed.is_ok());
                });
            }
        });
        assert!(most.lock().1 <= RUNNING_MAX);
        gate.load.lock().running = RUNNING_MAX;
        gate.load.lock().waiting = WAITING_MAX;
        assert_eq!(gate.pass(|| ()).map_err(|error| error.kind()), Err(ErrorKind::Busy));
    }
}

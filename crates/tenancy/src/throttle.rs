//! How often a password may be guessed.
//!
//! Nobody can shut out others than those who ask from the same place as themselves, but for one
//! account that is guessed at from many places at once. What all of them do together makes logins
//! slower, and refuses none.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::seals::KeyedHash;

/// Wrong passwords for one address from one client.
const PAIR: Limit = Limit { failures_max: 10, width: Duration::from_secs(15 * 60) };
/// Wrong passwords for one address from all clients (NIST SP 800-63B, 3.2.2: no more than 100).
const ADDRESS: Limit = Limit { failures_max: 100, width: Duration::from_secs(15 * 60) };
/// Wrong passwords of one client for all addresses: people behind one door mistype less often.
const CLIENT: Limit = Limit { failures_max: 100, width: Duration::from_secs(60) };
/// Wrong passwords of all clients for all addresses: against one password that is tried on many
/// addresses from many places. Few people mistype in the same minute.
const OVERALL: Limit = Limit { failures_max: 600, width: Duration::from_secs(60) };
/// How long a login waits while there are more failures than that.
const PAUSE: Duration = Duration::from_millis(500);
/// How many windows of each kind are remembered.
const WINDOWS_MAX: usize = 50_000;

/// How many failures shut a window, and how long it is.
#[derive(Debug, Clone, Copy)]
struct Limit {
    failures_max: u32,
    width: Duration,
}

/// From where a login comes; nothing when that is not known.
type Client = Option<IpAddr>;

/// Who tries which password. An IPv6 client is its network: it has all addresses of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    address: KeyedHash,
    client: Client,
}

impl Attempt {
    pub(crate) fn new(address: KeyedHash, client: Client) -> Self {
        let network = |address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(long) => IpAddr::V6(Ipv6Addr::from_bits(long.to_bits() & (u128::MAX << 64))),
        };
        Self { address, client: client.map(|client| network(client.to_canonical())) }
    }
}

/// Counts wrong passwords. Whether an address exists makes no difference to it.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    pairs: Windows<(KeyedHash, Client)>,
    addresses: Windows<KeyedHash>,
    clients: Windows<IpAddr>,
    overall: Window,
}

/// Failures since a point in time.
#[derive(Debug, Default, Clone, Copy)]
struct Window {
    since: Duration,
    failures: u32,
}

impl Window {
    /// How long the window still stays shut.
    fn shut_for(&self, now: Duration, limit: Limit) -> Option<Duration> {
        let left = (self.since + limit.width).checked_sub(now).filter(|left| !left.is_zero())?;
        (self.failures >= limit.failures_max).then_some(left)
    }

    fn count(&mut self, now: Duration, limit: Limit) {
        if self.failures == 0 || now >= self.since + limit.width {
            *self = Self { since: now, failures: 0 };
        }
        self.failures += 1;
    }
}

/// A bounded number of windows.
#[derive(Debug)]
struct Windows<K>(HashMap<K, Window>);

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Windows<K> {
    fn shut_for(&self, key: &K, now: Duration, limit: Limit) -> Option<Duration> {
        self.0.get(key)?.shut_for(now, limit)
    }

    fn count(&mut self, key: K, now: Duration, limit: Limit) {
        if self.0.len() >= WINDOWS_MAX && !self.0.contains_key(&key) {
            self.make_room(now, limit);
        }
        self.0.entry(key).or_default().count(now, limit);
    }

    /// Forgets what is over; then, so that nobody pushes out what counts by many single failures,
    /// what is furthest from being shut; and all when everything is near it.
    fn make_room(&mut self, now: Duration, limit: Limit) {
        self.0.retain(|_, window| now < window.since + limit.width);
        for failures in 1..limit.failures_max {
            if self.0.len() < WINDOWS_MAX {
                return;
            }
            self.0.retain(|_, window| window.failures > failures);
        }
        if self.0.len() >= WINDOWS_MAX {
            self.0.clear();
        }
    }
}

impl Throttle {
    /// Whether a password may be tried.
    ///
    /// # Errors
    /// `Busy`, with the time until it may.
    pub(crate) fn check(&self, attempt: &Attempt, now: Duration) -> Result<()> {
        let Attempt { address, client } = *attempt;
        let failures = self.failures.lock();
        let of_client = client.and_then(|client| failures.clients.shut_for(&client, now, CLIENT));
        let shut = failures
            .pairs
            .shut_for(&(address, client), now, PAIR)
            .max(failures.addresses.shut_for(&address, now, ADDRESS))
            .max(of_client);
        shut.map_or(Ok(()), |left| Err(Error::busy(left)))
    }

    /// How long to wait before a password is tried.
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        let is_crowded = self.failures.lock().overall.shut_for(now, OVERALL).is_some();
        if is_crowded { PAUSE } else { Duration::ZERO }
    }

    /// A wrong password was given.
    pub(crate) fn failed(&self, attempt: &Attempt, now: Duration) {
        let Attempt { address, client } = *attempt;
        let mut failures = self.failures.lock();
        failures.overall.count(now, OVERALL);
        failures.pairs.count((address, client), now, PAIR);
        failures.addresses.count(address, now, ADDRESS);
        if let Some(client) = client {
            failures.clients.count(client, now, CLIENT);
        }
    }

    /// The right password was given. What others tried from elsewhere is not forgotten for it.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        self.failures.lock().pairs.0.remove(&(attempt.address, attempt.client));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn attempt(number: u32, client: u32) -> Attempt {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        Attempt::new(hash, Some(IpAddr::from(client.to_be_bytes())))
    }

    fn fail(throttle: &Throttle, attempt: Attempt, times: u32) {
        (0..times).for_each(|_| throttle.failed(&attempt, Duration::ZERO));
    }

    #[test]
    fn ten_failures_shut_an_address_to_the_client_for_the_rest_of_the_window() {
        let throttle = Throttle::default();
        let start = Duration::from_secs(1_000_000);
        for _ in 0..PAIR.failures_max {
            assert!(throttle.check(&attempt(1, 1), start).is_ok());
            throttle.failed(&attempt(1, 1), start);
        }
        let minute = Duration::from_secs(60);
        let error = throttle.check(&attempt(1, 1), start + minute).expect_err("shut");
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(error.retry_after(), Some(PAIR.width - minute));
        assert!(throttle.check(&attempt(2, 1), start).is_ok(), "another address");
        assert!(throttle.check(&attempt(1, 2), start).is_ok(), "from elsewhere");
        assert!(throttle.check(&attempt(1, 1), start + PAIR.width).is_ok());
    }

    #[test]
    fn the_right_password_starts_over() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            fail(&throttle, attempt(1, 1), PAIR.failures_max - 1);
            assert!(throttle.check(&attempt(1, 1), Duration::ZERO).is_ok());
            throttle.succeeded(&attempt(1, 1));
        }
    }

    #[test]
    fn one_client_shuts_out_itself_and_nobody_else() {
        let throttle = Throttle::default();
        for number in 0..10_000 {
            fail(&throttle, attempt(number, 1), 1);
        }
        assert!(throttle.check(&attempt(u32::MAX, 1), Duration::ZERO).is_err());
        for number in [0, u32::MAX] {
            assert!(throttle.check(&attempt(number, 2), Duration::ZERO).is_ok());
        }
        assert!(throttle.check(&attempt(0, 1), CLIENT.width).is_ok());
    }

    #[test]
    fn all_together_make_logins_slower_and_shut_nobody_out() {
        let throttle = Throttle::default();
        for number in 0..OVERALL.failures_max {
            assert_eq!(throttle.pause(Duration::ZERO), Duration::ZERO);
            fail(&throttle, attempt(number, number), 1);
        }
        assert!(throttle.check(&attempt(u32::MAX, u32::MAX), Duration::ZERO).is_ok());
        assert_eq!(throttle.pause(Duration::ZERO), PAUSE);
        assert_eq!(throttle.pause(OVERALL.width), Duration::ZERO);
    }

    #[test]
    fn an_address_is_guessed_at_a_hundred_times_from_everywhere() {
        let throttle = Throttle::default();
        for client in 0..ADDRESS.failures_max {
            assert!(throttle.check(&attempt(1, client), Duration::ZERO).is_ok());
            fail(&throttle, attempt(1, client), 1);
        }
        assert!(throttle.check(&attempt(1, u32::MAX), Duration::ZERO).is_err());
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let client = |text: &str| Attempt::new([0; 32], text.parse().ok()).client;
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded_and_single_failures_push_nothing_out() {
        let throttle = Throttle::default();
        fail(&throttle, attempt(u32::MAX, 1), PAIR.failures_max);
        for number in 0..2 * WINDOWS_MAX as u32 {
            fail(&throttle, attempt(number, number), 1);
        }
        let failures = throttle.failures.lock();
        assert!(failures.pairs.0.len() <= WINDOWS_MAX);
        assert!(failures.addresses.0.len() <= WINDOWS_MAX);
        assert!(failures.clients.0.len() <= WINDOWS_MAX);
        drop(failures);
        assert!(throttle.check(&attempt(u32::MAX, 1), Duration::ZERO).is_err());
    }
}

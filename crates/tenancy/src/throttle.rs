//! How often a password may be guessed.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::seals::KeyedHash;

/// How many wrong passwords for one address in one [`ADDRESS_WINDOW`].
const ADDRESS_FAILURES_MAX: u32 = 10;
const ADDRESS_WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many wrong passwords for all addresses in one [`OVERALL_WINDOW`]: against one password that
/// is tried on many addresses. Few people mistype at the same minute.
const OVERALL_FAILURES_MAX: u32 = 600;
const OVERALL_WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are remembered. To reach it takes longer than [`ADDRESS_WINDOW`] under the
/// overall limit, so nobody can push an address out.
const ADDRESSES_MAX: usize = 10_000;

/// Counts wrong passwords. Whether an address exists makes no difference to it.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    addresses: HashMap<KeyedHash, Window>,
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
    fn shut_for(&self, now: Duration, width: Duration, failures_max: u32) -> Option<Duration> {
        let left = (self.since + width).checked_sub(now).filter(|left| !left.is_zero())?;
        (self.failures >= failures_max).then_some(left)
    }

    fn count(&mut self, now: Duration, width: Duration) {
        if self.failures == 0 || now >= self.since + width {
            *self = Self { since: now, failures: 0 };
        }
        self.failures += 1;
    }
}

impl Throttle {
    /// Whether a password may be tried for the address.
    ///
    /// # Errors
    /// `Busy`, with the time until it may.
    pub(crate) fn check(&self, address: &KeyedHash, now: Duration) -> Result<()> {
        let failures = self.failures.lock();
        let address = failures.addresses.get(address).copied().unwrap_or_default();
        let shut = address
            .shut_for(now, ADDRESS_WINDOW, ADDRESS_FAILURES_MAX)
            .max(failures.overall.shut_for(now, OVERALL_WINDOW, OVERALL_FAILURES_MAX));
        shut.map_or(Ok(()), |left| Err(Error::busy(left)))
    }

    /// A wrong password was given.
    pub(crate) fn failed(&self, address: KeyedHash, now: Duration) {
        let mut failures = self.failures.lock();
        failures.overall.count(now, OVERALL_WINDOW);
        if failures.addresses.len() >= ADDRESSES_MAX && !failures.addresses.contains_key(&address) {
            failures.addresses.retain(|_, window| now < window.since + ADDRESS_WINDOW);
        }
        if failures.addresses.len() < ADDRESSES_MAX || failures.addresses.contains_key(&address) {
            failures.addresses.entry(address).or_default().count(now, ADDRESS_WINDOW);
        }
    }

    /// The right password was given.
    pub(crate) fn succeeded(&self, address: &KeyedHash) {
        self.failures.lock().addresses.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn address(number: u32) -> KeyedHash {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn ten_failures_shut_an_address_for_the_rest_of_the_window() {
        let throttle = Throttle::default();
        let start = Duration::from_secs(1_000_000);
        for _ in 0..ADDRESS_FAILURES_MAX {
            assert!(throttle.check(&address(1), start).is_ok());
            throttle.failed(address(1), start);
        }
        let minute = Duration::from_secs(60);
        let error = throttle.check(&address(1), start + minute).expect_err("shut");
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(error.retry_after(), Some(ADDRESS_WINDOW - minute));
        assert!(throttle.check(&address(2), start).is_ok(), "others may");
        assert!(throttle.check(&address(1), start + ADDRESS_WINDOW).is_ok());
    }

    #[test]
    fn the_right_password_starts_over() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            for _ in 1..ADDRESS_FAILURES_MAX {
                throttle.failed(address(1), Duration::ZERO);
            }
            assert!(throttle.check(&address(1), Duration::ZERO).is_ok());
            throttle.succeeded(&address(1));
        }
    }

    #[test]
    fn many_addresses_are_one_attack_and_bounded_memory() {
        let throttle = Throttle::default();
        for number in 0..OVERALL_FAILURES_MAX {
            throttle.failed(address(number), Duration::ZERO);
        }
        let kind = throttle.check(&address(u32::MAX), Duration::ZERO).map_err(|e| e.kind());
        assert_eq!(kind, Err(ErrorKind::Busy));
        assert!(throttle.check(&address(u32::MAX), OVERALL_WINDOW).is_ok());
        for number in 0..3 * ADDRESSES_MAX as u32 {
            throttle.failed(address(number), Duration::ZERO);
        }
        assert!(throttle.failures.lock().addresses.len() <= ADDRESSES_MAX);
    }
}

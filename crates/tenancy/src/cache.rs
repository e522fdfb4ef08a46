//! A small cache of what was read from records a moment ago.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

/// For how long a value is taken without looking again. All changes made in this process empty the
/// cache at once; this bounds what others could do to the files.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// How many values are kept. Full, the cache is emptied: reading again costs microseconds.
const VALUES_MAX: usize = 10_000;

/// Values that were read lately, of one tenant or of the operators.
pub(crate) struct Cache<K, V> {
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    /// How often the cache was emptied.
    emptied: u64,
    values: HashMap<K, (V, Duration)>,
}

/// When a value began to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading(u64);

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache(..)")
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::new(Inner { emptied: 0, values: HashMap::new() }) }
    }

    pub(crate) fn get(&self, key: &K, now: Duration) -> Option<V> {
        let inner = self.inner.lock();
        let (value, until) = inner.values.get(key)?;
        (now < *until).then(|| value.clone())
    }

    /// To be called before a value is read, so that [`Cache::put`] can tell whether it may be
    /// stale.
    pub(crate) fn reading(&self) -> Reading {
        Reading(self.inner.lock().emptied)
    }

    /// Keeps a value, unless the cache was emptied since it began to be read.
    pub(crate) fn put(&self, reading: Reading, key: K, value: V, now: Duration) {
        let mut inner = self.inner.lock();
        if inner.emptied != reading.0 {
            return;
        }
        if inner.values.len() >= VALUES_MAX {
            inner.values.clear();
        }
        inner.values.insert(key, (value, now + GOOD_FOR));
    }

    /// Forgets everything. To be called after a change is durable and before it is answered.
    pub(crate) fn empty(&self) {
        let mut inner = self.inner.lock();
        inner.emptied += 1;
        inner.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_read_before_a_change_is_not_kept() {
        let cache = Cache::new();
        let reading = cache.reading();
        cache.empty();
        cache.put(reading, 1, "stale", Duration::ZERO);
        assert_eq!(cache.get(&1, Duration::ZERO), None);
        cache.put(cache.reading(), 1, "fresh", Duration::ZERO);
        assert_eq!(cache.get(&1, Duration::from_secs(4)), Some("fresh"));
        assert_eq!(cache.get(&1, GOOD_FOR), None);
    }

    #[test]
    fn a_cache_is_bounded() {
        let cache = Cache::new();
        for key in 0..3 * VALUES_MAX {
            cache.put(cache.reading(), key, (), Duration::ZERO);
            assert!(cache.inner.lock().values.len() <= VALUES_MAX);
        }
    }
}

//! Chance, as a value that is handed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_model::id::{EventId, RecordId, SegmentId, TenantId};

/// Where random bytes come from.
#[derive(Clone)]
pub struct Chance {
    seed: Option<Arc<AtomicU64>>,
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.seed.is_some() { "Chance(seeded)" } else { "Chance(system)" })
    }
}

impl Chance {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        Self { seed: None }
    }

    /// The same bytes for the same seed: for tests, never for keys that guard something.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed: Some(Arc::new(AtomicU64::new(seed))) }
    }

    /// Fills a buffer.
    ///
    /// # Panics
    /// When the operating system has no random bytes, with which nothing can be kept safe.
    pub fn fill(&self, bytes: &mut [u8]) {
        let Some(seed) = &self.seed else {
            aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
            return;
        };
        // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks_mut(8) {
            let mut z = seed.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }

    /// Some random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A new tenant's id.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.id(TenantId::from_bytes)
    }

    /// A new segment's id.
    #[must_use]
    pub fn segment_id(&self) -> SegmentId {
        self.id(SegmentId::from_bytes)
    }

    /// A new record's id.
    #[must_use]
    pub fn record_id(&self) -> RecordId {
        self.id(RecordId::from_bytes)
    }

    /// What the ids of a commit's events count from.
    #[must_use]
    pub fn event_id_base(&self) -> u128 {
        u128::from_le_bytes(self.bytes()) >> (128 - EventId::RANDOM_BITS)
    }

    fn id<T, E>(&self, make: fn([u8; 16]) -> Result<T, E>) -> T {
        loop {
            if let Ok(id) = make(self.bytes()) {
                return id;
            }
        }
    }
}

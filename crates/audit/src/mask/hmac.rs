//! HMAC-SHA-256 (RFC 2104).

use sha2::{Digest, Sha256};

const BLOCK_BYTES: usize = 64;

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Sixteen hexadecimal digits of the keyed hash of a value: the first sixteen, or, where these have
/// no letter and could be taken for somebody's number, the first that follow with one.
pub(super) fn short_hash(key: &[u8; 32], value: &[u8]) -> String {
    let digits: String = hmac(key, value).iter().map(|byte| format!("{byte:02x}")).collect();
    let windows = (0..=digits.len() - 16).map(|at| &digits[at..at + 16]);
    let has_letter = |text: &&str| text.bytes().any(|digit| digit.is_ascii_alphabetic());
    // All of 64 digits without a letter does not happen; an `a` would then make one.
    windows.into_iter().find(has_letter).map_or_else(|| "a".repeat(16), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231, test cases 1 and 2, with their keys filled up with zeros to 32 bytes, which makes
    /// no difference to the result.
    #[test]
    fn the_vectors_of_the_standard_hold() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&hmac(&key, b"Hi There")), expected);
        assert_eq!(short_hash(&key, b"Hi There"), expected[..16]);
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            hex(&hmac(&key, b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_hash_always_has_a_letter() {
        let key = [7; 32];
        let mut shifted = 0;
        for number in 0..20_000_u32 {
            let value = number.to_string();
            let hash = short_hash(&key, value.as_bytes());
            assert_eq!(hash.len(), 16);
            assert!(hash.bytes().any(|digit| digit.is_ascii_alphabetic()), "{hash}");
            shifted += u32::from(hash != hex(&hmac(&key, value.as_bytes()))[..16]);
        }
        // About one in two thousand has none in the first sixteen.
        assert!((1..40).contains(&shifted), "{shifted}");
    }
}

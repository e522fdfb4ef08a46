//! The secrets that are given out, as text.
//!
//! ```text
//! API key        ll_live_<kind>_<32 base62><6 base62: CRC-32 of all before it>
//! refresh token  lr_<tenant id, or platform>_<43 base62>
//! ```
//! 32 digits of base 62 are 190 bits, 43 are 256. A key's checksum tells a mistyped or invented key
//! from a real one without looking anything up, and lets scanners find leaked ones.

use ledgerline_model::id::TenantId;
use ledgerline_policy::KeyScope;
use ledgerline_world::Chance;

use crate::seals::{Owner, SecretHash, sha256};

const KEY_START: &str = "ll_live_";
const KEY_RANDOM: usize = 32;
const KEY_CHECKSUM: usize = 6;
/// How many random characters of a key are shown in lists.
const KEY_SHOWN: usize = 4;
const REFRESH_START: &str = "lr_";
const REFRESH_RANDOM: usize = 43;
const PLATFORM: &str = "platform";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key is for, so that who finds one knows.
const KINDS: [&str; 4] = ["ingest", "query", "admin", "mixed"];

/// Whether a credential is meant to be an API key.
pub(crate) fn looks_like_key(text: &str) -> bool {
    text.starts_with("ll_")
}

/// Makes an API key's text.
pub(crate) fn make_key(chance: &Chance, scopes: &[KeyScope]) -> String {
    let mut text = format!("{KEY_START}{}_{}", kind(scopes), random(chance, KEY_RANDOM));
    text.push_str(&checksum(&text));
    text
}

/// What is shown of an API key.
pub(crate) fn prefix(key: &str) -> String {
    key[..key.len() - KEY_RANDOM - KEY_CHECKSUM + KEY_SHOWN].to_owned()
}

/// The hash that an API key is known by; none for a text that cannot be one.
pub(crate) fn key_hash(text: &str) -> Option<SecretHash> {
    let (kind, rest) = text.strip_prefix(KEY_START)?.split_once('_')?;
    let is_one = KINDS.contains(&kind)
        && rest.len() == KEY_RANDOM + KEY_CHECKSUM
        && rest.bytes().all(|c| DIGITS.contains(&c));
    let (before, sum) = is_one.then(|| text.split_at(text.len() - KEY_CHECKSUM))?;
    (checksum(before) == sum).then(|| sha256(text.as_bytes()))
}

/// Makes a refresh token's text.
pub(crate) fn make_refresh_token(chance: &Chance, owner: Owner) -> String {
    let random = random(chance, REFRESH_RANDOM);
    match owner {
        Owner::Platform => format!("{REFRESH_START}{PLATFORM}_{random}"),
        Owner::Tenant(tenant) => format!("{REFRESH_START}{tenant}_{random}"),
    }
}

/// Where to look for a refresh token, and its hash; none for a text that cannot be one.
pub(crate) fn refresh_token(text: &str) -> Option<(Owner, SecretHash)> {
    let (owner, random) = text.strip_prefix(REFRESH_START)?.split_once('_')?;
    if random.len() != REFRESH_RANDOM || !random.bytes().all(|c| DIGITS.contains(&c)) {
        return None;
    }
    let owner = match owner {
        PLATFORM => Owner::Platform,
        tenant => Owner::Tenant(tenant.parse::<TenantId>().ok()?),
    };
    Some((owner, sha256(text.as_bytes())))
}

/// Makes a password for who gave none.
pub(crate) fn make_password(chance: &Chance) -> String {
    random(chance, 24)
}

fn kind(scopes: &[KeyScope]) -> &'static str {
    let of = |scope: &KeyScope| match scope {
        KeyScope::Ingest | KeyScope::IngestLogs(_) | KeyScope::IngestAudit(_) => KINDS[0],
        KeyScope::Query(_) => KINDS[1],
        KeyScope::Admin => KINDS[2],
    };
    let first = scopes.first().map_or(KINDS[3], of);
    if scopes.iter().all(|scope| of(scope) == first) { first } else { KINDS[3] }
}

/// Random digits of base 62, each as likely as any other.
fn random(chance: &Chance, digits: usize) -> String {
    let mut text = String::with_capacity(digits);
    while text.len() < digits {
        let [byte] = chance.bytes::<1>();
        // 248 is the largest multiple of 62 in a byte.
        if byte < 248 {
            text.push(char::from(DIGITS[usize::from(byte) % 62]));
        }
    }
    text
}

fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; KEY_CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

/// The CRC of zip and of other vendors' keys (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes(text: &str) -> Vec<KeyScope> {
        text.split(' ').map(|scope| scope.parse().expect("a scope")).collect()
    }

    #[test]
    fn a_key_says_what_it_is_for() {
        let cases = [
            ("ingest:*", "ll_live_ingest_"),
            ("ingest:logs:web ingest:*", "ll_live_ingest_"),
            ("query:* query:web", "ll_live_query_"),
            ("admin:*", "ll_live_admin_"),
            ("ingest:* query:*", "ll_live_mixed_"),
        ];
        for (text, start) in cases {
            let key = make_key(&Chance::seeded(1), &scopes(text));
            assert!(key.starts_with(start), "{text}");
            assert_eq!(key.len(), start.len() + 38);
            assert_eq!(prefix(&key).len(), start.len() + 4);
            assert!(key_hash(&key).is_some());
        }
    }

    #[test]
    fn the_checksum_is_the_usual_crc() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn a_changed_key_is_known_without_looking(
            seed: u64, at in 0usize..53, to in "[ -~]",
        ) {
            let key = make_key(&Chance::seeded(seed), &scopes("ingest:*"));
            let mut changed = key.clone();
            changed.replace_range(at..at + 1, &to);
            prop_assert_eq!(key_hash(&changed).is_some(), changed == key);
        }

        #[test]
        fn foreign_text_is_never_taken(text in ".{0,80}") {
            prop_assert_eq!(key_hash(&text), None);
            let key = format!("ll_live_ingest_{text}");
            prop_assert_eq!(key_hash(&key), None);
            prop_assert_eq!(refresh_token(&text), None);
            let token = format!("lr_platform_{text}é");
            prop_assert_eq!(refresh_token(&token), None);
        }

        #[test]
        fn refresh_tokens_say_where_to_look(seed: u64) {
            let chance = Chance::seeded(seed);
            for owner in [Owner::Platform, Owner::Tenant(chance.tenant_id())] {
                let token = make_refresh_token(&chance, owner);
                prop_assert_eq!(refresh_token(&token).map(|(owner, _)| owner), Some(owner));
            }
        }
    }
}

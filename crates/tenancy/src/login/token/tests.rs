use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::*;

const SEED: [u8; 32] = [7; 32];
const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds as i64 * Timestamp::SECOND)
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a seed")
}

fn signer() -> Signer {
    Signer::new(&SEED).expect("a seed")
}

fn header() -> Value {
    let public = pair().public_key().as_ref().to_vec();
    let kid: String = sha256(&public)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid})
}

fn claims() -> Value {
    json!({
        "iss": "ledgerline", "aud": "ledgerline-api", "sub": "01".repeat(16),
        "tid": "02".repeat(16), "role": "admin", "sid": "03".repeat(16),
        "iat": NOW, "nbf": NOW, "exp": NOW + 900, "jti": "04".repeat(16),
    })
}

/// A token with a true signature over whatever is in it.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = BASE64.encode(pair().sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn without(mut object: Value, key: &str) -> Value {
    object.as_object_mut().expect("an object").remove(key);
    object
}

fn is_good(token: &str) -> bool {
    signer().verify(token, at(NOW + 1)).is_some()
}

#[test]
fn a_token_round_trips_until_it_ends() {
    let chance = Chance::seeded(1);
    for owner in [Owner::Platform, Owner::Tenant(chance.tenant_id())] {
        let bearer = Bearer { owner, user: chance.record_id(), session: chance.record_id() };
        let token = signer().sign(&bearer, Role::Admin, at(NOW), 900, &chance).expect("signed");
        assert_eq!(signer().verify(&token, at(NOW)), Some(bearer));
        assert_eq!(signer().verify(&token, at(NOW + 899)), Some(bearer));
        assert_eq!(signer().verify(&token, at(NOW + 900)), None, "expired");
        assert_eq!(signer().verify(&token, at(NOW - 61)), None, "not yet");
        let other = Signer::new(&[8; 32]).expect("a seed");
        assert_eq!(other.verify(&token, at(NOW)), None, "another key");
    }
}

#[test]
fn the_vectors_below_are_wrong_in_one_thing_only() {
    assert!(is_good(&signed(&header().to_string(), &claims().to_string())));
    assert!(is_good(&signed(&header().to_string(), &without(claims(), "tid").to_string())));
}

#[test]
fn wrong_headers_are_refused() {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(pair().public_key())});
    let headers = [
        with(header(), "alg", json!("none")),
        with(header(), "alg", json!("HS256")),
        with(header(), "alg", json!("ES256")),
        with(header(), "alg", json!("eddsa")),
        without(header(), "alg"),
        with(header(), "typ", json!("JWT")),
        with(header(), "typ", json!("id+jwt")),
        with(header(), "typ", json!("AT+JWT")),
        without(header(), "typ"),
        with(header(), "kid", json!("../../control/root.key")),
        with(header(), "kid", json!("' OR 1=1 --")),
        with(header(), "kid", json!("0000000000000000")),
        without(header(), "kid"),
        with(header(), "jku", json!("https://example.com/keys")),
        with(header(), "x5u", json!("https://example.com/cert")),
        with(header(), "jwk", jwk),
        with(header(), "crit", json!(["exp"])),
        with(header(), "b64", json!(false)),
        json!({}),
        json!([]),
    ];
    for header in headers {
        assert!(!is_good(&signed(&header.to_string(), &claims().to_string())), "{header}");
    }
}

#[test]
fn unsigned_and_foreign_signatures_are_refused() {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let public = pair().public_key().as_ref().to_vec();
    for alg in ["none", "None", "HS256", "EdDSA"] {
        let header = with(header(), "alg", json!(alg));
        let message = format!("{}.{}", part(&header), part(&claims()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
        let mac = BASE64.encode(hmac::sign(&key, message.as_bytes()));
        assert!(!is_good(&format!("{message}.{mac}")), "HMAC with the public key as {alg}");
        assert!(!is_good(&format!("{message}.")), "no signature as {alg}");
        assert!(!is_good(&message), "two parts as {alg}");
    }
    let good = signed(&header().to_string(), &claims().to_string());
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (first, _) = message.split_once('.').expect("two parts");
    let admin = part(&with(claims(), "sub", json!("09".repeat(16))));
    assert!(!is_good(&format!("{first}.{admin}.{signature}")), "another payload");
    assert!(!is_good(&format!("{good}.{signature}")), "four parts");
    assert!(!is_good(&format!("{good}=")), "padding");
    assert!(!is_good(&good.replace('.', "..")));
    for text in ["", ".", "..", "...", "a.b.c", "é.é.é", &"a".repeat(100_000)] {
        assert!(!is_good(text));
    }
}

#[test]
fn wrong_claims_are_refused() {
    let mut vectors = vec![
        with(claims(), "iss", json!("somebody")),
        with(claims(), "iss", json!(["ledgerline"])),
        with(claims(), "aud", json!("another-api")),
        with(claims(), "aud", json!(["ledgerline-api"])),
        with(claims(), "aud", json!("LEDGERLINE-API")),
        with(claims(), "sub", json!("00".repeat(16))),
        with(claims(), "sub", json!("me")),
        with(claims(), "tid", json!("00".repeat(16))),
        with(claims(), "tid", json!("")),
        with(claims(), "tid", json!("../02")),
        with(claims(), "sid", json!(3)),
        with(claims(), "operator", json!(true)),
        with(claims(), "exp", json!(NOW)),
        with(claims(), "nbf", json!(NOW + 3600)),
    ];
    for key in ["iss", "aud", "sub", "role", "sid", "iat", "nbf", "exp", "jti"] {
        vectors.push(without(claims(), key));
        vectors.push(with(claims(), key, Value::Null));
    }
    for key in ["exp", "nbf", "iat"] {
        let ahead = NOW + 900;
        for value in [
            json!(ahead.to_string()),
            json!(ahead as f64 + 0.5),
            json!(ahead as f64),
            json!(1e300),
            json!(-1),
            json!([ahead]),
            json!({}),
            json!(true),
        ] {
            vectors.push(with(claims(), key, value));
        }
    }
    for vector in vectors {
        assert!(!is_good(&signed(&header().to_string(), &vector.to_string())), "{vector}");
    }
}

#[test]
fn a_claim_that_is_there_twice_is_refused() {
    let twice = claims().to_string().replacen('{', r#"{"exp": 9999999999, "#, 1);
    assert!(!is_good(&signed(&header().to_string(), &twice)));
    let twice = header().to_string().replacen('{', r#"{"alg": "none", "#, 1);
    assert!(!is_good(&signed(&twice, &claims().to_string())));
    for claims in ["", "null", "[]", "1", "{", "\u{feff}{}"] {
        assert!(!is_good(&signed(&header().to_string(), claims)), "{claims}");
    }
}

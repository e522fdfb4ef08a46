use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::tests::any_json;

const KEY: [u8; 32] = [7; 32];

fn custom(name: &str, pattern: &str) -> Detector {
    Detector::Custom { name: name.to_owned(), pattern: pattern.to_owned() }
}

fn masker(rules: &[(Detector, Action)]) -> Masker {
    let rules = rules.iter().cloned();
    let rules = rules.map(|(detector, action)| Rule::new(detector, action, Vec::new())).collect();
    Masker::new(rules, KEY).expect("rules")
}

/// Every detector with one action. Made once: most of the time that a test takes is theirs.
fn every(action: Action) -> &'static Masker {
    static MADE: LazyLock<[Masker; 3]> = LazyLock::new(|| {
        Action::ALL.map(|action| masker(&detector::BUILT_IN.map(|detector| (detector, action))))
    });
    &MADE[Action::ALL.iter().position(|one| *one == action).expect("an action")]
}

fn apply(masker: &Masker, value: &serde_json::Value) -> (serde_json::Value, Vec<Masked>) {
    let (bytes, masked) = masker.apply(value.to_string().as_bytes()).expect("JSON");
    (serde_json::from_slice(&bytes).expect("JSON"), masked)
}

/// One text, masked.
fn text_with(masker: &Masker, text: &str) -> String {
    let (value, _) = apply(masker, &json!({ "note": text }));
    value["note"].as_str().expect("a text").to_owned()
}

/// One text with everything dropped that one detector finds.
fn dropped(detector: &Detector, text: &str) -> String {
    static MADE: LazyLock<[Masker; 10]> =
        LazyLock::new(|| detector::BUILT_IN.map(|detector| masker(&[(detector, Action::Drop)])));
    match detector::BUILT_IN.iter().position(|one| one == detector) {
        Some(at) => text_with(&MADE[at], text),
        None => text_with(&masker(&[(detector.clone(), Action::Drop)]), text),
    }
}

fn check(detector: &Detector, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(dropped(detector, text), *expected, "{text}");
    }
}

/// Texts in which a detector finds nothing.
fn finds_nothing(detector: &Detector, texts: &[&str]) {
    for text in texts {
        assert_eq!(dropped(detector, text), *text);
    }
}

#[test]
fn mail_addresses_are_found() {
    check(
        &Detector::Email,
        &[
            ("ann@example.com", "[masked:email]"),
            ("to: <Ann.O'Hara+x@mail.example.co.uk>, ok", "to: <[masked:email]>, ok"),
            ("jürgen@bücher.example", "[masked:email]"),
            ("a@b.cd,e@f.gh", "[masked:email],[masked:email]"),
            ("mailto:a_b%c@x-y.example.", "mailto:[masked:email]."),
        ],
    );
    finds_nothing(
        &Detector::Email,
        &["a@b", "@example.com", "a @example.com", "a@b.c", "a@.com", "1@2.3"],
    );
}

#[test]
fn telephone_numbers_are_found() {
    check(
        &Detector::Phone,
        &[
            ("+41446681800", "[masked:phone]"),
            ("call +1 (555) 123-4567 now", "call [masked:phone] now"),
            ("+49 30 1234567, +49/30/7654321", "[masked:phone], [masked:phone]"),
            ("(555) 123-4567", "[masked:phone]"),
            ("555-123-4567.", "[masked:phone]."),
            ("555.123.4567", "[masked:phone]"),
            ("020 7946 0958", "[masked:phone]"),
            ("07911 123456", "[masked:phone]"),
            ("030/1234-5678", "[masked:phone]"),
            ("01 23 45 67 89", "[masked:phone]"),
            ("tel:555-123-4567", "tel:[masked:phone]"),
            ("+41446681800 2026-01-31", "[masked:phone]-01-31"),
            ("+4144668180012 2026-01-31", "[masked:phone] 2026-01-31"),
            ("tel:(0)", "tel:(0)"),
        ],
    );
    finds_nothing(
        &Detector::Phone,
        &[
            "2026-01-31 12:00:00",
            "01-31-2026 12:00",
            "2026-01-31T12:00:00.123456789Z",
            "1700000000000",
            "order 5551234567",
            "id-555-123-4567",
            "555-123-4567-8",
            "a555-123-4567",
            "555-123-4567a",
            "10.123.456.7890",
            "192.168.100.200",
            "550e8400-e29b-41d4-a716-446655440000",
            "+1234567",
            "x+41446681800",
            "+4144668180012345678901",
            "1.2.3",
            "port 8080 of 127.0.0.1:8080",
        ],
    );
}

#[test]
fn payment_cards_are_found() {
    check(
        &Detector::Card,
        &[
            ("4111111111111111", "[masked:card]"),
            ("card 4111 1111 1111 1111 12/29", "card [masked:card] 12/29"),
            ("4111-1111-1111-1111 2029", "[masked:card] 2029"),
            ("2026 4111 1111 1111 1111", "2026 [masked:card]"),
            ("3782 822463 10005", "[masked:card]"),
            ("5555555555554444,4222222222222", "[masked:card],[masked:card]"),
            ("4111111111111111 5555555555554444", "[masked:card] [masked:card]"),
            ("(4111111111111111)", "([masked:card])"),
            ("4111 1111 1111 1111 5x", "[masked:card] 5x"),
            ("x5 4111-1111-1111-1111", "x5 [masked:card]"),
        ],
    );
    finds_nothing(
        &Detector::Card,
        &[
            "4111111111111112",
            "1700000000000000000",
            "x4111111111111111",
            "4111111111111111x",
            "_4111111111111111",
            "411111111111111",
            "4111  1111 1111 1111",
            "41111111111111110000",
            "4111.1111.1111.1111",
            "123837392027",
        ],
    );
}

#[test]
fn bank_accounts_are_found() {
    check(
        &Detector::Iban,
        &[
            ("DE89370400440532013000", "[masked:iban]"),
            ("pay DE89 3704 0044 0532 0130 00 EUR 5", "pay [masked:iban] EUR 5"),
            ("gb29nwbk60161331926819.", "[masked:iban]."),
            ("XX12 34 DE89370400440532013000", "XX12 34 [masked:iban]"),
            ("DE89370400440532013000 NO9386011117947", "[masked:iban] [masked:iban]"),
        ],
    );
    finds_nothing(
        &Detector::Iban,
        &[
            "DE88370400440532013000",
            "DE893704004405320130001",
            "xDE89370400440532013000",
            "DE89_370400440532013000",
            "DE8937040044053201300",
        ],
    );
}

#[test]
fn addresses_of_machines_are_found() {
    check(
        &Detector::Ip,
        &[
            ("from 10.0.0.1", "from [masked:ip]"),
            ("10.0.0.1:80, 255.255.255.255.", "[masked:ip]:80, [masked:ip]."),
            ("at fe80::1: refused", "at [masked:ip]: refused"),
            ("2001:db8:0:0:0:0:2:1", "[masked:ip]"),
            ("[::1]:80", "[[masked:ip]]:80"),
            ("::ffff:10.0.0.1", "[masked:ip]"),
        ],
    );
    finds_nothing(
        &Detector::Ip,
        &[
            "12:00:00",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "v1.2.3.4",
            "1.2.3.4a",
            "0.1.2.3.4",
            "dead::beef",
            "std::fs::read",
            "::",
            "x::1",
            "a:b:c",
        ],
    );
}

#[test]
fn secrets_with_a_form_are_found() {
    let jwt = format!("eyJ{}.eyJ{}.{}", "a".repeat(10), "b".repeat(10), "c".repeat(10));
    check(
        &Detector::Jwt,
        &[(&format!("t={jwt};"), "t=[masked:jwt];"), (&format!("{jwt}.d.e"), "[masked:jwt]")],
    );
    finds_nothing(&Detector::Jwt, &["eyJhbGciOi", "xeyJaaaaaaaa.b.c", "eyJ.a.b"]);
    // Put together here, so that no scanner takes them for what they stand for.
    let keys = [
        ["AKIA", "ABCDEFGHIJKLMNOP"],
        ["ASIA", "ABCDEFGHIJKLMNO7"],
        ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"],
        ["github_pat_", "abcdefghijklmnopqrstuv_x"],
        ["glpat-", "abcdefghij_klmno-pqrst"],
        ["xoxb-", "1234567890-abcdef"],
        ["AIza", "abcdefghijklmnopqrstuvwxyz012345678"],
        ["ya29.", "abcdefghijklmnopqrstuvwxyz"],
        ["sk_live_", "abcdefghijklmnop"],
        ["rk_test_", "abcdefghijklmnop"],
        ["whsec_", "abcdefghijklmnopqrstuvwx"],
        ["npm_", "abcdefghijklmnopqrstuvwxyz0123456789"],
        ["SG.", "abcdefghijklmnop.qrstuvwxyz0123456"],
        ["sk-", "abcdefghijklmnopqrst-uv"],
        ["ll_live_ingest_", "abcdefghijklmnopqrstuvwxyz"],
    ];
    for [prefix, rest] in keys {
        let text = format!("key {prefix}{rest}, x");
        assert_eq!(dropped(&Detector::ApiKey, &text), "key [masked:api_key], x", "{prefix}");
        let short = format!("key {prefix}{}", &rest[..5]);
        assert_eq!(dropped(&Detector::ApiKey, &short), short);
    }
    let pem = |kind: &str| {
        format!("-----BEGIN {kind}PRIVATE KEY-----\nMIIE+/=\n-----END {kind}PRIVATE KEY-----")
    };
    check(
        &Detector::PrivateKey,
        &[
            (&format!("a {} b", pem("")), "a [masked:private_key] b"),
            (
                &format!("{}\n{}", pem("RSA "), pem("EC ")),
                "[masked:private_key]\n[masked:private_key]",
            ),
            ("x -----BEGIN PRIVATE KEY-----\nMIIE", "x [masked:private_key]"),
        ],
    );
    finds_nothing(&Detector::PrivateKey, &["-----BEGIN PUBLIC KEY-----\nMIIE"]);
    check(
        &Detector::UrlPassword,
        &[
            ("postgres://app:hunter2@db:5432/x", "postgres://app:[masked:url_password]@db:5432/x"),
            ("redis://:p@ss@host", "redis://:[masked:url_password]@host"),
        ],
    );
    finds_nothing(&Detector::UrlPassword, &["see a:b@c", "http://host:80/a@b", "http://user@host"]);
    check(
        &Detector::Secret,
        &[
            ("login?user=a&password=b&x=1", "login?user=a&password=[masked:secret]&x=1"),
            ("DB_PASSWORD=x api-key=y", "DB_PASSWORD=[masked:secret] api-key=[masked:secret]"),
            ("Authorization: Bearer abcdefgh12==", "Authorization: Bearer [masked:secret]"),
        ],
    );
    finds_nothing(
        &Detector::Secret,
        &["password: x", "the token is valid", "bearer of news", "tokens=3"],
    );
}

#[test]
fn fields_with_secret_names_are_masked_in_whole() {
    let masker = masker(&[(Detector::Secret, Action::Drop)]);
    let (value, masked) = apply(
        &masker,
        &json!({
            "metadata": {
                "dbPassword": "x", "api_key": 7, "Authorization": {"scheme": "Basic", "v": [1.5, null, true]},
                "nextToken": "abc", "refresh-token": "", "token_type": "x", "secretAccessKey": "k",
                "page_token": "3", "name": "y",
            },
        }),
    );
    let m = "[masked:secret]";
    assert_eq!(
        value,
        json!({
            "metadata": {
                "dbPassword": m, "api_key": m, "Authorization": {"scheme": m, "v": [m, null, true]},
                "nextToken": "abc", "refresh-token": "", "token_type": "x", "secretAccessKey": m,
                "page_token": "3", "name": "y",
            },
        })
    );
    let paths: Vec<&str> = masked.iter().map(|masked| &*masked.path).collect();
    let expected = [
        "/Authorization/scheme",
        "/Authorization/v/0",
        "/api_key",
        "/dbPassword",
        "/secretAccessKey",
    ];
    assert_eq!(paths, expected.map(|path| format!("/metadata{path}")));
    assert!(masked.iter().all(|masked| masked.detector == "secret" && masked.count == 1));
    assert_eq!(apply(&masker, &value), (value, Vec::new()));
}

#[test]
fn names_of_secrets_are_told() {
    for name in [
        "password",
        "Passwd",
        "user_password",
        "pass-phrase",
        "passcode",
        "client.secret",
        "token",
        "accessToken",
        "x-api-key",
        "privateKey",
        "secret_key",
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "set-cookie",
        "credentials",
        "pwd",
        "otp",
        "cvv",
        "cvc",
        "access_key",
        "signing_key",
        "encryption_key",
        "connectionString",
        "aws_secret_access_key",
    ] {
        assert!(detector::is_secret_name(name), "{name}");
    }
    for name in [
        "name",
        "passwordLastUsed",
        "secretary",
        "tokens",
        "next_token",
        "pageToken",
        "key",
        "continuation-token",
        "syncToken",
        "accessKeyId",
        "otp_used",
        "mycvv",
    ] {
        assert!(!detector::is_secret_name(name), "{name}");
    }
}

#[test]
fn what_an_event_is_stays_readable() {
    let masker = masker(&[
        (Detector::Email, Action::Drop),
        (Detector::Phone, Action::Drop),
        (custom("all", "."), Action::Drop),
    ]);
    let kept = json!({
        "id": "a@b.cd", "kind": "amendment", "action": "a@b.cd", "occurred_at": "2026", "amends": "a@b.cd",
        "severity": "INFO", "outcome": "success", "changes_truncated": true, "metadata": {"n": 5},
    });
    assert_eq!(apply(&masker, &kept), (kept, Vec::new()));
    let nested = json!({"metadata": {"id": "ab"}});
    assert_eq!(apply(&masker, &nested).0["metadata"]["id"], "[masked:all][masked:all]");
    for kind in ["erasure", "retirement", "key_rotation"] {
        let record = json!({"id": "x", "kind": kind, "reason": "a@b.cd"});
        assert_eq!(apply(&masker, &record), (record, Vec::new()));
    }
    let amendment = json!({"id": "x", "kind": "amendment", "note": "q"});
    assert_eq!(apply(&masker, &amendment).0["note"], "[masked:all]");
    assert_eq!(apply(&masker, &json!(["ab", 1])).0, json!(["[masked:all][masked:all]", 1]));
}

#[test]
fn keys_and_other_values_stay_as_they_were_written() {
    let text =
        r#"{ "a@b.cd" : [ 1.50 , true, null, {} ], "\u0061": "\u00e9", "e": "x\u0040y.zz" }"#;
    let (bytes, masked) = every(Action::Drop).apply(text.as_bytes()).expect("JSON");
    let expected = r#"{"a@b.cd":[1.50,true,null,{}],"\u0061":"\u00e9","e":"[masked:email]"}"#;
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
    assert_eq!(masked, [Masked { path: "/e".to_owned(), detector: "email".to_owned(), count: 1 }]);
    let (bytes, _) = masker(&[]).apply(text.as_bytes()).expect("JSON");
    assert_eq!(bytes, Masker::new(vec![], KEY).expect("no rules").apply(&bytes).expect("JSON").0);
    assert!(every(Action::Drop).apply(b"{").is_err());
}

#[test]
fn findings_are_counted_by_place() {
    let masker = masker(&[(Detector::Email, Action::Drop), (Detector::Ip, Action::Drop)]);
    let value = json!({"a": ["x@y.zz 1.2.3.4 p@q.rr", "x@y.zz"], "b/c": {"d": "x@y.zz"}, "e": "-"});
    let found = |path: &str, detector: &str, count| Masked {
        path: path.to_owned(),
        detector: detector.to_owned(),
        count,
    };
    assert_eq!(
        apply(&masker, &value).1,
        [
            found("/a/0", "email", 2),
            found("/a/0", "ip", 1),
            found("/a/1", "email", 1),
            found("/b~1c/d", "email", 1),
        ]
    );
}

#[test]
fn hashes_tell_equal_values_and_last_digits_stay() {
    let hashed = masker(&[(Detector::Email, Action::Hash)]);
    let one = text_with(&hashed, "ann@example.com");
    assert_eq!(one, text_with(&hashed, "ann@example.com"));
    assert_ne!(one, text_with(&hashed, "bob@example.com"));
    assert_eq!(one, format!("[hash:{}]", hmac::short_hash(&KEY, b"ann@example.com")));
    let other = Masker::new(vec![Rule::new(Detector::Email, Action::Hash, vec![])], [8; 32]);
    assert_ne!(one, text_with(&other.expect("rules"), "ann@example.com"));
    let last = masker(&[(Detector::Card, Action::Last4), (Detector::Email, Action::Last4)]);
    assert_eq!(text_with(&last, "4111 1111 1111 11 11"), "[…1111]");
    assert_eq!(text_with(&last, "a@example.org"), "[…eorg]");
    assert_eq!(text_with(&last, "a@bcde.fgh"), "[masked:email]");
    assert_eq!(text_with(&last, "a@bcdef.ghi"), "[…fghi]");
}

#[test]
fn overlapping_findings_show_the_least() {
    let text = "https://u:pass@mail.example.com/";
    let both = |email, password| {
        let rules = [(Detector::Email, email), (Detector::UrlPassword, password)];
        text_with(&masker(&rules), text)
    };
    assert_eq!(both(Action::Drop, Action::Hash), "https://u:[masked:email]/");
    assert_eq!(both(Action::Last4, Action::Drop), "https://u:[masked:url_password]/");
    assert!(both(Action::Last4, Action::Hash).starts_with("https://u:[hash:"));
    assert_eq!(both(Action::Last4, Action::Last4), "https://u:[…ecom]/");
}

#[test]
fn rules_are_for_fields() {
    let rule = |fields: &[&str]| {
        let fields = fields.iter().map(|field| FieldPattern::new(field)).collect();
        Masker::new(vec![Rule::new(Detector::Email, Action::Drop, fields)], KEY).expect("rules")
    };
    let value = json!({
        "actor": {"id": "a@b.cd", "name": "a@b.cd"},
        "metadata": {"list": [{"to": "a@b.cd"}], "from": "a@b.cd"},
    });
    let paths = |fields: &[&str]| {
        let (_, masked) = apply(&rule(fields), &value);
        masked.into_iter().map(|masked| masked.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&["actor.name"]), ["/actor/name"]);
    assert_eq!(paths(&["metadata.*"]), ["/metadata/from", "/metadata/list/0/to"]);
    assert_eq!(paths(&["*.list.to", "actor.id"]), ["/actor/id", "/metadata/list/0/to"]);
    assert_eq!(paths(&["actor"]), Vec::<String>::new());
    assert_eq!(paths(&[]).len(), 4);
    let secret = Rule::new(Detector::Secret, Action::Drop, vec![FieldPattern::new("a.*")]);
    let secret = Masker::new(vec![secret], KEY).expect("rules");
    let value =
        json!({"a": {"token": "x", "n": {"pin_token": 4}}, "b": {"token": "y", "secret": 5}});
    let masked = json!({
        "a": {"token": "[masked:secret]", "n": {"pin_token": "[masked:secret]"}},
        "b": {"token": "y", "secret": 5},
    });
    assert_eq!(apply(&secret, &value).0, masked);
}

#[test]
fn field_patterns_have_stars() {
    for (pattern, fields, others) in [
        ("a.b", &["a.b"][..], &["a.bc", "xa.b", "a"][..]),
        ("*", &["", "a.b"], &[]),
        ("a*", &["a", "a.b"], &["ba"]),
        ("*b", &["b", "a.b"], &["bc"]),
        ("a*b", &["ab", "a.b", "abb"], &["a", "b", "abc"]),
        ("a*a", &["aa", "aba"], &["a"]),
        ("a*b*c", &["abc", "a.b.c", "abbc"], &["acb", "ac", "ab"]),
        ("*x*", &["x", "axb"], &["ab"]),
    ] {
        for field in fields {
            assert!(FieldPattern::new(pattern).covers(field), "{pattern} {field}");
        }
        for field in others {
            assert!(!FieldPattern::new(pattern).covers(field), "{pattern} {field}");
        }
    }
    assert_eq!(FieldPattern::new("a*").as_str(), "a*");
}

#[test]
fn changes_are_masked_as_the_fields_that_changed() {
    let rules = vec![
        Rule::new(Detector::Secret, Action::Drop, vec![]),
        Rule::new(Detector::Email, Action::Drop, vec![FieldPattern::new("after.users.mail")]),
    ];
    let masker = Masker::new(rules, KEY).expect("rules");
    let value = json!({
        "changes": [
            {"path": "/login/pass~1word", "before": "x", "after": {"n": 7}},
            {"path": "/users/0/mail", "before": "a@b.cd", "after": "e@f.gh"},
            {"path": "/name", "before": "token", "after": "x"},
            "password=x",
            {"before": "y"},
        ],
        "after": {"users": [{"mail": "e@f.gh"}], "name": "x"},
    });
    let m = "[masked:secret]";
    let (masked, found) = apply(&masker, &value);
    assert_eq!(
        masked,
        json!({
            "changes": [
                {"path": "/login/pass~1word", "before": m, "after": {"n": m}},
                {"path": "/users/0/mail", "before": "a@b.cd", "after": "[masked:email]"},
                {"path": "/name", "before": "token", "after": "x"},
                "password=[masked:secret]",
                {"before": "y"},
            ],
            "after": {"users": [{"mail": "[masked:email]"}], "name": "x"},
        })
    );
    assert!(found.iter().any(|masked| masked.path == "/changes/0/after/n"));
    let odd = json!({"changes": "password=x"});
    assert_eq!(apply(&masker, &odd).0["changes"], "password=[masked:secret]");
}

#[test]
fn own_patterns_mask_their_first_group() {
    let employee = custom("employee", r"E-(\d+)");
    assert_eq!(dropped(&employee, "E-12 and E-345"), "E-[masked:employee] and E-[masked:employee]");
    let whole = custom("word", r"secret\w*|");
    assert_eq!(dropped(&whole, "a secrets b"), "a [masked:word] b");
    // What masking left is not masked again, even by a pattern for anything.
    let any = masker(&[(Detector::Email, Action::Hash), (custom("x", r"\w+|ed:"), Action::Drop)]);
    let once = text_with(&any, "x a@b.cd");
    assert!(once.starts_with("[masked:x] ["), "{once}");
    assert_eq!(text_with(&any, &once), once);
    let refusal = Masker::new(
        vec![
            Rule::new(Detector::Email, Action::Drop, vec![]),
            Rule::new(custom("x", "("), Action::Drop, vec![]),
        ],
        KEY,
    );
    let faults = refusal.map(|_| ()).expect_err("no pattern").into_faults();
    assert_eq!((faults[0].code, &*faults[0].pointer), ("bad_pattern", "/1/pattern"));
}

#[test]
fn the_key_is_never_shown() {
    let shown = format!("{:?}", masker(&[(Detector::Card, Action::Hash)]));
    assert!(shown.contains("Card") && !shown.contains('7'), "{shown}");
}

#[test]
fn rules_are_read() {
    let body = br#"[
        {"detector": "email", "action": "hash", "fields": ["metadata.*"]},
        {"detector": "custom", "name": "employee-1", "pattern": "E-\\d+", "action": "drop"},
        {"detector": "card", "action": "last4"}
    ]"#;
    let rules = read_rules(body).expect("rules");
    assert_eq!(
        rules[0],
        Rule::new(Detector::Email, Action::Hash, vec![FieldPattern::new("metadata.*")])
    );
    assert_eq!(rules[1], Rule::new(custom("employee-1", r"E-\d+"), Action::Drop, vec![]));
    assert_eq!((rules[2].detector(), rules[2].action()), (&Detector::Card, Action::Last4));
    for detector in detector::BUILT_IN {
        for action in Action::ALL {
            let body =
                json!([{"detector": detector.name(), "action": action.as_str()}]).to_string();
            assert_eq!(
                read_rules(body.as_bytes()),
                Ok(vec![Rule::new(detector.clone(), action, vec![])])
            );
        }
    }
    assert_eq!(read_rules(b"[]"), Ok(vec![]));
}

#[test]
fn every_fault_of_the_rules_is_named() {
    let faults = |body: &str| {
        let faults = read_rules(body.as_bytes()).expect_err(body).into_faults().into_iter();
        faults.map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>()
    };
    assert_eq!(faults("{}"), ["wrong_type "]);
    assert_eq!(faults("[7]"), ["wrong_type /0"]);
    assert_eq!(faults("[{}]"), ["missing /0/detector", "missing /0/action"]);
    assert_eq!(
        faults(r#"[{"detector":"emial","action":"burn","name":"x","fields":[]}]"#),
        [
            "unknown_field /0/name",
            "bad_value /0/detector",
            "bad_value /0/action",
            "too_many /0/fields"
        ]
    );
    assert_eq!(
        faults(
            r#"[{"detector":"custom","action":"drop","name":"A","pattern":"x","fields":["",1]}]"#
        ),
        ["bad_characters /0/name", "empty /0/fields/0", "wrong_type /0/fields/1"]
    );
    assert_eq!(
        faults(r#"[{"detector":"custom","action":"drop","fields":"a"}]"#),
        ["missing /0/name", "missing /0/pattern", "wrong_type /0/fields"]
    );
    let pattern = |bytes: usize| {
        let pattern = "x".repeat(bytes);
        json!([{"detector": "custom", "action": "drop", "name": "n", "pattern": pattern}])
            .to_string()
    };
    assert!(read_rules(pattern(1024).as_bytes()).is_ok());
    assert_eq!(faults(&pattern(1025)), ["too_long /0/pattern"]);
    let rules =
        |count: usize| json!(vec![json!({"detector": "ip", "action": "drop"}); count]).to_string();
    assert!(read_rules(rules(100).as_bytes()).is_ok());
    assert_eq!(faults(&rules(101)), ["too_many "]);
    let fields = |count: usize| {
        json!([{"detector": "ip", "action": "drop", "fields": vec!["a"; count]}]).to_string()
    };
    assert!(read_rules(fields(50).as_bytes()).is_ok());
    assert_eq!(faults(&fields(51)), ["too_many /0/fields"]);
}

/// Texts made of what detectors look for.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("4111111111111111".to_owned()),
        Just("4111 1111 1111 1111".to_owned()),
        Just("ann@example.com".to_owned()),
        Just("+41 44 668 18 00".to_owned()),
        Just("DE89 3704 0044 0532 0130 00".to_owned()),
        Just("10.0.0.1".to_owned()),
        Just("fe80::1".to_owned()),
        Just("password=".to_owned()),
        Just("https://u:".to_owned()),
        Just("[masked:email]".to_owned()),
        Just("[hash:0123456789abcdef]".to_owned()),
        Just("[…1234]".to_owned()),
        "[0-9]{1,6}",
        "[-a-f0-9@.:/ \\[\\]…]{1,8}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(
        text in any_text(),
        action in 0..3_usize,
        other in any_text(),
    ) {
        let masker = every(Action::ALL[action]);
        let value = json!({"message": text, "metadata": {"a_token": other, "b": [text, 1]}});
        let (once, _) = apply(masker, &value);
        prop_assert_eq!(apply(masker, &once), (once, Vec::new()));
    }

    #[test]
    fn nothing_that_is_looked_for_is_left(text in any_text(), action in 0..2_usize) {
        let masked = text_with(every(Action::ALL[action]), &text);
        for detector in [Detector::Card, Detector::Email, Detector::Iban, Detector::Ip] {
            prop_assert_eq!(&dropped(&detector, &masked), &masked);
        }
    }

    #[test]
    fn a_card_between_words_never_stays(before in "[a-z .,]{0,9}[ .,]", number in 0..10_000_000_000_u64) {
        let head = format!("45{number:010}000");
        let check = (0..10).find(|digit| checksum::is_card(&format!("{head}{digit}"))).expect("a check digit");
        let masked = dropped(&Detector::Card, &format!("{before}{head}{check} end"));
        prop_assert_eq!(masked, format!("{before}[masked:card] end"));
    }

    #[test]
    fn documents_keep_their_shape(value in any_json()) {
        let (masked, found) = apply(every(Action::Drop), &value);
        if found.is_empty() {
            prop_assert_eq!(masked, value);
        } else {
            for finding in found {
                prop_assert!(masked.pointer(&finding.path).is_some());
            }
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, text: String) {
        drop(every(Action::Hash).apply(&bytes));
        text_with(every(Action::Last4), &text);
        drop(read_rules(&bytes));
    }
}

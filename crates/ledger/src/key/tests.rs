use super::*;
use crate::ErrorKind;
use crate::text::parse_hex;

fn signer(name: &str) -> Signer {
    Signer::new(KeyName::new(name).expect("a name"), SigningKey::from_seed(&[7; 32]))
}

#[test]
fn a_seed_is_a_key_of_rfc_8032() {
    // Section 7.1, test 2.
    let hex = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let key = SigningKey::from_seed(&parse_hex(hex).expect("a seed"));
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    assert_eq!(text::hex(&key.public()), public);
    let signature = text::hex(&key.sign(&[0x72]));
    assert_eq!(signature[..32], *"92a009a9f0d4cab8720e820b5f642540");
    assert_eq!(format!("{key:?}"), "SigningKey");
    let signer = Signer::new(KeyName::new("a").expect("a name"), key);
    assert_eq!(format!("{signer:?}"), "Signer { name: KeyName(\"a\"), key: SigningKey }");
    assert_eq!(signer.key().public(), parse_hex(public).expect("a key"));
}

#[test]
fn names_have_no_spaces() {
    for name in ["", " ", "a b", "a+b", "a\n", "a\u{1f}", "a\u{a0}b", "\u{3000}", "a\u{2028}"] {
        assert_eq!(KeyName::new(name).expect_err(name).kind(), ErrorKind::Malformed);
    }
    let name = KeyName::new("logs.example/Zürich").expect("a name");
    assert_eq!((name.as_str(), name.to_string().as_str()), ("logs.example/Zürich", name.as_str()));
}

#[test]
fn vkeys_are_those_of_the_specification() {
    // The note of C2SP tlog-checkpoint has these key ids.
    let known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let vkey: Vkey = known.parse().expect("a key");
    assert_eq!(vkey.to_string(), known);
    assert_eq!((vkey.key_id(), vkey.key_use()), (0xc74f_20a3, KeyUse::Log));
    assert_eq!(vkey.name().as_str(), "PeterNeumann");
    let wrong = [
        known.replace("c74f", "C74F"),
        known.replace("c74f", "c74e"),
        known.replace("Peter", "Paul"),
        known.replace("+AR", "+BR"),
        known.replace("+AR", "+"),
        known.replace("+c74f20a3", ""),
        known.replace("TW", "T="),
        String::new(),
    ];
    for text in wrong {
        assert_eq!(text.parse::<Vkey>().expect_err(&text).kind(), ErrorKind::Malformed);
    }
    let signer = signer("w");
    for key_use in [KeyUse::Log, KeyUse::Witness] {
        let vkey = signer.vkey(key_use);
        assert_eq!(vkey.public(), &signer.key().public());
        assert_eq!(vkey.to_string().parse::<Vkey>().expect("as written"), vkey);
    }
    assert_eq!([KeyUse::Log, KeyUse::Witness].map(KeyUse::to_byte), [1, 4]);
}

#[test]
fn another_implementation_s_note_holds() {
    // From the tests of Go's package note.
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p\
                ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let vkey: Vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        .parse()
        .expect("a key");
    let line = SignatureLine::parse(line).expect("a line");
    assert!(vkey.is_named_by(&line));
    vkey.verify(text.as_bytes(), &line.signature).expect("it holds");
}

#[test]
fn signatures_hold_for_what_was_signed() {
    let signer = signer("log");
    let vkey = signer.vkey(KeyUse::Log);
    let line = signer.sign_note("a text\n");
    assert!(vkey.is_named_by(&line));
    assert!(!signer.vkey(KeyUse::Witness).is_named_by(&line));
    let other = SignatureLine { name: KeyName::new("other").expect("a name"), ..line.clone() };
    assert!(!vkey.is_named_by(&other));
    vkey.verify(b"a text\n", &line.signature).expect("it holds");
    let refused = |message: &[u8], signature: &[u8]| {
        let error = vkey.verify(message, signature).expect_err("it does not hold");
        assert_eq!(error.kind(), ErrorKind::Signature);
    };
    refused(b"another text\n", &line.signature);
    refused(b"a text\n", &line.signature[1..]);
    refused(b"a text\n", &[]);
    for bit in 0..512 {
        let mut signature = line.signature.clone();
        signature[bit / 8] ^= 1 << (bit % 8);
        refused(b"a text\n", &signature);
    }
    // A key of small order would sign everything.
    let weak = Vkey::new(vkey.name().clone(), KeyUse::Log, [0; 32]);
    weak.verify(b"", &[0; 64]).expect_err("a weak key");
}

#[test]
fn cosignatures_name_a_time() {
    let signer = signer("witness");
    let vkey = signer.vkey(KeyUse::Witness);
    let line = signer.cosign("a\n1\nb\n", 77);
    assert_eq!(line.signature.len(), 72);
    vkey.verify(b"cosignature/v1\ntime 77\na\n1\nb\n", &line.signature[8..]).expect("it holds");
    assert_eq!(verify_cosignature(&vkey, "a\n1\nb\n", &line).expect("it holds"), 77);
    let refused = |text: &str, line: &SignatureLine| {
        let error = verify_cosignature(&vkey, text, line).expect_err("it does not hold");
        assert_eq!(error.kind(), ErrorKind::Signature);
    };
    refused("a\n2\nb\n", &line);
    let mut other = line.clone();
    other.signature[7] += 1;
    refused("a\n1\nb\n", &other);
    other.signature.truncate(7);
    refused("a\n1\nb\n", &other);
    let last = signer.cosign("", u64::MAX / 2);
    assert_eq!(verify_cosignature(&vkey, "", &last).expect("it holds"), u64::MAX / 2);
    refused("", &signer.cosign("", u64::MAX / 2 + 1));
}

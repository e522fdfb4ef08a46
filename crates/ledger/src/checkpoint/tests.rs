use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::key::{KeyUse, SigningKey};

#[test]
fn origins_name_host_and_log() {
    let text = "logs.ledger.example/0198c1f2-7a5b-7c3d-8e4f-a1b2c3d4e5f6";
    let origin: Origin = text.parse().expect("an origin");
    assert_eq!(origin.host(), "ledger.example");
    assert_eq!(origin.log_id().to_string(), text[20..]);
    assert_eq!((origin.to_string().as_str(), origin.key_name().as_str()), (text, text));
    assert_eq!(Origin::new("ledger.example", origin.log_id()).expect("a host"), origin);
    let wrong = [
        text.replace("logs.", "log."),
        text.replace("ledger.example", ""),
        text.replace("ledger.example", "a b"),
        text.replace("ledger.example", "a/b"),
        text.replace('/', "."),
        text.to_uppercase(),
        format!("{text}/"),
    ];
    for text in wrong {
        assert_eq!(text.parse::<Origin>().expect_err(&text).kind(), ErrorKind::Malformed);
    }
    for host in ["", "a+b", "a/b", "a b"] {
        let error = Origin::new(host, origin.log_id()).expect_err(host);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

#[test]
fn checkpoints_are_those_of_the_specification() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint = Checkpoint::parse(text).expect("a checkpoint");
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.head.size, 20_852_163);
    assert_eq!(checkpoint.to_text(), text);
    let wrong = [
        String::new(),
        text.trim_end().to_owned(),
        format!("{text}extension\n"),
        format!("{text}\n"),
        format!("\n{text}"),
        text.replacen("example.com/behind-the-sofa", "", 1),
        text.replacen("20852163", "020852163", 1),
        text.replacen("20852163", "", 1),
        text.replacen("q2I=", "q2J=", 1),
        text.replacen("Cs", "", 1),
    ];
    for text in wrong {
        assert_eq!(Checkpoint::parse(&text).expect_err(&text).kind(), ErrorKind::Malformed);
    }
}

#[test]
fn a_log_signs_its_checkpoints() {
    let origin = Origin::new("ledger.example", LogId([7; 16])).expect("a host");
    let signer = Signer::new(origin.key_name(), SigningKey::from_seed(&[1; 32]));
    let checkpoint = Checkpoint { origin: origin.to_string(), head: Head::EMPTY };
    let note = checkpoint.sign(&signer).expect("a line of text");
    assert_eq!(note.text(), checkpoint.to_text());
    let vkey = signer.vkey(KeyUse::Log);
    vkey.verify(note.text().as_bytes(), &note.lines()[0].signature).expect("it holds");
    let strange = Checkpoint { origin: "a\0".to_owned(), head: Head::EMPTY };
    assert_eq!(strange.sign(&signer).expect_err("no line").kind(), ErrorKind::Malformed);
}

proptest! {
    #[test]
    fn what_is_written_is_read(origin in "[^\n]{1,30}", size: u64, root: [u8; 32]) {
        let checkpoint = Checkpoint { origin, head: Head { size, root: Hash(root) } };
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()).expect("as written"), checkpoint);
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        drop(Checkpoint::parse(&text));
        drop(text.parse::<Origin>());
        drop(format!("logs.{text}").parse::<Origin>());
    }
}

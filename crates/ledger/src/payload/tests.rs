use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::checkpoint::Origin;
use crate::key::SigningKey;
use crate::log_id::LogId;

fn statement(text: &str) -> Statement {
    let claims = read(text).expect(text);
    assert_eq!(claims.id, "x");
    claims.statement
}

fn rotation() -> Rotation {
    let origin = Origin::new("log.example", LogId([1; 16])).expect("a host");
    let [old, new] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]));
    Rotation::sign(&origin, &old, &new)
}

#[test]
fn each_kind_has_its_members() {
    let event = statement(r#"{"id":"x","action":"a"}"#);
    assert_eq!((event.kind(), event.last(), event.removes()), (Kind::Event, None, None));
    let amendment = statement(r#"{"id":"x","kind":"amendment","amends":"é\n","amends_seq":7}"#);
    let expected = Statement::Amendment { amends: "é\n".to_owned(), amends_seq: 7 };
    assert_eq!(amendment, expected);
    assert_eq!((amendment.kind(), amendment.last()), (Kind::Amendment, Some(7)));
    assert_eq!(amendment.removes(), None);
    let ranges = SeqRanges::new(vec![(1, 2), (5, 5)]).expect("ranges");
    let erasure = statement(r#"{"kind":"erasure","id":"x","erases":[[1,2],[5,5]]}"#);
    assert_eq!((erasure.kind(), erasure.last()), (Kind::Erasure, Some(5)));
    assert_eq!(erasure.removes(), Some(&ranges));
    let retirement = statement(r#"{"retires":[[1,2],[5,5]],"id":"x","kind":"retirement"}"#);
    assert_eq!((retirement.kind(), retirement.last()), (Kind::Retirement, Some(5)));
    assert_eq!(retirement.removes(), Some(&ranges));
    let members = rotation().members().map(|(name, text)| format!(",\"{name}\":\"{text}\""));
    let text = format!("{{\"id\":\"x\",\"kind\":\"key_rotation\"{}}}", members.concat());
    let changed = statement(&text);
    assert_eq!(
        (changed.kind(), changed.last(), changed.removes()),
        (Kind::KeyRotation, None, None)
    );
    assert_eq!(changed, Statement::KeyRotation(Box::new(rotation())));
}

#[test]
fn other_payloads_are_refused() {
    let wrong = [
        "",
        "[]",
        "{}",
        r#"{"id":1}"#,
        r#"{"id":null}"#,
        r#"{"id":"\ud800"}"#,
        r#"{"action":"a"}"#,
        r#"{"id":"x","id":"y"}"#,
        r#"{"id":"x","kind":"event"}"#,
        r#"{"id":"x","kind":""}"#,
        r#"{"id":"x","kind":1}"#,
        r#"{"id":"x","kind":"amendment"}"#,
        r#"{"id":"x","kind":"amendment","amends":"y"}"#,
        r#"{"id":"x","kind":"amendment","amends":"y","amends_seq":"7"}"#,
        r#"{"id":"x","kind":"amendment","amends":"y","amends_seq":7.0}"#,
        r#"{"id":"x","kind":"amendment","amends":1,"amends_seq":7}"#,
        r#"{"id":"x","kind":"erasure","retires":[[1,2]]}"#,
        r#"{"id":"x","kind":"erasure","erases":[]}"#,
        r#"{"id":"x","kind":"retirement","erases":[[1,2]]}"#,
        r#"{"kind":"retirement","retires":[[1,2]]}"#,
        r#"{"id":"x","kind":"key_rotation"}"#,
    ];
    for text in wrong {
        assert_eq!(read(text).expect_err(text).kind(), ErrorKind::Malformed);
    }
    for name in RESERVED {
        let error = read(&format!("{{\"id\":\"x\",\"{name}\":1}}")).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Malformed);
        read(&format!("{{\"id\":\"x\",\"a\":{{\"{name}\":1}}}}")).expect("it is not at the top");
    }
    for changed in 0..4 {
        let members = rotation().members();
        let members = members.iter().enumerate().map(|(at, (name, text))| {
            format!(",\"{name}\":\"{}\"", if at == changed { "AAAA" } else { text })
        });
        let members: String = members.collect();
        let error = read(&format!("{{\"id\":\"x\",\"kind\":\"key_rotation\"{members}}}"));
        assert_eq!(error.expect_err("it is no rotation").kind(), ErrorKind::Malformed);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text: String, kind in "(amendment|erasure|retirement|key_rotation)") {
        drop(read(&text));
        drop(read(&format!("{{\"id\":\"x\",\"kind\":\"{kind}\",{text}}}")));
    }
}

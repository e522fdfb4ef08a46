use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::hash::Hash;
use crate::log_id::LogId;
use crate::sample::Item;
use crate::text;

const ERASURE: &str = r#"{"id":"y","kind":"erasure","erases":[[0,0],[2,3]]}"#;

fn proof() -> Shown {
    Shown::TlogProof("a proof".to_owned())
}

fn item() -> Item {
    Item::new(2, r#"{"id":"x"}"#)
}

fn erased(shown: Shown) -> Erased {
    Erased::new(item().entry, shown)
}

fn erasure(payload: &str) -> Body {
    Item::new(9, payload).body(proof())
}

#[test]
fn an_erased_event_is_its_entry_and_why() {
    let entry = item().entry;
    let encoded = text::base64(&entry.encode());
    let id = uuid_text(&entry.event_id);
    let place = r#""seq":2,"received_at":"2026-11-24T23:39:47.123456789Z""#;
    let answer = erased(proof()).explained(erasure(ERASURE)).expect("it names it");
    let why = erasure(ERASURE).to_text();
    let expected = format!(
        r#"{{"id":"{id}",{place},"proof":{{"entry":"{encoded}","tlog_proof":"a proof"}},"erasure":{why}}}"#
    );
    assert_eq!(answer.to_text(), expected);
    assert_eq!(answer.erasure(), Some(&erasure(ERASURE)));
    assert_eq!((answer.entry(), answer.shown()), (&entry, &proof()));
    let filter = erased(Shown::Path(vec![]));
    let expected = format!(r#"{{"id":"{id}",{place},"proof":{{"entry":"{encoded}","path":[]}}}}"#);
    assert_eq!(filter.to_text(), expected);
    assert_eq!(filter.erasure(), None);
    let range = erased(Shown::Range);
    let expected = format!(r#"{{"id":"{id}",{place},"proof":{{"entry":"{encoded}"}}}}"#);
    assert_eq!(range.to_text(), expected);
    let forms = [(Form::Answer, answer), (Form::Filter, filter), (Form::Range, range)];
    for (form, erased) in &forms {
        let text = erased.to_text();
        assert_eq!(Erased::parse(&text, *form).expect("as written"), *erased);
        for (other, _) in forms.iter().filter(|(other, _)| other != form) {
            let error = Erased::parse(&text, *other).expect_err("another form");
            assert_eq!(error.kind(), ErrorKind::Malformed);
        }
    }
}

#[test]
fn an_erasure_names_the_entry() {
    let retirement = r#"{"id":"y","kind":"retirement","retires":[[2,2]]}"#;
    erased(proof()).explained(erasure(retirement)).expect("it names it");
    let others = [
        r#"{"id":"y","kind":"erasure","erases":[[0,1],[3,4]]}"#,
        r#"{"id":"y","kind":"amendment","amends":"x","amends_seq":2}"#,
        r#"{"id":"y"}"#,
    ];
    for payload in others {
        let error = erased(proof()).explained(erasure(payload)).expect_err(payload);
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
    }
    let mut foreign = Item::new(9, ERASURE);
    foreign.entry.log_id = LogId([0; 16]);
    let error = erased(proof()).explained(foreign.body(proof())).expect_err("another log");
    assert_eq!(error.kind(), ErrorKind::NotIncluded);
}

#[test]
fn other_texts_are_refused() {
    let answer = erased(proof()).explained(erasure(ERASURE)).expect("it names it").to_text();
    let id = uuid_text(&item().entry.event_id);
    let changes = [
        (id.as_str(), "0198c1f2-7a5b-7c3d-8e4f-a1b2c3d4e5f6", ErrorKind::NotIncluded),
        (id.as_str(), "x", ErrorKind::NotIncluded),
        ("\"seq\":2", "\"seq\":3", ErrorKind::NotIncluded),
        ("47.123", "47.124", ErrorKind::NotIncluded),
        ("\"a proof\"", "\"\\u0061 proof\"", ErrorKind::NotIncluded),
        ("[2,3]", "[3,3]", ErrorKind::NotIncluded),
        ("\"erasure\":", "\"because\":", ErrorKind::Malformed),
        ("{\"entry\":", "{\"salt\":\"\",\"entry\":", ErrorKind::Malformed),
        ("\"proof\":{\"entry\"", "\"proof\":{},\"x\":{\"entry\"", ErrorKind::Malformed),
        ("{\"id\":", "{\"x\":1,\"id\":", ErrorKind::Malformed),
    ];
    for (from, to, expected) in changes {
        assert!(answer.contains(from), "{from}");
        let text = answer.replacen(from, to, 1);
        assert_eq!(Erased::parse(&text, Form::Answer).expect_err(&text).kind(), expected);
    }
}

#[test]
fn an_answer_says_why_and_a_line_does_not() {
    let bare = erased(proof()).to_text();
    let error = Erased::parse(&bare, Form::Answer).expect_err("it does not say why");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    for (form, shown) in [(Form::Filter, Shown::Path(vec![])), (Form::Range, Shown::Range)] {
        let erasure = Item::new(9, ERASURE).body(shown.clone());
        let explained = erased(shown).explained(erasure).expect("it names it").to_text();
        let error = Erased::parse(&explained, form).expect_err("it says why");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

#[test]
fn a_line_without_salt_is_an_erased_one() {
    let path = Shown::Path(vec![Hash([3; 32])]);
    let body = item().body(path.clone());
    let line = Line::parse(&body.to_text(), Form::Filter).expect("as written");
    assert_eq!((line.entry(), line.shown()), (&item().entry, &path));
    assert_eq!(line, Line::Body(body));
    let erased = erased(path.clone());
    let line = Line::parse(&erased.to_text(), Form::Filter).expect("as written");
    assert_eq!((line.entry(), line.shown()), (&item().entry, &path));
    assert_eq!(line, Line::Erased(erased));
    for text in ["", "{}", r#"{"proof":1}"#, r#"{"proof":{}}"#, r#"{"proof":{"salt":1}}"#] {
        let error = Line::parse(text, Form::Filter).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text: String) {
        drop(Erased::parse(&text, Form::Answer));
        drop(Line::parse(&format!("{{\"proof\":{{{text}}}}}"), Form::Range));
    }
}

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::log_id::LogId;
use crate::sample::Item;

const EVENT: &str = r#"{"id":"order 7","action":"a","n":[1,{"é":"\u00e9"}]}"#;
const AMENDMENT: &str = r#"{"id":"y","kind":"amendment","amends":"order 7","amends_seq":2}"#;

fn proof() -> Shown {
    Shown::TlogProof("c2sp.org/\n— \"".to_owned())
}

fn item() -> Item {
    Item::new(2, EVENT)
}

/// The kind of the error that a body's parts end with.
fn refused(item: Item, change: impl Fn(&mut Item)) -> ErrorKind {
    let mut item = item;
    change(&mut item);
    let body = Body::new(item.payload, item.entry, item.salt, proof());
    body.expect_err("they do not fit").kind()
}

#[test]
fn a_body_is_payload_place_and_proof() {
    let item = item();
    let entry = text::base64(&item.entry.encode());
    let salt = item.salt.to_base64();
    let place = r#""seq":2,"received_at":"2026-11-24T23:39:47.123456789Z""#;
    let before = &EVENT[..EVENT.len() - 1];
    let answer = item.body(proof());
    let expected = format!(
        r#"{before},{place},"proof":{{"salt":"{salt}","entry":"{entry}","tlog_proof":"c2sp.org/\n— \""}}}}"#
    );
    assert_eq!(answer.to_text(), expected);
    let path = Shown::Path(vec![Hash([1; 32]), Hash([2; 32])]);
    let [one, two] = [Hash([1; 32]), Hash([2; 32])].map(|hash| hash.to_base64());
    let filter = item.body(path.clone());
    let expected = format!(
        r#"{before},{place},"proof":{{"salt":"{salt}","entry":"{entry}","path":["{one}","{two}"]}}}}"#
    );
    assert_eq!(filter.to_text(), expected);
    let range = item.body(Shown::Range);
    let expected = format!(r#"{before},{place},"proof":{{"salt":"{salt}","entry":"{entry}"}}}}"#);
    assert_eq!(range.to_text(), expected);
    let forms = [(Form::Answer, answer), (Form::Filter, filter), (Form::Range, range)];
    for (form, body) in &forms {
        let text = body.to_text();
        assert_eq!(Body::parse(&text, *form).expect("as written"), *body);
        for (other, _) in forms.iter().filter(|(other, _)| other != form) {
            let error = Body::parse(&text, *other).expect_err("another form");
            assert_eq!(error.kind(), ErrorKind::Malformed);
        }
        assert_eq!((body.payload(), body.entry()), (EVENT, &item.entry));
        assert_eq!((body.claims().id.as_str(), body.history()), ("order 7", [].as_slice()));
    }
    assert_eq!(forms[1].1.shown(), &path);
}

#[test]
fn payload_and_entry_must_fit() {
    let other = r#"{"id":"order 7","action":"b"}"#;
    assert_eq!(refused(item(), |item| item.payload = other.to_owned()), ErrorKind::NotIncluded);
    assert_eq!(refused(item(), |item| item.payload = "{}".to_owned()), ErrorKind::Malformed);
    assert_eq!(refused(item(), |item| item.entry.kind = Kind::Erasure), ErrorKind::NotIncluded);
    assert_eq!(refused(item(), |item| item.entry.event_id[0] ^= 1), ErrorKind::NotIncluded);
    assert_eq!(refused(item(), |item| item.entry.commit.0[31] ^= 1), ErrorKind::NotIncluded);
    assert_eq!(refused(item(), |item| item.salt.0[0] ^= 1), ErrorKind::NotIncluded);
    // What a payload speaks of lies before it.
    let amendment = Item::new(3, AMENDMENT);
    amendment.body(proof());
    for seq in [2, 1] {
        let kind = refused(Item::new(3, AMENDMENT), |item| item.entry.seq = seq);
        assert_eq!(kind, ErrorKind::NotIncluded);
    }
}

#[test]
fn a_history_is_of_its_event_and_in_order() {
    let amendment = |seq| Item::new(seq, AMENDMENT).body(proof());
    let main = || item().body(proof());
    let body = main().with_history(vec![amendment(5), amendment(9)]).expect("a history");
    let text = body.to_text();
    let [one, two] = [5, 9].map(|seq| amendment(seq).to_text());
    assert!(text.contains(&format!(r#"Z","history":[{one},{two}],"proof":{{"salt""#)), "{text}");
    assert_eq!(Body::parse(&text, Form::Answer).expect("as written"), body);
    assert_eq!(body.history().len(), 2);
    let refused = |main: Body, history: Vec<Body>| {
        main.with_history(history).expect_err("no history of it").kind()
    };
    let of = |payload: &str| Item::new(5, payload).body(proof());
    let not_included = [
        vec![amendment(9), amendment(5)],
        vec![amendment(5), amendment(5)],
        vec![of(r#"{"id":"y"}"#)],
        vec![of(r#"{"id":"y","kind":"amendment","amends":"order 8","amends_seq":2}"#)],
        vec![of(r#"{"id":"y","kind":"amendment","amends":"order 7","amends_seq":1}"#)],
        vec![of(r#"{"id":"y","kind":"erasure","erases":[[2,2]]}"#)],
    ];
    for history in not_included {
        assert_eq!(refused(main(), history), ErrorKind::NotIncluded);
    }
    let mut foreign = Item::new(5, AMENDMENT);
    foreign.entry.log_id = LogId([0; 16]);
    assert_eq!(refused(main(), vec![foreign.body(proof())]), ErrorKind::NotIncluded);
    let nested = Body { history: vec![amendment(9)], ..amendment(5) };
    assert_eq!(refused(main(), vec![nested]), ErrorKind::Malformed);
    assert_eq!(refused(amendment(5), vec![amendment(9)]), ErrorKind::Malformed);
    assert_eq!(amendment(5).with_history(vec![]).expect("none"), amendment(5));
}

#[test]
fn other_texts_are_refused() {
    let good = item().body(proof()).to_text();
    let salt = item().salt.to_base64();
    let kind = |text: &str| Body::parse(text, Form::Answer).expect_err(text).kind();
    let changes = [
        ("\"seq\":2", "\"seq\":3", ErrorKind::NotIncluded),
        ("\"seq\":2", "\"seq\":\"2\"", ErrorKind::NotIncluded),
        ("\"seq\":2", "\"sequence\":2", ErrorKind::Malformed),
        ("47.123", "47.124", ErrorKind::NotIncluded),
        ("\"received_at\"", "\"received\"", ErrorKind::Malformed),
        ("c2sp.org/\\n", "c2sp.org/\\u000a", ErrorKind::NotIncluded),
        ("c2sp.org/", "c2sp.org\\/", ErrorKind::NotIncluded),
        (",\"proof\":", ",\"history\":[],\"proof\":", ErrorKind::NotIncluded),
        (",\"proof\":", ",\"history\":{},\"proof\":", ErrorKind::Malformed),
        (",\"proof\":", ",\"history\":[1],\"proof\":", ErrorKind::Malformed),
        (",\"proof\":", ",\"other\":1,\"proof\":", ErrorKind::Malformed),
        ("\"proof\":{\"salt\"", "\"proof\":[\"salt\"", ErrorKind::Malformed),
        ("\"salt\":", "\"pepper\":", ErrorKind::Malformed),
        ("\"entry\":", "\"entrance\":", ErrorKind::Malformed),
        ("\"tlog_proof\":", "\"path\":", ErrorKind::Malformed),
        ("\"salt\":\"", "\"salt\":\"A", ErrorKind::Malformed),
        ("\"entry\":\"TExF", "\"entry\":\"AAAA", ErrorKind::Malformed),
        ("\"tlog_proof\":\"c2sp.org/\\n— \\\"\"", "\"tlog_proof\":1", ErrorKind::Malformed),
        ("\"}}", "\",\"more\":1}}", ErrorKind::Malformed),
        ("\"}}", "\"},\"more\":1}", ErrorKind::Malformed),
        ("{\"id\":\"order 7\",\"action\":\"a\",", "{", ErrorKind::Malformed),
    ];
    for (from, to, expected) in changes {
        assert!(good.contains(from), "{from}");
        assert_eq!(kind(&good.replacen(from, to, 1)), expected, "{from} {to}");
    }
    let alone = &good[good.find("\"seq\"").expect("a place")..];
    assert_eq!(kind(&format!("{{{alone}")), ErrorKind::Malformed);
    let salt_only = format!("{{\"salt\":\"{salt}\"}}");
    let proof = &good[good.find("{\"salt\"").expect("a proof")..good.len() - 1];
    assert_eq!(kind(&good.replacen(proof, &salt_only, 1)), ErrorKind::Malformed);
    assert_eq!(kind(&good.replacen(proof, "{}", 1)), ErrorKind::Malformed);
    let path = |hashes: usize| item().body(Shown::Path(vec![Hash([0; 32]); hashes])).to_text();
    Body::parse(&path(PATH_MAX), Form::Filter).expect("the longest path");
    let error = Body::parse(&path(PATH_MAX + 1), Form::Filter).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    let trail = path(1).replacen("\"path\":", "\"trail\":", 1);
    let error = Body::parse(&trail, Form::Filter).expect_err("another name");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    let history = path(1).replacen(",\"proof\":", ",\"history\":[],\"proof\":", 1);
    let error = Body::parse(&history, Form::Filter).expect_err("no history in a bundle");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id: String, value: String, seq: u64, proof: String,
        path in prop::collection::vec(any::<[u8; 32]>(), 0..20),
    ) {
        let (id, value) = (json::quote(&id), json::quote(&value));
        let item = Item::new(seq, &format!("{{\"id\":{id},\"a\":{{\"b\":[{value}]}}}}"));
        let shown = [
            (Form::Answer, Shown::TlogProof(proof)),
            (Form::Filter, Shown::Path(path.into_iter().map(Hash).collect())),
            (Form::Range, Shown::Range),
        ];
        for (form, shown) in shown {
            let body = item.body(shown);
            prop_assert_eq!(Body::parse(&body.to_text(), form).expect("as written"), body);
        }
    }

    #[test]
    fn no_text_is_too_strange(text: String, at: prop::sample::Index, byte in 0x20..0x7f_u8) {
        drop(Body::parse(&text, Form::Answer));
        let good = item().body(proof()).to_text();
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(body) = Body::parse(&text, Form::Answer)
        {
            // What is proven elsewhere may be another: the text is the body's all the same.
            prop_assert_eq!(body.to_text(), text);
        }
    }
}

//! The layouts of a body.

use ledgerline_ingest::{Encoding, Format};
use ledgerline_model::event::Value;
use ledgerline_model::limits;
use proptest::prelude::*;

use crate::support::*;

/// The numbers under `a` of the events that were taken, and what was rejected.
fn check(body: &str, taken: &[i64], rejected: &[(u64, &'static str)]) {
    let admitted = admit_json(body);
    let numbers: Vec<i64> = events(&admitted.batch)
        .iter()
        .map(|event| match event.get("a") {
            Some(Value::I64(number)) => *number,
            _ => -1,
        })
        .collect();
    assert_eq!((numbers.as_slice(), rejects(&admitted).as_slice()), (taken, rejected), "{body}");
}

#[test]
fn layouts_are_told_apart() {
    for (body, taken) in [
        ("", &[][..]),
        (" \r\n\t\n", &[]),
        ("{\"a\":1}", &[1]),
        ("\u{FEFF}{\"a\":1}\n", &[1]),
        ("\n\n {\"a\":1} \r\n\r\n\t{\"a\":2}\r\n", &[1, 2]),
        ("{\"a\":1}{\"a\":2} {\"a\":3}\n\n{\"a\":4}", &[1, 2, 3, 4]),
        ("{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      {},\n {}\n ]\n  }\n}\n", &[1]),
        ("{\n\"a\":1}\n{\"a\":2}\n{\n\"a\":\n{}\n,\"b\":\"}{\\\"\"}", &[1, 2, -1]),
        ("[]", &[]),
        ("\u{FEFF} [ ] \n", &[]),
        ("[{\"a\":1}]", &[1]),
        (" [ {\"a\":1} , {\"a\":2,\"b\":[{\"]\":\"],}\"}]}\n,{\"a\":3}\n]\n", &[1, 2, 3]),
        ("[{\"a\":1}]\n[{\"a\":2}]", &[1, 2]),
    ] {
        check(body, taken, &[]);
    }
}

#[test]
fn a_bad_event_does_not_lose_those_around_it() {
    check(
        "{\"a\":1}\n{\"a\":\n{\"a\":3}\n}\n",
        &[1, 3],
        &[(2, "invalid_json"), (4, "invalid_json")],
    );
    check("a\":0}\n{\"a\":2}\n", &[2], &[(1, "invalid_json")]);
    check("{\"a\":1\n{\"a\":2}\n{\"a\":3}\n", &[2, 3], &[(1, "invalid_json")]);
    check("{\"a\":1,\n{\"a\":2}\n{\"a\":3}\n", &[2, 3], &[(1, "invalid_json")]);
    check("{\"a\":\"x\n{\"a\":2}\n", &[2], &[(1, "invalid_json")]);
    check(
        "{\"a\":1}{\"a\":2}x\n{\"a\":3}\n{\"a\":",
        &[1, 2, 3],
        &[(1, "not_an_object"), (3, "invalid_json")],
    );
    check("{\n\"a\":x}\n{\"a\":2}", &[2], &[(1, "invalid_json")]);
    check(
        "[{\"a\":1},2,{\"a\":3},\"x\",[],{\"a\":6}]",
        &[1, 3, 6],
        &[(2, "not_an_object"), (4, "not_an_object"), (5, "not_an_object")],
    );
    check(
        "[{\"a\":1},,{\"a\":3} {},{\"a\":4},]",
        &[1, 4],
        &[(2, "invalid_json"), (3, "invalid_json"), (5, "invalid_json")],
    );
    check("[{\"a\":1},{\"a\":\"2\n},{\"a\":3}]", &[1, 3], &[(2, "invalid_json")]);
    check("[{\"a\":1},{\"a\":2}", &[1, 2], &[(3, "invalid_json")]);
    check("[{\"a\":1},", &[1], &[(2, "invalid_json")]);
    check("[{\"a\":1}] {\"a\":2}", &[1], &[(2, "invalid_json")]);
    check("[{\"a\":1]},{\"a\":2}", &[2], &[(1, "invalid_json"), (3, "invalid_json")]);
}

#[test]
fn an_event_that_is_too_long_is_skipped_to_its_end() {
    let long = format!("{{\"b\":\"{}\",\n\"c\":0}}", "x".repeat(3 * limits::EVENT_BYTES_MAX));
    let line = long.replace('\n', "");
    for (body, number) in [
        (format!("{{\"a\":1}}\n{line}\n{{\"a\":2}}\n"), 2),
        (format!("{{\n\"a\":1}}\n{long}{{\"a\":2}}\n"), 3),
        (format!("{{\"a\":1}}{long}\n{{\"a\":2}}"), 1),
        (format!("[{{\"a\":1}},{long},{{\"a\":2}}]"), 2),
    ] {
        for piece_bytes in [1 << 16, usize::MAX] {
            let admitted =
                admit(body.as_bytes(), Format::Json, Encoding::Identity, piece_bytes).expect("ok");
            assert_eq!(rejects(&admitted), [(number, "event_too_large")]);
            assert_eq!(admitted.batch.rows(), 2);
        }
    }
    let admitted = admit_text(format!("a\n{line}\nb"));
    assert_eq!(rejects(&admitted), [(2, "event_too_large")]);
    assert_eq!(admitted.batch.rows(), 2);
}

#[test]
fn no_more_is_held_than_an_event() {
    let mut admission =
        ledgerline_ingest::Admission::new(Format::Json, Encoding::Identity, reception());
    admission.push(b"[{\"a\":\"").expect("a good beginning");
    for _ in 0..40 {
        admission.push(&[b'x'; 1 << 20]).expect("still within the batch");
    }
    assert!(admission.size_bytes() < 4 << 20, "{}", admission.size_bytes());
}

/// Pieces of JSON in a row, so that bodies of every layout, and broken ones, come up.
fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{\"a\":1}"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("\n"),
        Just("\r\n"),
        Just("\""),
        Just("\\"),
        Just("\"a\":"),
        Just(" "),
        Just("{\"b\":{\"c\":[{}]}}"),
        Just("\u{FEFF}"),
        Just("é"),
        Just("{\"x\":\"}\\\"\"}"),
        Just("17"),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_a_body_is_cut_does_not_matter(
        body in body(),
        cuts in prop::collection::vec(1_usize..9, 1..20),
    ) {
        for format in [Format::Json, Format::Text] {
            let whole = admit(body.as_bytes(), format, Encoding::Identity, usize::MAX).expect("ok");
            let mut admission =
                ledgerline_ingest::Admission::new(format, Encoding::Identity, reception());
            let mut rest = body.as_bytes();
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                admission.push(piece).expect("ok");
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let cut = admission.finish().expect("ok");
            prop_assert_eq!(&whole.batch, &cut.batch);
            prop_assert_eq!(&whole.rejects, &cut.rejects);
            prop_assert_eq!(whole.rejected, cut.rejected);
            prop_assert_eq!(whole.digest, cut.digest);
        }
    }

    #[test]
    fn good_events_are_taken_in_every_layout(
        numbers in prop::collection::vec(any::<i64>(), 1..20),
    ) {
        let objects: Vec<String> =
            numbers.iter().map(|number| format!("{{\"a\":{number},\"b\":\"{{\\\"[\"}}")).collect();
        let pretty: Vec<String> =
            objects.iter().map(|object| object.replace(',', ",\n ")).collect();
        let expected = events(&admit_json(objects.join("\n")).batch);
        prop_assert_eq!(expected.len(), numbers.len());
        for body in [
            objects.join(""),
            objects.join("\r\n"),
            pretty.join("\n"),
            format!("[{}]", objects.join(",")),
            format!("[\n{}\n]\n", pretty.join(" ,\n")),
        ] {
            let admitted = admit_json(&body);
            prop_assert_eq!(&admitted.rejects, &[]);
            prop_assert_eq!(&events(&admitted.batch), &expected);
        }
    }
}

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

fn values(text: &str) -> Vec<&str> {
    array(text).expect(text)
}

#[test]
fn members_are_shown_as_they_stand() {
    let text = r#"{"a":1,"b\u0063":{"x":[]},"":"\""}"#;
    let members = object(text).expect("an object");
    let shown: Vec<_> =
        members.iter().map(|member| (member.name.as_str(), member.value, member.at)).collect();
    assert_eq!(shown, [("a", "1", 1), ("bc", r#"{"x":[]}"#, 7), ("", r#""\"""#, 26)]);
    assert_eq!(object("{}").expect("an object"), []);
    assert_eq!(values("[]"), [""; 0]);
    assert_eq!(values(r#"[true,false,null,"é",[1,[2]],{"a":{}}]"#).len(), 6);
}

#[test]
fn numbers_are_those_of_the_grammar() {
    for number in ["0", "-0", "10", "-9.50", "1e5", "1E+5", "0.1e-05", "12345678901234567890123"] {
        assert_eq!(values(&format!("[{number}]")), [number]);
    }
    for number in
        ["", "-", "01", "-01", "1.", ".5", "1e", "1e+", "+1", "0x1", "1_0", "1e1.5", "NaN"]
    {
        array(&format!("[{number},1]")).expect_err(number);
        array(&format!("[1,{number}]")).expect_err(number);
    }
}

#[test]
fn other_texts_are_refused() {
    let wrong = [
        "",
        "1",
        "\"a\"",
        "{",
        "}",
        "{]",
        "[}",
        "{}}",
        "{} ",
        " {}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 }",
        "{\"a\": 1}",
        "{\"a\":1\"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{\"a\":tru}",
        "{\"a\":truee}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":fals}",
        "{\"a\":é}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u123\"}",
        "{\"a\":\"\\",
        "{\"a\":\"",
        "{\"a",
        "{\"a\\ud800\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{1:1}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":{b:1}}",
        "{\"a\":{\"b\";1}}",
        "{\"a\":\"\\é\"}",
        "[]",
        "{\"a\":/}",
    ];
    for text in wrong {
        assert_eq!(object(text).expect_err(text).kind(), ErrorKind::Malformed);
    }
    for text in ["", "{}", "[", "[1", "[1,", "[1,]", "[]]", "[1 ]", "[1 ,2]"] {
        assert_eq!(array(text).expect_err(text).kind(), ErrorKind::Malformed);
    }
    // Only the object itself is asked for the names of its members.
    object(r#"{"a":{"b":1,"b":2,"\ud800":3}}"#).expect("an object");
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    object(&nested(DEPTH_MAX)).expect("just so deep");
    object(&nested(DEPTH_MAX + 1)).expect_err("too deep");
    let nested = |depth: usize| format!("[{}1{}]", "{\"a\":".repeat(depth), "}".repeat(depth));
    array(&nested(DEPTH_MAX - 1)).expect("just so deep");
    array(&nested(DEPTH_MAX)).expect_err("too deep");
}

#[test]
fn escapes_are_undone() {
    let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é""#;
    assert_eq!(string(text).expect("a string"), "\"\\/\u{8}\u{c}\n\r\tAé😀é");
    assert_eq!(
        string(r#""\uFFFF\uD800\uDC00\udbff\udfff""#).expect("it"),
        "\u{ffff}\u{10000}\u{10ffff}"
    );
    let wrong = [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83d\ue000""#,
        r#""\ude00""#,
        r#""\ude00\ud83d""#,
        r#""a"b"#,
        "a",
        "",
        "\"",
        "1",
        r#""\ud83d\udbff""#,
        r#""\u12""#,
    ];
    for text in wrong {
        assert_eq!(string(text).expect_err(text).kind(), ErrorKind::Malformed);
    }
}

#[test]
fn strings_are_written_in_one_way() {
    let quoted = quote("\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é😀");
    assert_eq!(quoted, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é😀\"");
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| quote(&text)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((any::<String>(), inner), 0..4).prop_map(|members| {
                let members =
                    members.iter().map(|(name, value)| format!("{}:{value}", quote(name)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_quoted_is_read(text: String) {
        prop_assert_eq!(string(&quote(&text)).expect("as written"), text);
    }

    #[test]
    fn items_are_what_stands_between_commas(items in prop::collection::vec(any_json(), 0..5)) {
        let text = format!("[{}]", items.join(","));
        prop_assert_eq!(values(&text), items);
    }

    #[test]
    fn no_text_is_too_strange(text: String, other in "[\\[\\]{}\",:\\\\u0-9a-e.tn-]{0,40}") {
        for text in [text.as_str(), &other, &format!("{{{other}}}"), &format!("[{other}]")] {
            drop((object(text), array(text), string(text)));
        }
    }
}

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> String {
    Json::parse(text.as_bytes()).expect_err(text).to_string()
}

#[test]
fn values_keep_their_digits_and_escapes() {
    for (text, compact) in [
        ("null", "null"),
        (" true\n", "true"),
        ("false", "false"),
        ("-0.10e+05", "-0.10e+05"),
        ("0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (r#" "a \u00e9\/\" b" "#, r#""a \u00e9\/\" b""#),
        ("[ ]", "[]"),
        ("[ 1 ,\t[ 2 ] ]", "[1,[2]]"),
        ("{ }", "{}"),
        (r#"{ "a b" : 1 , "\\" : { "c" : [ ] } }"#, r#"{"a b":1,"\\":{"c":[]}}"#),
        (r#"{"":""}"#, r#"{"":""}"#),
    ] {
        let json = Json::parse(text.as_bytes()).expect(text);
        assert_eq!(json.as_str(), compact);
        assert_eq!(json.to_string(), compact);
        assert_eq!(format!("{json:?}"), compact);
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, at) in [
        ("", 1),
        ("  ", 3),
        ("x", 1),
        ("tru", 1),
        ("nul", 1),
        ("falsy", 1),
        ("1 2", 3),
        ("01", 2),
        ("-", 2),
        ("+1", 1),
        ("1.", 3),
        (".5", 1),
        ("1e", 3),
        ("1e+", 4),
        ("1e+-1", 4),
        ("[1", 3),
        ("[1 2]", 4),
        ("[,]", 2),
        ("[1,]", 4),
        ("{", 2),
        ("{1:2}", 2),
        (r#"{"a"}"#, 5),
        (r#"{"a":}"#, 6),
        (r#"{"a":1"#, 7),
        (r#"{"a":1,}"#, 8),
        (r#"{"a":1 "b":2}"#, 8),
        ("\"", 2),
        ("\"\\", 3),
        ("\"a\nb\"", 3),
        ("\"\u{1f}\"", 2),
        (r#""\x""#, 1),
        (r#""\ud800""#, 1),
        (r#""\u12""#, 1),
    ] {
        let expected = format!("not valid JSON at byte {at}: ");
        assert!(refused(text).starts_with(&expected), "{text}: {}", refused(text));
        assert!(refused(text).ends_with("(invalid_json)"), "{text}");
    }
    let refusal = Json::parse(b"\"a\xff\"").expect_err("no UTF-8");
    assert!(refusal.to_string().starts_with("not valid JSON at byte 3: "), "{refusal}");
}

#[test]
fn keys_are_there_once() {
    let fault = |text: &str| {
        let refusal = Json::parse(text.as_bytes()).expect_err("a key twice");
        assert_eq!(refusal.faults().len(), 1);
        assert_eq!(refusal.faults()[0].code, "duplicate_key");
        refusal.faults()[0].pointer.clone()
    };
    assert_eq!(fault(r#"{"a":1,"b":2,"a":3}"#), "/a");
    assert_eq!(fault(r#"{"x":[0,{"a/b~":{"c":1,"\u0063":2}}]}"#), "/x/1/a~1b~0/c");
    assert_eq!(fault(r#"{"a":1,"a":2,"a":3}"#), "/a");
    let parsed = parse(br#"{"a":{"c":1,"c":1},"b":1,"b":2}"#).expect("JSON");
    assert_eq!(parsed.duplicates, ["/a/c", "/b"]);
    let many: Vec<String> = (0..30).map(|key| format!("\"{key}\":1,\"{key}\":2")).collect();
    let many = format!("{{{}}}", many.join(","));
    assert_eq!(parse(many.as_bytes()).expect("JSON").duplicates.len(), 20);
}

#[test]
fn nesting_has_an_end() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let deepest = nested(DEPTH_MAX);
        let tree = read(deepest.as_bytes()).expect("deep enough");
        assert_eq!(tree.depth(), DEPTH_MAX);
        assert!(refused(&nested(DEPTH_MAX + 1)).ends_with("(too_deep)"));
        // Neighbours are not deeper than one another.
        let wide = format!("[{deepest},{deepest}]");
        assert!(refused(&wide).ends_with("(too_deep)"));
        let wide = format!("[{0},{0}]", nested(DEPTH_MAX - 1));
        assert!(Json::parse(wide.as_bytes()).is_ok());
    }
}

#[test]
fn depth_and_keys_are_counted() {
    let measure = |text: &str| {
        let tree = read(text.as_bytes()).expect(text);
        (tree.depth(), tree.keys())
    };
    assert_eq!(measure("1"), (0, 0));
    assert_eq!(measure("[]"), (1, 0));
    assert_eq!(measure("{}"), (1, 0));
    assert_eq!(measure(r#"[{"a":1},{"b":{"c":[2]}}]"#), (4, 3));
    assert_eq!(measure(r#"{"a":{"b":1},"c":2}"#), (2, 3));
}

#[test]
fn members_are_found_by_name() {
    let tree = read(br#"{"a":{"b":[true,null,"x",1.5]}}"#).expect("JSON");
    let list = tree.get("a").and_then(|tree| tree.get("b")).expect("a list");
    assert!(tree.get("b").is_none());
    assert!(list.get("a").is_none());
    let items = list.as_list().expect("a list");
    let kinds: Vec<&str> = items.iter().map(Tree::kind).collect();
    assert_eq!(kinds, ["a boolean", "null", "a text", "a number"]);
    assert_eq!((tree.kind(), list.kind()), ("an object", "a list"));
    assert_eq!(items[2].as_text(), Some("x"));
    assert_eq!(items[3].as_text(), None);
    assert!(items[1].is_null() && !items[0].is_null());
    assert!(tree.as_list().is_none() && list.as_object().is_none());
    assert_eq!(tree.value(), serde_json::json!({"a": {"b": [true, null, "x", 1.5]}}));
}

#[test]
fn a_member_is_added_once() {
    let object = Json::parse(br#"{"a":1}"#).expect("JSON");
    assert_eq!(Json::with_member(Some(&object), "b", "[2]").as_str(), r#"{"a":1,"b":[2]}"#);
    assert_eq!(Json::with_member(Some(&object), "a", "2").as_str(), r#"{"a":1}"#);
    assert_eq!(Json::with_member(None, "b", "2").as_str(), r#"{"b":2}"#);
}

#[test]
fn only_objects_are_objects() {
    assert!(read_object(b"{}", "an event").is_ok());
    let refusal = read_object(b"[1]", "an event").expect_err("no object");
    let expected = "an event is a JSON object, and this is a list (not_an_object)";
    assert_eq!(refusal.to_string(), expected);
}

/// Any JSON value.
pub(crate) fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1000_i32..1000).prop_map(|number| (f64::from(number) / 8.0).into()),
        "[a-c\"\\\\/~ é\n]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-d~/é]{0,3}", inner, 0..5)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_read_as_others_read_them(value in any_json()) {
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let json = Json::parse(pretty.as_bytes()).expect("JSON");
        prop_assert_eq!(json.as_str(), value.to_string());
        prop_assert_eq!(json.tree().value(), value);
    }

    #[test]
    fn bytes_are_taken_as_others_take_them(text in "[\\[\\]{}\":,0-9.eE+\\-a-f\\\\u truefalsn\n]{0,16}") {
        let ours = parse(text.as_bytes());
        let theirs: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&text);
        // Raw values let lone surrogates pass.
        if !text.contains("\\u") {
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text);
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>) {
        drop(Json::parse(&bytes));
    }
}

use ledgerline_model::time::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::error::Refusal;
use crate::json::tests::any_json;
use crate::limits;

const LEAST: &str = r#"{"action":"a","actor":{"id":"u"},"resource":{"type":"t","id":"r"}}"#;

fn event(body: &str) -> Event {
    Event::parse(body.as_bytes()).unwrap_or_else(|refusal| panic!("{body}: {refusal}"))
}

/// An event with these members besides those that must be there.
fn with(members: &str) -> Result<Event, Refusal> {
    let body = format!("{},{members}}}", &LEAST[..LEAST.len() - 1]);
    Event::parse(body.as_bytes())
}

/// What is wrong with a body: codes and places.
fn faults(body: &str) -> Vec<(&'static str, String)> {
    let refusal = Event::parse(body.as_bytes()).expect_err(body);
    refusal.into_faults().into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

fn faults_with(members: &str) -> Vec<(&'static str, String)> {
    let refusal = with(members).expect_err(members);
    refusal.into_faults().into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

fn one(code: &'static str, pointer: &str) -> Vec<(&'static str, String)> {
    vec![(code, pointer.to_owned())]
}

fn payload(event: &Event) -> String {
    String::from_utf8(event.payload("minted", Timestamp(0))).expect("text")
}

#[test]
fn the_least_event_is_stored_with_its_defaults() {
    assert_eq!(
        payload(&event(LEAST)),
        concat!(
            r#"{"id":"minted","action":"a","actor":{"id":"u"},"resource":{"type":"t","id":"r"},"#,
            r#""occurred_at":"1970-01-01T00:00:00.000000000Z","severity":"INFO","#,
            r#""outcome":"success"}"#,
        )
    );
}

const MOST: &str = r#"{
    "metadata": {"z": 1.50, "a": "\u00e9", "n": {"k": [ 1e2 , {} ]}},
    "after": {"title": "B", "size": 10, "tags": ["x"]},
    "before": {"title": "A", "size": 10.0, "gone": null, "tags": ["x", "y"]},
    "message": "renamed \"it\"",
    "request_id": "req-1", "location": "Bern",
    "user_agent": "curl/8", "ip": "2001:DB8::1",
    "outcome": "Denied", "severity": "warning",
    "occurred_at": "2026-01-31T13:00:00.5+01:00",
    "targets": [{"id": "t1", "type": "folder", "name": "F", "metadata": { "p" : 1 }},
                {"type": "folder", "id": "t2"}],
    "resource": {"id": "d1", "type": "document", "name": "Plan"},
    "actor": {"metadata": {"x": true}, "session": "s1", "name": "Ann", "type": "user", "id": "u1"},
    "action": "document.update",
    "id": "evt-1"
}"#;

#[test]
fn the_fullest_event_is_stored_in_one_order() {
    let event = event(MOST);
    assert_eq!(
        payload(&event),
        concat!(
            r#"{"id":"evt-1","action":"document.update","actor":{"id":"u1","type":"user","#,
            r#""name":"Ann","session":"s1","metadata":{"x":true}},"#,
            r#""resource":{"type":"document","id":"d1","name":"Plan"},"#,
            r#""targets":[{"type":"folder","id":"t1","name":"F","metadata":{"p":1}},"#,
            r#"{"type":"folder","id":"t2"}],"occurred_at":"2026-01-31T13:00:00.5+01:00","#,
            r#""severity":"WARNING","outcome":"denied","ip":"2001:DB8::1","user_agent":"curl/8","#,
            r#""location":"Bern","request_id":"req-1","message":"renamed \"it\"","#,
            r#""changes":[{"path":"/title","before":"A","after":"B"},"#,
            r#"{"path":"/gone","before":null},{"path":"/tags/1","before":"y"}],"#,
            r#""before":{"title":"A","size":10.0,"gone":null,"tags":["x","y"]},"#,
            r#""after":{"title":"B","size":10,"tags":["x"]},"#,
            r#""metadata":{"z":1.50,"a":"\u00e9","n":{"k":[1e2,{}]}}}"#,
        )
    );
    assert_eq!((event.id(), event.action()), (Some("evt-1"), "document.update"));
    assert_eq!(event.occurred_at().map(|moment| moment.at().0), Some(1_769_860_800_500_000_000));
    assert_eq!((event.severity(), event.outcome()), (Severity::Warning, Outcome::Denied));
    assert_eq!((event.ip(), event.user_agent()), (Some("2001:DB8::1"), Some("curl/8")));
    assert_eq!((event.location(), event.request_id()), (Some("Bern"), Some("req-1")));
    assert_eq!(event.message(), Some("renamed \"it\""));
    assert_eq!((&*event.actor().id, event.actor().kind.as_deref()), ("u1", Some("user")));
    assert_eq!((&*event.resource().kind, &*event.resource().id), ("document", "d1"));
    assert_eq!(event.targets().len(), 2);
    assert_eq!(event.before().map(Json::as_str).map(str::len), Some(54));
    assert_eq!(event.after().map(Json::as_str), Some(r#"{"title":"B","size":10,"tags":["x"]}"#));
    assert!(event.metadata().is_some());
    assert_eq!(event.stored_changes().map(|changes| changes.list.len()), Some(3));
}

#[test]
fn null_says_as_much_as_nothing_but_as_a_state() {
    let nulls = concat!(
        r#""id":null,"targets":null,"occurred_at":null,"severity":null,"outcome":null,"ip":null,"#,
        r#""user_agent":null,"location":null,"request_id":null,"message":null,"metadata":null"#,
    );
    assert_eq!(with(nulls).expect("an event"), event(LEAST));
    let created = with(r#""before":null,"after":{"a":1}"#).expect("an event");
    assert_eq!(created.before().map(Json::as_str), Some("null"));
    let stored = payload(&created);
    assert!(
        stored.contains(r#""changes":[{"path":"","before":null,"after":{"a":1}}],"before":null"#)
    );
    let after_alone = payload(&with(r#""after":{"a":1}"#).expect("an event"));
    assert!(!after_alone.contains("changes"), "{after_alone}");
    assert_eq!(with(r#""targets":[]"#).expect("an event"), event(LEAST));
}

#[test]
fn the_body_is_one_object() {
    assert_eq!(faults("[]"), one("not_an_object", ""));
    assert_eq!(faults("{"), one("invalid_json", ""));
    assert_eq!(faults(&"[".repeat(65)), one("too_deep", ""));
    let padded = |bytes: usize| format!("{}{}", LEAST, " ".repeat(bytes - LEAST.len()));
    assert_eq!(event(&padded(limits::EVENT_BYTES_MAX)), event(LEAST));
    assert_eq!(faults(&padded(limits::EVENT_BYTES_MAX + 1)), one("too_large", ""));
}

#[test]
fn every_fault_is_named() {
    assert_eq!(
        faults("{}"),
        [
            ("missing", "/action".to_owned()),
            ("missing", "/actor".to_owned()),
            ("missing", "/resource".to_owned())
        ]
    );
    let body = r#"{"acton":"x","action":"no good","actor":{"id":"","kind":"u","type":7},
        "resource":{"type":"t"},"targets":[{"id":"x"},3],"occurred_at":"2026-01-31T12:00:00",
        "severity":"loud","outcome":"meh","ip":"1.2.3","user_agent":[],"request_id":"\u0007",
        "metadata":[],"actor":1}"#;
    let expected = [
        ("duplicate_key", "/actor"),
        ("unknown_field", "/acton"),
        ("bad_characters", "/action"),
        ("unknown_field", "/actor/kind"),
        ("empty", "/actor/id"),
        ("wrong_type", "/actor/type"),
        ("missing", "/resource/id"),
        ("missing", "/targets/0/type"),
        ("wrong_type", "/targets/1"),
        ("bad_time", "/occurred_at"),
        ("bad_value", "/severity"),
        ("bad_value", "/outcome"),
        ("bad_ip", "/ip"),
        ("wrong_type", "/user_agent"),
        ("bad_characters", "/request_id"),
        ("wrong_type", "/metadata"),
    ];
    assert_eq!(faults(body), expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn no_more_than_twenty_faults_are_named() {
    let many: Vec<String> = (0..30).map(|number| format!("\"unknown{number}\":1")).collect();
    assert_eq!(faults_with(&many.join(",")).len(), 20);
}

#[test]
fn unknown_members_come_with_a_hint() {
    let detail = |members: &str| with(members).expect_err(members).faults()[0].detail.clone();
    assert_eq!(
        detail(r#""occurredAt":1"#),
        "there is no member `occurredAt` here; did you mean `occurred_at`?"
    );
    assert_eq!(
        detail(r#""department":1"#),
        "there is no member `department` here; what has no place of its own goes into `metadata`"
    );
    let changes = faults_with(r#""changes":[],"changes_truncated":true"#);
    assert_eq!(changes[0], ("unknown_field", "/changes".to_owned()));
    assert_eq!(changes[1], ("unknown_field", "/changes_truncated".to_owned()));
    for name in ["seq", "received_at", "history", "proof", "erased", "kind", "note"] {
        let found = faults_with(&format!("\"{name}\":1"));
        assert_eq!(found, one("unknown_field", &format!("/{name}")));
    }
}

#[test]
fn each_object_has_its_own_members() {
    for (place, object) in [
        ("/actor", r#"{"action":"a","actor":{"id":"u","x":1},"resource":{"type":"t","id":"r"}}"#),
        (
            "/resource",
            r#"{"action":"a","actor":{"id":"u"},"resource":{"type":"t","id":"r","x":1}}"#,
        ),
    ] {
        assert_eq!(faults(object), one("unknown_field", &format!("{place}/x")));
    }
    let target = r#""targets":[{"type":"t","id":"r","x":1}]"#;
    assert_eq!(faults_with(target), one("unknown_field", "/targets/0/x"));
    let metadata =
        r#"{"action":"a","actor":{"id":"u"},"resource":{"type":"t","id":"r","metadata":{}}}"#;
    assert_eq!(faults(metadata), one("unknown_field", "/resource/metadata"));
    assert_eq!(
        faults(r#"{"action":"a","actor":"u","resource":[]}"#),
        [("wrong_type", "/actor".to_owned()), ("wrong_type", "/resource".to_owned())]
    );
}

#[test]
fn texts_have_limits() {
    for (name, max) in [
        ("id", 255),
        ("request_id", 255),
        ("location", 255),
        ("message", 8 << 10),
        ("user_agent", 1 << 10),
    ] {
        let of = |bytes: usize| with(&format!("\"{name}\":\"{}\"", "x".repeat(bytes)));
        assert!(of(max).is_ok(), "{name}");
        let refusal = of(max + 1).expect_err(name);
        assert_eq!(refusal.faults()[0].code, "too_long", "{name}");
        assert_eq!(refusal.faults()[0].pointer, format!("/{name}"));
    }
    assert!(with(&format!("\"id\":\"{}x\"", "é".repeat(127))).is_ok());
    assert_eq!(faults_with(&format!("\"id\":\"{}\"", "é".repeat(128))), one("too_long", "/id"));
    for name in ["message", "user_agent", "location"] {
        assert!(with(&format!("\"{name}\":\"\"")).is_ok(), "{name} may be empty");
        assert!(with(&format!("\"{name}\":\"a\\nb\"")).is_ok(), "{name} may have lines");
    }
    for name in ["id", "request_id"] {
        assert_eq!(faults_with(&format!("\"{name}\":\"\"")), one("empty", &format!("/{name}")));
        let lines = faults_with(&format!("\"{name}\":\"a\\nb\""));
        assert_eq!(lines, one("bad_characters", &format!("/{name}")));
    }
}

#[test]
fn actors_resources_and_targets_have_limits() {
    let long = "x".repeat(256);
    for member in ["id", "type", "name", "session"] {
        let id = if member == "id" { String::new() } else { "\"id\":\"u\",".to_owned() };
        let of = |text: &str| {
            format!(
                r#"{{"action":"a","actor":{{{id}"{member}":"{text}"}},"resource":{{"type":"t","id":"r"}}}}"#
            )
        };
        event(&of(&long[1..]));
        assert_eq!(faults(&of(&long)), one("too_long", &format!("/actor/{member}")));
        if member == "name" {
            event(&of(""));
        } else {
            assert_eq!(faults(&of("")), one("empty", &format!("/actor/{member}")));
        }
    }
    let target = r#"{"type":"t","id":"r"}"#;
    let targets = |count: usize| format!("\"targets\":[{}]", vec![target; count].join(","));
    assert_eq!(with(&targets(50)).expect("an event").targets().len(), 50);
    assert_eq!(faults_with(&targets(51)), one("too_many", "/targets"));
    assert_eq!(faults_with(r#""targets":{}"#), one("wrong_type", "/targets"));
}

#[test]
fn actions_are_words() {
    let of = |action: &str| {
        let body = LEAST.replace(r#""action":"a""#, &format!("\"action\":\"{action}\""));
        Event::parse(body.as_bytes())
    };
    for action in ["CREATE", "document.update", "a_b:c-d/e.9", &"x".repeat(128)] {
        assert_eq!(of(action).expect(action).action(), action);
    }
    for (action, code) in [
        ("a b", "bad_characters"),
        ("é", "bad_characters"),
        ("a\\nb", "bad_characters"),
        ("a,b", "bad_characters"),
        ("", "empty"),
    ] {
        assert_eq!(of(action).expect_err(action).faults()[0].code, code, "{action}");
    }
    assert_eq!(of(&"x".repeat(129)).expect_err("long").faults()[0].code, "too_long");
    assert!(!is_action(""));
}

#[test]
fn words_come_in_any_letter_case() {
    for severity in Severity::ALL {
        let lower = severity.as_str().to_lowercase();
        let read = with(&format!("\"severity\":\"{lower}\"")).expect("an event");
        assert_eq!(read.severity(), severity);
        assert_eq!(severity.to_string(), severity.as_str());
    }
    for outcome in Outcome::ALL {
        let upper = outcome.as_str().to_uppercase();
        let read = with(&format!("\"outcome\":\"{upper}\"")).expect("an event");
        assert_eq!(read.outcome(), outcome);
        assert_eq!(outcome.to_string(), outcome.as_str());
    }
    assert_eq!(Severity::from_text("WARN"), None);
    assert_eq!(Outcome::from_text("ok"), None);
    assert!(Severity::Info < Severity::Warning && Severity::Error < Severity::Critical);
}

#[test]
fn addresses_and_times_are_looked_at() {
    for ip in ["1.2.3.4", "::1", "2001:db8::1", "::ffff:1.2.3.4"] {
        assert_eq!(with(&format!("\"ip\":\"{ip}\"")).expect(ip).ip(), Some(ip));
    }
    for ip in ["1.2.3.4:80", "[::1]", "fe80::1%eth0", "localhost", "01.2.3.4", "1.2.3.4/8"] {
        assert_eq!(faults_with(&format!("\"ip\":\"{ip}\"")), one("bad_ip", "/ip"));
    }
    assert_eq!(faults_with(r#""ip":"""#), one("empty", "/ip"));
    assert_eq!(
        faults_with(r#""occurred_at":"3000-01-01T00:00:00Z""#),
        one("time_out_of_range", "/occurred_at")
    );
    assert_eq!(faults_with(r#""occurred_at":1700000000"#), one("wrong_type", "/occurred_at"));
}

#[test]
fn free_values_have_limits() {
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|key| format!("\"{key}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let text = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    for (name, bytes, count, depth) in [
        ("metadata", 50 << 10, 200, 16),
        ("before", 256 << 10, 4_000, 32),
        ("after", 256 << 10, 4_000, 32),
    ] {
        let of = |value: &str| format!("\"{name}\":{value}");
        for (fine, more, code) in [
            (text(bytes), text(bytes + 1), "too_large"),
            (keys(count), keys(count + 1), "too_many"),
            (nested(depth), nested(depth + 1), "too_deep"),
        ] {
            assert!(with(&of(&fine)).is_ok(), "{name} {code}");
            assert_eq!(faults_with(&of(&more)), one(code, &format!("/{name}")));
        }
    }
    let spaced = format!("\"metadata\":{{{}}}", " ".repeat(60 << 10));
    assert!(with(&spaced).is_ok(), "white space does not count");
    let target = format!(r#""targets":[{{"type":"t","id":"r","metadata":{}}}]"#, keys(201));
    assert_eq!(faults_with(&target), one("too_many", "/targets/0/metadata"));
}

#[test]
fn keys_stay_different_when_they_are_written_with_dots() {
    for (members, pointer) in [
        (r#""metadata":{"a.b":1,"a":{"b":2}}"#, "/metadata/a/b"),
        (r#""metadata":{"a":{"b":{}},"a.b":2}"#, "/metadata/a.b"),
        (r#""before":{"x":{"a.b":1,"a":{"b":2}}}"#, "/before/x/a/b"),
        (r#""after":{"a.b":1,"a":{"b":2}}"#, "/after/a/b"),
    ] {
        assert_eq!(faults_with(members), one("ambiguous_key", pointer));
    }
    let actor = LEAST.replace(r#""id":"u""#, r#""id":"u","metadata":{"a.b":1,"a":{"b":2}}"#);
    assert_eq!(faults(&actor), one("ambiguous_key", "/actor/metadata/a/b"));
    assert!(with(r#""metadata":{"a.b":1,"a":{"c":2}},"before":{"a.b":1}"#).is_ok());
    // Items of lists are no keys of their own.
    assert!(with(r#""metadata":{"a":[{"b":1},{"b":1}]}"#).is_ok());
    let key = |bytes: usize| format!("\"metadata\":{{\"{}\":1}}", "k".repeat(bytes - 9));
    assert!(with(&key(1024)).is_ok());
    assert_eq!(faults_with(&key(1025))[0].0, "too_long");
}

#[test]
fn what_is_stored_stays_within_an_event() {
    let state = |letter: &str| format!("{{\"a\":\"{}\"}}", letter.repeat((256 << 10) - 8));
    let target = |bytes: usize| {
        let text = "x".repeat(bytes);
        format!(r#"{{"type":"t","id":"r","metadata":{{"a":"{text}"}}}}"#)
    };
    let of = |bytes: usize| {
        let targets = vec![target(50_000); 10].join(",");
        format!(
            r#""before":{},"after":{},"targets":[{targets},{}]"#,
            state("x"),
            state("y"),
            target(bytes)
        )
    };
    let event = with(&of(20_000)).expect("an event");
    // Both states in one change are more than changes may take.
    let changes = event.stored_changes().expect("both states");
    assert!(changes.is_truncated && changes.list.is_empty());
    let payload = payload(&event);
    assert!(payload.len() <= limits::EVENT_BYTES_MAX);
    assert!(payload.contains(r#""changes":[],"changes_truncated":true,"before""#));
    assert_eq!(Event::from_payload(payload.as_bytes()).expect("stored").before(), event.before());
}

#[test]
fn an_event_that_would_grow_too_large_is_refused() {
    let targets = |bytes: usize| {
        let whole =
            format!(r#"{{"type":"t","id":"r","metadata":{{"a":"{}"}}}}"#, "x".repeat(51_000));
        let last = format!(r#"{{"type":"t","id":"r","metadata":{{"a":"{}"}}}}"#, "x".repeat(bytes));
        format!("\"targets\":[{},{last}]", vec![whole; 20].join(","))
    };
    let (mut fine, mut refused) = (1_000, 51_000);
    while refused - fine > 1 {
        let middle = usize::midpoint(fine, refused);
        if with(&targets(middle)).is_ok() { fine = middle } else { refused = middle }
    }
    assert_eq!(faults_with(&targets(refused)), one("too_large", ""));
    let event = with(&targets(fine)).expect("an event");
    let id = "\"".repeat(255);
    let stored = event.payload(&id, Timestamp(0));
    let room = limits::EVENT_BYTES_MAX - stored.len();
    assert!(room < 64, "{room}");
}

#[test]
fn a_stored_event_may_have_been_masked() {
    let stored = payload(&with(r#""ip":"1.2.3.4""#).expect("an event"));
    let masked = stored.replace("1.2.3.4", "[masked:ip]");
    let read = Event::from_payload(masked.as_bytes()).expect("stored");
    assert_eq!(read.ip(), Some("[masked:ip]"));
    let keys: Vec<String> = (0..300).map(|key| format!("\"{key}\":1")).collect();
    let more = stored.replace("\"ip\"", &format!("\"metadata\":{{{}}},\"ip\"", keys.join(",")));
    assert!(Event::from_payload(more.as_bytes()).is_ok());
    assert!(Event::from_payload(b"{}").is_err());
}

fn diff(before: &str, after: &str) -> String {
    let json = |text: &str| Json::parse(text.as_bytes()).expect(text);
    let changes = changes(&json(before), &json(after));
    assert!(!changes.is_truncated);
    let side = |json: &Option<Json>| json.as_ref().map_or("-".to_owned(), Json::to_string);
    let changes = changes.list.iter();
    let changes = changes
        .map(|change| format!("{} {} {}", change.path, side(&change.before), side(&change.after)));
    changes.collect::<Vec<_>>().join("; ")
}

#[test]
fn changes_are_found_where_they_are() {
    for (before, after, expected) in [
        ("1", "1", ""),
        ("1", "1.0", ""),
        ("1", "2", " 1 2"),
        ("9007199254740993", "9007199254740992", " 9007199254740993 9007199254740992"),
        ("null", "null", ""),
        ("null", "false", " null false"),
        ("true", "true", ""),
        ("true", "false", " true false"),
        (r#""a""#, r#""\u0061""#, ""),
        (r#""1""#, "1", r#" "1" 1"#),
        ("[]", "{}", " [] {}"),
        ("{}", "{}", ""),
        (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, ""),
        (r#"{"a":1,"b":2}"#, r#"{"c":3,"b":4}"#, "/a 1 -; /b 2 4; /c - 3"),
        (r#"{"a":{"b":[1,2]}}"#, r#"{"a":{"b":[1,3,4]}}"#, "/a/b/1 2 3; /a/b/2 - 4"),
        ("[1,2,3]", "[1]", "/1 2 -; /2 3 -"),
        (r#"{"a/b":1,"c~d":1}"#, r#"{"a/b":2,"c~d":2}"#, "/a~1b 1 2; /c~0d 1 2"),
        (r#"{"a":null}"#, "{}", "/a null -"),
        ("{}", r#"{"a":null}"#, "/a - null"),
        (r#"{"a":{"x":1}}"#, r#"{"a":[1]}"#, r#"/a {"x":1} [1]"#),
    ] {
        assert_eq!(diff(before, after), expected, "{before} {after}");
    }
}

#[test]
fn changes_have_limits() {
    let list = |value: &str, count: usize| {
        Json::parse(format!("[{}]", vec![value; count].join(",")).as_bytes()).expect("JSON")
    };
    let thousand = changes(&list("1", 1_000), &list("2", 1_000));
    assert_eq!((thousand.list.len(), thousand.is_truncated), (1_000, false));
    let more = changes(&list("1", 1_001), &list("2", 1_001));
    assert_eq!((more.list.len(), more.is_truncated), (1_000, true));
    assert_eq!(more.list[..], thousand.list[..]);
    let json = Json::parse(b"[1,2]").expect("JSON");
    let other = Json::parse(b"[3,4]").expect("JSON");
    // `{"path":"/0","before":1,"after":3}` and its comma are 35 bytes.
    for (bytes, count) in [(34, 0), (35, 1), (69, 1), (70, 2)] {
        let budget = super::changes::Budget { changes: 10, bytes };
        let changes = super::changes::changes_within(&json, &other, budget);
        assert_eq!((changes.list.len(), changes.is_truncated), (count, count < 2), "{bytes}");
    }
}

/// Makes the state after of the state before.
fn apply(before: &serde_json::Value, changes: &Changes) -> serde_json::Value {
    use serde_json::Value;
    let value = |json: &Json| serde_json::from_str::<Value>(json.as_str()).expect("JSON");
    let mut state = before.clone();
    let place = |path: &str| {
        let (parent, name) = path.rsplit_once('/').expect("a step");
        (parent.to_owned(), name.replace("~1", "/").replace("~0", "~"))
    };
    for change in &changes.list {
        let Some(after) = &change.after else { continue };
        if change.before.is_some() {
            *state.pointer_mut(&change.path).expect("there") = value(after);
            continue;
        }
        let (parent, name) = place(&change.path);
        match state.pointer_mut(&parent).expect("there") {
            Value::Object(members) => drop(members.insert(name, value(after))),
            Value::Array(items) => items.push(value(after)),
            other => panic!("{other} has no members"),
        }
    }
    // From the end, so that indexes stay what they were.
    for change in changes.list.iter().rev().filter(|change| change.after.is_none()) {
        let (parent, name) = place(&change.path);
        match state.pointer_mut(&parent).expect("there") {
            Value::Object(members) => drop(members.remove(&name)),
            Value::Array(items) => drop(items.pop()),
            other => panic!("{other} has no members"),
        }
    }
    state
}

fn any_event() -> impl Strategy<Value = serde_json::Value> {
    let text = || prop::option::of("[a-z\"\\\\ é]{1,8}");
    let metadata = || prop::option::of(prop::collection::btree_map("[a-d]{1,2}", any_json(), 0..4));
    let state = || prop::option::of(any_json());
    let ids = (text(), "[a-z.]{1,9}", "[a-z\"]{1,5}", text(), text(), metadata());
    let rest = (text(), text(), text(), metadata(), 0..4_usize, 0..4_usize, 0..3_usize);
    (ids, state(), state(), rest).prop_map(|(ids, before, after, rest)| {
        let (id, action, actor, kind, session, about) = ids;
        let (agent, location, message, metadata, severity, outcome, targets) = rest;
        let target = serde_json::json!({"type": "t", "id": "x", "metadata": about});
        let mut event = serde_json::json!({
            "id": id, "action": action,
            "actor": {"id": actor, "type": kind, "session": session, "metadata": about},
            "resource": {"type": "t", "id": "r", "name": location},
            "targets": vec![target; targets],
            "severity": Severity::ALL[severity].as_str(),
            "outcome": Outcome::ALL[outcome].as_str(),
            "user_agent": agent, "location": location, "message": message, "metadata": metadata,
        });
        for (name, state) in [("before", before), ("after", after)] {
            if let Some(state) = state {
                event[name] = state;
            }
        }
        event
    })
}

proptest! {
    #[test]
    fn a_stored_event_is_the_event(body in any_event(), received: i64) {
        let event = event(&body.to_string());
        let payload = event.payload("minted", Timestamp(received));
        let mut expected = event.clone();
        expected.id.get_or_insert_with(|| "minted".to_owned());
        expected.occurred_at.get_or_insert_with(|| Timestamp(received).into());
        let stored = Event::from_payload(&payload).expect("stored");
        prop_assert_eq!(&stored, &expected);
        prop_assert_eq!(stored.payload("other", Timestamp(0)), payload);
    }

    #[test]
    fn a_payload_is_compact_and_has_what_must_be_there(body in any_event()) {
        let payload = event(&body.to_string()).payload("minted", Timestamp(0));
        let text = std::str::from_utf8(&payload).expect("text");
        let json = Json::parse(&payload).expect("JSON");
        prop_assert_eq!(json.as_str(), text);
        let value: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        for name in ["id", "occurred_at", "severity", "outcome", "action", "actor", "resource"] {
            prop_assert!(value.get(name).is_some(), "{}", name);
        }
        for name in ["seq", "received_at", "history", "proof", "erased", "kind"] {
            prop_assert!(value.get(name).is_none(), "{}", name);
        }
    }

    #[test]
    fn changes_make_one_state_of_the_other(before in any_json(), after in any_json()) {
        let json = |value: &serde_json::Value| Json::parse(value.to_string().as_bytes()).expect("JSON");
        let changes = changes(&json(&before), &json(&after));
        prop_assert!(!changes.is_truncated);
        // The whole is another when there is a change at its top.
        let top = changes.list.iter().find(|change| change.path.is_empty());
        match top {
            Some(change) => prop_assert_eq!(change.after.as_ref(), Some(&json(&after))),
            None => prop_assert_eq!(normal(&apply(&before, &changes)), normal(&after)),
        }
    }

    #[test]
    fn nothing_changes_between_a_state_and_itself(state in any_json()) {
        let json = Json::parse(state.to_string().as_bytes()).expect("JSON");
        prop_assert_eq!(changes(&json, &json), Changes::default());
    }

    #[test]
    fn no_body_is_a_panic(bytes: Vec<u8>, value in any_json()) {
        drop(Event::parse(&bytes));
        drop(Event::parse(value.to_string().as_bytes()));
        drop(Event::from_payload(value.to_string().as_bytes()));
        for name in ["action", "actor", "resource", "targets", "metadata", "ip", "before"] {
            let mut body: serde_json::Value = serde_json::from_str(LEAST).expect("JSON");
            body[name] = value.clone();
            drop(Event::parse(body.to_string().as_bytes()));
        }
    }
}

/// A value whose whole numbers are floats, as 1 and 1.0 are one number.
fn normal(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| number.abs() < 1 << 50) => {
            number.as_f64().into()
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), normal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

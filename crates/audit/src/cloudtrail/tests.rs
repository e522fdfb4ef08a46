use ledgerline_model::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::tests::any_json;

fn record() -> serde_json::Value {
    json!({"eventTime": "2026-01-31T12:00:00Z", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt"})
}

fn mapped(record: &serde_json::Value) -> Event {
    parse(record.to_string().as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn stored(record: &serde_json::Value) -> serde_json::Value {
    serde_json::from_slice(&mapped(record).payload("minted", Timestamp(0))).expect("JSON")
}

#[test]
fn the_least_record_is_an_event() {
    let event = mapped(&record());
    assert_eq!(event.action(), "kms.Decrypt");
    assert_eq!(*event.actor(), nobody());
    assert_eq!((&*event.resource().kind, &*event.resource().id), ("AWS::Account", "unknown"));
    assert_eq!((event.outcome(), event.severity()), (Outcome::Success, Severity::Info));
    let rest = r#"{"cloudtrail":{"eventName":"Decrypt","eventSource":"kms.amazonaws.com"}}"#;
    assert_eq!(event.metadata().map(Json::as_str), Some(rest));
}

#[test]
fn what_must_be_there_is_missed() {
    let faults = |record: serde_json::Value| {
        let refusal = parse(record.to_string().as_bytes()).expect_err("faults");
        refusal
            .faults()
            .iter()
            .map(|fault| format!("{} {}", fault.code, fault.pointer))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        faults(json!({})),
        ["missing /eventTime", "missing /eventSource", "missing /eventName"]
    );
    assert_eq!(faults(json!(7)), ["wrong_type "]);
    let wrong = json!({"eventTime": "now", "eventSource": "", "eventName": "x".repeat(256)});
    assert_eq!(faults(wrong), ["bad_time /eventTime", "empty /eventSource", "too_long /eventName"]);
    let large = format!("{}{}", record(), " ".repeat(limits::EVENT_BYTES_MAX));
    assert_eq!(parse(large.as_bytes()).expect_err("large").faults()[0].code, "too_large");
    let text = record().to_string();
    let largest = format!("{text}{}", " ".repeat(limits::EVENT_BYTES_MAX - text.len()));
    assert!(parse(largest.as_bytes()).is_ok());
    let mut deep = record();
    deep["requestParameters"] =
        serde_json::from_str(&format!("{}1{}", "[".repeat(32), "]".repeat(32))).expect("JSON");
    assert_eq!(faults(deep), ["too_deep "]);
    let mut who = record();
    who["userIdentity"] = json!({"x": serde_json::from_str::<serde_json::Value>(&format!("{}1{}", "[".repeat(32), "]".repeat(32))).expect("JSON")});
    assert_eq!(faults(who), ["too_deep /userIdentity/metadata"]);
    let mut ambiguous = record();
    ambiguous["a.b"] = json!(1);
    ambiguous["a"] = json!({"b": 1});
    assert_eq!(faults(ambiguous), ["ambiguous_key /metadata/cloudtrail/a.b"]);
}

#[test]
fn actions_have_only_what_actions_can_have() {
    assert_eq!(action("s3.amazonaws.com", "GetObject"), "s3.GetObject");
    assert_eq!(action("a b.c", "X.Y é"), "a_b.X_Y__");
    assert_eq!(action("x-y_z:/", "A"), "x-y_z:/.A");
    assert_eq!(action("x", &"n".repeat(200)).len(), limits::ACTION_BYTES_MAX);
}

#[test]
fn what_does_not_fit_stays_with_the_rest() {
    let mut with = record();
    let long = "x".repeat(1025);
    for (name, value) in [
        ("eventID", json!("")),
        ("requestID", json!("a\nb")),
        ("sourceIPAddress", json!("AWS Internal")),
        ("userAgent", json!(long)),
        ("errorMessage", json!(7)),
        ("userIdentity", json!("ann")),
        ("vpcEndpointId", json!(null)),
    ] {
        with[name] = value;
    }
    let stored = stored(&with);
    assert_eq!(stored["id"], "minted");
    for name in ["request_id", "ip", "user_agent", "message"] {
        assert_eq!(stored.get(name), None, "{name}");
    }
    let rest = &stored["metadata"]["cloudtrail"];
    for name in
        ["eventID", "requestID", "sourceIPAddress", "userAgent", "errorMessage", "userIdentity"]
    {
        assert_eq!(rest[name], with[name], "{name}");
    }
    assert_eq!(rest.get("vpcEndpointId"), None);
    assert_eq!(rest.get("eventTime"), None);
    with["userAgent"] = json!(&long[1..]);
    assert_eq!(mapped(&with).user_agent().map(str::len), Some(1024));
}

#[test]
fn the_ending_is_told_by_the_error() {
    let ending = |members: serde_json::Value| {
        let mut with = record();
        with.as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("members").clone());
        let event = mapped(&with);
        (event.outcome(), event.severity())
    };
    let denied = (Outcome::Denied, Severity::Warning);
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "Client.UnauthorizedOperation",
        "NotAuthorizedException",
        "Forbidden",
        "AuthFailure",
        "ExplicitDeny",
    ] {
        assert_eq!(ending(json!({ "errorCode": code })), denied, "{code}");
    }
    let failed = (Outcome::Failure, Severity::Error);
    assert_eq!(ending(json!({"errorCode": "NoSuchBucket"})), failed);
    assert_eq!(ending(json!({"errorMessage": "it broke"})), failed);
    let login = json!({"ConsoleLogin": "Failure"});
    assert_eq!(ending(json!({"responseElements": login})), denied);
    let login = json!({"ConsoleLogin": "Success"});
    assert_eq!(ending(json!({"responseElements": login})), (Outcome::Success, Severity::Info));
}

#[test]
fn the_actor_is_the_first_that_there_is() {
    let actor = |identity: serde_json::Value| {
        let mut with = record();
        with["userIdentity"] = identity;
        stored(&with)["actor"].clone()
    };
    let long = "x".repeat(256);
    assert_eq!(
        actor(json!({"type": "IAMUser", "arn": long, "principalId": "AIDA", "userName": "ann"})),
        json!({"id": "AIDA", "type": "IAMUser", "name": "ann", "metadata": {"arn": long}})
    );
    assert_eq!(
        actor(json!({"principalId": "AROA:", "invokedBy": "x.amazonaws.com"})),
        json!({"id": "AROA:", "name": "x.amazonaws.com", "metadata": {"invokedBy": "x.amazonaws.com"}})
    );
    assert_eq!(actor(json!({"principalId": "AROA:a:b", "accessKeyId": "K"}))["session"], "a:b");
    assert_eq!(
        actor(json!({"accountId": "1", "accessKeyId": "K"})),
        json!({"id": "1", "session": "K", "metadata": {"accessKeyId": "K"}})
    );
    assert_eq!(actor(json!({"type": "Unknown"})), json!({"id": "Unknown", "type": "Unknown"}));
    assert_eq!(actor(json!({"credentialId": "c", "type": "IdentityCenterUser"}))["id"], "c");
    assert_eq!(actor(json!({})), json!({"id": "unknown"}));
    let issuer = json!({"sessionIssuer": {"userName": "role"}});
    let both = actor(json!({"arn": "a", "invokedBy": "i", "sessionContext": issuer}));
    assert_eq!(both["name"], "role");
    assert_eq!(both["metadata"]["invokedBy"], "i");
}

#[test]
fn the_resource_is_the_first_that_there_is() {
    let resource = |members: serde_json::Value| {
        let mut with = record();
        with.as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("members").clone());
        let event = mapped(&with);
        let targets = event.targets().iter().map(|target| target.id.clone()).collect::<Vec<_>>();
        format!("{} {} {}", event.resource().kind, event.resource().id, targets.join(","))
    };
    let arn = |arn: &str| json!({"ARN": arn, "type": "T"});
    let long = "x".repeat(256);
    assert_eq!(resource(json!({"resources": [arn("a"), arn("b"), arn("c")]})), "T a b,c");
    assert_eq!(resource(json!({"resources": [arn(&long), {"type": "T"}, arn("b")]})), "T b ");
    assert_eq!(resource(json!({"resources": [{"ARN": "a"}]})), "unknown a ");
    let many = json!({"resources": vec![arn("a"); 60]});
    assert_eq!(resource(many).matches(',').count(), limits::TARGETS_MAX - 1);
    assert_eq!(
        resource(json!({"requestParameters": {"keyId": "k", "roleName": "r"}})),
        "AWS::IAM::Role r "
    );
    assert_eq!(
        resource(json!({"requestParameters": {"x": "y"}, "recipientAccountId": "1"})),
        "AWS::Account 1 "
    );
    assert_eq!(resource(json!({"userIdentity": {"accountId": "2"}})), "AWS::Account 2 ");
}

#[test]
fn a_rich_identity_is_read_again() {
    let mut with = record();
    let keys: serde_json::Map<_, _> = (0..300).map(|key| (format!("k{key}"), json!(1))).collect();
    with["userIdentity"] = json!({ "arn": "a", "tags": keys });
    let event = mapped(&with);
    let payload = event.payload("minted", Timestamp(0));
    assert_eq!(Event::from_payload(&payload).map(|stored| stored.actor), Ok(event.actor));
}

proptest! {
    #[test]
    fn no_record_is_a_panic(bytes: Vec<u8>, value in any_json()) {
        drop(parse(&bytes));
        let mut with = record();
        for name in ["userIdentity", "resources", "requestParameters", "responseElements", "errorCode"] {
            with[name] = value.clone();
            if let Ok(event) = parse(with.to_string().as_bytes()) {
                let payload = event.payload("minted", Timestamp(0));
                prop_assert!(Event::from_payload(&payload).is_ok());
            }
        }
    }
}

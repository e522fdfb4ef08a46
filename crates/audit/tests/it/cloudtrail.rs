//! Records of AWS CloudTrail: five that are invented, and real ones where there are any.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ledgerline_audit::cloudtrail::parse;
use ledgerline_audit::event::{Event, Outcome};
use ledgerline_audit::json::Json;
use ledgerline_audit::mask::{Action, Detector, Masker, Rule};
use ledgerline_model::time::Timestamp;

const RECORDS: &str = include_str!("../../testdata/cloudtrail.ndjson");

fn event(line: usize) -> Event {
    let line = RECORDS.lines().nth(line).expect("a record");
    parse(line.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn payload(event: &Event) -> serde_json::Value {
    serde_json::from_slice(&event.payload("minted", Timestamp(0))).expect("JSON")
}

#[test]
fn a_record_becomes_an_event() {
    let stored = event(0).payload("minted", Timestamp(0));
    let expected = concat!(
        r#"{"id":"00000000-0000-4000-8000-000000000001","action":"s3.GetObject","#,
        r#""actor":{"id":"arn:aws:iam::111122223333:user/ann","type":"IAMUser","name":"ann","#,
        r#""session":"AKIAEXAMPLEEXAMPLE00","metadata":{"principalId":"AIDAEXAMPLEEXAMPLE001","#,
        r#""accountId":"111122223333","accessKeyId":"AKIAEXAMPLEEXAMPLE00"}},"#,
        r#""resource":{"type":"AWS::S3::Object","id":"arn:aws:s3:::plans/q1.pdf"},"#,
        r#""targets":[{"type":"AWS::S3::Bucket","id":"arn:aws:s3:::plans","#,
        r#""metadata":{"account_id":"111122223333"}}],"occurred_at":"2026-01-31T12:00:00Z","#,
        r#""severity":"INFO","outcome":"success","ip":"203.0.113.7","#,
        r#""user_agent":"[aws-cli/2.15]","request_id":"REQ1","metadata":{"cloudtrail":{"#,
        r#""eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject","#,
        r#""awsRegion":"eu-central-1","requestParameters":{"bucketName":"plans","key":"q1.pdf"},"#,
        r#""readOnly":true,"resources":[{"type":"AWS::S3::Object","#,
        r#""ARN":"arn:aws:s3:::plans/q1.pdf"},{"accountId":"111122223333","#,
        r#""type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::plans"}],"eventType":"AwsApiCall","#,
        r#""managementEvent":false,"recipientAccountId":"111122223333","#,
        r#""eventCategory":"Data"}}}"#,
    );
    assert_eq!(String::from_utf8_lossy(&stored), expected);
}

#[test]
fn an_assumed_role_has_a_session_and_a_refusal_is_denied() {
    let stored = payload(&event(1));
    assert_eq!(stored["action"], "iam.AttachRolePolicy");
    assert_eq!(stored["actor"]["id"], "arn:aws:sts::111122223333:assumed-role/deployer/deploy-77");
    assert_eq!(stored["actor"]["name"], "deployer");
    assert_eq!(stored["actor"]["session"], "deploy-77");
    let issuer = &stored["actor"]["metadata"]["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["userName"], "deployer");
    let resource = serde_json::json!({"type": "AWS::IAM::Role", "id": "reader"});
    assert_eq!(stored["resource"], resource);
    assert_eq!(stored["ip"], "2001:db8::7");
    assert_eq!((&stored["outcome"], &stored["severity"]), (&"denied".into(), &"WARNING".into()));
    assert_eq!(stored["message"], "not authorized to perform: iam:AttachRolePolicy");
    assert_eq!(stored["metadata"]["cloudtrail"]["errorCode"], "AccessDenied");
}

#[test]
fn a_service_is_an_actor_and_no_address() {
    let stored = payload(&event(2));
    let actor = serde_json::json!({
        "id": "ec2.amazonaws.com", "type": "AWSService", "name": "ec2.amazonaws.com",
    });
    assert_eq!(stored["actor"], actor);
    assert_eq!(stored.get("ip"), None);
    assert_eq!(stored["metadata"]["cloudtrail"]["sourceIPAddress"], "ec2.amazonaws.com");
    assert_eq!(stored["resource"]["id"], "arn:aws:iam::111122223333:role/web");
    assert_eq!(stored["outcome"], "success");
}

#[test]
fn a_refused_login_is_denied() {
    let stored = payload(&event(3));
    assert_eq!(stored["action"], "signin.ConsoleLogin");
    assert_eq!(stored["actor"]["id"], "HIDDEN_DUE_TO_SECURITY_REASONS");
    assert_eq!(stored["actor"].get("session"), None);
    let resource = serde_json::json!({"type": "AWS::Account", "id": "111122223333"});
    assert_eq!(stored["resource"], resource);
    assert_eq!((&stored["outcome"], &stored["severity"]), (&"denied".into(), &"WARNING".into()));
}

#[test]
fn another_error_is_a_failure() {
    let stored = payload(&event(4));
    assert_eq!((&stored["outcome"], &stored["severity"]), (&"failure".into(), &"ERROR".into()));
    assert_eq!(stored["actor"]["id"], "arn:aws:iam::111122223333:root");
    assert_eq!(stored["actor"].get("name"), None);
    assert_eq!(stored["metadata"]["cloudtrail"]["sourceIPAddress"], "AWS Internal");
    assert_eq!(stored["user_agent"], "AWS Internal");
}

#[test]
fn every_fault_of_a_record_is_told() {
    let refusal = parse(br#"{"eventName":7}"#).expect_err("no record");
    let faults: Vec<(&str, &str)> =
        refusal.faults().iter().map(|fault| (fault.code, &*fault.pointer)).collect();
    let expected =
        [("missing", "/eventTime"), ("missing", "/eventSource"), ("wrong_type", "/eventName")];
    assert_eq!(faults, expected);
    let nothing = parse(b"[]").expect_err("no record");
    assert_eq!(nothing.faults()[0].code, "wrong_type");
}

/// The real records, where the variable `LEDGERLINE_SAMPLES` says where they are.
#[expect(clippy::disallowed_methods, reason = "a test may read the machine's own disk")]
fn samples() -> Option<String> {
    let folder = PathBuf::from(std::env::var_os("LEDGERLINE_SAMPLES")?);
    let bytes = std::fs::read(folder.join("cloudtrail.ndjson.zst")).ok()?;
    let bytes = zstd::decode_all(&bytes[..]).expect("the sample is zstd");
    Some(String::from_utf8(bytes).expect("the sample is text"))
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn real_records_become_events() {
    let Some(samples) = samples() else {
        eprintln!("skipped: LEDGERLINE_SAMPLES does not name a folder with cloudtrail.ndjson.zst");
        return;
    };
    let masker = Masker::new(vec![Rule::new(Detector::ApiKey, Action::Last4, vec![])], [1; 32]);
    let masker = masker.expect("rules");
    let (mut events, mut masked) = (0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for line in samples.lines() {
        let event = parse(line.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}: {line}"));
        let payload = event.payload("minted", Timestamp(0));
        assert_eq!(Event::from_payload(&payload).as_ref(), Ok(&event));
        assert_ne!(event.actor().id, "unknown", "{line}");
        assert!(event.id().is_some(), "{line}");
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let has_error = record.get("errorCode").is_some() || record.get("errorMessage").is_some();
        assert_eq!(event.outcome() != Outcome::Success, has_error, "{line}");
        *kinds.entry(event.resource().kind.clone()).or_default() += 1;
        *outcomes.entry(event.outcome().as_str()).or_default() += 1;
        let (bytes, found) = masker.apply(&payload).expect("JSON");
        masked += found.len();
        assert_eq!(masker.apply(&bytes), Ok((bytes.clone(), vec![])));
        assert_eq!(Json::parse(&bytes).expect("JSON").as_str().as_bytes(), bytes);
        events += 1;
    }
    assert_eq!(events, 2_900);
    assert!(masked > 1_000, "{masked} access keys");
    assert!(outcomes["success"] > 2_000 && outcomes["denied"] > 0, "{outcomes:?}");
    assert!(kinds.len() > 5, "{kinds:?}");
}

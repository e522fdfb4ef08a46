//! What a call was about: the resources that a record names or, where it names none, the parameters
//! of the call.

use crate::event::{Resource, Target};
use crate::json::{Json, Tree};
use crate::limits;
use crate::members::Members;
use crate::writer::ObjectWriter;

use super::fits;

/// Parameters that name what a call is about, the most telling first, and what they name.
const PARAMETERS: [(&str, &str); 30] = [
    ("bucketName", "AWS::S3::Bucket"),
    ("userName", "AWS::IAM::User"),
    ("roleName", "AWS::IAM::Role"),
    ("roleArn", "AWS::IAM::Role"),
    ("groupName", "AWS::IAM::Group"),
    ("policyArn", "AWS::IAM::Policy"),
    ("policyName", "AWS::IAM::Policy"),
    ("instanceProfileName", "AWS::IAM::InstanceProfile"),
    ("functionName", "AWS::Lambda::Function"),
    ("tableName", "AWS::DynamoDB::Table"),
    ("secretId", "AWS::SecretsManager::Secret"),
    ("keyId", "AWS::KMS::Key"),
    ("trailName", "AWS::CloudTrail::Trail"),
    ("queueUrl", "AWS::SQS::Queue"),
    ("topicArn", "AWS::SNS::Topic"),
    ("streamName", "AWS::Kinesis::Stream"),
    ("dBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("dBSnapshotIdentifier", "AWS::RDS::DBSnapshot"),
    ("dBClusterIdentifier", "AWS::RDS::DBCluster"),
    ("instanceId", "AWS::EC2::Instance"),
    ("groupId", "AWS::EC2::SecurityGroup"),
    ("volumeId", "AWS::EC2::Volume"),
    ("snapshotId", "AWS::EC2::Snapshot"),
    ("imageId", "AWS::EC2::Image"),
    ("vpcId", "AWS::EC2::VPC"),
    ("subnetId", "AWS::EC2::Subnet"),
    ("stackName", "AWS::CloudFormation::Stack"),
    ("logGroupName", "AWS::Logs::LogGroup"),
    ("detectorId", "AWS::GuardDuty::Detector"),
    ("clusterName", "AWS::EKS::Cluster"),
];
const ACCOUNT: &str = "AWS::Account";
const UNKNOWN: &str = "unknown";

/// The first resource that the record names, or what a parameter of the call names, or the account.
pub(super) fn mapped_resource(members: Members<'_, '_>) -> Resource {
    if let Some(target) = named(members).next() {
        return Resource { kind: target.kind, id: target.id, name: None };
    }
    let parameters = members.get("requestParameters");
    let parameter = |name: &str| text(parameters?, name);
    for (name, kind) in PARAMETERS {
        if let Some(id) = parameter(name) {
            return Resource { kind: kind.to_owned(), id, name: None };
        }
    }
    let account = members.get("recipientAccountId").and_then(|tree| tree.as_text());
    let account = account.and_then(|account| fits(account, limits::ID_BYTES_MAX));
    let account =
        account.or_else(|| members.get("userIdentity").and_then(|tree| text(tree, "accountId")));
    Resource {
        kind: ACCOUNT.to_owned(),
        id: account.unwrap_or_else(|| UNKNOWN.to_owned()),
        name: None,
    }
}

/// The other resources that the record names.
pub(super) fn mapped_targets(members: Members<'_, '_>) -> Vec<Target> {
    named(members).skip(1).take(limits::TARGETS_MAX).collect()
}

/// The resources that the record names with an ARN that fits. All of them also stay with the rest
/// of the record.
fn named<'t>(members: Members<'t, '_>) -> impl Iterator<Item = Target> + use<'t> {
    let resources = members.get("resources").and_then(Tree::as_list).unwrap_or_default();
    let mut targets = Vec::new();
    for resource in resources {
        let Some(id) = text(resource, "ARN") else { continue };
        let kind = text(resource, "type").unwrap_or_else(|| UNKNOWN.to_owned());
        let metadata = text(resource, "accountId").map(|account| {
            let mut object = ObjectWriter::new();
            object.text("account_id", &account);
            Json::trusted(object.finish())
        });
        targets.push(Target { kind, id, name: None, metadata });
    }
    targets.into_iter()
}

fn text(tree: &Tree<'_>, name: &str) -> Option<String> {
    fits(tree.get(name)?.as_text()?, limits::ID_BYTES_MAX)
}

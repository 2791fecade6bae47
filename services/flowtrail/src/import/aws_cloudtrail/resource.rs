//! What a call was about: the first resource that the record lists, else the one that the request names.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::item::Item;

/// The members of requests that name the one thing a request is about, by the service that has it.
const NAMED_IN_REQUEST: [(&str, &str, &str); 17] = [
    ("s3", "bucketName", "AWS::S3::Bucket"),
    ("ec2", "instanceId", "AWS::EC2::Instance"),
    ("ec2-instance-connect", "instanceId", "AWS::EC2::Instance"),
    ("connect", "instanceId", "AWS::Connect::Instance"),
    ("lambda", "functionName", "AWS::Lambda::Function"),
    ("dynamodb", "tableName", "AWS::DynamoDB::Table"),
    ("glue", "tableName", "AWS::Glue::Table"),
    ("cassandra", "tableName", "AWS::Cassandra::Table"),
    ("timestream", "tableName", "AWS::Timestream::Table"),
    ("secretsmanager", "secretId", "AWS::SecretsManager::Secret"),
    ("kms", "keyId", "AWS::KMS::Key"),
    ("sts", "roleArn", "AWS::IAM::Role"),
    ("iam", "roleName", "AWS::IAM::Role"),
    ("iam", "userName", "AWS::IAM::User"),
    ("transfer", "userName", "AWS::Transfer::User"),
    ("rds", "dBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("eks", "clusterName", "AWS::EKS::Cluster"),
];
/// Members that name a thing in the requests of any service; which kind of thing is known only of those above.
const NAMES: [&str; 7] =
    ["bucketName", "instanceId", "functionName", "tableName", "secretId", "keyId", "dBInstanceIdentifier"];

/// Type and id, as far as they are known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "ARN", alias = "arn")]
    arn: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Finds it. `service` is the source of the event without `.amazonaws.com`.
pub(super) fn resource(service: &str, listed: Option<&RawValue>, request: Option<&Item<'_>>) -> Resource {
    let listed = listed.and_then(|listed| serde_json::from_str::<Vec<Listed>>(listed.get()).ok());
    let with_arn = listed.into_iter().flatten().find(|resource| resource.arn.is_some());
    if let Some(Listed { arn, kind }) = with_arn {
        return Resource { kind, id: arn };
    }
    let Some(request) = request else { return Resource::default() };
    let of_service = NAMED_IN_REQUEST.iter().filter(|(of, ..)| *of == service);
    let named = of_service.into_iter().find_map(|(_, member, kind)| Some((*kind, request.text(member)?)));
    let named = named.or_else(|| Some(("AWS::EC2::Instance", only_instance(service, request)?)));
    match named {
        Some((kind, id)) => Resource { kind: Some(kind.to_owned()), id: Some(id) },
        None => Resource { kind: None, id: NAMES.iter().find_map(|name| request.text(name)) },
    }
}

/// EC2 names instances in a list; it is clear what a request is about when there is one in it.
fn only_instance(service: &str, request: &Item<'_>) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Instance {
        instance_id: String,
    }

    let instances = request.object("instancesSet").filter(|_| service == "ec2")?.get("items")?;
    let [instance] = <[Instance; 1]>::try_from(serde_json::from_str::<Vec<Instance>>(instances.get()).ok()?).ok()?;
    Some(instance.instance_id)
}

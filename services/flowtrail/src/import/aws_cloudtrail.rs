//! AWS CloudTrail records: `{"Records":[..]}` as CloudTrail stores them, arrays, or one object a line.
//!
//! | CloudTrail | Flowtrail |
//! |---|---|
//! | `eventID` | event id; without one: a hash of the record |
//! | `eventTime`, else `@timestamp` | the event's time |
//! | `eventSource`, `eventName` | `event_type`: `ec2.amazonaws.com` and `RunInstances` are `ec2.RunInstances` |
//! | `userIdentity`: `arn`, else `principalId`, `invokedBy`, `userName`, `accountId`, `type` | `actor_id` |
//! | `userIdentity`: `userName`, else `sessionContext.sessionIssuer.userName`, `invokedBy` | `actor_name` |
//! | `userIdentity.type` | `actor_type` |
//! | `errorCode` | `status`: `denied` for `AccessDenied..` and `Unauthorized..`, else `failure`; without one `success` |
//! | `responseElements.ConsoleLogin` `Failure` | `status` `failure`: a failed sign-in has no error code |
//! | `errorMessage`, else `errorCode` | `error_message` |
//! | `sourceIPAddress`, `userAgent`, `requestID` | `ip_address`, `user_agent`, `request_id` |
//! | `sharedEventID` | `correlation_id`: both sides of an access across accounts have it |
//! | first of `resources` with an `ARN` | `resource_type`, `resource_id` |
//! | else what `requestParameters` names | likewise: a bucket, instance, role, user, function, key, table or secret |
//! | `awsRegion`, `eventSource`, `eventType`, `eventCategory`, `recipientAccountId`, `errorCode`, `readOnly` | `meta`: `aws_region`, `event_source`, `aws_event_type`, `event_category`, `aws_account`, `error_code`, `read_only` |
//! | `userIdentity`, `requestParameters`, `responseElements`, `additionalEventData`, `serviceEventDetails`, `resources` | `event_payload`, in snake case |

use std::borrow::Cow;

use model::audit::Recorded;
use model::json::{self, Json};
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::draft::{Draft, Rejected, id_of_text, to_text};

/// The members of `requestParameters` that name the one thing a request is about, the more telling ones first.
const NAMED_IN_REQUEST: [(&str, &str); 9] = [
    ("bucketName", "AWS::S3::Bucket"),
    ("instanceId", "AWS::EC2::Instance"),
    ("functionName", "AWS::Lambda::Function"),
    ("tableName", "AWS::DynamoDB::Table"),
    ("secretId", "AWS::SecretsManager::Secret"),
    ("keyId", "AWS::KMS::Key"),
    ("roleArn", "AWS::IAM::Role"),
    ("roleName", "AWS::IAM::Role"),
    ("userName", "AWS::IAM::User"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    event_time: Option<Timestamp>,
    #[serde(rename = "@timestamp")]
    timestamp: Option<Timestamp>,
    event_source: Option<String>,
    event_name: String,
    event_type: Option<String>,
    event_category: Option<String>,
    aws_region: Option<String>,
    recipient_account_id: Option<String>,
    read_only: Option<bool>,
    error_code: Option<String>,
    error_message: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Option<String>,
    user_agent: Option<String>,
    #[serde(rename = "requestID")]
    request_id: Option<String>,
    #[serde(rename = "sharedEventID")]
    shared_event_id: Option<String>,
    #[serde(default)]
    user_identity: Value,
    #[serde(default)]
    resources: Value,
    #[serde(default)]
    request_parameters: Value,
    #[serde(default)]
    response_elements: Value,
    #[serde(default)]
    additional_event_data: Value,
    #[serde(default)]
    service_event_details: Value,
}

/// Maps one record.
pub(super) fn map(text: &str) -> Result<Draft<'static>, Rejected> {
    let record: Record = json::read_part(text.as_bytes())?;
    let time = record.event_time.or(record.timestamp).ok_or_else(|| Rejected::missing("eventTime"))?;
    let id = record.event_id.clone().filter(|id| !id.is_empty());
    let data = to_text(&record.recorded())?;
    Ok(Draft { id: id.unwrap_or_else(|| id_of_text("aws-cloudtrail", text)), time: Some(time), data: Cow::Owned(data) })
}

impl Record {
    fn recorded(self) -> Recorded {
        let identity = |path: &str| text_at(&self.user_identity, path);
        let (resource_type, resource_id) = self.resource().unzip();
        Recorded {
            event_type: Some(self.qualified_name()),
            status: Some(self.status().to_owned()),
            actor_type: identity("/type"),
            actor_id: ["/arn", "/principalId", "/invokedBy", "/userName", "/accountId", "/type"]
                .into_iter()
                .find_map(identity),
            actor_name: ["/userName", "/sessionContext/sessionIssuer/userName", "/invokedBy"]
                .into_iter()
                .find_map(identity),
            resource_type,
            resource_id,
            meta: Some(self.meta().into()),
            event_payload: Some(self.payload()),
            error_message: self.error_message.or(self.error_code),
            ip_address: self.source_ip_address,
            user_agent: self.user_agent,
            request_id: self.request_id,
            correlation_id: self.shared_event_id,
            ..Recorded::default()
        }
    }

    fn qualified_name(&self) -> String {
        let source = self.event_source.as_deref().filter(|source| !source.is_empty());
        let service = source.map(|source| source.strip_suffix(".amazonaws.com").unwrap_or(source));
        service.map_or_else(|| self.event_name.clone(), |service| format!("{service}.{}", self.event_name))
    }

    fn status(&self) -> &'static str {
        let Some(code) = self.error_code.as_deref() else {
            let failed_sign_in = text_at(&self.response_elements, "/ConsoleLogin").as_deref() == Some("Failure");
            return if failed_sign_in { "failure" } else { "success" };
        };
        // EC2 writes `Client.UnauthorizedOperation`.
        let kind = code.rsplit('.').next().unwrap_or(code);
        let is_denied = kind.starts_with("AccessDenied") || kind.starts_with("Unauthorized");
        if is_denied { "denied" } else { "failure" }
    }

    fn resource(&self) -> Option<(String, String)> {
        let listed = self.resources.as_array().map(Vec::as_slice).unwrap_or_default();
        let with_arn =
            listed.iter().find_map(|resource| Some((text_at(resource, "/type")?, text_at(resource, "/ARN")?)));
        let named = || {
            let name_of = |member: &str| text_at(&self.request_parameters, &format!("/{member}"));
            NAMED_IN_REQUEST.into_iter().find_map(|(member, kind)| Some((kind.to_owned(), name_of(member)?)))
        };
        with_arn.or_else(named).or_else(|| self.only_instance())
    }

    /// EC2 names instances in a list; it is clear what a request is about when there is one in it.
    fn only_instance(&self) -> Option<(String, String)> {
        let instances = self.request_parameters.pointer("/instancesSet/items")?.as_array()?;
        let [instance] = instances.as_slice() else { return None };
        Some(("AWS::EC2::Instance".to_owned(), text_at(instance, "/instanceId")?))
    }

    fn meta(&self) -> Map<String, Value> {
        let texts = [
            ("aws_region", &self.aws_region),
            ("event_source", &self.event_source),
            ("aws_event_type", &self.event_type),
            ("event_category", &self.event_category),
            ("aws_account", &self.recipient_account_id),
            ("error_code", &self.error_code),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?))));
        let read_only = self.read_only.map(|is_so| ("read_only".to_owned(), Value::from(is_so)));
        texts.chain(read_only).collect()
    }

    fn payload(&self) -> Json {
        let parts = [
            ("user_identity", &self.user_identity),
            ("request_parameters", &self.request_parameters),
            ("response_elements", &self.response_elements),
            ("additional_event_data", &self.additional_event_data),
            ("service_event_details", &self.service_event_details),
            ("resources", &self.resources),
        ];
        let given = parts.into_iter().filter(|(_, part)| !part.is_null());
        let object: Map<String, Value> = given.map(|(name, part)| (name.to_owned(), part.clone())).collect();
        Json::from(&Value::Object(object))
    }
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;

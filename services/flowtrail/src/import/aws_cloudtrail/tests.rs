use model::audit::Fields;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::super::skipped::Skipped;
use super::*;

/// A record of the given members over those that every record has.
fn record(members: &Value) -> String {
    let mut record = json!({
        "eventID": "e1", "eventTime": "2020-09-14T00:44:23Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
        "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli", "requestID": "r1", "awsRegion": "us-east-1",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/pedro", "principalId": "AID", "userName": "pedro"},
        "requestParameters": {"bucketName": "b"}, "responseElements": null,
    });
    let object = record.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    record.to_string()
}

fn draft_of(text: &str) -> Draft<'static> {
    map(text).unwrap().event()
}

fn mapped(members: &Value) -> Fields {
    serde_json::from_str(&draft_of(&record(members)).data).unwrap()
}

#[test]
fn a_call_is_an_audit_event_of_its_service() {
    let draft = draft_of(&record(&json!({})));
    assert_eq!((draft.id.as_str(), draft.time), ("e1", Timestamp::parse("2020-09-14T00:44:23Z").ok()));
    let data = mapped(&json!({}));
    assert_eq!(data.event_type.as_deref(), Some("s3.GetObject"));
    assert_eq!(data.actor_id.as_deref(), Some("arn:aws:iam::1:user/pedro"));
    assert_eq!((data.actor_name.as_deref(), data.actor_type.as_deref()), (Some("pedro"), Some("IAMUser")));
    assert_eq!((data.ip_address.as_deref(), data.user_agent.as_deref()), (Some("192.0.2.1"), Some("aws-cli")));
    assert_eq!((data.request_id.as_deref(), data.status.as_deref()), (Some("r1"), Some("success")));
    let meta = data.meta.unwrap().to_value();
    assert_eq!(meta, json!({"aws_region": "us-east-1", "event_source": "s3.amazonaws.com"}));
    let payload = data.event_payload.unwrap().to_value();
    assert_eq!(payload["request_parameters"], json!({"bucketName": "b"}));
    assert_eq!(payload.get("response_elements"), None);
}

#[test]
fn the_time_may_stand_where_logstash_puts_it() {
    let draft = draft_of(&record(&json!({ "eventTime": null, "@timestamp": "2020-09-14T00:44:23.000Z" })));
    assert_eq!(draft.time, Timestamp::parse("2020-09-14T00:44:23Z").ok());
    assert_eq!(map(&record(&json!({ "eventTime": null }))).unwrap_err().to_string(), "eventTime: is missing");
}

#[test]
fn a_role_acts_under_the_name_of_its_issuer() {
    let identity = json!({ "type": "AssumedRole", "principalId": "AROA:i-1", "sessionContext": {"sessionIssuer": {"userName": "Role"}} });
    let data = mapped(&json!({ "userIdentity": identity }));
    assert_eq!((data.actor_id.as_deref(), data.actor_name.as_deref()), (Some("AROA:i-1"), Some("Role")));
}

#[test]
fn a_service_acts_under_its_own_name() {
    let data = mapped(&json!({ "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"} }));
    assert_eq!(data.actor_id.as_deref(), Some("ec2.amazonaws.com"));
    assert_eq!(data.actor_name.as_deref(), Some("ec2.amazonaws.com"));
}

#[test]
fn an_error_code_tells_denied_from_failed() {
    let status = |code: &str| mapped(&json!({ "errorCode": code, "errorMessage": "no" })).status.unwrap();
    for code in ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedAccess"] {
        assert_eq!(status(code), "denied", "{code}");
    }
    assert_eq!(status("NoSuchBucket"), "failure");
    let data = mapped(&json!({ "errorCode": "NoSuchBucket" }));
    assert_eq!(data.error_message.as_deref(), Some("NoSuchBucket"));
    assert_eq!(data.meta.unwrap().to_value()["error_code"], "NoSuchBucket");
}

#[test]
fn a_failed_sign_in_has_no_error_code() {
    let members = json!({ "eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication" });
    let data = mapped(&members);
    assert_eq!(data.status.as_deref(), Some("failure"));
    assert_eq!(data.error_message.as_deref(), Some("Failed authentication"));
}

#[test]
fn the_resource_is_the_first_with_an_arn_or_what_the_request_names() {
    let resource = |members: Value| {
        let data = mapped(&members);
        data.resource_type.zip(data.resource_id)
    };
    let pair = |kind: &str, id: &str| Some((kind.to_owned(), id.to_owned()));
    let listed = json!([{"ARNPrefix": "arn:aws:s3:::b/", "type": "AWS::S3::Object"}, {"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}]);
    assert_eq!(resource(json!({ "resources": listed })), pair("AWS::S3::Bucket", "arn:aws:s3:::b"));
    assert_eq!(resource(json!({})), pair("AWS::S3::Bucket", "b"));
    let instances = |items: Value| json!({ "eventSource": "ec2.amazonaws.com", "requestParameters": {"instancesSet": {"items": items}} });
    assert_eq!(resource(instances(json!([{"instanceId": "i-1"}]))), pair("AWS::EC2::Instance", "i-1"));
    assert_eq!(resource(instances(json!([{"instanceId": "i-1"}, {"instanceId": "i-2"}]))), None);
    assert_eq!(resource(json!({ "requestParameters": null })), None);
    let glue = mapped(
        &json!({ "eventSource": "glue.amazonaws.com", "requestParameters": {"databaseName": "d", "tableName": "t"} }),
    );
    assert_eq!((glue.resource_type.as_deref(), glue.resource_id.as_deref()), (Some("AWS::Glue::Table"), Some("t")));
    let connect = mapped(&json!({ "eventSource": "connect.amazonaws.com", "requestParameters": {"instanceId": "c"} }));
    assert_eq!(
        (connect.resource_type.as_deref(), connect.resource_id.as_deref()),
        (Some("AWS::Connect::Instance"), Some("c"))
    );
    // Which kind of instance a service has that is not known is not guessed.
    let other = mapped(&json!({ "eventSource": "sms-voice.amazonaws.com", "requestParameters": {"instanceId": "i"} }));
    assert_eq!((other.resource_type.as_deref(), other.resource_id.as_deref()), (None, Some("i")));
    // The role that a request passes on is not what it is about.
    let passing = mapped(&json!({ "eventSource": "eks.amazonaws.com", "requestParameters": {"roleArn": "r"} }));
    assert_eq!((passing.resource_type, passing.resource_id), (None, None));
}

#[test]
fn what_is_no_record_is_rejected() {
    assert_eq!(map(r#"{"awsRegion":"x"}"#).unwrap_err().to_string(), "eventName: is missing");
    assert_eq!(map(r#"{"detail":{"state":"x"}}"#).unwrap_err().to_string(), "eventName: is missing");
    assert!(map("hello").unwrap_err().to_string().starts_with("not JSON"));
    assert!(map(&record(&json!({ "eventTime": "x" }))).unwrap_err().to_string().starts_with("eventTime: "));
}

#[test]
fn a_record_without_id_has_the_id_of_its_text() {
    let id = |members: Value| draft_of(&record(&members)).id;
    assert_eq!(id(json!({ "eventID": null })), id(json!({ "eventID": null })));
    assert_ne!(id(json!({ "eventID": null })), id(json!({ "eventID": null, "requestID": "r2" })));
}

#[test]
fn a_sign_in_step_that_failed_is_no_success() {
    let status = |members: Value| mapped(&members).status.unwrap();
    let step = |name: &str, member: &str, outcome: &str| json!({ "eventName": name, "eventSource": "signin.amazonaws.com", member: {name: outcome} });
    for (name, member) in [
        ("ConsoleLogin", "responseElements"),
        ("SwitchRole", "responseElements"),
        ("CheckMfa", "responseElements"),
        ("CredentialVerification", "serviceEventDetails"),
        ("UserAuthentication", "serviceEventDetails"),
    ] {
        assert_eq!(status(step(name, member, "Failure")), "failure", "{name}");
        assert_eq!(status(step(name, member, "Success")), "success", "{name}");
    }
    assert_eq!(status(json!({ "errorMessage": "Failed authentication" })), "failure");
}

#[test]
fn an_empty_error_is_none_and_what_an_endpoint_refused_is_denied() {
    let data = mapped(&json!({ "errorCode": "", "errorMessage": "" }));
    assert_eq!((data.status.as_deref(), data.error_message), (Some("success"), None));
    assert!(data.meta.unwrap().to_value().get("error_code").is_none());
    for code in ["VpceAccessDenied", "AccessDeniedForDependencyException", "AuthorizationErrorException"] {
        assert_eq!(mapped(&json!({ "errorCode": code })).status.as_deref(), Some("denied"), "{code}");
    }
}

#[test]
fn people_of_identity_center_are_told_apart() {
    let person = |id: &str| json!({ "userIdentity": {"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": id, "identityStoreArn": "arn:x"}} });
    assert_eq!(mapped(&person("p-1")).actor_id.as_deref(), Some("p-1"));
    assert_eq!(mapped(&person("p-2")).actor_id.as_deref(), Some("p-2"));
    let signing_in = json!({ "userIdentity": {"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": "p"}}, "additionalEventData": {"UserName": "ann"} });
    assert_eq!(mapped(&signing_in).actor_name.as_deref(), Some("ann"));
}

#[test]
fn a_record_is_the_same_event_by_every_way_it_may_have_come() {
    let record = record(&json!({}));
    let expected = draft_of(&record);
    let parsed: Value = serde_json::from_str(&record).unwrap();
    let bridge = json!({ "version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "resources": [], "detail": parsed });
    let ways = [
        bridge.to_string(),
        json!({ "EventId": "e1", "EventName": "GetObject", "ReadOnly": "false", "Resources": [], "CloudTrailEvent": record }).to_string(),
        json!({ "id": "1", "timestamp": 1, "message": record }).to_string(),
        json!({ "message": parsed }).to_string(),
        json!({ "message": bridge.to_string() }).to_string(),
        format!("2024-01-31T12:00:00.000Z {record}"),
        format!("2024-01-31T12:00:00+00:00 1_CloudTrail_us-east-1 {record}"),
    ];
    for way in ways {
        let draft = draft_of(&way);
        assert_eq!((&draft.id, draft.time), (&expected.id, expected.time), "{way}");
        let (data, wanted): (Fields, Fields) =
            (serde_json::from_str(&draft.data).unwrap(), serde_json::from_str(&expected.data).unwrap());
        assert_eq!(data, wanted, "{way}");
    }
    let check = r#"{"id":"1","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination"}"#;
    assert_eq!(map(check).unwrap().skipped(), Skipped::HealthCheck);
}

#[test]
fn digests_are_skipped_and_insights_are_events_of_nobody() {
    let digest = r#"{"awsAccountId":"1","digestStartTime":"2024-05-01T09:00:00Z","logFiles":[{"s3Bucket":"b"}]}"#;
    assert_eq!(map(digest).unwrap().skipped(), Skipped::Digest);
    let insight = |state: &str| {
        json!({
            "eventVersion": "1.09", "eventTime": "2024-05-01T10:00:00Z", "awsRegion": "eu-central-1", "eventID": "e-3",
            "eventType": "AwsCloudTrailInsight", "sharedEventID": "s", "eventCategory": "Insight",
            "insightDetails": {"state": state, "eventSource": "ssm.amazonaws.com", "eventName": "UpdateInstanceInformation",
                "insightType": "ApiErrorRateInsight", "errorCode": "Throttling"},
        })
    };
    let draft = draft_of(&insight("Start").to_string());
    assert_eq!((draft.id.as_str(), draft.time), ("e-3", Timestamp::parse("2024-05-01T10:00:00Z").ok()));
    let data: Fields = serde_json::from_str(&draft.data).unwrap();
    assert_eq!(data.event_type.as_deref(), Some("cloudtrail.ApiErrorRateInsight"));
    assert_eq!((data.status.as_deref(), data.correlation_id.as_deref()), (Some("started"), Some("s")));
    assert_eq!((data.actor_id, data.error_message), (None, None));
    let meta = data.meta.unwrap().to_value();
    for (name, value) in [
        ("event_name", "UpdateInstanceInformation"),
        ("event_source", "ssm.amazonaws.com"),
        ("insight_state", "Start"),
        ("error_code", "Throttling"),
    ] {
        assert_eq!(meta[name], value, "{name}");
    }
    let ended: Fields = serde_json::from_str(&draft_of(&insight("End").to_string()).data).unwrap();
    assert_eq!(ended.status.as_deref(), Some("success"));
}

#[test]
fn the_payload_stays_the_text_that_it_is() {
    let text = record(&json!({}))
        .replace(r#"{"bucketName":"b"}"#, r#"{"bucketName":"b","size":18446744073709551616,"share":1.10}"#);
    let data = draft_of(&text).data;
    assert!(
        data.contains(r#""request_parameters":{"bucketName":"b","size":18446744073709551616,"share":1.10}"#),
        "{data}"
    );
}

#[test]
fn an_address_of_ipv6_is_written_in_one_form() {
    let data = mapped(&json!({ "sourceIPAddress": "2001:0DB8:0:0::5" }));
    assert_eq!(data.ip_address.as_deref(), Some("2001:db8::5"));
}

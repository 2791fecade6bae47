use serde_json::json;

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

fn mapped(members: &Value) -> Recorded {
    serde_json::from_str(&map(&record(members)).unwrap().data).unwrap()
}

#[test]
fn a_call_is_an_audit_event_of_its_service() {
    let draft = map(&record(&json!({}))).unwrap();
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
    let draft = map(&record(&json!({ "eventTime": null, "@timestamp": "2020-09-14T00:44:23.000Z" }))).unwrap();
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
    let instances = |items: Value| json!({ "requestParameters": {"instancesSet": {"items": items}} });
    assert_eq!(resource(instances(json!([{"instanceId": "i-1"}]))), pair("AWS::EC2::Instance", "i-1"));
    assert_eq!(resource(instances(json!([{"instanceId": "i-1"}, {"instanceId": "i-2"}]))), None);
    assert_eq!(resource(json!({ "requestParameters": null })), None);
}

#[test]
fn what_is_no_record_is_rejected() {
    assert!(map(r#"{"digestStartTime":"x"}"#).unwrap_err().to_string().contains("eventName: is missing"));
    assert!(map(&record(&json!({ "eventTime": "x" }))).unwrap_err().to_string().starts_with("eventTime: "));
}

#[test]
fn a_record_without_id_has_the_id_of_its_text() {
    let id = |members: Value| map(&record(&members)).unwrap().id;
    assert_eq!(id(json!({ "eventID": null })), id(json!({ "eventID": null })));
    assert_ne!(id(json!({ "eventID": null })), id(json!({ "eventID": null, "requestID": "r2" })));
}

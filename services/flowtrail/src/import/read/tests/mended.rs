//! Records that no strict reader takes: they come in as the same events would over HTTP.

use super::*;

/// Half a surrogate pair, as JSON writes it.
const HALF: &str = r"\ud83d";
const TIME: &str = "2024-01-31T12:00:00Z";

/// The only event of a record.
fn only_event(format: Format, record: &str) -> Event {
    let mut imported = imported(format, record.as_bytes());
    assert_eq!((imported.counts.records, imported.counts.rejected), (1, 0), "{record}: {:?}", imported.rejects);
    imported.events.remove(0)
}

fn only_audit(format: Format, record: &str) -> audit::Event {
    match only_event(format, record) {
        Event::Audit(event) => event,
        other => panic!("{other:?}"),
    }
}

fn only_report(format: Format, record: &str) -> traffic::Report {
    match only_event(format, record) {
        Event::Traffic(report) => report,
        other => panic!("{other:?}"),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A record of CloudTrail, in which a caller and a tool of theirs have told half a pair.
fn cloudtrail() -> String {
    format!(
        r#"{{"eventTime":"{TIME}","eventSource":"s3.amazonaws.com","eventName":"PutObject","eventID":"e-1",
        "userAgent":"tool {HALF}","userIdentity":{{"arn":"arn:{HALF}","{HALF}":1}},
        "requestParameters":{{"bucketName":"b {HALF}","n":1e400,"kept":1.10}}}}"#
    )
    .replace('\n', " ")
}

#[test]
fn half_a_surrogate_pair_keeps_no_record_of_cloudtrail_out() {
    let record = cloudtrail();
    let covers = [
        record.clone(),
        format!(r#"{{"Records":[{record}]}}"#),
        // Text in text: its escapes are seen only when its cover is off.
        format!(r#"{{"Events":[{{"EventId":"e-1","Username":"{HALF}","CloudTrailEvent":{}}}]}}"#, quoted(&record)),
        format!(r#"{{"message":{},"source":"{HALF}"}}"#, quoted(&record)),
        format!(r#"{{"detail-type":"AWS API Call via CloudTrail {HALF}","detail":{record}}}"#),
        format!("{TIME} stream {record}"),
    ];
    for text in covers {
        let event = only_audit(Format::AwsCloudtrail, &text);
        let given = &event.given;
        assert_eq!((event.id.as_str(), given.user_agent.as_deref()), ("e-1", Some("tool \u{fffd}")), "{text}");
        let (actor, resource) = (given.actor_id.as_deref(), given.resource_id.as_deref());
        assert_eq!((actor, resource), (Some("arn:\u{fffd}"), Some("b \u{fffd}")), "{text}");
        let payload = given.event_payload.as_ref().unwrap().as_str();
        let parameters = "\"request_parameters\":{\"bucketName\":\"b \u{fffd}\",\"kept\":1.10,\"n\":\"1e400\"}";
        assert!(payload.contains(parameters), "{payload}");
    }
}

#[test]
fn half_a_surrogate_pair_keeps_no_audit_event_out() {
    let own =
        format!(r#"{{"id":"1","time":"{TIME}","event_type":"a","actor_id":"x {HALF}","{HALF}":1,"latency_ms":1e400}}"#);
    let listed = format!(
        r#"{{"id":"1","timestamp":"{TIME}","activity_code":"a","initiator_id":"x {HALF}","meta":{{"{HALF}":"1"}}}}"#
    );
    let streamed = format!(
        r#"{{"id":"1","timestamp":"{TIME}","message":"Door {HALF} opened","initiator_id":"x {HALF}","target_id":"y {HALF}","meta":{{"{HALF}":1}}}}"#
    );
    let posted = format!(
        r#"{{"ID":"1","Timestamp":"{TIME}","Message":"Door {HALF} opened","InitiatorID":"x {HALF}","TargetID":"y {HALF}","Meta":{{"{HALF}":1}}}}"#
    );
    let archived = format!(
        r#"{{"id":"1","timestamp":"{TIME}","message":"Door {HALF} opened","kind":"audit","event_type":"a","position":"S:3","index":0,"initiator_id":"x {HALF}","event":{{"actor_id":"x {HALF}","{HALF}":1}}}}"#
    );
    for text in [&own, &listed, &streamed, &posted, &archived] {
        let event = only_audit(Format::Audit, text);
        assert_eq!((event.id.as_str(), event.given.actor_id.as_deref()), ("1", Some("x \u{fffd}")), "{text}");
        assert!(event.given.meta.as_ref().unwrap().as_str().contains("\"\u{fffd}\":"), "{event:?}");
    }
    assert!(only_audit(Format::Audit, &own).given.meta.unwrap().as_str().contains(r#""latency_ms":"1e400""#));
    for text in [&streamed, &posted] {
        let event = only_audit(Format::Audit, text);
        assert_eq!(
            (event.activity(), event.given.resource_id.as_deref()),
            ("Door \u{fffd} opened", Some("y \u{fffd}"))
        );
    }
    assert_eq!(only_audit(Format::Audit, &archived).activity(), "Door \u{fffd} opened");
    let row = format!(
        r#"{{"timestamp":1706702400,"user_name":"x {HALF}","operation":"ADD","entity_id":"y {HALF}","value":"{HALF}","{HALF}":1e400}}"#
    );
    let event = only_audit(Format::Audit, &row);
    assert_eq!((event.user_name(), event.value()), ("x \u{fffd}", "\u{fffd}"));
    assert_eq!(event.given.resource_id.as_deref(), Some("y \u{fffd}"));
}

#[test]
fn half_a_surrogate_pair_keeps_no_report_out() {
    let own = format!(
        r#"{{"id":"1","time":"{TIME}","flow_id":"f {HALF}","reporter_id":"r {HALF}","type":"TYPE_DROP","source":{{"address":"h{HALF}:1"}},"{HALF}":1e400}}"#
    );
    let streamed = format!(
        r#"{{"id":"1","timestamp":"{TIME}","message":"TYPE_DROP","meta":{{"flow_id":"f {HALF}","reporter_id":"r {HALF}","source_addr":"h{HALF}:1","{HALF}":1}}}}"#
    );
    let archived = format!(
        r#"{{"id":"1","timestamp":"{TIME}","message":"TYPE_DROP","kind":"traffic","position":"S:3","index":0,"meta":{{"reporter_id":"r {HALF}","{HALF}":1}},"event":{{"flow_id":"f {HALF}","type":"TYPE_DROP","source":{{"address":"h{HALF}:1"}}}}}}"#
    );
    for text in [own, streamed, archived] {
        let report = only_report(Format::Traffic, &text);
        let data = &report.data;
        assert_eq!((report.id.as_str(), data.flow_id.as_deref()), ("1", Some("f \u{fffd}")), "{text}");
        let (reporter, address) = (data.reporter_id.as_deref(), data.source.address.as_deref());
        assert_eq!((reporter, address), (Some("r \u{fffd}"), Some("h\u{fffd}:1")), "{text}");
    }
    let zeek = format!(
        r#"{{"ts":1706702400.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,"proto":"tcp","conn_state":"SF","_system_name":"r {HALF}","{HALF}":1e400}}"#
    );
    assert_eq!(only_report(Format::ZeekConn, &zeek).data.reporter_id.as_deref(), Some("r \u{fffd}"));
    let flow = format!(
        r#"{{"message":"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT OK","{HALF}":"{HALF}"}}"#
    );
    assert_eq!(only_report(Format::AwsVpcFlow, &flow).data.reporter_id.as_deref(), Some("eni-1"));
}

#[test]
fn an_id_with_half_a_surrogate_pair_is_refused() {
    let records = [
        (Format::AwsCloudtrail, cloudtrail().replace("e-1", HALF)),
        (Format::AwsCloudtrail, format!(r#"{{"message":{}}}"#, quoted(&cloudtrail().replace("e-1", HALF)))),
        (Format::Audit, format!(r#"{{"id":"{HALF}","time":"{TIME}","event_type":"a"}}"#)),
        (Format::Traffic, format!(r#"{{"id":"{HALF}","time":"{TIME}","reporter_id":"r"}}"#)),
    ];
    for (format, text) in records {
        let imported = imported(format, text.as_bytes());
        assert_eq!((imported.counts.rejected, imported.events.len()), (1, 0), "{text}");
        let reason = "1: id: must be a text without half of a surrogate pair";
        assert!(imported.rejects[0].ends_with(reason), "{:?}", imported.rejects);
    }
}

#[test]
fn a_whole_pair_and_a_backslash_are_no_halves() {
    let text = format!(
        r#"{{"id":"\ud83d\ude00","time":"{TIME}","event_type":"a","actor_id":"\\ud83d","value":"\uD83D\uDE00"}}"#
    );
    let event = only_audit(Format::Audit, &text);
    assert_eq!((event.id.as_str(), event.given.actor_id.as_deref(), event.value()), ("😀", Some(r"\ud83d"), "😀"));
}

use bus::Message;
use model::event::Event;
use model::log::{LogPosition, Stream};
use serde_json::{Value, json};

use super::*;
use crate::read;

const RECEIVED_AT: i64 = 1_704_067_200_000_000;

fn message(headers: &[(&str, &str)], payload: impl Into<Bytes>) -> Message {
    Message {
        position: LogPosition { stream: Stream::Audit, sequence: 7 },
        subject: "flowtrail.v1.audit.main.billing".to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        payload: payload.into(),
        received_at: RECEIVED_AT,
        pending: 0,
    }
}

/// The audit event that is read when the message comes again, days later.
fn read_again(outgoing: &Outgoing) -> model::audit::Event {
    let later = Message {
        position: LogPosition { stream: Stream::Audit, sequence: 99 },
        subject: outgoing.subject.to_string(),
        headers: outgoing.headers.clone(),
        payload: outgoing.payload.clone(),
        received_at: RECEIVED_AT + 86_400_000_000,
        pending: 0,
    };
    let mut entry = read::read(&later);
    assert_eq!(entry.decoded.len(), 1);
    match entry.decoded.remove(0).event {
        Ok(Event::Audit(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn structured(id: &str, time: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/b", "type": "flowtrail.audit.recorded.v1", "time": time,
        "data": { "event_type": "a.b", "meta": { "n": 1 } },
    })
}

#[test]
fn an_event_comes_again_as_what_it_was_when_the_log_received_it() {
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "e1"),
        ("ce-source", "/b"),
        ("ce-type", "flowtrail.audit.recorded.v1"),
        ("Content-Type", "application/json"),
        ("Nats-Msg-Id", "main:e1"),
        ("Nats-Batch-Id", "x"),
    ];
    let none = structured("e1", &Value::Null).to_string();
    let batch = json!([structured("e0", &Value::Null), structured("e1", &Value::Null)]).to_string();
    let lone = none.replace("\"n\":1", "\"n\":\"\\ud83d\"");
    for (message, index) in [
        (message(&[("Content-Type", STRUCTURED)], none.clone()), 0),
        (message(&[], format!("{none}\n")), 0),
        (message(&[("Content-Type", envelope::BATCH)], batch), 1),
        (message(&binary, r#"{"event_type":"a.b"}"#), 0),
        (message(&[("Content-Type", STRUCTURED)], lone), 0),
    ] {
        let Again { account, event, outgoing } = again(&message, index).unwrap();
        let Event::Audit(event) = event else { panic!("{event:?}") };
        assert_eq!((account.as_str(), event.id.as_str(), event.time.micros()), ("main", "e1", RECEIVED_AT));
        let later = read_again(&outgoing);
        assert_eq!(later.time.micros(), RECEIVED_AT);
        assert!(event.says_the_same_as(&later), "{event:?} {later:?}");
        assert_eq!(outgoing.message_id.as_deref(), Some(&*format!("main:redriven:FLOWTRAIL_AUDIT:7:{index}")));
        assert!(!outgoing.headers.iter().any(|(name, _)| name.starts_with("Nats-")), "{:?}", outgoing.headers);
    }
}

#[test]
fn the_time_that_its_publisher_gave_stays() {
    let event = structured("e1", &json!("2020-02-02T02:02:02Z"));
    let Again { outgoing, .. } = again(&message(&[], event.to_string()), 0).unwrap();
    assert_eq!(outgoing.payload, event.to_string());
    assert_eq!(read_again(&outgoing).time.to_string(), "2020-02-02T02:02:02Z");
}

#[test]
fn what_still_cannot_be_read_says_why() {
    let bad = |payload: &str, index| again(&message(&[], payload.to_owned()), index).unwrap_err().to_string();
    assert!(bad("{}", 0).starts_with("no cloudevent: "));
    let event = structured("e1", &Value::Null).to_string();
    assert_eq!(bad(&event, 1), "data.the message has no event at this place");
    let foreign = Message { subject: "flowtrail.v1.audit.m%n.x".to_owned(), ..message(&[], event) };
    assert!(again(&foreign, 0).is_err());
}

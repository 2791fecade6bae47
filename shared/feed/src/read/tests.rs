use model::log::Stream;
use serde_json::json;

use super::*;

fn message(subject: &str, payload: &str) -> Message {
    Message {
        position: LogPosition { stream: Stream::Audit, sequence: 7 },
        subject: subject.to_owned(),
        headers: vec![("content-type".to_owned(), envelope::BATCH.to_owned())],
        payload: payload.to_owned().into(),
        received_at: 5,
        pending: 0,
    }
}

fn event(id: &str) -> serde_json::Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": model::audit::RECORDED,
        "data": { "event_type": "a.b" },
    })
}

#[test]
fn a_bad_event_of_a_batch_spoils_only_itself() {
    let batch = json!([event("e1"), { "id": 1 }, event("e2")]).to_string();
    let message = message("flowtrail.v1.audit.main.test", &batch);
    let entry = read(&message);
    assert_eq!((entry.position.sequence, entry.received_at.micros()), (7, 5));
    let is_event: Vec<bool> = entry.decoded.iter().map(|decoded| decoded.event.is_ok()).collect();
    assert_eq!(is_event, [true, false, true]);
    let subject = Subject::parse(&message.subject).unwrap();
    assert_eq!(events_in(&subject, &message).len(), 2);
}

#[test]
fn a_message_on_a_foreign_subject_is_filed_under_the_escaped_account() {
    let entry = read(&message("flowtrail.v1.audit.no good.test", "[]"));
    assert_eq!(entry.account, AccountId::escaped("no good"));
    let Err(Unreadable::Rule(reason)) = &entry.decoded[0].event else { panic!("{entry:?}") };
    assert!(reason.starts_with("subject: "), "{reason}");
}

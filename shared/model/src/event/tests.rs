use super::*;
use crate::envelope::{BATCH, STRUCTURED};

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn received() -> Timestamp {
    Timestamp::parse("2024-05-05T00:00:00Z").unwrap()
}

fn event(kind: &str, data: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"e1","source":"/s","type":"{kind}","data":{data}}}"#)
}

fn decoded(subject: &Subject, payload: &str) -> Result<Event, Unreadable> {
    let message = Message { headers: &[("content-type", STRUCTURED)], payload: payload.as_bytes() };
    decode(subject, message, received()).remove(0).event
}

#[test]
fn the_reason_says_what_to_mend() {
    let subject = Subject::audit(&main(), "s");
    let reason = |payload: &str| decoded(&subject, payload).unwrap_err().to_string();
    assert_eq!(reason(&event(audit::RECORDED, "{}")), "data.event_type: is missing (or activity_code, its other name)");
    let wrong_field = event(audit::RECORDED, r#"{"event_type":"a","user_id":"x"}"#);
    assert!(reason(&wrong_field).starts_with("data.user_id: invalid type"), "{}", reason(&wrong_field));
    assert!(reason(&event("other.v1", "{}")).starts_with("type: \"other.v1\" is not known on this subject"));
    let foreign = event(audit::RECORDED, r#"{"event_type":"a","account_id":"evil"}"#);
    assert_eq!(reason(&foreign), "account: the event names \"evil\", its subject another one");
}

#[test]
fn every_event_of_a_batch_has_its_own_outcome() {
    let text = format!("[{},{}]", event(audit::RECORDED, r#"{"event_type":"a"}"#), event(audit::RECORDED, "7"));
    let message = Message { headers: &[("content-type", BATCH)], payload: text.as_bytes() };
    let outcomes = decode(&Subject::audit(&main(), "s"), message, received());
    assert_eq!(
        outcomes.iter().map(|outcome| (outcome.index, outcome.event.is_ok())).collect::<Vec<_>>(),
        [(0, true), (1, false)]
    );
    assert_eq!(outcomes[1].id.as_deref(), Some("e1"));
}

#[test]
fn a_directory_entry_must_stand_under_its_own_subject() {
    let kind = directory::Kind::Peer.event_type();
    let subject = Subject::directory(&main(), "peer", "p|1");
    assert!(decoded(&subject, &event(kind, r#"{"id":"p|1","name":"laptop"}"#)).is_ok());
    assert!(decoded(&subject, &event(kind, r#"{"id":"p2"}"#)).is_err());
    assert!(decoded(&subject, &event(directory::Kind::User.event_type(), "{}")).is_err());
}

#[test]
fn an_access_event_must_be_of_the_kind_of_its_subject() {
    let data = r#"{"name":"Main","by":{"id":"sys"}}"#;
    let on = |kind| decoded(&Subject::access(&main(), kind, "main"), &event(access::ACCOUNT_CREATED, data));
    assert!(on("account").is_ok());
    assert!(on("user").is_err());
}

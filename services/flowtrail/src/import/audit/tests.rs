use model::audit::Recorded;

use super::*;

const NETBIRD: &str = r#"{"id":"4","timestamp":"2023-05-05T10:04:37.473542Z","activity":"Route created",
"activity_code":"route.add","initiator_id":"google|1","initiator_name":"Ann","initiator_email":"ann@corp.example",
"target_id":"r1","meta":{"name":"net"}}"#;
const INSTAVM: &str = r#"{"id":"ev1","created_at":"2024-01-01T00:00:00.001000Z","user_id":7,"actor_type":"user",
"actor_id":"u7","source":"api","event_group":"vm","event_type":"vm.create","status":"success","resource_type":"vm",
"resource_id":"vm1","latency_ms":12.5,"http_status":200,"event_payload":{"a":[1]},"error_message":null}"#;

fn data(text: &str) -> Recorded {
    serde_json::from_str(&map(text).unwrap().data).unwrap()
}

#[test]
fn an_item_of_netbirds_list_is_read() {
    let draft = map(NETBIRD).unwrap();
    assert_eq!((draft.id.as_str(), draft.time), ("4", Timestamp::parse("2023-05-05T10:04:37.473542Z").ok()));
    let data = data(NETBIRD);
    assert_eq!(data.activity_code.as_deref(), Some("route.add"));
    assert_eq!((data.actor_id.as_deref(), data.actor_name.as_deref()), (Some("google|1"), Some("Ann")));
    assert_eq!((data.actor_email.as_deref(), data.resource_id.as_deref()), (Some("ann@corp.example"), Some("r1")));
}

#[test]
fn an_item_of_instavms_list_is_read() {
    let draft = map(INSTAVM).unwrap();
    assert_eq!((draft.id.as_str(), draft.time), ("ev1", Timestamp::parse("2024-01-01T00:00:00.001Z").ok()));
    let data = data(INSTAVM);
    assert_eq!((data.user_id, data.http_status), (Some(7), Some(200)));
    assert_eq!(data.latency_ms.unwrap().as_str(), "12.5");
    assert_eq!(data.event_payload.unwrap().as_str(), r#"{"a":[1]}"#);
}

#[test]
fn canonical_names_stand_above_netbirds() {
    let both = data(r#"{"event_type":"a","actor_id":"x","initiator_id":"y","resource_id":null,"target_id":"z"}"#);
    assert_eq!((both.actor_id.as_deref(), both.resource_id.as_deref()), (Some("x"), Some("z")));
    let empty = data(r#"{"event_type":"a","actor_name":"","initiator_name":"Ann"}"#);
    assert_eq!(empty.actor_name.as_deref(), Some("Ann"));
}

#[test]
fn a_number_is_an_id_too() {
    let id = |text: &str| map(text).map(|draft| draft.id).map_err(|error| error.to_string());
    assert_eq!(id(r#"{"id":17,"event_type":"a"}"#).as_deref(), Ok("17"));
    assert_eq!(id(r#"{"id":[],"event_type":"a"}"#).unwrap_err(), "id: must be a text or a number");
}

#[test]
fn an_item_without_id_has_the_id_of_its_text() {
    let id = |text: &str| map(text).unwrap().id;
    assert_eq!(id(r#"{"id":null,"event_type":"a"}"#), id(r#"{"id":null,"event_type":"a"}"#));
    assert_ne!(id(r#"{"event_type":"a"}"#), id(r#"{"event_type":"b"}"#));
}

#[test]
fn the_time_may_be_left_to_the_log_but_not_be_wrong() {
    assert_eq!(map(r#"{"event_type":"a"}"#).unwrap().time, None);
    let wrong = map(r#"{"event_type":"a","timestamp":1}"#).unwrap_err().to_string();
    assert!(wrong.starts_with("timestamp: must be an RFC 3339 time"), "{wrong}");
    let first = map(r#"{"timestamp":"2024-01-02T00:00:00Z","time":"2024-01-01T00:00:00Z"}"#).unwrap();
    assert_eq!(first.time, Timestamp::parse("2024-01-01T00:00:00Z").ok());
}

#[test]
fn values_stay_the_text_that_they_are() {
    let text = map(r#"{"event_type":"a","id":1,"x":1.10,"y":12345678901234567890123}"#).unwrap().data;
    assert_eq!(text, r#"{"event_type":"a","x":1.10,"y":12345678901234567890123}"#);
}

use model::audit::Fields;
use serde_json::{Value, json};

use super::super::skipped::Skipped;
use super::*;

const NETBIRD: &str = r#"{"id":"4","timestamp":"2023-05-05T10:04:37.473542Z","activity":"Route created",
"activity_code":"route.add","initiator_id":"google|1","initiator_name":"Ann","initiator_email":"ann@corp.example",
"target_id":"r1","meta":{"name":"net"}}"#;
const INSTAVM: &str = r#"{"id":"ev1","created_at":"2024-01-01T00:00:00.001000Z","user_id":7,"actor_type":"user",
"actor_id":"u7","source":"api","event_group":"vm","event_type":"vm.create","status":"success","resource_type":"vm",
"resource_id":"vm1","latency_ms":12.5,"http_status":200,"event_payload":{"a":[1]},"error_message":null}"#;

fn draft_of(text: &str) -> Draft<'static> {
    map(text).unwrap().event()
}

fn data(text: &str) -> Fields {
    serde_json::from_str(&draft_of(text).data).unwrap()
}

#[test]
fn an_item_of_netbirds_list_is_read() {
    let draft = draft_of(NETBIRD);
    assert_eq!((draft.id.as_str(), draft.time), ("4", Timestamp::parse("2023-05-05T10:04:37.473542Z").ok()));
    let data = data(NETBIRD);
    assert_eq!(data.activity_code.as_deref(), Some("route.add"));
    assert_eq!((data.actor_id.as_deref(), data.actor_name.as_deref()), (Some("google|1"), Some("Ann")));
    assert_eq!((data.actor_email.as_deref(), data.resource_id.as_deref()), (Some("ann@corp.example"), Some("r1")));
}

#[test]
fn an_item_of_instavms_list_is_read() {
    let draft = draft_of(INSTAVM);
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
    let id = |text: &str| map(text).map(|mapped| mapped.event().id).map_err(|error| error.to_string());
    assert_eq!(id(r#"{"id":17,"event_type":"a"}"#).as_deref(), Ok("17"));
    assert_eq!(id(r#"{"id":[],"event_type":"a"}"#).unwrap_err(), "id: must be a text or a number");
}

#[test]
fn an_item_without_id_has_the_id_of_its_text() {
    let id = |text: &str| draft_of(text).id;
    assert_eq!(id(r#"{"id":null,"event_type":"a"}"#), id(r#"{"id":null,"event_type":"a"}"#));
    assert_ne!(id(r#"{"event_type":"a"}"#), id(r#"{"event_type":"b"}"#));
}

#[test]
fn the_time_may_be_left_to_the_log_but_not_be_wrong() {
    assert_eq!(draft_of(r#"{"event_type":"a"}"#).time, None);
    let wrong = map(r#"{"event_type":"a","timestamp":1}"#).unwrap_err().to_string();
    assert!(wrong.starts_with("timestamp: must be an RFC 3339 time"), "{wrong}");
    let first = draft_of(r#"{"timestamp":"2024-01-02T00:00:00Z","time":"2024-01-01T00:00:00Z"}"#);
    assert_eq!(first.time, Timestamp::parse("2024-01-01T00:00:00Z").ok());
}

#[test]
fn values_stay_the_text_that_they_are() {
    let text = draft_of(r#"{"event_type":"a","id":1,"x":1.10,"y":12345678901234567890123}"#).data;
    assert_eq!(text, r#"{"event_type":"a","x":1.10,"y":12345678901234567890123}"#);
}

#[test]
fn an_address_of_ipv6_is_written_in_one_form() {
    let data = data(r#"{"event_type":"a","ip_address":"2001:0DB8:0:0::5","node_ip":"fe80:0::1"}"#);
    assert_eq!((data.ip_address.as_deref(), data.node_ip.as_deref()), (Some("2001:db8::5"), Some("fe80::1")));
}

#[test]
fn what_netbird_archived_is_who_did_what_on_what_and_when() {
    let object = r#"{"timestamp":"2024-01-31T12:00:00Z","message":"group created","id":"nb-1","initiator_id":"u-1",
        "target_id":"g-1","meta":{"name":"ops"},"reference":"https://netbird.example.com/events/nb-1"}"#;
    let posted = r#"{"ID":"nb-1","Timestamp":"2024-01-31T12:00:00Z","Message":"Group created","InitiatorID":"u-1",
        "TargetID":"g-1","Meta":{"name":"ops"},"Reference":"https://netbird.example.com/events/nb-1"}"#;
    for text in [object, posted, &posted.replace("TargetID", "target_id").replace("Meta", "meta")] {
        let draft = draft_of(text);
        assert_eq!((draft.id.as_str(), draft.time), ("nb-1", Timestamp::parse("2024-01-31T12:00:00Z").ok()));
        let data = data(text);
        assert_eq!((data.event_type.as_deref(), data.activity), (Some("group.add"), None));
        assert_eq!((data.actor_id.as_deref(), data.resource_id.as_deref()), (Some("u-1"), Some("g-1")));
        assert_eq!(data.meta.map(|meta| meta.to_value()), Some(json!({"name": "ops"})));
        assert_eq!(data.correlation_id.as_deref(), Some("https://netbird.example.com/events/nb-1"));
    }
}

#[test]
fn a_text_that_netbird_has_no_code_for_is_a_code_and_an_activity() {
    let data_of = |message: &str, meta: Value| {
        data(&json!({ "id": "1", "timestamp": "2024-01-31T12:00:00Z", "message": message, "meta": meta }).to_string())
    };
    let new = data_of("Moon base built!", json!({}));
    assert_eq!(
        (new.event_type.as_deref(), new.activity.as_deref()),
        (Some("moon_base_built"), Some("Moon base built!"))
    );
    // Flowtrail's own events without a text show their code.
    let own = data_of("door.open", json!({}));
    assert_eq!((own.event_type.as_deref(), own.activity), (Some("door.open"), None));
    assert_eq!(data_of("Peer added", json!({})).event_type.as_deref(), Some("peer.user.add"));
    let exact =
        r#"{"id":"1","timestamp":"2024-01-31T12:00:00Z","message":"a.b","meta":{"n":18446744073709551616,"x":1.10}}"#;
    assert!(draft_of(exact).data.contains(r#""meta":{"n":18446744073709551616,"x":1.10}"#));
    let with_key = data_of("Peer added", json!({ "setup_key_name": "k" }));
    assert_eq!(with_key.event_type.as_deref(), Some("peer.setupkey.add"));
}

#[test]
fn a_row_of_vrni_is_read() {
    let row = r#"{"ip_address":"2001:0db8::7","user_name":"admin@local","entity_type":"User Group","entity_id":"18230:1",
        "operation":"CREATE","response":"FAILURE","value":"{}","timestamp":1509410056}"#;
    let draft = draft_of(row);
    assert_eq!((draft.id.len(), draft.time), (32, Timestamp::parse("2017-10-31T00:34:16Z").ok()));
    let data = data(row);
    assert_eq!((data.event_type.as_deref(), data.status.as_deref()), (Some("user_group.create"), Some("failure")));
    assert_eq!((data.actor_id.as_deref(), data.user_name.as_deref()), (Some("admin@local"), Some("admin@local")));
    assert_eq!((data.resource_type.as_deref(), data.resource_id.as_deref()), (Some("User Group"), Some("18230:1")));
    assert_eq!((data.operation.as_deref(), data.response.as_deref()), (Some("CREATE"), Some("FAILURE")));
    assert_eq!((data.ip_address.as_deref(), data.value.as_deref()), (Some("2001:db8::7"), Some("{}")));
}

/// What Flowtrail's integrations write of an audit event.
const ARCHIVED: &str = r#"{"timestamp":"2024-01-31T12:00:00Z","message":"Door opened","id":"own-1","initiator_id":"alice",
    "target_id":"lab","meta":{"floor":"2"},"reference":"c-1","account_id":"other","kind":"audit","event_type":"door.open",
    "position":"FLOWTRAIL_AUDIT:7","index":0,"event":{"status":"denied","actor_email":"alice@example.com",
    "resource_type":"door","ip_address":"203.0.113.7","error_message":"no badge","latency_ms":1.10,"source":"/doors",
    "correlation_id":"c-1","event_payload":{"n":18446744073709551616}}}"#;

#[test]
fn what_flowtrail_archived_is_the_event_that_it_was() {
    let draft = draft_of(ARCHIVED);
    assert_eq!((draft.id.as_str(), draft.time), ("own-1", Timestamp::parse("2024-01-31T12:00:00Z").ok()));
    let data = data(ARCHIVED);
    assert_eq!((data.event_type.as_deref(), data.activity.as_deref()), (Some("door.open"), Some("Door opened")));
    assert_eq!((data.status.as_deref(), data.error_message.as_deref()), (Some("denied"), Some("no badge")));
    assert_eq!((data.actor_id.as_deref(), data.actor_email.as_deref()), (Some("alice"), Some("alice@example.com")));
    assert_eq!((data.resource_type.as_deref(), data.resource_id.as_deref()), (Some("door"), Some("lab")));
    assert_eq!((data.ip_address.as_deref(), data.source.as_deref()), (Some("203.0.113.7"), Some("/doors")));
    assert_eq!((data.correlation_id.as_deref(), data.account_id), (Some("c-1"), None));
    assert_eq!(data.meta.map(|meta| meta.to_value()), Some(json!({"floor": "2"})));
    assert!(draft.data.contains(r#""event_payload":{"n":18446744073709551616}"#) && draft.data.contains("1.10"));
}

#[test]
fn an_activity_that_follows_from_the_code_is_not_given() {
    for (message, code) in [("door.open", "door.open"), ("Route created", "route.add")] {
        let text = ARCHIVED.replace("Door opened", message).replace("door.open\",\n", &format!("{code}\",\n"));
        assert_eq!(data(&text).activity, None, "{message}");
    }
}

#[test]
fn of_an_archive_each_format_takes_its_own_events() {
    let skipped = |text: &str| map(text).unwrap().skipped();
    let traffic = ARCHIVED.replace(r#""kind":"audit""#, r#""kind":"traffic""#);
    assert_eq!(skipped(&traffic), Skipped::ForFormat("traffic"));
    assert_eq!(skipped(&ARCHIVED.replace("FLOWTRAIL_AUDIT:7", "FLOWTRAIL_AUDIT:0")), Skipped::Test);
    let netbird = r#"{"id":"1","timestamp":"2024-01-31T12:00:00Z","message":"TYPE_DROP","meta":{"flow_id":"f"}}"#;
    assert_eq!(skipped(netbird), Skipped::ForFormat("traffic"));
}

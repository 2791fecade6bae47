use super::*;
use crate::json::Number;

fn received() -> Timestamp {
    Timestamp::parse("2024-05-05T00:00:00Z").unwrap()
}

fn event(data: &str) -> Event {
    let context = Context { id: "e1", source: "/billing", time: None, received_at: received() };
    Event::new(context, json::read::<Fields>(data.as_bytes()).unwrap()).unwrap()
}

#[test]
fn what_is_absent_gets_the_defaults_of_the_contract() {
    let event = event(r#"{"activity_code":"route.add"}"#);
    assert_eq!(event.event_type, "route.add");
    assert_eq!(event.activity(), "Route created");
    assert_eq!(event.event_group(), "route");
    assert_eq!(event.status(), "success");
    assert_eq!(event.source, "/billing");
    assert_eq!(event.actor_type(), "system");
    assert_eq!(event.time, received());
    assert_eq!(event.operation(), "ADD");
    assert_eq!(event.response(), "SUCCESS");
    assert_eq!((event.value(), event.user_name(), event.event_payload()), ("", "", None));
}

#[test]
fn what_is_given_stands() {
    let event = event(
        r#"{"event_type":"vm.boot","activity":"Booted","event_group":"g","status":"denied","source":"api",
            "actor_id":"u1","actor_email":"a@b.c","meta":{"n":1,"t":"x"},"event_payload":[1, 2],"unknown":true}"#,
    );
    assert_eq!((event.activity(), event.event_group(), event.source.as_str()), ("Booted", "g", "api"));
    assert_eq!((event.actor_type(), event.user_name(), event.response()), ("user", "a@b.c", "FAILURE"));
    assert_eq!(event.value(), "[1,2]");
    assert_eq!(Value::Object(event.meta_as_texts()), serde_json::json!({"n":"1","t":"x","unknown":"true"}));
}

#[test]
fn an_event_needs_a_type() {
    let context = Context { id: "e1", source: "/s", time: None, received_at: received() };
    let empty = Fields { event_type: None, ..Fields::default() };
    assert_eq!(Event::new(context, empty), Err(NoEventType));
}

#[test]
fn a_retry_is_the_same_event_whenever_the_log_received_it() {
    let first = event(r#"{"event_type":"a.b"}"#);
    let later = Event { time: Timestamp::parse("2024-06-06T00:00:00Z").unwrap(), ..first.clone() };
    assert!(first.says_the_same_as(&later));
    let timed = |time: Timestamp| Event { time, time_given: true, ..first.clone() };
    assert!(!timed(first.time).says_the_same_as(&timed(later.time)));
    assert!(first.says_the_same_as(&timed(first.time)), "it says now when the log received it first");
    assert!(!first.says_the_same_as(&timed(later.time)));
    assert!(!first.says_the_same_as(&event(r#"{"event_type":"a.c"}"#)));
}

#[test]
fn a_wrong_type_is_named() {
    let error = json::read::<Fields>(br#"{"event_type":"a.b","http_status":"ok"}"#).unwrap_err();
    assert!(error.to_string().starts_with("http_status: "), "{error}");
}

#[test]
fn the_names_of_the_dialects_are_names_of_the_fields() {
    let given = event(
        r#"{"activity_code":"group.add","initiator_id":"u-1","initiator_name":"","initiator_email":"a@b.c","target_id":"g-1",
            "entity_type":"group"}"#,
    )
    .given;
    assert_eq!(
        (given.actor_id.as_deref(), given.actor_email.as_deref(), given.actor_name),
        (Some("u-1"), Some("a@b.c"), None)
    );
    assert_eq!((given.resource_id.as_deref(), given.resource_type.as_deref()), (Some("g-1"), Some("group")));
    assert_eq!(given.meta, None);
}

#[test]
fn of_two_names_of_a_field_flowtrail_s_own_stands_and_the_other_is_kept() {
    let given =
        event(r#"{"target_id":"other","event_type":"a.b","activity_code":"c","resource_id":"g-2","entity_id":"g-2"}"#)
            .given;
    assert_eq!(given.resource_id.as_deref(), Some("g-2"));
    assert_eq!(given.meta.unwrap().as_str(), r#"{"activity_code":"c","target_id":"other"}"#);
}

#[test]
fn what_no_field_holds_is_kept_in_meta() {
    let given =
        event(r#"{"event_type":"a","actor":{"id":1.50},"user":"u","new":null,"meta":{"user":"m","n":1.0}}"#).given;
    assert_eq!(given.meta.unwrap().as_str(), r#"{"actor":{"id":1.50},"data.user":"u","n":1.0,"user":"m"}"#);
}

#[test]
fn numbers_keep_their_digits() {
    let event = event(
        r#"{"event_type":"a","latency_ms":117.633313911400170,"meta":{"n":18446744073709551616},"event_payload":[1.50,-0.0]}"#,
    );
    assert_eq!(event.given.latency_ms.as_ref().map(Number::as_str), Some("117.633313911400170"));
    assert_eq!(event.meta_as_texts()["n"], "18446744073709551616");
    assert_eq!(event.value(), "[1.50,-0.0]");
    let written = serde_json::to_string(&event).unwrap();
    for digits in ["117.633313911400170", "18446744073709551616", "[1.50,-0.0]"] {
        assert!(written.contains(digits), "{written}");
    }
    assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
}

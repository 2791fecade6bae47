use super::*;

fn received() -> Timestamp {
    Timestamp::parse("2024-05-05T00:00:00Z").unwrap()
}

fn event(data: &str) -> Event {
    let context = Context { id: "e1", source: "/billing", time: None, received_at: received() };
    Event::new(context, crate::json::read(data.as_bytes()).unwrap()).unwrap()
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
    assert_eq!(Value::Object(event.meta_as_texts()), serde_json::json!({"n":"1","t":"x"}));
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
    assert!(!first.says_the_same_as(&event(r#"{"event_type":"a.c"}"#)));
}

#[test]
fn a_wrong_type_is_named() {
    let error = crate::json::read::<Fields>(br#"{"event_type":"a.b","http_status":"ok"}"#).unwrap_err();
    assert!(error.to_string().starts_with("http_status: "), "{error}");
}

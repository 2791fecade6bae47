use super::*;
use crate::directory::Named;

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
    let empty = Recorded { event_type: None, ..Recorded::default() };
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
    let error = crate::json::read::<Recorded>(br#"{"event_type":"a.b","http_status":"ok"}"#).unwrap_err();
    assert!(error.to_string().starts_with("http_status: "), "{error}");
}

#[test]
fn a_filter_is_open_only_without_any_part() {
    let event = event(r#"{"event_type":"vm.boot","user_id":7,"vm_id":"v","session_id":"s"}"#);
    let text = |text: &str| Some(text.to_owned());
    let open = Filter::default();
    assert!(open.is_open() && open.matches(&event, &Named::default()));
    for (passes, blocks) in [
        (Filter { event_group: text("vm"), ..open.clone() }, Filter { event_group: text(""), ..open.clone() }),
        (Filter { status: text("success"), ..open.clone() }, Filter { status: text("error"), ..open.clone() }),
        (Filter { user_id: Some(7), ..open.clone() }, Filter { user_id: Some(i128::MAX), ..open.clone() }),
        (Filter { vm_id: text("v"), ..open.clone() }, Filter { vm_id: text(""), ..open.clone() }),
        (Filter { session_id: text("s"), ..open.clone() }, Filter { session_id: text("t"), ..open.clone() }),
    ] {
        assert!(!passes.is_open() && passes.matches(&event, &Named::default()), "{passes:?}");
        assert!(!blocks.is_open() && !blocks.matches(&event, &Named::default()), "{blocks:?}");
    }
}

use super::*;

const EVENT: &str = r#"{"specversion":"1.0","id":"e1","source":"/s","type":"t.v1","time":"2024-01-01T00:00:00Z","data":{"a":1},"unknown":[1]}"#;

fn with<'a>(headers: &'a [(&'a str, &'a str)], payload: &'a str) -> Message<'a> {
    Message { headers, payload: payload.as_bytes() }
}

fn the_event(message: Message<'_>) -> CloudEvent<'_> {
    open(message).unwrap().remove(0).unwrap()
}

#[test]
fn the_three_forms_carry_the_same_event() {
    let structured = the_event(with(&[("Content-Type", "application/cloudevents+json; charset=utf-8")], EVENT));
    let batch_text = format!("[{EVENT}]");
    let batch = the_event(with(&[("content-type", BATCH)], &batch_text));
    let headers = [
        ("ce-id", "e1"),
        ("ce-source", "/s"),
        ("Ce-Type", "t.v1"),
        ("ce-specversion", "1.0"),
        ("ce-time", "2024-01-01T00:00:00Z"),
    ];
    let binary = the_event(with(&headers, r#"{"a":1}"#));
    assert_eq!(structured, batch);
    assert_eq!(structured, binary);
    assert_eq!(structured.data, br#"{"a":1}"#);
}

#[test]
fn a_bad_event_in_a_batch_spoils_only_itself() {
    let text = format!(r#"[{EVENT},{{"id":7}},{EVENT}]"#);
    let opened = open(with(&[("content-type", BATCH)], &text)).unwrap();
    assert_eq!(opened.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn header_values_are_percent_decoded() {
    let headers = [("ce-id", "a%20b%"), ("ce-source", "/s"), ("ce-type", "t"), ("ce-specversion", "1.0")];
    assert_eq!(the_event(with(&headers, "{}")).id, "a b%");
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let reason = |headers: &[(&str, &str)], payload: &str| open(with(headers, payload)).unwrap_err().to_string();
    let structured = [("content-type", STRUCTURED)];
    assert!(reason(&[], "{}").starts_with("no cloudevent"));
    assert!(reason(&structured, "hello").starts_with("not JSON"));
    assert_eq!(reason(&structured, &EVENT.replace("\"1.0\"", "\"0.3\"")), "specversion: must be 1.0");
    assert_eq!(reason(&structured, &EVENT.replace("e1", "")), "id: must not be empty");
    assert!(reason(&structured, &EVENT.replace("2024-01-01T", "")).starts_with("time: "));
    assert_eq!(reason(&structured, &EVENT.replace("\"data\"", "\"date\"")), "data: is missing");
    assert_eq!(reason(&structured, &"[".repeat(65)), "more than 64 levels deep");
}

#[test]
fn a_sealed_event_opens_again() {
    let time = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
    let text = serde_json::to_vec(&Envelope::new("e1", "/s", "t.v1", time, &serde_json::json!({"a":1}))).unwrap();
    let opened = open(Message { headers: &[("content-type", STRUCTURED)], payload: &text }).unwrap().remove(0).unwrap();
    assert_eq!((opened.id.as_ref(), opened.time, opened.data), ("e1", Some(time), br#"{"a":1}"#.as_slice()));
}

#[test]
fn a_batch_is_taken_at_once_only_where_nothing_is_wrong_with_it() {
    let headers = [("content-type", BATCH)];
    let at_once = |text: &str| {
        let opened = open_batch(with(&headers, text), |place, event: CloudEvent<'_, &RawValue>| {
            Some((place, event.id.into_owned(), event.data.get().to_owned()))
        });
        opened.map(|opened| opened.len())
    };
    assert_eq!(at_once(&format!("[{EVENT}]")), Some(1));
    assert_eq!(at_once(&format!(" [ {EVENT}\n,\t{EVENT} ,{EVENT}\r]\n")), Some(3));
    let nested = |levels: usize| EVENT.replace("[1]", &format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    // The batch and the event are two levels.
    assert_eq!(at_once(&format!("[{EVENT},{}]", nested(62))), Some(2));
    assert_eq!(at_once(&format!("[{EVENT},{}]", nested(63))), None);
    assert!(open(with(&headers, &format!("[{EVENT},{}]", nested(63)))).is_err());
    let bad_event = EVENT.replace("e1", "");
    let torn = &EVENT[..EVENT.len() - 1];
    for text in [
        String::new(),
        EVENT.to_owned(),
        "[]".to_owned(),
        format!("[{EVENT}"),
        format!("[{EVENT},"),
        format!("[{EVENT},]"),
        format!("[,{EVENT}]"),
        format!("[{EVENT}{EVENT}]"),
        format!("[{EVENT} 1]"),
        format!("[{EVENT},1]"),
        format!("[{EVENT}]]"),
        format!("[{EVENT}] 1"),
        format!("[{EVENT}\u{c}]"),
        format!("[{EVENT},{torn}]"),
        format!("[{EVENT},{bad_event}]"),
    ] {
        assert_eq!(at_once(&text), None, "{text}");
    }
}

use super::*;
use crate::json::Json;

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
    assert_eq!(structured.attributes, [("unknown".into(), Json::parse("[1]").unwrap())]);
    assert_eq!(CloudEvent { attributes: Vec::new(), ..structured.clone() }, binary);
    assert_eq!(*structured.data, *br#"{"a":1}"#);
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
    let own = EVENT.replace("t.v1", "flowtrail.t.v1");
    assert_eq!(reason(&structured, &own.replace("\"data\"", "\"date\"")), "data: is missing");
    assert_eq!(reason(&structured, &"[".repeat(65)), "more than 64 levels deep");
}

#[test]
fn a_sealed_event_opens_again() {
    let time = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
    let text = serde_json::to_vec(&Envelope::new("e1", "/s", "t.v1", time, &serde_json::json!({"a":1}))).unwrap();
    let opened = open(Message { headers: &[("content-type", STRUCTURED)], payload: &text }).unwrap().remove(0).unwrap();
    assert_eq!((opened.id.as_ref(), opened.time, &*opened.data), ("e1", Some(time), br#"{"a":1}"#.as_slice()));
}

#[test]
fn a_batch_is_taken_at_once_only_where_nothing_is_wrong_with_it() {
    const EVENT: &str =
        r#"{"specversion":"1.0","id":"e1","source":"/s","type":"flowtrail.t.v1","data":{"a":1},"unknown":[1]}"#;
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
    let deep = format!("[{EVENT},{}]", nested(63));
    let opened = open(with(&headers, &deep)).unwrap();
    assert_eq!(opened.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
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

#[test]
fn an_event_without_headers_is_known_by_its_specversion() {
    let ids = |message: Message<'_>| {
        let opened = open(message).map_err(|malformed| malformed.to_string())?;
        Ok::<_, String>(opened.into_iter().map(|event| event.unwrap().id.into_owned()).collect::<Vec<_>>())
    };
    let batch = format!(" [{EVENT},{EVENT}]");
    for headers in [&[][..], &[("Content-Type", "application/json")], &[("Content-Type", "text/plain")]] {
        assert_eq!(ids(with(headers, EVENT)).unwrap(), ["e1"]);
        assert_eq!(ids(with(headers, &batch)).unwrap(), ["e1", "e1"]);
        assert!(ids(with(headers, r#"{"id":"e1"}"#)).unwrap_err().starts_with("no cloudevent"));
        assert!(ids(with(headers, "\"specversion\"")).unwrap_err().starts_with("no cloudevent"));
    }
    // Headers with attributes stand above what the payload looks like.
    let binary = [("ce-id", "h"), ("ce-source", "/s"), ("ce-type", "t"), ("ce-specversion", "1.0")];
    assert_eq!(ids(with(&binary, EVENT)).unwrap(), ["h"]);
}

#[test]
fn media_types_have_no_case_and_a_format_that_is_not_named_is_json() {
    let batch = format!("[{EVENT}]");
    for (content_type, payload) in [
        ("application/cloudevents", EVENT),
        ("Application/CloudEvents+JSON; charset=utf-8", EVENT),
        ("application/cloudevents-batch", &batch),
        ("APPLICATION/CLOUDEVENTS-BATCH+JSON", &batch),
    ] {
        assert!(open(with(&[("content-type", content_type)], payload)).unwrap()[0].is_ok(), "{content_type}");
    }
    let xml = open(with(&[("content-type", "application/cloudevents+xml")], EVENT)).unwrap_err();
    assert_eq!(xml, Malformed::OtherFormat);
    let own = EVENT.replace("t.v1", "flowtrail.t.v1");
    for (media_type, is_ok) in
        [("Text/JSON; charset=UTF-8", true), ("application/vnd.x+json", true), ("text/xml", false)]
    {
        let event = own.replace("\"data\"", &format!("\"datacontenttype\":\"{media_type}\",\"data\""));
        assert_eq!(open(with(&[("content-type", STRUCTURED)], &event)).is_ok(), is_ok, "{media_type}");
    }
}

#[test]
fn data_in_base64_is_data() {
    let event = |member: &str| EVENT.replace(r#""data":{"a":1}"#, member);
    let data = |member: &str| {
        let event = event(member);
        open_structured(event.as_bytes()).map(|event| String::from_utf8(event.data.into_owned()).unwrap())
    };
    let json = r#""datacontenttype":"application/json","data_base64""#;
    assert_eq!(data(&format!(r#"{json}:"eyJhIjoxfQ==""#)).unwrap(), r#"{"a":1}"#);
    assert_eq!(data(&format!(r#""data":null,{json}:"eyJhIjoxfQ""#)).unwrap(), r#"{"a":1}"#);
    assert_eq!(data(r#""data_base64":"aGk=","datacontenttype":"text/plain""#).unwrap(), r#""hi""#);
    assert_eq!(data(r#""data_base64":"/w==","datacontenttype":"image/png""#).unwrap(), r#""/w==""#);
    assert_eq!(data(r#""data_base64":"?""#).unwrap_err().to_string(), "data_base64: must be base64");
    let both = data(r#""data":1,"data_base64":"aGk=""#).unwrap_err().to_string();
    assert_eq!(both, "data_base64: must not be there together with data");
}

#[test]
fn ids_that_differ_stay_different() {
    let id = |id: &str| {
        let headers = [("ce-id", id), ("ce-source", "/s"), ("ce-type", "t"), ("ce-specversion", "1.0")];
        let opened = open(with(&headers, "{}")).map_err(|malformed| malformed.to_string())?;
        Ok::<_, String>(opened[0].as_ref().unwrap().id.clone().into_owned())
    };
    assert_eq!(id("a%FF").unwrap_err(), "id: must be UTF-8 behind its percent-encoding");
    assert_eq!(id("a%C0%A0").unwrap_err(), "id: must be UTF-8 behind its percent-encoding");
    assert_eq!(id("\"a b\"").unwrap(), "a b");
    let half = EVENT.replace("e1", "e\\ud83d");
    let part = Part::in_batch(half.as_bytes());
    assert_eq!(part.mended().unwrap_err().to_string(), "id: must be a string without half of a surrogate pair");
}

#[test]
fn null_is_an_attribute_that_is_not_there() {
    let event = EVENT.replace(r#""unknown":[1]"#, r#""subject":null,"datacontenttype":null,"accountid":null,"x":null"#);
    let event = open_structured(event.replace("\"2024-01-01T00:00:00Z\"", "null").as_bytes())
        .map(|event| (event.time, event.subject.is_none(), event.account.is_none(), event.attributes.len()));
    assert_eq!(event, Ok((None, true, true, 0)));
}

#[test]
fn a_payload_is_unpacked_within_bounds() {
    let packed = zstd::encode_all(EVENT.as_bytes(), 1).unwrap();
    let message = |encoding| Message { headers: encoding, payload: &packed };
    assert_eq!(&*unpacked(message(&[("Content-Encoding", "ZSTD")])).unwrap(), EVENT.as_bytes());
    assert_eq!(&*unpacked(message(&[])).unwrap(), packed);
    assert_eq!(unpacked(message(&[("content-encoding", "gzip")])), Err(BadPacking::Damaged("gzip")));
    assert_eq!(unpacked(message(&[("content-encoding", "br")])), Err(BadPacking::Unknown));
}

#[test]
fn the_id_of_a_bad_event_is_found_where_it_can_be_read() {
    let id = |text: &str| structured::id_in(text.as_bytes());
    assert_eq!(id(&EVENT.replace("\"1.0\"", "7")).as_deref(), Some("e1"));
    assert_eq!(id(r#"{"id":"e1","data":{"a":"#).as_deref(), Some("e1"));
    assert_eq!(id(r#"{"data":{"id":"x"},"id":7}"#).as_deref(), Some("7"));
    let deep = format!(r#"{{"data":{}{},"id":"e1"}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(id(&deep).as_deref(), Some("e1"));
    for text in ["", "[1]", "{}", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":"a\u0000"}"#] {
        assert_eq!(id(text), None, "{text}");
    }
}

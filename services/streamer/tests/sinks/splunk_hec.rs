use axum::http::StatusCode;
use model::integration::Platform;
use serde_json::{Deserializer, Value, json};
use streamer::sink::{Failure, Outcome};
use streamer::sinks::Sink;

use crate::support::{Receiver, audits, connect, unpacked};

fn sink(receiver: &Receiver) -> Sink {
    let url = receiver.server.url("/");
    connect(Platform::SplunkHec, &[("url", &url), ("token", "hec-token"), ("index", "net")])
}

#[tokio::test]
async fn a_batch_is_one_object_after_the_other() {
    let receiver = Receiver::start().await;
    let items = audits(1..3);
    receiver.answer(json!({"text": "Success", "code": 0}).to_string());
    assert_eq!(sink(&receiver).deliver(&items).await, Outcome::Delivered);
    let request = receiver.requests().remove(0);
    assert_eq!(request.path, "/services/collector/event");
    assert_eq!(request.header("authorization"), "Splunk hec-token");
    let channel: Vec<usize> = request.header("x-splunk-request-channel").split('-').map(str::len).collect();
    assert_eq!(channel, [8, 4, 4, 4, 12]);
    let body = unpacked(&request);
    let events: Vec<Value> = Deserializer::from_slice(&body).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(events.len(), 2);
    let event = &events[0];
    assert_eq!(event["time"], 1_706_702_400.25);
    assert_eq!([&event["host"], &event["source"], &event["sourcetype"]], ["/test", "flowtrail", "flowtrail:audit"]);
    assert_eq!((&event["index"], &event["event"]["id"]), (&json!("net"), &json!("e-1")));
    assert_eq!(event["fields"], json!({"id": "e-1", "account_id": "main", "event_type": "route.add"}));
}

#[tokio::test]
async fn the_collectors_own_codes_say_what_to_do() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver);
    let items = audits(1..2);
    for (status, code, expected) in [
        (403, 4, "stop"),
        (401, 2, "stop"),
        (400, 7, "stop"),
        (503, 9, "retry"),
        (500, 8, "retry"),
        (400, 6, "refused"),
    ] {
        let answer = json!({"text": "secret", "code": code}).to_string();
        receiver.answer((StatusCode::from_u16(status).unwrap(), answer));
        let Outcome::Failed(failure) = sink.deliver(&items).await else { panic!("{status} {code}") };
        let got = match &failure {
            Failure::Retry { .. } => "retry",
            Failure::Refused { .. } => "refused",
            Failure::Stop { .. } => "stop",
            Failure::TooLarge | Failure::Untried => "else",
        };
        assert_eq!(got, expected, "{status} {code}");
        assert!(!failure.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn an_event_that_the_collector_names_is_refused_and_the_others_go_again() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver);
    let items = audits(1..5);
    for (invalid, code) in [(0, 6), (2, 12), (3, 13)] {
        let answer = json!({"text": "Invalid data format", "code": code, "invalid-event-number": invalid});
        receiver.answer((StatusCode::BAD_REQUEST, answer.to_string()));
        let Outcome::Partly(failures) = sink.deliver(&items).await else { panic!("one of them is refused") };
        for (index, failure) in &failures {
            let is_named = matches!(failure, Failure::Refused { status: Some(400), .. });
            assert!(if *index == invalid { is_named } else { *failure == Failure::Untried }, "{index}: {failure:?}");
        }
        assert_eq!(failures.len(), items.len());
    }
    // An event that was not in the request names none.
    let answer = json!({"text": "Invalid data format", "code": 6, "invalid-event-number": 4});
    receiver.answer((StatusCode::BAD_REQUEST, answer.to_string()));
    assert!(matches!(sink.deliver(&items).await, Outcome::Failed(Failure::Refused { .. })));
    // An index that the token may not write to is the same for every event.
    let answer = json!({"text": "Incorrect index", "code": 7, "invalid-event-number": 1});
    receiver.answer((StatusCode::BAD_REQUEST, answer.to_string()));
    assert!(matches!(sink.deliver(&items).await, Outcome::Failed(Failure::Stop { .. })));
}

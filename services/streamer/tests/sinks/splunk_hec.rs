use std::io::Read;

use axum::http::StatusCode;
use flate2::read::GzDecoder;
use model::integration::Platform;
use serde_json::{Deserializer, Value, json};
use streamer::sink::{Failure, Outcome};
use streamer::sinks::Sink;

use crate::support::{Receiver, audits, connect};

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
    let mut body = Vec::new();
    GzDecoder::new(request.body.as_ref()).read_to_end(&mut body).unwrap();
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

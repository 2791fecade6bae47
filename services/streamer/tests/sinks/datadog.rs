//! Datadog: the request of its own client beside ours, and its limits.

use std::io::Read;

use flate2::read::GzDecoder;
use model::integration::Platform;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use streamer::sink::{Failure, Item, Outcome, Sink};
use testkit::run_stand_in;

use crate::support::{Receiver, Request, account, audit, audits, connect, plan, traffic};

fn sink(receiver: &Receiver) -> Sink {
    let url = format!("http://{}/api/v2/logs", receiver.address);
    connect(Platform::Datadog, &[("api_key", "datadog-key"), ("api_url", &url)])
}

fn unpacked(request: &Request) -> Vec<u8> {
    let mut body = Vec::new();
    GzDecoder::new(request.body.as_ref()).read_to_end(&mut body).unwrap();
    body
}

fn logs(request: &Request) -> Vec<Map<String, Value>> {
    serde_json::from_slice(&unpacked(request)).unwrap()
}

/// What stands under a name: its kind, not its value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[tokio::test]
async fn the_request_is_that_of_datadogs_own_client() {
    let receiver = Receiver::start().await;
    let items = [audits(1..2), vec![traffic(2, &json!({"flow_id": "f", "type": "TYPE_END"}))]].concat();
    assert_eq!(sink(&receiver).deliver(&plan(&items), &items).await, Outcome::Delivered);
    // Its client is given our log, and must send it as it is: no name that it keeps for itself is used otherwise.
    let ours = receiver.requests().remove(0);
    let log = Value::Object(logs(&ours)[0].clone());
    receiver.answer((axum::http::StatusCode::ACCEPTED, [("content-type", "application/json")], "{}"));
    run_stand_in("datadog_logs.py", &[&format!("http://{}", receiver.address), "datadog-key"], log.to_string()).await;
    let theirs = receiver.requests().remove(1);

    assert_eq!((&ours.method, &ours.path), (&theirs.method, &theirs.path));
    for name in ["dd-api-key", "content-type", "content-encoding"] {
        assert_eq!(ours.header(name), theirs.header(name), "{name}");
    }
    let shape = |log: &Map<String, Value>| -> Vec<(String, &str)> {
        let mut shape: Vec<_> = log.iter().map(|(name, value)| (name.clone(), kind(value))).collect();
        shape.sort_unstable();
        shape
    };
    assert_eq!(logs(&ours)[0], logs(&theirs)[0]);
    assert_eq!(shape(&logs(&ours)[0]), shape(&logs(&ours)[1]), "traffic has the shape of audit");
    assert_eq!(logs(&ours)[0]["timestamp"], json!(1_706_702_400_250_i64));
}

#[tokio::test]
async fn a_site_leads_to_its_intake_and_a_wrong_key_stops() {
    let named = connect(Platform::Datadog, &[("api_key", "k"), ("site", "us5.datadoghq.com")]);
    assert!(format!("{named:?}").contains("http-intake.logs.us5.datadoghq.com"));
    let receiver = Receiver::start().await;
    receiver.answer(axum::http::StatusCode::FORBIDDEN);
    assert!(matches!(sink(&receiver).test(&account()).await, Err(Failure::Stop { status: Some(403), .. })));
}

/// Batches as they are planned: in order, as many as the limits allow.
fn batches(sink: &Sink, items: &[Item]) -> Vec<Vec<Item>> {
    let limits = sink.limits();
    let mut batches: Vec<Vec<Item>> = Vec::new();
    let mut room = (0, 0);
    for item in items {
        let size = sink.size(item);
        if room.0 == 0 || size > room.1 {
            batches.push(Vec::new());
            room = (limits.items, limits.bytes);
        }
        room = (room.0 - 1, room.1.saturating_sub(size));
        batches.last_mut().unwrap().push(item.clone());
    }
    batches
}

#[tokio::test]
async fn the_limits_are_kept_whatever_the_sizes() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver);
    // Most events are small; some are about as large as a log may be, or larger.
    let size = prop_oneof![8 => 0..2_000_usize, 1 => 2_000..200_000_usize, 1 => 990_000..1_010_000_usize];
    let sizes = proptest::collection::vec(size, 1..40);
    let cases = [(1..2_600, Just(vec![0_usize]).boxed()), (1..40, sizes.boxed())];
    for (many, sizes) in cases {
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        for _ in 0..2 {
            let sizes = sizes.new_tree(&mut runner).unwrap().current();
            let items: Vec<Item> = many
                .clone()
                .zip(sizes.iter().cycle())
                .map(|(sequence, size)| {
                    audit(sequence, &json!({"event_type": "a.b", "error_message": "é".repeat(size / 2)}))
                })
                .collect();
            let before = receiver.requests().len();
            let mut refused = 0;
            for batch in batches(&sink, &items) {
                match sink.deliver(&plan(&batch), &batch).await {
                    Outcome::Delivered => {}
                    Outcome::Partly(failures) => {
                        refused += failures.len();
                        for (index, failure) in failures {
                            assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
                            assert!(sink.size(&batch[index]) > 1_000_000);
                        }
                    }
                    Outcome::Failed(failure) => panic!("{failure}"),
                }
            }
            let mut delivered = 0;
            for request in &receiver.requests()[before..] {
                assert!(unpacked(request).len() <= 5_000_000);
                let logs = logs(request);
                assert!(logs.len() <= 1000);
                assert!(logs.iter().all(|log| serde_json::to_vec(log).unwrap().len() <= 1_000_000));
                delivered += logs.len();
            }
            assert_eq!(delivered + refused, items.len());
        }
    }
}

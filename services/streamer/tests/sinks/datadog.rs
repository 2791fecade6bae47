//! Datadog: the request of its own client next to ours. Its limits are looked after in the tests of delivery.

use std::collections::BTreeSet;

use model::delivery::Guarantee;
use model::integration::Platform;
use serde_json::{Map, Value, json};
use streamer::sink::{Failure, Item, Outcome};
use streamer::sinks::Sink;
use testkit::run_stand_in;

use crate::support::{Receiver, Request, account, audit, connect, traffic, unpacked};

fn sink(receiver: &Receiver) -> Sink {
    let url = receiver.server.url("/api/v2/logs");
    connect(Platform::Datadog, &[("api_key", "datadog-key"), ("api_url", &url)])
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

/// The request of Datadog's own client, which is given the events as they were published and nothing of ours.
async fn of_its_own_client(receiver: &Receiver, events: &[(u64, Value)]) -> Request {
    let published = |(sequence, data): &(u64, Value)| {
        json!({
            "id": format!("e-{sequence}"), "source": "/test", "type": "flowtrail.audit.recorded.v1",
            "time": "2024-01-31T12:00:00.25Z", "account": "main", "position": format!("FLOWTRAIL_AUDIT:{sequence}"),
            "data": data,
        })
    };
    let published: Value = events.iter().map(published).collect();
    receiver.answer((axum::http::StatusCode::ACCEPTED, [("content-type", "application/json")], "{}"));
    let url = receiver.server.url("");
    run_stand_in("datadog_logs.py", &[&url, "datadog-key"], published.to_string()).await;
    receiver.requests().pop().unwrap()
}

#[tokio::test]
async fn the_request_is_that_of_datadogs_own_client() {
    let receiver = Receiver::start().await;
    let event = |number: u64| {
        json!({
            "event_type": "route.add", "activity": format!("Route {number} \"é\" created"), "actor_id": "u1",
            "resource_id": "r1", "correlation_id": "c1", "meta": {"range": "10.64.0.0/24", "number": number},
            "status": "failure", "latency_ms": 1.5, "http_status": 401, "event_payload": {"a": [1, {"b": null}]},
        })
    };
    let events: Vec<(u64, Value)> = (1..4).map(|number| (number, event(number))).collect();
    let items: Vec<Item> = events.iter().map(|(sequence, data)| audit(*sequence, data)).collect();
    assert_eq!(sink(&receiver).deliver(&items).await, Outcome::Delivered);
    let ours = receiver.requests().remove(0);
    let theirs = of_its_own_client(&receiver, &events).await;

    assert_eq!((&ours.method, &ours.path), (&theirs.method, &theirs.path));
    for name in ["dd-api-key", "content-type", "content-encoding"] {
        assert_eq!(ours.header(name), theirs.header(name), "{name}");
    }
    let names = |request: &Request| request.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
    // Its client says what else it is and takes, which the intake does not need.
    let of_its_own = ["accept-encoding"].map(str::to_owned);
    let more: BTreeSet<String> = names(&theirs).difference(&names(&ours)).cloned().collect();
    assert!(more.iter().all(|name| of_its_own.contains(name)), "we do not send {more:?}");
    assert_eq!(logs(&ours), logs(&theirs));
    let shape = |log: &Map<String, Value>| -> Vec<(String, &str)> {
        let mut shape: Vec<_> = log.iter().map(|(name, value)| (name.clone(), kind(value))).collect();
        shape.sort_unstable();
        shape
    };
    assert_eq!(shape(&logs(&ours)[0]), shape(&logs(&theirs)[0]));
    let flows = [traffic(2, &json!({"flow_id": "f", "type": "TYPE_END"}))];
    assert_eq!(sink(&receiver).deliver(&flows).await, Outcome::Delivered);
    let flow = receiver.requests().pop().unwrap();
    assert_eq!(shape(&logs(&flow)[0]), shape(&logs(&theirs)[0]), "traffic has the shape of audit");
}

/// As NetBird's documentation shows them in Datadog's log explorer.
#[tokio::test]
async fn service_and_texts_are_those_of_netbirds_logs() {
    let receiver = Receiver::start().await;
    let events = [json!({"event_type": "integration.create"}), json!({"event_type": "x", "activity": "Own Text"})];
    let items: Vec<Item> = (1..).zip(&events).map(|(sequence, data)| audit(sequence, data)).collect();
    assert_eq!(sink(&receiver).try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
    assert_eq!(sink(&receiver).deliver(&items).await, Outcome::Delivered);
    let said: Vec<(String, String)> = receiver
        .requests()
        .iter()
        .flat_map(logs)
        .map(|log| {
            let text = |name: &str| log[name].as_str().unwrap().to_owned();
            (text("service"), text("message"))
        })
        .collect();
    let expected = ["integration test", "integration created", "Own Text"];
    assert_eq!(said, expected.map(|message| ("netbird".to_owned(), message.to_owned())));
}

#[tokio::test]
async fn every_site_that_its_own_client_knows_leads_to_where_the_client_sends() {
    let sites = run_stand_in("datadog_logs.py", &["sites"], String::new()).await;
    assert!(sites.lines().count() >= 9);
    for line in sites.lines() {
        let (site, url) = line.split_once(' ').unwrap();
        let sink = connect(Platform::Datadog, &[("api_key", "k"), ("site", site)]);
        let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let shown = format!("{sink:?}");
        for part in [r#"scheme: "https""#, &format!("\"{host}\""), &format!("\"/{path}\"")] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_stops() {
    let receiver = Receiver::start().await;
    receiver.answer(axum::http::StatusCode::FORBIDDEN);
    assert!(matches!(sink(&receiver).try_out(&account()).await, Err(Failure::Stop { status: Some(403), .. })));
}

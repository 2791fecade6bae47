//! OTLP, as Datadog's test agent receives it and OpenTelemetry's own definition reads it.

use std::io::{Read, Write};
use std::net::TcpStream;

use axum::http::StatusCode;
use model::delivery::Guarantee;
use model::integration::Platform;
use serde_json::{Value, json};
use streamer::sink::{Failure, Outcome};
use testkit::{StandIn, free_port, run_stand_in};

use crate::support::{Receiver, account, audit, audits, connect, traffic};

/// A plain GET: what the agent has is read without any code of ours.
fn get(agent: &StandIn, path: &str) -> String {
    let mut connection = TcpStream::connect(agent.address).unwrap();
    write!(connection, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_collector_reads_every_field() {
    let arguments = |port: u16| {
        let [apm, http] = [free_port().to_string(), port.to_string()];
        ["--host", "127.0.0.1", "--port", &apm, "--otlp-grpc-port", "0", "--otlp-http-port", &http]
            .map(Into::into)
            .into()
    };
    let agent = StandIn::start("ddapm_test_agent.agent", arguments).await;
    let url = format!("http://{}", agent.address);
    let sink = connect(Platform::Otlp, &[("url", &url), ("headers", r#"{"X-Key":"k"}"#)]);
    let failed = json!({
        "event_type": "user.login", "status": "failure", "actor_id": "u1", "latency_ms": 1.5, "http_status": 401,
        "meta": {"name": "é"},
    });
    let items = vec![audit(5, &failed), traffic(6, &json!({"type": "TYPE_DROP", "protocol": 17, "tx_bytes": 7}))];
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));

    let lines = run_stand_in("read_otlp.py", &[], get(&agent, "/test/session/logs")).await;
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The agent gives the last request first.
    let [test, audit, flow] = records.try_into().unwrap();
    assert_eq!(
        audit,
        json!({
            "time": 1_706_702_400_250_000_000_i64, "severity": [13, "WARN"], "name": "user.login", "body": "user.login",
            "resource": {"service.name": "flowtrail", "flowtrail.account": "main"},
            "attributes": {
                "flowtrail.id": "e-5", "flowtrail.kind": "audit", "flowtrail.initiator_id": "u1",
                "flowtrail.target_id": "", "flowtrail.reference": "", "flowtrail.position": "FLOWTRAIL_AUDIT:5",
                "flowtrail.index": 0, "flowtrail.meta": {"name": "é"},
                "flowtrail.event": {"status": "failure", "latency_ms": 1.5, "http_status": 401, "source": "/test"},
            },
        })
    );
    assert_eq!((&flow["name"], &flow["severity"]), (&json!("TYPE_DROP"), &json!([9, "INFO"])));
    assert_eq!(flow["attributes"]["flowtrail.meta"]["protocol"], 17);
    assert_eq!(test["body"], "integration test");
}

#[tokio::test]
async fn a_200_is_final_and_what_it_rejects_is_counted() {
    let receiver = Receiver::start().await;
    let url = receiver.server.url("/base/v1/logs");
    let sink = connect(Platform::Otlp, &[("url", &url)]);
    let items = audits(1..4);
    for count in [json!("2"), json!(2)] {
        receiver.answer(json!({"partialSuccess": {"rejectedLogRecords": count, "errorMessage": "no"}}).to_string());
        let reason = "the receiver rejected 2 of 3 records, and does not say which: no".to_owned();
        let expected = Outcome::SomeRefused { count: 2, status: Some(200), reason };
        assert_eq!(sink.deliver(&items).await, expected);
    }
    // More than there are is all of them, and then it is known which.
    for count in ["3", "4"] {
        receiver.answer(json!({"partialSuccess": {"rejectedLogRecords": count}}).to_string());
        let Outcome::Partly(failures) = sink.deliver(&items).await else { panic!("all of them are refused") };
        assert_eq!(failures.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(failures.iter().all(|(_, failure)| matches!(failure, Failure::Refused { status: Some(200), .. })));
    }
    // However long it is about it, what it rejected is not taken for delivered.
    let long = "é\n".repeat(10_000);
    receiver.answer(json!({"partialSuccess": {"errorMessage": long, "rejectedLogRecords": "1"}}).to_string());
    let Outcome::SomeRefused { count: 1, reason, .. } = sink.deliver(&items).await else { panic!("one is refused") };
    assert!(reason.chars().count() < 400 && !reason.contains('\n'), "{reason}");
    for body in [
        "",
        "{}",
        r#"{"partialSuccess":{}}"#,
        r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"a warning"}}"#,
        "<html>",
    ] {
        receiver.answer(body);
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered, "{body}");
    }
    receiver.answer((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3")]));
    assert!(matches!(sink.deliver(&items).await, Outcome::Failed(Failure::Retry { after: Some(_), .. })));
    assert!(receiver.requests().iter().all(|request| request.path == "/base/v1/logs"));
}

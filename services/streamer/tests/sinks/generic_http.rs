use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::stream;
use model::delivery::Guarantee;
use model::integration::Platform;
use serde_json::json;
use streamer::sink::{Failure, Outcome};
use streamer::sinks::Sink;
use testkit::run_stand_in;

use crate::support::{Receiver, account, audit, audits, connect, traffic};

fn sink(receiver: &Receiver, config: &[(&str, &str)]) -> Sink {
    let url = receiver.url();
    connect(Platform::GenericHttp, &[&[("url", url.as_str())], config].concat())
}

#[tokio::test]
async fn each_event_is_one_post_with_the_body_that_netbird_sends() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[("headers", r#"{"Authorization":"Bearer s","X-Kind":"k"}"#)]);
    let event = json!({
        "event_type": "route.add", "actor_id": "u1", "resource_id": "r1", "meta": {"n": 1, "t": "x"}, "correlation_id": "c1",
    });
    let report = json!({
        "flow_id": "f1", "type": "TYPE_START", "protocol": 6, "direction": "EGRESS", "tx_bytes": 5,
        "source": {"id": "p1", "address": "10.0.0.1:51820", "name": "one", "type": "PEER"},
        "destination": {"id": "p2", "address": "[::1]:443"}, "policy": {"name": "all"},
    });
    let items = [audit(1, &event), traffic(2, &report)];
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    let [first, second] = receiver.requests().try_into().unwrap();
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/in?a=b"));
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!((first.header("authorization"), first.header("x-kind")), ("Bearer s", "k"));
    assert_eq!(first.header("webhook-id"), "e-1");
    assert_eq!(
        first.json(),
        json!({
            "ID": "e-1", "Timestamp": "2024-01-31T12:00:00.250Z", "Message": "route created", "InitiatorID": "u1",
            "target_id": "r1", "meta": {"n": "1", "t": "x"}, "reference": "c1",
        })
    );
    assert_eq!(
        second.json(),
        json!({
            "ID": "r-2", "Timestamp": "2024-01-31T12:00:00Z", "Message": "TYPE_START", "InitiatorID": "",
            "target_id": "", "reference": "",
            "meta": {
                "flow_id": "f1", "direction": "EGRESS", "source_addr": "10.0.0.1:51820", "source_name": "one",
                "source_type": "PEER", "destination_addr": "[::1]:443", "destination_name": "",
                "destination_type": "UNKNOWN", "protocol": 6, "tx_bytes": 5, "tx_packets": 0, "rx_bytes": 0,
                "rx_packets": 0, "policy_name": "all", "reporter_id": "gw-1", "user_id": "",
            },
        })
    );
}

#[tokio::test]
async fn what_a_receiver_answers_decides_what_is_worth_another_attempt() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[]);
    let items = audits(1..2);
    for (status, expected) in [
        (202, "delivered"),
        (302, "retry"),
        (307, "retry"),
        (400, "refused"),
        (401, "stop"),
        (403, "stop"),
        (404, "retry"),
        (408, "retry"),
        (410, "stop"),
        (413, "too large"),
        (422, "refused"),
        (429, "retry"),
        (500, "retry"),
        (503, "retry"),
        (599, "retry"),
    ] {
        receiver.answer((StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")]));
        let got = match sink.deliver(&items).await {
            Outcome::Delivered => "delivered",
            Outcome::Failed(_) | Outcome::SomeRefused { .. } => "as a whole",
            Outcome::Partly(failures) => match &failures[0].1 {
                Failure::Retry { .. } => "retry",
                Failure::TooLarge => "too large",
                Failure::Refused { .. } => "refused",
                Failure::Stop { .. } => "stop",
                Failure::Untried => "untried",
            },
        };
        assert_eq!(got, expected, "{status}");
    }
    assert!(receiver.requests().iter().all(|request| request.path == "/in?a=b"), "a redirect was followed");
}

#[tokio::test]
async fn a_failure_holds_up_what_comes_after_it_and_a_refusal_does_not() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[]);
    let items = audits(1..5);
    receiver.answer(());
    receiver.answer(StatusCode::UNPROCESSABLE_ENTITY);
    receiver.answer((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]));
    let outcome = sink.deliver(&items).await;
    let refused = Failure::Refused { status: Some(422), reason: "the receiver answered 422".into() };
    let after = Some(Duration::from_secs(7));
    let retry = Failure::Retry { after, status: Some(429), reason: "the receiver answered 429".into() };
    assert_eq!(outcome, Outcome::Partly(vec![(1, refused), (2, retry), (3, Failure::Untried)]));
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[("batch", "ndjson")]);
    let items = audits(1..2);
    let answers = [
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
        ("soon", None),
        ("99999999999999999999", Some(86_400)),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("", None),
    ];
    for (text, seconds) in answers {
        receiver.answer((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", text)]));
        let Outcome::Failed(Failure::Retry { after, .. }) = sink.deliver(&items).await else {
            panic!("is to be tried again")
        };
        assert_eq!(after, seconds.map(Duration::from_secs), "{text}");
    }
}

#[tokio::test]
async fn batches_are_lines_or_an_array_and_the_same_bytes_again() {
    let receiver = Receiver::start().await;
    let items = audits(7..10);
    for (batch, content_type) in [("ndjson", "application/x-ndjson"), ("array", "application/json")] {
        let sink = sink(&receiver, &[("batch", batch)]);
        for _ in 0..2 {
            assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
        }
        let [first, again] = receiver.requests().split_off(receiver.requests().len() - 2).try_into().unwrap();
        assert_eq!((first.header("content-type"), &first.body), (content_type, &again.body));
        assert_eq!(first.header("webhook-id"), "audit-7_0-9_0");
        let text = std::str::from_utf8(&first.body).unwrap();
        let ids: Vec<String> = if batch == "array" {
            let rows: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
            rows.iter().map(|row| row["ID"].as_str().unwrap().to_owned()).collect()
        } else {
            let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            rows.map(|row| row["ID"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids, ["e-7", "e-8", "e-9"]);
        let sizes: usize = items.iter().map(|item| sink.size(item)).sum();
        assert!(sizes.abs_diff(first.body.len()) <= 2);
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_needed() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[]);
    let items = audits(1..2);
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
    receiver.answer((StatusCode::OK, Body::from_stream(endless)));
    assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
}

#[tokio::test]
async fn a_test_is_a_real_event() {
    let receiver = Receiver::start().await;
    let sink = sink(&receiver, &[]);
    assert_eq!(sink.try_out(&account()).await, Ok(Guarantee::AtLeastOnce));
    assert_eq!(receiver.requests()[0].json()["Message"], "integration test");
    receiver.answer(StatusCode::UNAUTHORIZED);
    let reason = "the receiver answered 401: check the credentials".to_owned();
    assert_eq!(sink.try_out(&account()).await, Err(Failure::Stop { status: Some(401), reason }));
}

#[tokio::test]
async fn a_template_shapes_every_body() {
    let receiver = Receiver::start().await;
    let template =
        "{\n \"id\": \"{{.ID}}\", \"day\": \"{{.Timestamp.Format \"2006-01-02\"}}\",\n \"n\": {{.Meta.number}}}";
    let expected =
        [json!({"id": "e-1", "day": "2024-01-31", "n": "1"}), json!({"id": "e-2", "day": "2024-01-31", "n": "2"})];
    let single = sink(&receiver, &[("body_template", template)]);
    assert_eq!(single.deliver(&audits(1..3)).await, Outcome::Delivered);
    let batched = sink(&receiver, &[("body_template", template), ("batch", "ndjson")]);
    assert_eq!(batched.deliver(&audits(1..3)).await, Outcome::Delivered);
    let [first, second, batch] = receiver.requests().try_into().unwrap();
    assert_eq!([first.json(), second.json()], expected);
    let lines = std::str::from_utf8(&batch.body).unwrap().lines();
    let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, expected);
}

/// The template of NetBird's documentation for SentinelOne, over an audit event and a flow.
#[tokio::test]
async fn netbirds_template_for_sentinel_one_gives_what_netbird_sends() {
    let receiver = Receiver::start().await;
    let template = r#"{"id": "{{.ID}}", "time": "{{.Timestamp.UnixNano}}", "event": "{{.Message}}",
        "initiator_id": "{{.InitiatorID}}", "target_id": "{{.TargetID}}", "host": "netbird", "source": "netbird",
        "sourcetype": "json", "fields": "{{.Meta}}"}"#;
    let event = json!({"event_type": "group.add", "actor_id": "u1", "resource_id": "g1", "meta": {"name": "a+b"}});
    let items = [audit(1, &event), traffic(2, &json!({"flow_id": "f1", "type": "TYPE_DROP", "user": {"id": "u2"}}))];
    assert_eq!(sink(&receiver, &[("body_template", template)]).deliver(&items).await, Outcome::Delivered);
    let [audit, flow] = receiver.requests().try_into().unwrap();
    assert_eq!(
        audit.json(),
        json!({
            "id": "e-1", "time": "1706702400250000000", "event": "group created", "initiator_id": "u1", "target_id": "g1",
            "host": "netbird", "source": "netbird", "sourcetype": "json", "fields": r#"{"name":"a+b"}"#,
        })
    );
    let flow = flow.json();
    assert_eq!([&flow["event"], &flow["initiator_id"], &flow["target_id"]], ["TYPE_DROP", "", ""]);
    let meta: serde_json::Value = serde_json::from_str(flow["fields"].as_str().unwrap()).unwrap();
    assert_eq!((&meta["flow_id"], &meta["user_id"]), (&json!("f1"), &json!("u2")));
}

#[tokio::test]
async fn the_reference_library_verifies_every_signature_while_the_secret_is_being_replaced() {
    let receiver = Receiver::start().await;
    let (new, old) = ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut items = audits(1..4);
    items[1].id = "an.odd \"id\"\r\n".into();
    for batch in [None, Some(("batch", "array"))] {
        let config = [Some(("signing_secret", new)), Some(("signing_secret_previous", old)), batch];
        let sink = sink(&receiver, &config.into_iter().flatten().collect::<Vec<_>>());
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    }
    let mut lines = String::new();
    for request in receiver.requests() {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: serde_json::Map<String, serde_json::Value> =
            names.map(|name| (name.to_owned(), request.header(name).into())).into_iter().collect();
        let body = std::str::from_utf8(&request.body).unwrap();
        for secret in [new, old] {
            lines.push_str(&format!("{}\n", json!([secret, headers, body])));
        }
    }
    assert_eq!(run_stand_in("verify_webhooks.py", &[], lines).await.trim(), "8");
}

use axum::http::{Method, StatusCode};
use bus::Refusal;
use model::access::Scope;
use model::log::Stream;
use serde_json::{Value, json};
use testkit::eventually;

use super::world::{World, at, datadog, opened_config};

const PATHS: [&str; 2] = ["/api/event-streaming", "/api/integrations/event-streaming"];

fn shown(id: u64) -> Value {
    json!({
        "id": id,
        "account_id": "main",
        "enabled": true,
        "platform": "datadog",
        "created_at": at(id),
        "updated_at": at(id),
        "config": { "api_key": "****", "site": "datadoghq.eu" },
    })
}

/// What the service that carries out commands would answer.
pub(super) fn done(id: u64, sequence: Option<u64>) -> Value {
    let current = json!({
        "platform": "datadog", "config": datadog(), "enabled": true, "created_at": at(id), "updated_at": at(id),
    });
    let position = sequence.map(|sequence| json!({ "stream": "FLOWTRAIL_INTEGRATION", "sequence": sequence }));
    json!({ "position": position, "done": { "id": id, "current": current } })
}

/// The same for one that was made, and tried.
pub(super) fn created(id: u64, sequence: Option<u64>) -> Value {
    let mut answer = done(id, sequence);
    answer["done"] = json!({ "integration": answer["done"], "guarantee": "exactly once" });
    answer
}

#[tokio::test]
async fn integrations_are_shown_masked_at_both_paths() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::IntegrationsRead]);
    world.integration("main", 2);
    world.integration("main", 7);
    for path in PATHS {
        let list = world.get(&token, path).await;
        assert_eq!(list.json(), json!([shown(2), shown(7)]));
        assert_eq!(list.header("flowtrail-as-of"), Some("FLOWTRAIL_INTEGRATION:2"));
        let one = world.get(&token, &format!("{path}/7")).await;
        assert_eq!(one.json(), shown(7));
        assert_eq!((one.header("flowtrail-lag-ms"), one.header("flowtrail-stale")), (Some("0"), None));
        let missing = world.get(&token, &format!("{path}/3")).await;
        assert_eq!(missing.refusal(404), "event streaming integration not found");
    }
}

#[tokio::test]
async fn a_bad_id_is_a_400_for_every_method() {
    let world = World::start().await;
    let token = world.admin();
    for id in ["0", "-1", "x", "1.0", "9223372036854775808", "%00", "%FF", "a%2Fb", "null", "%20"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = world.put(method, &token, &format!("{}/{id}", PATHS[0]), "{}").await;
            assert_eq!(answer.refusal(400), "id: must be a positive integer", "{id}");
        }
    }
}

#[tokio::test]
async fn a_create_is_sent_on_and_answered_when_the_view_has_it() {
    let mut world = World::start().await;
    let token = world.token("main", &[Scope::IntegrationsWrite]);
    world
        .serve("flowtrail.command.integration.create", |mut command| {
            assert!(!command.to_string().contains("secret"), "{command}");
            command["config"] = opened_config(&command);
            let expected = json!({
                "account": "main",
                "by": { "id": "token:t0", "name": "token 0", "email": null },
                "platform": "datadog",
                "config": { "api_key": "secret", "site": "datadoghq.eu" },
                "enabled": true,
            });
            assert_eq!(command, expected);
            Ok(created(5, Some(1)))
        })
        .await;
    let body = r#"{"platform":"datadog","config":{"api_key":"secret","site":"datadoghq.eu"},"enabled":true,"x":0}"#;
    let mut asking = std::pin::pin!(world.put(Method::POST, &token, PATHS[0], body));
    let waits = tokio::time::timeout(std::time::Duration::from_millis(500), &mut asking).await;
    assert!(waits.is_err(), "answered before the view has it: {waits:?}");
    world.observe(Stream::Integration, 1);
    let answer = asking.await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown(5)));
    assert_eq!(answer.header("flowtrail-as-of"), Some("FLOWTRAIL_INTEGRATION:1"));
    assert_eq!(answer.header("flowtrail-guarantee"), Some("exactly once"));
}

#[tokio::test]
async fn an_update_may_name_only_what_changes() {
    let mut world = World::start().await;
    let token = world.admin();
    world
        .serve("flowtrail.command.integration.update", |command| {
            let config = opened_config(&command);
            let given = (&command["id"], &config, &command["enabled"]);
            assert!(
                given == (&json!(5), &json!({}), &json!(false))
                    || given == (&json!(5), &json!({ "site": "s" }), &Value::Null)
            );
            Ok(done(5, None))
        })
        .await;
    for body in [r#"{"enabled":false,"platform":"s3"}"#, r#"{"config":{"site":"s"}}"#] {
        let answer = world.put(Method::PUT, &token, &format!("{}/5", PATHS[1]), body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown(5)));
        assert_eq!(answer.header("flowtrail-as-of"), None);
    }
}

#[tokio::test]
async fn a_delete_is_answered_with_an_empty_object_whatever_its_body() {
    let mut world = World::start().await;
    let token = world.admin();
    world
        .serve("flowtrail.command.integration.delete", |command| {
            assert_eq!(command["id"], 5);
            Ok(json!({ "position": { "stream": "FLOWTRAIL_INTEGRATION", "sequence": 0 }, "done": null }))
        })
        .await;
    for body in ["", "null", "not json"] {
        let answer = world.put(Method::DELETE, &token, &format!("{}/5", PATHS[0]), body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})));
    }
}

#[tokio::test]
async fn a_refused_command_is_refused_in_its_own_words() {
    let mut world = World::start().await;
    let token = world.admin();
    world
        .serve("flowtrail.command.integration.update", |command| {
            let (code, message) = match command["id"].as_u64() {
                Some(1) => (400, "config.api_key: is required for datadog"),
                Some(2) => (404, "event streaming integration not found"),
                Some(3) => (409, "someone else changed it"),
                Some(4) => (503, "stack trace"),
                Some(6) => (507, "stack trace"),
                Some(7) => (510, "stack trace"),
                _ => (500, "stack trace"),
            };
            Err(Refusal { code, message: message.to_owned() })
        })
        .await;
    for (id, status, text) in [
        (1, 400, "config.api_key: is required for datadog"),
        (2, 404, "event streaming integration not found"),
        (3, 409, "someone else changed it"),
        (4, 503, "the log cannot be reached, try again"),
        (5, 500, "internal error"),
        (6, 503, "the log is full, try again once there is room"),
        (7, 503, "the keys of secrets are gone from the log, and its operator has to bring them back"),
    ] {
        let answer = world.put(Method::PUT, &token, &format!("{}/{id}", PATHS[0]), "{}").await;
        assert_eq!(answer.refusal(status), text);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
    }
}

#[tokio::test]
async fn a_bad_body_reaches_nobody() {
    let world = World::start().await;
    let token = world.admin();
    // Nobody carries out commands here: what is sent on would be a 503.
    for (body, text) in [
        ("", "body: must be a JSON object"),
        ("[]", "body: must be a JSON object"),
        ("{}", "platform: is required"),
        (r#"{"platform":"datadog","config":{"a":1},"enabled":true}"#, "config.a: must be a string"),
    ] {
        assert_eq!(world.put(Method::POST, &token, PATHS[0], body).await.refusal(400), text);
    }
    let large = " ".repeat((1 << 20) + 1);
    let refusal = world.put(Method::POST, &token, PATHS[0], &large).await.refusal(413);
    assert_eq!(refusal, "body: must have at most 1048576 bytes");
}

#[tokio::test]
async fn while_nobody_carries_out_commands_a_write_is_a_503_and_reads_go_on() {
    let mut world = World::start().await;
    let token = world.admin();
    world.integration("main", 1);
    let delete = async || world.put(Method::DELETE, &token, &format!("{}/1", PATHS[0]), "").await;
    let answer = delete().await;
    assert_eq!(answer.refusal(503), "the log cannot be reached, try again");
    assert_eq!(answer.header("retry-after"), Some("1"));
    world.server.stop().await;
    let stale = eventually("a read says that it is stale", async || {
        let answer = world.get(&token, PATHS[0]).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.header("flowtrail-stale").map(str::to_owned)
    });
    assert_eq!(stale.await, "true");
    let answer = world.put(Method::DELETE, &token, &format!("{}/1", PATHS[0]), "").await;
    assert_eq!(answer.refusal(503), "the log cannot be reached, try again");
}

#[tokio::test]
async fn the_streamer_is_asked_how_a_delivery_stands() {
    let mut world = World::start().await;
    let reader = world.token("main", &[Scope::IntegrationsRead]);
    let unanswered = world.get(&reader, "/api/event-streaming/1/status").await;
    assert_eq!(unanswered.refusal(503), "the streamer cannot be reached, try again");
    assert!(unanswered.header("retry-after").is_some());
    world
        .serve("flowtrail.streamer.status", |question| {
            assert_eq!(question, json!({ "account": "main", "id": 7 }));
            Ok(Value::Null)
        })
        .await;
    for path in PATHS {
        let missing = world.get(&reader, &format!("{path}/7/status")).await;
        assert_eq!(missing.refusal(404), "event streaming integration not found");
    }
    assert_eq!(
        world.get(&reader, "/api/event-streaming/x/status").await.refusal(400),
        "id: must be a positive integer"
    );
    let forbidden = world.put(Method::POST, &reader, "/api/event-streaming/7/pause", "").await;
    assert_eq!(forbidden.refusal(403), "token lacks the scope integrations:write");
}

#[tokio::test]
async fn an_order_is_a_command_and_answers_with_the_integration() {
    let mut world = World::start().await;
    let writer = world.token("main", &[Scope::IntegrationsWrite]);
    world
        .serve("flowtrail.command.integration.steer", |command| {
            let order = command["order"].clone();
            let known = [json!("pause"), json!("resume"), json!("redrive"), json!({ "replay": { "sequence": 3 } })];
            assert!(known.contains(&order), "{order}");
            Ok(done(7, None))
        })
        .await;
    for (verb, body) in [("pause", ""), ("resume", "{}"), ("dead-letters/redrive", ""), ("replay", r#"{"from":3}"#)] {
        let answer = world.put(Method::POST, &writer, &format!("/api/event-streaming/7/{verb}"), body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown(7)), "{verb}");
    }
    let refused = world.put(Method::POST, &writer, "/api/event-streaming/7/replay", "{}").await;
    assert_eq!(refused.refusal(400), "from: is required");
}

#[tokio::test]
async fn a_test_that_the_receiver_takes_says_what_it_guarantees() {
    let mut world = World::start().await;
    let writer = world.token("main", &[Scope::IntegrationsWrite]);
    world
        .serve("flowtrail.streamer.test_of", |question| {
            Ok(json!({ "delivered": if question["id"] == 1 { "exactly once" } else { "at least once" } }))
        })
        .await;
    for (id, guarantee) in [(1, "exactly once"), (2, "at least once")] {
        let tested = world.put(Method::POST, &writer, &format!("/api/event-streaming/{id}/test"), "").await;
        assert_eq!(tested.json(), json!({ "delivered": true, "guarantee": guarantee }));
    }
}

#[tokio::test]
async fn a_test_that_the_receiver_refuses_is_a_412_in_its_words() {
    let mut world = World::start().await;
    let writer = world.token("main", &[Scope::IntegrationsWrite]);
    world
        .serve("flowtrail.streamer.test_of", |_| {
            let failure = json!({ "time": at(0), "status": 401, "reason": "the receiver answered 401" });
            Ok(json!({ "refused": failure }))
        })
        .await;
    let refused = world.put(Method::POST, &writer, "/api/event-streaming/7/test", "").await;
    assert_eq!(refused.refusal(412), "the test event was not delivered: the receiver answered 401");
}

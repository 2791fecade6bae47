//! Accounts never meet: what belongs to another account looks exactly like what does not exist.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program};

async fn text(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn one_account_never_sees_anothers(topology: Topology) {
    let mut flowtrail = Flowtrail::start(topology).await;
    flowtrail.succeed(["account", "create", "other"]);
    let token = ["token", "create", "--account", "other", "--name", "ci", "--scopes", "admin"];
    let (main, other) = (flowtrail.token.clone(), flowtrail.succeed(token).trim().to_owned());
    let integration =
        json!({"platform": "datadog", "enabled": false, "config": {"api_key": "k", "site": "datadoghq.com"}});
    assert_eq!(text(flowtrail.request("POST", "/api/event-streaming").json(&integration)).await.0, 200);
    let event = json!({"id": "e1", "event_type": "door.open", "actor_id": "mallory", "resource_id": "vault"});
    assert_eq!(text(flowtrail.request("POST", "/api/events/audit").json(&event)).await.0, 202);
    let report = json!({"id": "r1", "reporter_id": "gw", "flow_id": "f1", "source": {"name": "hidden-host"}});
    assert_eq!(text(flowtrail.request("POST", "/api/events/network-traffic").json(&report)).await.0, 202);

    flowtrail.token = other;
    for path in ["/api/event-streaming/1", "/api/integrations/event-streaming/1"] {
        let missing = path.replace('1', "77");
        for (method, body) in [("GET", None), ("PUT", Some(json!({"enabled": true}))), ("DELETE", None)] {
            let ask = |path: &str| match &body {
                Some(body) => flowtrail.request(method, path).json(body),
                None => flowtrail.request(method, path),
            };
            assert_eq!(text(ask(path)).await, text(ask(&missing)).await, "{method} {path}");
        }
    }
    assert_eq!(flowtrail.get("/api/event-streaming").await, json!([]));
    assert_eq!(flowtrail.get("/api/events/audit?search=mallory").await, json!([]));
    assert_eq!(flowtrail.get("/api/events/audit?target_id=vault").await, json!([]));
    assert_eq!(flowtrail.traffic_total("").await, 0);
    assert_eq!(flowtrail.traffic_total("&search=hidden").await, 0);
    // The same event id in this account is this account's own event.
    let own = json!({"id": "e1", "event_type": "door.close"});
    assert_eq!(text(flowtrail.request("POST", "/api/events/audit").json(&own)).await.0, 202);
    let events = flowtrail.get("/api/events/audit?activity_code=door.close&activity_code=door.open").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["activity_code"], "door.close");

    flowtrail.token = main;
    let kept = flowtrail.get("/api/event-streaming/1").await;
    assert_eq!((kept["enabled"].clone(), kept["platform"].clone()), (Value::Bool(false), "datadog".into()));
    let events = flowtrail.get("/api/events/audit?activity_code=door.close&activity_code=door.open").await;
    assert_eq!(events[0]["activity_code"], "door.open");
}

#[tokio::test]
async fn one_account_never_sees_anothers_in_one_process() {
    one_account_never_sees_anothers(Topology::Together).await;
}

#[tokio::test]
async fn one_account_never_sees_anothers_with_split_roles() {
    one_account_never_sees_anothers(Topology::Split).await;
}

#[tokio::test]
async fn a_token_allows_what_its_scopes_say_until_it_is_deleted() {
    for topology in Topology::BOTH {
        let mut flowtrail = Flowtrail::start(topology).await;
        let admin = flowtrail.token.clone();
        let create = ["token", "create", "--name", "reader", "--scopes", "audit:read"];
        flowtrail.token = flowtrail.succeed(create).trim().to_owned();
        assert_eq!(text(flowtrail.request("GET", "/api/events/audit")).await.0, 200);
        assert_eq!(text(flowtrail.request("GET", "/api/events/network-traffic")).await.0, 403);
        assert_eq!(text(flowtrail.request("GET", "/api/event-streaming")).await.0, 403);
        assert_eq!(text(flowtrail.request("POST", "/api/events/audit").json(&json!({"event_type": "a"}))).await.0, 403);
        let list = flowtrail.succeed(["token", "list"]);
        let id = list.lines().find(|line| line.contains("reader")).unwrap().split('\t').next().unwrap().to_owned();
        flowtrail.succeed(["token", "delete", &id]);
        testkit::eventually("the token is gone", async || {
            let (status, body) = text(flowtrail.request("GET", "/api/events/audit")).await;
            (status == 401 && body.contains("token invalid")).then_some(())
        })
        .await;
        flowtrail.token = admin;
        let codes = "activity_code=personal.access.token.create&activity_code=personal.access.token.delete";
        let events = flowtrail.get(&format!("/api/events/audit?{codes}&target_id={id}")).await;
        assert_eq!(events.as_array().unwrap().len(), 2);
    }
}

/// Makes a user on the command line, which reads the password from its standard input.
fn create_user(flowtrail: &Flowtrail, arguments: &[&str], password: &str) {
    let mut command = program(&flowtrail.data());
    command.env("FLOWTRAIL_NATS_URL", &flowtrail.nats_url).args(["user", "create"]).args(arguments);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    assert!(process.wait().unwrap().success());
}

async fn sign_in(flowtrail: &Flowtrail, email: &str, password: &str) -> (u16, String) {
    let credentials = json!({ "username": email, "password": password });
    let (status, text) = text(flowtrail.request("POST", "/api/ni/auth/token").json(&credentials)).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    (status, answer["token"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_user_signs_in_to_their_own_account_until_they_are_deleted() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    flowtrail.succeed(["account", "create", "other"]);
    let scopes = ["admin@local", "--account", "other", "--scopes", "audit:read,events:write"];
    create_user(&flowtrail, &scopes, "a password of their own");
    let signed_in = testkit::eventually("the user can sign in", async || {
        let (status, token) = sign_in(&flowtrail, "admin@local", "a password of their own").await;
        (status == 200).then_some(token)
    })
    .await;
    let secret = json!({"event_type": "door.open", "actor_id": "mallory"});
    assert_eq!(text(flowtrail.request("POST", "/api/events/audit").json(&secret)).await.0, 202);

    let main = std::mem::replace(&mut flowtrail.token, signed_in);
    let (status, answer) = text(flowtrail.request("POST", "/api/ni/logs/audit").body("")).await;
    assert!(status == 200 && answer.contains("LOGIN") && !answer.contains("mallory"), "{status} {answer}");
    flowtrail.succeed(["user", "delete", "admin@local", "--account", "other"]);
    testkit::eventually("the token ends with its user", async || {
        (text(flowtrail.request("GET", "/api/ni/info/version")).await.0 == 401).then_some(())
    })
    .await;
    assert_eq!(sign_in(&flowtrail, "admin@local", "a password of their own").await.0, 401);
    // The user of the same address in the other account is another one.
    flowtrail.token = main;
    assert_eq!(text(flowtrail.request("GET", "/api/ni/info/version")).await.0, 200);
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap();
    assert_eq!(sign_in(&flowtrail, "admin@local", password.trim()).await.0, 200);
}

#[tokio::test]
async fn what_a_user_may_do_changes_for_all_their_tokens_at_once() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    create_user(&flowtrail, &["alice@example.com"], "correct horse");
    let signed_in = testkit::eventually("the user can sign in", async || {
        let (status, token) = sign_in(&flowtrail, "alice@example.com", "correct horse").await;
        (status == 200).then_some(token)
    })
    .await;
    let create = ["token", "create", "--name", "hers", "--user", "alice@example.com", "--scopes", "admin"];
    let made = flowtrail.succeed(create).trim().to_owned();
    let admin = flowtrail.token.clone();

    const READ: &str = "/api/events/audit?limit=1";
    let may = async |flowtrail: &mut Flowtrail, token: &str| {
        token.clone_into(&mut flowtrail.token);
        let event = json!({"event_type": "door.open"});
        let read = text(flowtrail.request("GET", READ)).await.0;
        let traffic = text(flowtrail.request("GET", "/api/events/network-traffic")).await.0;
        let write = text(flowtrail.request("POST", "/api/events/audit").json(&event)).await.0;
        [read, traffic, write]
    };
    for token in [&signed_in, &made] {
        assert_eq!(may(&mut flowtrail, token).await, [200, 200, 403], "new users look and change nothing");
    }
    flowtrail.succeed(["user", "scopes", "alice@example.com", "traffic:read,events:write"]);
    testkit::eventually("what she may do is less", async || {
        made.clone_into(&mut flowtrail.token);
        (text(flowtrail.request("GET", READ)).await.0 == 403).then_some(())
    })
    .await;
    assert_eq!(may(&mut flowtrail, &signed_in).await, [403, 200, 403], "the token of the sign-in knew of no more");
    assert_eq!(may(&mut flowtrail, &made).await, [403, 200, 202]);
    assert_eq!(may(&mut flowtrail, &admin).await, [200, 200, 202]);
    let changes = flowtrail.get("/v1/audit/events?event_type=user.role.update").await;
    assert_eq!(changes["items"][0]["event_payload"]["scopes"], json!(["traffic:read", "events:write"]));
    let unknown = flowtrail.run(["user", "scopes", "bob@example.com", "admin"]);
    assert!(!unknown.status.success());
}

//! Secrets are nowhere in clear: not on disk, not in the log, not in log lines, not in answers, not on their way over NATS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::Subscriber;
use axum::Router;
use futures_util::StreamExt;
use serde_json::{Value, json};
use testkit::HttpServer;
use tokio::time::timeout;

use crate::flowtrail::{Flowtrail, Topology};

/// How all secrets begin, in texts that chance does not make: three letters alone come up in what is sealed.
const MARKS: [&str; 2] = ["Zq7-", "Zq7Signing"];

/// The files below `path` that hold `text`.
fn holding(path: &Path, text: &str) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.flat_map(|entry| holding(&entry, text)).collect();
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    let is_held = bytes.windows(text.len()).any(|part| part == text.as_bytes());
    is_held.then(|| path.to_owned()).into_iter().collect()
}

/// Hears every message on NATS, whoever sends it to whom.
async fn listen(flowtrail: &Flowtrail) -> Subscriber {
    let client = flowtrail.nats().await;
    let heard = client.subscribe(">").await.unwrap();
    client.flush().await.unwrap();
    heard
}

/// Everything that was heard so far: subjects, headers and payloads.
async fn said(heard: &mut Subscriber) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(message)) = timeout(Duration::from_millis(500), heard.next()).await {
        said.extend_from_slice(format!("{} {:?} ", message.subject, message.headers).as_bytes());
        said.extend_from_slice(&message.payload);
    }
    said
}

/// A receiver that is every platform.
async fn receiver() -> HttpServer {
    const TAKEN: &str = r#"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}"#;
    let taken = || std::future::ready(TAKEN);
    HttpServer::start(Router::new().fallback(taken)).await
}

/// Integrations of all platforms that have secrets, which deliver to `url`, and their secrets.
fn delivering(url: &str) -> (Vec<Value>, Vec<&'static str>) {
    let amazon = |more: Value| {
        let mut config = json!({ "access_key": "AKIA", "secret_key": "Zq7-aws-secret", "session_token": "Zq7-session",
            "region": "r", "endpoint": url });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let headers = r#"{"Authorization":"Bearer Zq7-bearer","X-Key":"Zq7-header"}"#;
    let configs = [
        ("datadog", json!({ "api_key": "Zq7-datadog-key", "api_url": url })),
        ("s3", amazon(json!({ "bucket_name": "bucket" }))),
        ("firehose", amazon(json!({ "stream_name": "stream" }))),
        (
            "generic_http",
            json!({ "url": format!("{url}Zq7-hook?key=Zq7-query"), "headers": headers, "signing_secret": "whsec_Zq7SigningSecretZq7SigningSecret" }),
        ),
        ("otlp", json!({ "url": format!("{url}Zq7-otlp"), "headers": headers })),
        ("splunk_hec", json!({ "url": url, "token": "Zq7-splunk" })),
    ];
    let integration = |(platform, config)| json!({ "platform": platform, "enabled": true, "config": config });
    let secrets = vec!["Zq7-aws-secret", "Zq7-session", "Zq7-bearer", "Zq7-header", "Zq7-datadog-key", "Zq7-splunk"];
    (configs.into_iter().map(integration).collect(), secrets)
}

async fn no_secret_is_in_clear(topology: Topology) {
    let settings = [("FLOWTRAIL_AUDIT_READS", "false"), ("FLOWTRAIL_LOG", "trace,async_nats::connection=trace")];
    let mut flowtrail = Flowtrail::start_with(topology, &settings).await;
    let mut heard = listen(&flowtrail).await;
    let receiver = receiver().await;
    let (delivering, more_secrets) = delivering(&receiver.url("/"));
    let secrets = ["Zq7-datadog-key", "Zq7-aws-secret", "Zq7-header-value", "whsec_Zq7SigningSecretZq7SigningSecret"];
    let integrations = [
        json!({"platform": "datadog", "enabled": false, "config": {"api_key": secrets[0], "site": "datadoghq.com"}}),
        json!({"platform": "s3", "enabled": false, "config":
            {"access_key": "AKIA", "secret_key": secrets[1], "bucket_name": "b", "region": "r"}}),
        json!({"platform": "generic_http", "enabled": false, "config":
            {"url": "https://example.com/Zq7-hook", "headers": format!("{{\"X-Key\":\"{}\"}}", secrets[2]), "signing_secret": secrets[3]}}),
    ];
    for integration in integrations.iter().chain(&delivering) {
        let answer = flowtrail.request("POST", "/api/event-streaming").json(integration).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(text.contains("****") && !text.contains("Zq7"), "{text}");
    }
    let changed = json!({ "config": { "api_key": "Zq7-changed" } });
    let answer = flowtrail.request("PUT", "/api/event-streaming/1").json(&changed).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // Also what is refused must not be kept or logged.
    let refused = json!({"platform": "datadog", "enabled": false, "config": {"api_key": "Zq7-refused", "colour": "x"}});
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&refused).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let token = flowtrail.succeed(["token", "create", "--name", "ci", "--scopes", "audit:read"]).trim().to_owned();
    let list = flowtrail.get("/api/event-streaming").await.to_string();
    assert!(!list.contains("Zq7"), "{list}");
    flowtrail.request("DELETE", "/api/event-streaming/1").send().await.unwrap();
    let said = said(&mut heard).await;
    let on_the_way = |text: &str| said.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(on_the_way("flowtrail.command.integration.create") && on_the_way("datadoghq.com"), "commands are heard");
    for text in MARKS.into_iter().chain([&*token, &*flowtrail.token]) {
        assert!(!on_the_way(text), "{text} is in clear on its way over NATS");
    }
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap().trim().to_owned();
    let sign_in = async |name: &str, password: &str| {
        let credentials = json!({ "username": name, "password": password });
        let answer = flowtrail.request("POST", "/api/ni/auth/token").json(&credentials).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    // A password in the place of the name is one all the same.
    for (name, password) in [("admin@local", "Zq7-wrong-password"), ("Zq7-wrong-place", "x"), ("Zq7-both", "Zq7-both")]
    {
        let (status, text) = sign_in(name, password).await;
        assert!(status == 401 && !text.contains("Zq7"), "{status} {text}");
    }
    let (status, text) = sign_in("admin@local", &password).await;
    let signed_in: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    let signed_in = signed_in["token"].as_str().unwrap();
    // The same in the cookie of a session, by which it is used.
    let given = flowtrail.request("POST", "/flowtrail/v1/session").json(&json!({ "token": signed_in }));
    let given = given.send().await.unwrap();
    let cookie = given.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.ends_with(signed_in) && !given.text().await.unwrap().contains(signed_in));
    let by_cookie = reqwest::Client::new().get(format!("{}/flowtrail/v1/session", flowtrail.url));
    assert_eq!(by_cookie.header("cookie", &cookie).send().await.unwrap().status(), 200);
    for body in ["Zq7-body", r#""Zq7-body""#, r#"{"username":"a","password":["Zq7-body"]}"#] {
        let answer = flowtrail.request("POST", "/api/ni/auth/token").body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status == 400 && !text.contains("Zq7"), "{status} {text}");
    }
    flowtrail.stop();

    std::fs::remove_file(flowtrail.data().join("admin.token")).unwrap();
    std::fs::remove_file(flowtrail.data().join("admin.password")).unwrap();
    let mut own_server = None;
    if topology == Topology::Together {
        std::fs::remove_file(flowtrail.data().join("nats.url")).unwrap();
        let server: async_nats::ServerAddr = flowtrail.nats_url.parse().unwrap();
        own_server = server.password().map(str::to_owned);
        assert!(own_server.as_ref().is_some_and(|password| password.len() == 40));
    }
    let searched = [flowtrail.data(), flowtrail.nats_store(), flowtrail.logs()];
    for text in secrets
        .into_iter()
        .chain(more_secrets)
        .chain(MARKS)
        .chain([&*token, &*password, signed_in, &*flowtrail.token])
        .chain(own_server.as_deref())
    {
        let found: Vec<PathBuf> = searched.iter().flat_map(|path| holding(path, text)).collect();
        assert_eq!(found, Vec::<PathBuf>::new(), "{text} is in clear");
    }
    // The search finds what is there.
    assert!(!holding(&flowtrail.nats_store(), "datadoghq.com").is_empty());
    assert!(!holding(&flowtrail.logs(), "DEBUG").is_empty());
}

#[tokio::test]
async fn no_secret_is_in_clear_on_disk_or_in_a_log_line() {
    no_secret_is_in_clear(Topology::Together).await;
}

#[tokio::test]
async fn no_secret_is_in_clear_with_split_roles_either() {
    no_secret_is_in_clear(Topology::Split).await;
}

#[tokio::test]
async fn help_shows_no_password() {
    for arguments in [["up", "--help"], ["run", "--help"], ["status", "--help"], ["help", "up"]] {
        let mut command = crate::flowtrail::flowtrail(Path::new("."));
        for (name, value) in [
            ("FLOWTRAIL_NATS_URL", "nats://user:Zq7-password@127.0.0.1:4222"),
            ("FLOWTRAIL_BOOTSTRAP_TOKEN", "Zq7-token"),
            ("FLOWTRAIL_BOOTSTRAP_PASSWORD", "Zq7-password"),
        ] {
            command.env(name, value);
        }
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() && said.contains("FLOWTRAIL_NATS_URL"), "{said}");
        assert!(!said.contains("Zq7"), "{said}");
    }
}

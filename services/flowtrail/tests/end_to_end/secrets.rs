//! Secrets are nowhere in clear: not on disk, not in the log, not in log lines, not in answers.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::flowtrail::{Flowtrail, Topology};

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

async fn no_secret_is_in_clear(topology: Topology) {
    let mut flowtrail = Flowtrail::start(topology).await;
    let secrets = ["Zq7-datadog-key", "Zq7-aws-secret", "Zq7-header-value", "whsec_Zq7SigningSecretZq7SigningSecret"];
    let integrations = [
        json!({"platform": "datadog", "enabled": false, "config": {"api_key": secrets[0], "site": "datadoghq.com"}}),
        json!({"platform": "s3", "enabled": false, "config":
            {"access_key": "AKIA", "secret_key": secrets[1], "bucket_name": "b", "region": "r"}}),
        json!({"platform": "generic_http", "enabled": false, "config":
            {"url": "https://example.com/", "headers": format!("{{\"X-Key\":\"{}\"}}", secrets[2]), "signing_secret": secrets[3]}}),
    ];
    for integration in &integrations {
        let answer = flowtrail.request("POST", "/api/event-streaming").json(integration).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(text.contains("****") && !text.contains("Zq7"), "{text}");
    }
    // Also what is refused must not be kept or logged.
    let refused = json!({"platform": "datadog", "enabled": false, "config": {"api_key": "Zq7-refused", "colour": "x"}});
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&refused).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let token = flowtrail.succeed(["token", "create", "--name", "ci", "--scopes", "audit:read"]).trim().to_owned();
    let list = flowtrail.get("/api/event-streaming").await.to_string();
    assert!(!list.contains("Zq7"), "{list}");
    flowtrail.request("DELETE", "/api/event-streaming/1").send().await.unwrap();
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap().trim().to_owned();
    let sign_in = async |name: &str, password: &str| {
        let credentials = json!({ "username": name, "password": password });
        let answer = flowtrail.request("POST", "/api/ni/auth/token").json(&credentials).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    // A password in the place of the name is one all the same.
    for (name, password) in [("admin@local", "Zq7-wrong-password"), ("Zq7-wrong-place", "x"), ("Zq7", "Zq7")] {
        let (status, text) = sign_in(name, password).await;
        assert!(status == 401 && !text.contains("Zq7"), "{status} {text}");
    }
    let (status, text) = sign_in("admin@local", &password).await;
    let signed_in: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    let signed_in = signed_in["token"].as_str().unwrap();
    for body in ["Zq7", r#""Zq7""#, r#"{"username":"a","password":["Zq7"]}"#] {
        let answer = flowtrail.request("POST", "/api/ni/auth/token").body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status == 400 && !text.contains("Zq7"), "{status} {text}");
    }
    flowtrail.stop();

    std::fs::remove_file(flowtrail.data().join("admin.token")).unwrap();
    std::fs::remove_file(flowtrail.data().join("admin.password")).unwrap();
    let searched = [flowtrail.data(), flowtrail.nats_store(), flowtrail.logs()];
    for text in secrets.iter().copied().chain(["Zq7", &token, &password, signed_in, &flowtrail.token]) {
        let found: Vec<PathBuf> = searched.iter().flat_map(|path| holding(path, text)).collect();
        assert_eq!(found, Vec::<PathBuf>::new(), "{text} is in clear");
    }
    // The search finds what is there.
    assert!(!holding(&flowtrail.nats_store(), "datadoghq.com").is_empty());
}

#[tokio::test]
async fn no_secret_is_in_clear_on_disk_or_in_a_log_line() {
    no_secret_is_in_clear(Topology::Together).await;
}

#[tokio::test]
async fn no_secret_is_in_clear_with_split_roles_either() {
    no_secret_is_in_clear(Topology::Split).await;
}

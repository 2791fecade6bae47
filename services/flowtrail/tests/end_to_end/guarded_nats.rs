//! A NATS of one's own that wants TLS with certificates of both sides and an nkey, with the log in a domain: all by settings.

use std::path::Path;
use std::process::Command;

use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair as TlsKey};
use serde_json::json;
use testkit::{NatsServer, eventually};

use crate::flowtrail::{Process, flowtrail, http_client};

/// Writes an authority, and a certificate of it for loopback, for both sides.
fn write_certificates(directory: &Path) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = TlsKey::generate().unwrap();
    std::fs::write(directory.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let (issuer, key) = (Issuer::new(params, key), TlsKey::generate().unwrap());
    let issued = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(directory.join("both.pem"), issued.pem()).unwrap();
    std::fs::write(directory.join("both.key"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn roles_and_commands_reach_a_guarded_nats_by_their_settings() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    write_certificates(directory.path());
    let user = KeyPair::new_user();
    std::fs::write(path("user.nk"), user.seed().unwrap()).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nats/server.conf");
    let more = format!(
        "jetstream {{ domain: hub }}\n\
         tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}\n\
         authorization {{ users: [ {{ nkey: {} }} ] }}\n",
        path("both.pem"),
        path("both.key"),
        path("ca.pem"),
        user.public_key()
    );
    std::fs::write(path("nats.conf"), std::fs::read_to_string(shipped).unwrap() + &more).unwrap();
    let nats = NatsServer::start_with(&path("nats.conf")).await;
    let reaching = |arguments: &[&str]| -> Command {
        let mut command = flowtrail(&path("data"));
        command.args(arguments).env("FLOWTRAIL_NATS_URL", nats.url());
        for (setting, file) in [
            ("FLOWTRAIL_NATS_CA", "ca.pem"),
            ("FLOWTRAIL_NATS_CERTIFICATE", "both.pem"),
            ("FLOWTRAIL_NATS_KEY", "both.key"),
            ("FLOWTRAIL_NATS_NKEY", "user.nk"),
        ] {
            command.env(setting, path(file));
        }
        command.env("FLOWTRAIL_NATS_DOMAIN", "hub");
        command
    };
    let output = reaching(&["streams"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Without one of them nobody is let in, and it is said.
    for (setting, told) in [("FLOWTRAIL_NATS_NKEY", "authorization"), ("FLOWTRAIL_NATS_CA", "certificate")] {
        let output = reaching(&["streams"]).env_remove(setting).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{setting}: {said}");
        assert!(said.to_lowercase().contains(told), "{setting}: {said}");
    }
    let output = reaching(&["streams"]).env("FLOWTRAIL_NATS_KEY", path("absent")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the key of the client's certificate") && said.contains("absent"), "{said}");

    let shown = String::from_utf8(reaching(&["config", "--json"]).output().unwrap().stdout).unwrap();
    assert!(shown.contains(r#""setting":"FLOWTRAIL_NATS_DOMAIN","value":"hub""#), "{shown}");

    let mut command = reaching(&["run", "--roles", "projector,commands,streamer,gateway", "--listen", "127.0.0.1:0"]);
    let log = path("log");
    command.stderr(std::fs::File::create(&log).unwrap());
    let mut process = Process::start(command, &log);
    let token = std::fs::read_to_string(path("data/admin.token")).unwrap();
    let http = http_client();
    let event = json!({ "id": "e", "event_type": "door.open" });
    let ask = |request: reqwest::RequestBuilder| request.header("x-api-key", token.trim()).send();
    let url = format!("{}/api/events/audit?activity_code=door.open", process.url);
    assert_eq!(ask(http.post(&url).json(&event)).await.unwrap().status(), 202);
    eventually("it is in the view", async || {
        let answer = ask(http.get(&url)).await.unwrap().text().await.unwrap();
        answer.contains(r#""id":"e""#).then_some(())
    })
    .await;
    process.child.kill().unwrap();
    process.child.wait().unwrap();
}

//! A day in an operator's life, with the package and nothing else: installed, configured, started, used, renewed, watched,
//! backed up, lost, restored, rotated, upgraded, removed.
//!
//! The package is packed by the recipe of the release, of the binary under test: that of the release takes too long to build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use reqwest::{Certificate, Client};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{eventually, free_port};
use views::View;

use super::package::{can_install, dpkg, installed, packed};
use super::{promtool, run};
use crate::flowtrail::{Process, without_settings};
use crate::receiver::Receiver;
use crate::upgrade;

const SECRET: &str = "Wd4-of-the-receiver";

/// The package in a root folder, with a service manager's part played here.
struct Service {
    place: TempDir,
    /// What the certificate is renewed to.
    trusted: Option<Certificate>,
    token: String,
    process: Option<Process>,
}

impl Service {
    fn install(package: &Path) -> Self {
        Self { place: installed(package), trusted: None, token: String::new(), process: None }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.place.path().join(path.trim_start_matches('/'))
    }

    fn data(&self) -> PathBuf {
        self.at("/var/lib/flowtrail")
    }

    /// Changes the settings that the package has installed, as an editor would: a line for each.
    fn configure(&self) {
        let file = self.at("/etc/flowtrail/flowtrail.toml");
        let nats_server = std::env::var_os("FLOWTRAIL_NATS_SERVER").unwrap_or_else(|| "nats-server".into());
        let (data, certificate, key) =
            (self.data(), self.at("/etc/flowtrail/tls.crt"), self.at("/etc/flowtrail/tls.key"));
        let settings = [
            ("data_dir", json!(data)),
            ("listen", json!("127.0.0.1:0")),
            ("metrics_listen", json!("127.0.0.1:0")),
            ("tls_certificate", json!(certificate)),
            ("tls_key", json!(key)),
            ("nats_server", json!(nats_server.to_str().unwrap())),
            ("nats_port", json!(free_port())),
            ("egress_allow", json!(["127.0.0.0/8"])),
            ("audit_reads", json!(false)),
        ];
        let mut text = fs::read_to_string(&file).unwrap();
        for (name, value) in settings {
            let is_it = |line: &&str| line.trim_start_matches('#').starts_with(&format!("{name} = "));
            let line = text.lines().find(is_it).unwrap_or_else(|| panic!("{name} is not shown")).to_owned();
            text = text.replace(&line, &format!("{name} = {value}"));
        }
        fs::write(&file, text).unwrap();
    }

    fn renew_certificate(&mut self) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(self.at("/etc/flowtrail/tls.crt"), made.cert.pem()).unwrap();
        fs::write(self.at("/etc/flowtrail/tls.key"), made.signing_key.serialize_pem()).unwrap();
        self.trusted = Some(Certificate::from_pem(made.cert.pem().as_bytes()).unwrap());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = without_settings(&self.at("/usr/bin/flowtrail"));
        command.env_remove("FLOWTRAIL_NATS_SERVER");
        command.env("FLOWTRAIL_CONFIG", self.at("/etc/flowtrail/flowtrail.toml")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(&mut self) {
        let log = self.place.path().join("journal");
        let mut command = self.command(&["up"]);
        command.stderr(fs::File::options().create(true).append(true).open(&log).unwrap());
        self.process = Some(Process::start(command, &log));
        self.token = fs::read_to_string(self.data().join("admin.token")).unwrap().trim().to_owned();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.as_ref().unwrap().child), signal).unwrap();
    }

    fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert!(self.process.take().unwrap().child.wait().unwrap().success());
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let client = Client::builder().tls_certs_only(self.trusted.clone()).build().unwrap();
        let url = format!("{}{path}", self.process.as_ref().unwrap().url);
        let request = client.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        let request = if method == "GET" { request } else { request.json(body) };
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.unwrap_or_default()))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null).await.unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn publish(&self, id: &str) {
        let event = json!({ "id": id, "event_type": "door.open" });
        assert_eq!(self.ask("POST", "/api/events/audit", &event).await.unwrap().0, 202);
    }

    async fn scraped(&self) -> String {
        let url = self.process.as_ref().unwrap().metrics_url.clone().unwrap();
        Client::new().get(url).header("accept", "text/plain").send().await.unwrap().text().await.unwrap()
    }

    fn dumps(&self) -> Vec<String> {
        View::ALL.iter().map(|view| self.succeed(&["dump", view.name()])).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = kill_process(Pid::from_child(&process.child), Signal::TERM);
            let _ = process.child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_an_operator() {
    let directory = tempfile::tempdir().unwrap();
    let Some(package) = packed(directory.path()).filter(|_| can_install()) else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut service = Service::install(&package);
    service.configure();
    service.renew_certificate();
    service.start();
    let receiver = Receiver::start().await;
    let headers = json!({ "x-config": SECRET }).to_string();
    let config = json!({ "url": receiver.url(), "events": "audit", "headers": headers });
    let integration = json!({ "platform": "generic_http", "enabled": true, "config": config });
    assert_eq!(service.ask("POST", "/api/event-streaming", &integration).await.unwrap().0, 200);
    for number in 0..20 {
        service.publish(&format!("e{number}")).await;
    }
    eventually("all is delivered", async || (receiver.taken("e").len() == 20).then_some(())).await;

    // Keep it for longer, which the next start leaves as it is.
    service.succeed(&["retention", "audit", "--age", "2555days"]);
    let first = service.trusted.clone();
    service.renew_certificate();
    assert_eq!(service.ask("GET", "/healthz", &Value::Null).await, None, "the new one is not shown yet");
    service.signal(Signal::HUP);
    eventually("the new certificate is shown", async || service.ask("GET", "/healthz", &Value::Null).await).await;
    let second = std::mem::replace(&mut service.trusted, first);
    assert_eq!(service.ask("GET", "/healthz", &Value::Null).await, None, "nor the old one any more");
    service.trusted = second;

    if let Some(mut promtool) = promtool() {
        let scraped = service.scraped().await;
        let told = run(promtool.args(["check", "metrics"]), &scraped);
        assert!(told.status.success(), "{}\n{scraped}", String::from_utf8_lossy(&told.stderr));
    }

    // Everything is lost but the backup and the master key.
    let (dumps, token) = (service.dumps(), service.token.clone());
    let (backup, key) = (directory.path().join("backup"), directory.path().join("master.key"));
    service.succeed(&["backup", backup.to_str().unwrap()]);
    fs::copy(service.data().join("master.key"), &key).unwrap();
    service.stop();
    fs::remove_dir_all(service.data()).unwrap();
    service.succeed(&["restore", backup.to_str().unwrap()]);
    fs::copy(&key, service.data().join("master.key")).unwrap();
    fs::write(service.data().join("admin.token"), &token).unwrap();
    service.start();
    assert!(service.dumps() == dumps, "the dumps differ");
    assert!(service.succeed(&["retention", "audit"]).contains("2555 days"));
    receiver.forget();
    service.publish("after").await;
    eventually("the secret opens", async || (receiver.taken("after").len() == 1).then_some(())).await;
    assert!(receiver.got().iter().all(|got| got.config == SECRET));

    // Another master key opens what the first did.
    service.stop();
    let new = service.at("/var/lib/flowtrail/master.key.new");
    service.succeed(&["rotate-master-key", new.to_str().unwrap()]);
    fs::rename(&new, service.data().join("master.key")).unwrap();
    service.start();
    service.publish("rotated").await;
    eventually("the secret opens", async || (receiver.taken("rotated").len() == 1).then_some(())).await;
    assert!(receiver.got().iter().all(|got| got.config == SECRET));

    // Here joins: a person is erased, and is gone from every view, backup and receiver from now on.

    // The folder of an older version goes on, too.
    service.stop();
    fs::rename(service.data(), directory.path().join("newer")).unwrap();
    upgrade::unpack(&service.data());
    service.start();
    upgrade::check(&service.get("/api/events/audit?limit=100").await);
    service.stop();

    dpkg(service.place.path(), &["--remove", "flowtrail"]);
    assert!(!service.at("/usr/bin/flowtrail").exists() && service.at("/etc/flowtrail/flowtrail.toml").exists());
    dpkg(service.place.path(), &["--purge", "flowtrail"]);
    assert!(!service.at("/etc/flowtrail/flowtrail.toml").exists() && service.data().join("nats").exists());
}

//! Events as the SDKs of CloudEvents make them, in every mode, over NATS and over HTTP: accepted as they are, and read back
//! equal. From what was accepted comes the table of `docs/publishing.md`.

mod go;
mod rust;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology, not_run};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/publishing.md");
const MODES: [&str; 4] = ["structured", "binary", "batch", "data_base64"];
const SUBJECT: &str = "flowtrail.v1.audit.main.shop";
const TIME: &str = "2024-01-31T12:00:00.123456Z";

/// What an SDK published.
#[derive(Default)]
struct Published {
    sdk: String,
    version: String,
    events: Vec<Told>,
}

/// An event, and what it must be read back as.
#[derive(Deserialize)]
struct Told {
    mode: String,
    transport: String,
    expected: Value,
}

impl Published {
    fn new(sdk: &str, version: &str) -> Self {
        Self { sdk: sdk.to_owned(), version: version.to_owned(), events: Vec::new() }
    }

    /// Notes an event of an SDK whose program is this test.
    fn add(&mut self, mode: &str, transport: &str, id: &str) {
        let event_type = if mode == "data_base64" { "order.paid" } else { "com.example.order.paid" };
        let expected = json!({
            "id": id, "created_at": TIME, "source": "/shop", "event_type": event_type, "resource_id": "order 7",
            "event_payload": data(),
        });
        self.events.push(Told { mode: mode.to_owned(), transport: transport.to_owned(), expected });
    }

    /// Reads what a program said: its SDK first, then its events.
    fn read(program: &mut Command) -> Self {
        let output = program.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let mut lines = said.lines();
        let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let text = |name: &str| head[name].as_str().unwrap().to_owned();
        let events = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { sdk: text("sdk"), version: text("version"), events }
    }

    /// The rows of the table, once each event was read back equal.
    async fn rows(&self, flowtrail: &Flowtrail) -> Vec<String> {
        let mut transports: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for Told { mode, transport, expected } in &self.events {
            let id = expected["id"].as_str().unwrap();
            let read = eventually("it is in the view", async || {
                let answer = flowtrail.request("GET", &format!("/v1/audit/events/{id}")).send().await.unwrap();
                let status = answer.status();
                (status == 200).then_some(answer.json::<Value>().await.unwrap())
            })
            .await;
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&read[name], value, "{} {}: {mode} over {transport}: {name}", self.sdk, self.version);
            }
            let place = MODES.iter().position(|known| known == mode).unwrap();
            let over = transports.entry(place).or_default();
            if !over.contains(&transport.as_str()) {
                over.push(transport);
            }
        }
        assert_eq!(transports.len(), MODES.len(), "{}", self.sdk);
        let row = |(mode, over): (usize, Vec<&str>)| {
            format!("| {} | {} | {} | {} | yes |", self.sdk, self.version, MODES[mode], over.join(", "))
        };
        transports.into_iter().map(row).collect()
    }
}

fn data() -> Value {
    json!({ "amount": 12.5, "count": 42, "names": ["Zoë", "😀"], "none": null, "empty": {}, "list": [] })
}

/// The data of an event of Flowtrail's own.
fn own_data() -> Value {
    json!({ "event_type": "order.paid", "resource_id": "order 7", "event_payload": data() })
}

/// A message over either transport: its headers and its body.
struct Wire {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Wire {
    fn new(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { headers, body: body.into() }
    }

    async fn over_nats(self, jetstream: &async_nats::jetstream::Context) {
        let mut headers = async_nats::HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(name.as_str(), value.as_str());
        }
        let sent = if self.headers.is_empty() {
            jetstream.publish(SUBJECT, self.body.into()).await
        } else {
            jetstream.publish_with_headers(SUBJECT, headers, self.body.into()).await
        };
        sent.unwrap().await.unwrap();
    }

    async fn over_http(self, flowtrail: &Flowtrail) {
        let mut request = flowtrail.request("POST", "/api/events/audit").body(self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    }
}

/// The Pythons with one release of the SDK each.
fn pythons() -> Vec<String> {
    let pythons = std::env::var_os("FLOWTRAIL_TEST_CLOUDEVENTS").expect("run ./just test: it installs the SDKs");
    let pythons = pythons.into_string().unwrap();
    pythons.split(':').map(str::to_owned).collect()
}

/// The program in JavaScript, which finds packages in a folder next to itself; none where there is no Node.
fn javascript(directory: &Path) -> Option<Command> {
    let packages = std::env::var_os("FLOWTRAIL_TEST_NODE").filter(|packages| !packages.is_empty())?;
    symlink(packages, directory.join("node_modules")).unwrap();
    std::fs::copy(Path::new(CLIENTS).join("cloudevents_sdk.mjs"), directory.join("sdk.mjs")).unwrap();
    let mut command = Command::new("node");
    command.arg("sdk.mjs").current_dir(directory);
    Some(command)
}

/// The table as it stands on the page, without its head.
fn rows_of_the_page() -> Vec<String> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, table) =
        page.split_once("| SDK | version | mode | transport | accepted unchanged |\n|---|---|---|---|---|\n").unwrap();
    table.lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_the_sdks_send_is_accepted_as_the_page_on_publishing_says() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let arguments = [&flowtrail.nats_url, &flowtrail.url, &flowtrail.token];
    let mut published = Vec::new();
    for python in pythons() {
        let program = Path::new(CLIENTS).join("cloudevents_sdk.py");
        published.push(Published::read(Command::new(python).arg(program).args(arguments)));
    }
    let directory = tempfile::tempdir().unwrap();
    let node = javascript(directory.path());
    let has_node = node.is_some();
    published.extend(node.map(|mut program| Published::read(program.args(arguments))));
    published.push(rust::publish(&flowtrail).await);
    published.push(go::publish(&flowtrail).await);

    let mut rows = Vec::new();
    for sdk in &published {
        rows.extend(sdk.rows(&flowtrail).await);
    }
    let mut expected = rows_of_the_page();
    if !has_node {
        not_run("there is no Node for the JavaScript SDK of CloudEvents");
        expected.retain(|row| !row.starts_with("| JavaScript"));
    }
    assert_eq!(expected, rows, "docs/publishing.md says something else; what was found:\n{}", rows.join("\n"));
    let letters = flowtrail.succeed(["dead-letters"]);
    assert_eq!(letters, "", "nothing became a dead letter");
}

//! What README.md and docs/ show works as printed: the tour, the examples of publishing, the table of dialects.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use testkit::HttpServer;

use crate::flowtrail::{Flowtrail, Topology, not_run};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn the_page_on_publishing_prints_the_examples_as_they_are() {
    let page = page("docs/publishing.md");
    for name in ["publish.py", "publish.rs", "publish.go", "Publish.java", "node/publish.mjs", "node/cloudevents.mjs"] {
        let text = std::fs::read_to_string(example(name)).unwrap();
        assert!(page.contains(&text), "docs/publishing.md does not print services/flowtrail/examples/{name} as it is");
    }
}

/// Runs an example against a fresh Flowtrail, then looks for what it published.
async fn publishes(mut command: Command, audit_event: &str) {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    command.arg(&flowtrail.nats_url);
    has_published(&flowtrail, command, audit_event).await;
}

async fn has_published(flowtrail: &Flowtrail, mut command: Command, audit_event: &str) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    testkit::eventually("its event is in the view", async || {
        let events = flowtrail.get("/api/events/audit?activity_code=invoice.pay").await;
        (events[0]["id"] == audit_event).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_python_example_publishes() {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the Python clients");
    let mut command = Command::new(python);
    command.arg(example("publish.py"));
    publishes(command, "invoice-43-paid").await;
}

#[tokio::test]
async fn the_rust_example_publishes() {
    // cargo builds the examples next to the tests: <profile>/examples and <profile>/deps.
    let test = std::env::current_exe().unwrap();
    publishes(Command::new(test.parent().unwrap().with_file_name("examples").join("publish")), "invoice-42-paid").await;
}

#[tokio::test]
async fn the_node_example_publishes() {
    let directory = tempfile::tempdir().unwrap();
    let Some(command) = node("publish.mjs", directory.path()) else { return };
    publishes(command, "invoice-44-paid").await;
}

#[tokio::test]
async fn the_example_with_a_cloudevents_sdk_publishes() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut command) = node("cloudevents.mjs", directory.path()) else { return };
    let flowtrail = Flowtrail::start(Topology::Together).await;
    command.args([&flowtrail.url, &flowtrail.token]);
    has_published(&flowtrail, command, "invoice-47-paid").await;
}

/// An example in Node, which finds packages in a folder next to itself; none where there is no Node.
fn node(name: &str, directory: &Path) -> Option<Command> {
    let Some(packages) = std::env::var_os("FLOWTRAIL_TEST_NODE").filter(|packages| !packages.is_empty()) else {
        not_run("there is no Node for the example");
        return None;
    };
    symlink(packages, directory.join("node_modules")).unwrap();
    std::fs::copy(example("node").join(name), directory.join(name)).unwrap();
    let mut command = Command::new("node");
    command.arg(directory.join(name));
    Some(command)
}

/// The commands of the tour, run one after the other by a shell in a directory that looks like the project's.
#[tokio::test]
async fn the_tour_answers_as_the_readme_shows() {
    if Command::new("curl").arg("--version").output().is_err() {
        return not_run("there is no curl for the tour");
    }
    let flowtrail = Flowtrail::start_with(Topology::Together, &[]).await;
    let place = flowtrail.directory.path();
    let program = env!("CARGO_BIN_EXE_flowtrail");
    std::fs::create_dir_all(place.join("target/release")).unwrap();
    symlink(program, place.join("target/release/flowtrail")).unwrap();
    // Its recipe runs the program with the same arguments.
    symlink(program, place.join("just")).unwrap();
    symlink(Path::new(ROOT).join("services"), place.join("services")).unwrap();

    let readme = page("README.md");
    let tour = readme.split("\n## ").find(|section| section.starts_with("A tour\n")).unwrap();
    let steps = steps(tour);
    assert!(steps.len() >= 5, "{}", steps.len());
    // What the first step sets is there in each.
    let setting = &steps[0].0.replace("http://127.0.0.1:8080", &flowtrail.url);
    for (commands, shown) in &steps[1..] {
        let run = || {
            let mut shell = Command::new("sh");
            shell.args(["-ec", &format!("{setting}{commands}")]).current_dir(place);
            shell.env("FLOWTRAIL_DATA_DIR", flowtrail.data());
            let output = shell.output().unwrap();
            assert!(output.status.success(), "{commands}{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let mut answer = run();
        if !fits(&answer, shown) && only_reads(commands) {
            // What was imported may come into the view a moment later.
            let shown_in_time = async || Some(run()).filter(|answer| fits(answer, shown));
            answer = testkit::eventually(&format!("{commands}answers {shown}instead of {answer}"), shown_in_time).await;
        }
        assert!(fits(&answer, shown), "README.md shows\n{shown}\nafter\n{commands}\nand the answer is\n{answer}");
    }
}

fn only_reads(commands: &str) -> bool {
    commands.lines().all(|line| line.starts_with("curl ") && !line.contains(" -d ") && !line.contains(" -X "))
}

/// Each block of commands, with the answers that are shown behind it.
fn steps(section: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut inside = "";
    for line in section.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some("sh"), "") => {
                inside = "sh";
                steps.push(<(String, String)>::default());
            }
            (Some(language), "") => inside = language,
            (Some(_), _) => inside = "",
            (None, "") => {}
            (None, language) => {
                let step = steps.last_mut().unwrap();
                let text = if language == "sh" { &mut step.0 } else { &mut step.1 };
                *text += &format!("{line}\n");
            }
        }
    }
    steps
}

/// Whether an answer is what is shown, but for white space and for what stands where it shows `…`.
fn fits(answer: &str, shown: &str) -> bool {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let (answer, shown) = (dense(answer), dense(shown));
    let parts: Vec<&str> = shown.split('…').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    let Some(mut rest) = answer.strip_prefix(first) else { return false };
    if parts.len() == 1 {
        return rest.is_empty();
    }
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn an_answer_fits_only_what_is_shown() {
    assert!(fits("{\"a\":1}", "{\"a\": 1}"));
    assert!(fits("a12b34c", "a…b…c"));
    for (answer, shown) in [("abc", "ab"), ("a12b", "a…c"), ("xa1b", "a…b"), ("a1b2", "a…b"), ("ac", "a…b…c")]
    {
        assert!(!fits(answer, shown), "{answer} {shown}");
    }
}

/// The event of the tables and of the examples of what receivers get.
fn example_event() -> Value {
    json!({
        "id": "e-42", "time": "2024-01-31T12:00:00Z", "event_type": "route.add", "actor_id": "u1",
        "actor_email": "alice@example.com", "resource_type": "route", "resource_id": "r1", "ip_address": "203.0.113.7",
        "meta": {"range": "10.64.0.0/24"},
    })
}

#[tokio::test]
async fn receivers_get_what_the_page_on_delivery_shows() {
    let bodies = Arc::new(Mutex::new(Vec::<Bytes>::new()));
    let got = bodies.clone();
    let take = move |body: Bytes| async move {
        got.lock().unwrap().push(body);
        // Splunk's own way to say that it took something.
        r#"{"text":"Success","code":0}"#
    };
    let receiver = HttpServer::start(Router::new().fallback(take)).await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    for config in [
        json!({"platform": "generic_http", "config": {"url": receiver.url("/hook"), "events": "audit"}, "enabled": true}),
        json!({
            "platform": "splunk_hec", "enabled": true,
            "config": {"url": receiver.url("/splunk/services/collector"), "token": "secret", "events": "audit"},
        }),
    ] {
        let answer = flowtrail.request("POST", "/api/event-streaming").json(&config).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }
    let answer = flowtrail.request("POST", "/api/events/audit").json(&example_event()).send().await.unwrap();
    assert_eq!(answer.status(), 202);

    let page = page("docs/delivery.md");
    for (heading, place) in [("Webhook\n", ""), ("What every platform gets\n", "/event")] {
        let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
        let shown = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let shown: Value = serde_json::from_str(shown).unwrap();
        let came = async || {
            let bodies = bodies.lock().unwrap().clone();
            let mut events = bodies.iter().flat_map(|body| events_in(body));
            events.find_map(|event| Some(event.pointer(place)?.clone()).filter(|event| *event == shown))
        };
        testkit::eventually(&format!("the receiver gets {shown}"), came).await;
    }
}

/// The JSON values of a body, one after the other, compressed or not.
fn events_in(body: &[u8]) -> Vec<Value> {
    let values = if body.starts_with(&[0x1f, 0x8b]) {
        serde_json::Deserializer::from_reader(GzDecoder::new(body)).into_iter().collect()
    } else {
        serde_json::Deserializer::from_slice(body).into_iter().collect()
    };
    Result::<Vec<Value>, _>::unwrap(values)
}

/// The canonical fields of the table, each with the names that the dialects give it; a dialect that has none: `""`.
const DIALECTS: [(&str, [&str; 3]); 14] = [
    ("event id", ["id", "id", ""]),
    ("time", ["timestamp", "created_at", "timestamp"]),
    ("`event_type`", ["activity_code", "event_type", ""]),
    ("`activity`", ["activity", "", ""]),
    ("`event_group`", ["", "event_group", ""]),
    ("`status`", ["", "status", "response"]),
    ("`actor_id`", ["initiator_id", "actor_id", ""]),
    ("`actor_email`", ["initiator_email", "", "user_name"]),
    ("`actor_type`", ["", "actor_type", ""]),
    ("`resource_type`", ["", "resource_type", "entity_type"]),
    ("`resource_id`", ["target_id", "resource_id", "entity_id"]),
    ("`ip_address`", ["", "ip_address", "ip_address"]),
    ("`operation`", ["", "", "operation"]),
    ("`meta`", ["meta", "event_payload", "value"]),
];

#[tokio::test]
async fn one_event_is_in_all_dialects_as_the_page_on_asking_shows() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let answer = flowtrail.request("POST", "/api/events/audit").json(&example_event()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let netbird = flowtrail.get("/api/events/audit?activity_code=route.add").await[0].take();
    let instavm = flowtrail.get("/v1/audit/events?event_type=route.add").await["items"][0].take();
    let logs = flowtrail.request("POST", "/api/ni/logs/audit").json(&json!({"entity_id": "r1"})).send().await.unwrap();
    let vrni = serde_json::from_str::<Value>(&logs.text().await.unwrap()).unwrap()["results"][0].take();

    let mut table = "| | NetBird | InstaVM | vRNI |\n|---|---|---|---|\n".to_owned();
    for (field, names) in DIALECTS {
        let cell = |(shown, name): (&Value, &str)| match name {
            "" => "–".to_owned(),
            name => format!("`{name}`: `{}`", shown[name]),
        };
        let cells = [&netbird, &instavm, &vrni].into_iter().zip(names).map(cell);
        table += &format!("| {field} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    assert!(page("docs/query.md").contains(&table), "docs/query.md does not show this table:\n{table}");
}

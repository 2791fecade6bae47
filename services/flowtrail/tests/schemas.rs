//! The files in `schemas/` are what the code says, and what was once published stays readable.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use model::envelope::CloudEvent;
use model::event::{Event, decode_event};
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use serde_json::{Value, json};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/events")
}

#[test]
fn the_description_of_the_api_is_as_generated() {
    // Not `assert_eq`, which would print both.
    assert!(file("../openapi.json") == gateway::openapi(), "run `just schemas`: schemas/openapi.json changed");
}

#[test]
fn the_page_of_fields_is_as_generated() {
    assert!(text("../fields.md") == model::schema::fields_page(), "run `just schemas`: schemas/fields.md changed");
}

fn text(name: &str) -> String {
    let path = directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

#[test]
fn the_schemas_are_as_generated() {
    for event in model::schema::all() {
        let mut schema = serde_json::to_value(&event.schema).unwrap();
        schema["x-cloudevents-types"] = json!(event.event_types);
        assert_eq!(file(&format!("{}.json", event.name)), schema, "run `just schemas`: {} changed", event.name);
    }
    let files = std::fs::read_dir(directory()).unwrap().count();
    assert_eq!(files, 2 * model::schema::all().len(), "a schema without an event, or without its golden example");
}

#[test]
fn every_golden_example_fits_its_schema() {
    for event in model::schema::all() {
        let golden = file(&format!("{}.golden.json", event.name));
        assert_eq!(golden, event.golden, "{}: a golden example is never changed, only added to", event.name);
        let schema = file(&format!("{}.json", event.name));
        let validator = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> = validator.iter_errors(&golden).map(|error| error.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new(), "{}", event.name);
    }
}

#[test]
fn every_golden_example_is_still_read() {
    let main = AccountId::parse("main").unwrap();
    let received_at = Timestamp::EPOCH;
    for event in model::schema::all() {
        if event.name.starts_with("dead_letter.") {
            continue;
        }
        let data = file(&format!("{}.golden.json", event.name)).to_string();
        for event_type in &event.event_types {
            let subject = subject_of(event_type, &main);
            let opened = CloudEvent::new("e1", "/test", event_type, data.as_bytes().into());
            let decoded = decode_event(&subject, &opened, received_at);
            assert!(decoded.is_ok(), "{event_type}: {decoded:?}");
            assert_eq!(family(&decoded.unwrap()), event_type.split('.').nth(1).unwrap());
        }
    }
}

fn subject_of(event_type: &str, account: &AccountId) -> Subject {
    let parts: Vec<&str> = event_type.split('.').collect();
    match parts[1] {
        "audit" => Subject::audit(account, "s"),
        "traffic" => Subject::traffic(account, "r"),
        "integration" => Subject::integration(account, 1),
        "access" => Subject::access(account, parts[2], "x"),
        "search" => Subject::search(account, "x"),
        "delivery" => Subject::delivery(account, 1),
        "directory" => Subject::directory(account, parts[2], "p1"),
        other => panic!("no subject for {other}"),
    }
}

fn family(event: &Event) -> &'static str {
    match event {
        Event::Audit(_) => "audit",
        Event::Traffic(_) => "traffic",
        Event::Integration(_) => "integration",
        Event::Access(_) => "access",
        Event::Directory { .. } => "directory",
        Event::Search(_) => "search",
        Event::Delivery(_) => "delivery",
    }
}

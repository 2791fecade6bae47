//! `flowtrail schemas`: the JSON Schemas of all events, their golden examples, the tables of fields and of scopes, and the
//! description of the API, as files.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

/// Writes `events/<name>.json`, `events/<name>.golden.json`, `fields.md`, `scopes.md` and `openapi.json` below `directory`.
pub(crate) fn write(directory: &Path) -> anyhow::Result<()> {
    let events = directory.join("events");
    fs::create_dir_all(&events).with_context(|| format!("make {}", events.display()))?;
    for event in model::schema::all() {
        let mut schema = serde_json::to_value(&event.schema).context("write a schema")?;
        schema["x-cloudevents-types"] = json!(event.event_types);
        put(&events.join(format!("{}.json", event.name)), &schema)?;
        put(&events.join(format!("{}.golden.json", event.name)), &event.golden)?;
    }
    for (name, page) in [("fields.md", model::schema::fields_page()), ("scopes.md", gateway::scopes_table())] {
        let path = directory.join(name);
        fs::write(&path, page).with_context(|| format!("write {}", path.display()))?;
    }
    put(&directory.join("openapi.json"), &gateway::openapi())
}

fn put(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("write JSON")?;
    fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))
}

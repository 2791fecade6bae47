//! The page of fields: what an audit event and a traffic report may say, as the tables of fields have it.

use schemars::schema_for;
use serde::Serialize;
use serde_json::Value;

use crate::audit::fields::FIELDS;
use crate::{audit, traffic};

/// The page, as Markdown.
#[must_use]
pub fn fields_page() -> String {
    let audit = rows(&Value::from(schema_for!(audit::Fields)), &members(&audit::Filter::default()));
    let traffic = rows(&Value::from(schema_for!(traffic::Reported)), &members(&traffic::Filter::default()));
    format!(
        "# Fields\n\nWhat the `data` of an event may say; generated from the tables of fields. Lists can be filtered by the \
         fields with a ✓.\n{}{}",
        table(audit::RECORDED, &audit),
        table(traffic::REPORTED, &traffic)
    )
}

fn table(event_type: &str, rows: &[String]) -> String {
    format!(
        "\n## {event_type}\n\n| field | also called | type | filter | what it says |\n|---|---|---|:-:|---|\n{}",
        rows.concat()
    )
}

/// The names of a filter's parts.
fn members(filter: &impl Serialize) -> Vec<String> {
    let filter = serde_json::to_value(filter).unwrap_or_default();
    filter.as_object().into_iter().flat_map(|members| members.keys().cloned()).collect()
}

/// A row for each field of an object, those of its parts behind it.
fn rows(schema: &Value, filters: &[String]) -> Vec<String> {
    let mut rows = Vec::new();
    add(&mut rows, "", schema, &Known { definitions: &schema["$defs"], filters });
    rows
}

/// What is needed to write a row.
struct Known<'a> {
    /// What a schema refers to.
    definitions: &'a Value,
    filters: &'a [String],
}

fn add(rows: &mut Vec<String>, prefix: &str, schema: &Value, known: &Known<'_>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let value = known.resolved(field);
        let items = value.get("items").map(|items| known.resolved(items));
        rows.push(format!(
            "| `{path}` | {} | {} | {} | {} |\n",
            other_names(&path),
            type_name(value),
            if known.is_filtered(&path) { "✓" } else { "" },
            field["description"].as_str().unwrap_or_default(),
        ));
        add(rows, &format!("{path}."), value, known);
        add(rows, &format!("{path}[]."), items.unwrap_or(&Value::Null), known);
    }
}

fn other_names(path: &str) -> String {
    let field = FIELDS.iter().find(|field| field.name == path);
    let names = field.map_or(&[][..], |field| field.other_names);
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Known<'_> {
    /// What a schema refers to, or the schema itself.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let target = schema["$ref"].as_str().or_else(|| schema["anyOf"][0]["$ref"].as_str());
        target.and_then(|target| target.strip_prefix("#/$defs/")).map_or(schema, |name| &self.definitions[name])
    }

    /// Whether a filter's part has the field's name: `source_id` that of `source.id`, `event_types` that of `event_type`.
    fn is_filtered(&self, path: &str) -> bool {
        let name = path.replace('.', "_");
        self.filters.iter().any(|filter| *filter == name || filter.strip_suffix('s') == Some(&name))
    }
}

fn type_name(schema: &Value) -> String {
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
        return names.join(", ");
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    let name = match (kind, schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => "time",
        (Some("string"), _) => "text",
        (Some("array"), _) => "list",
        (Some(kind), _) => kind,
        (None, _) => "any JSON",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_audit_filter_is_a_field_of_the_table() {
        // Of the whole event: when it was, and what a search looks through.
        let others = ["period", "search"];
        let parts = members(&audit::Filter::default());
        let fields: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        for part in parts.iter().filter(|part| !others.contains(&part.as_str())) {
            assert!(fields.contains(&part.as_str()) || part == "event_types", "{part}");
        }
        assert!(parts.len() > 10);
    }

    #[test]
    fn a_row_says_all_that_the_table_says() {
        let page = fields_page();
        let row = "| `resource_id` | `target_id`, `entity_id` | text | ✓ | What it was done to. |\n";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("| `source.id` |  | text | ✓ | Peer or resource id. |\n"), "{page}");
        assert!(page.contains("| `events[].timestamp` |  | time |  | "), "{page}");
    }
}

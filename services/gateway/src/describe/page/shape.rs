//! A JSON Schema in words: what kind of value it is, and the fields of an object.

use maud::{Markup, html};
use serde_json::Value;

use super::text::{list, members, paragraphs, string, words};

/// The kind of value, what is said of it, and its fields.
pub(super) fn whole(schema: &Value) -> Markup {
    html! {
        // The fields say that it is an object.
        @if schema.get("properties").is_none() { span.kind { (inline(schema)) } }
        (paragraphs(string(&schema["description"])))
        (fields(schema))
    }
}

/// The kind of value, in a few words.
pub(super) fn inline(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    if let Some(constant) = schema.get("const") {
        return html! { code { (constant) } };
    }
    if schema.get("enum").is_some() {
        return joined(list(&schema["enum"]), "or", |value| html! { code { (value) } });
    }
    for (word, joint) in [("anyOf", "or"), ("oneOf", "or"), ("allOf", "and")] {
        if schema.get(word).is_some() {
            return joined(list(&schema[word]), joint, inline);
        }
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.as_slice(),
        kind => std::slice::from_ref(kind),
    };
    html! { (joined(kinds, "or", |kind| one(kind, schema))) (limits(schema)) }
}

fn one(kind: &Value, schema: &Value) -> Markup {
    match string(kind) {
        "" => html! { "anything" },
        "array" => html! { "list of " (inline(&schema["items"])) },
        "object" if schema["additionalProperties"].is_object() => {
            html! { "object of " (inline(&schema["additionalProperties"])) }
        }
        "object" => html! {
            "object" @if schema.get("required").is_some() { " with " (joined(list(&schema["required"]), "and", named)) }
        },
        "string" => match schema["format"].as_str() {
            Some(format) => html! { "string (" (format) ")" },
            None => html! { "string" },
        },
        name => html! { (name) },
    }
}

fn named(name: &Value) -> Markup {
    html! { code { (string(name)) } }
}

fn limits(schema: &Value) -> Markup {
    let words = [("minimum", "at least"), ("maximum", "at most"), ("default", "else")];
    html! {
        @for (name, word) in words {
            @if let Some(limit) = schema.get(name).filter(|limit| !limit.is_object() && !limit.is_null()) {
                ", " (word) " " (limit)
            }
        }
    }
}

fn joined(values: &[Value], joint: &str, shown: impl Fn(&Value) -> Markup) -> Markup {
    html! {
        @for (index, value) in values.iter().enumerate() {
            @if index > 0 { " " (joint) " " }
            (shown(value))
        }
    }
}

fn fields(schema: &Value) -> Markup {
    // A list's fields are those of its items.
    let schema = if schema["items"].is_object() { &schema["items"] } else { schema };
    let required = list(&schema["required"]);
    html! {
        @if members(&schema["properties"]).next().is_some() {
            dl {
                @for (name, field) in members(&schema["properties"]) {
                    dt {
                        code { (name) } " "
                        span.kind { (inline(field)) @if required.contains(&Value::from(name.as_str())) { ", required" } }
                    }
                    dd { (words(string(&field["description"]))) @if field.get("$ref").is_none() { (fields(field)) } }
                }
            }
        }
    }
}

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::describe::page::{Page, page};
use crate::router::{openapi, routes};

/// Path, method and scopes of every operation.
type Named = BTreeSet<(String, String, Vec<String>)>;

fn scopes(operation: &Value) -> Vec<String> {
    let ways = operation["security"].as_array().unwrap().iter().flat_map(|way| way.as_object().unwrap().values());
    let scopes: BTreeSet<&str> =
        ways.flat_map(|scopes| scopes.as_array().unwrap()).map(|s| s.as_str().unwrap()).collect();
    scopes.into_iter().map(str::to_owned).collect()
}

fn named(document: &Value) -> Named {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (path.clone(), method.to_ascii_uppercase(), scopes(operation)))
    });
    all.collect()
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap().values())
}

/// Every reference in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_description_names_exactly_the_routes_of_the_table_with_their_scopes() {
    let table = routes().into_iter().map(|route| {
        let scopes = match route.needs {
            Needs::Nothing | Needs::Token => Vec::new(),
            Needs::Scope(scope) => vec![scope.name().to_owned()],
        };
        (route.path.to_owned(), route.method.to_string(), scopes)
    });
    assert_eq!(named(&openapi()), table.collect());
}

#[test]
fn whatever_needs_a_token_says_so_and_can_be_refused_without_one() {
    let document = openapi();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        let ways = operation["security"].as_array().unwrap().len();
        assert_eq!(ways, if route.needs == Needs::Nothing { 0 } else { 5 }, "{}", route.path);
        if route.needs != Needs::Nothing {
            assert!(operation["responses"]["401"].is_object(), "{}", route.path);
        }
        if matches!(route.needs, Needs::Scope(_)) {
            assert!(operation["responses"]["403"].is_object(), "{}", route.path);
        }
        assert_eq!(route.path.contains("{id}"), operation["parameters"].to_string().contains(r#""in":"path""#));
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_a_title_and_a_good_answer() {
    let document = openapi();
    let ids: BTreeSet<&str> =
        operations(&document).map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations(&document).count());
    assert!(ids.contains("getApiEventStreamingId"), "{ids:?}");
    for operation in operations(&document) {
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        let answers = operation["responses"].as_object().unwrap();
        let is_good = answers.keys().any(|status| status.starts_with('2'));
        assert!(is_good || operation["operationId"] == "getApiEventsProxy", "{operation}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    let document = openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name}");
        // So schemars tells two types of one name apart.
        assert!(!name.ends_with(|character: char| character.is_ascii_digit()), "{name}: two types have this name");
    }
}

#[test]
fn a_type_that_is_read_and_written_has_one_schema() {
    let mut describing = Describing::new();
    for route in routes() {
        describing.operation(&route);
    }
    let (written, read) = (describing.written.take_definitions(true), describing.read.take_definitions(true));
    for (name, schema) in &written {
        assert!(read.get(name).is_none_or(|other| other == schema), "{name} is read in another form than written");
    }
    assert!(written.keys().any(|name| read.contains_key(name)));
}

#[test]
fn the_page_shows_every_operation_and_schema_and_loads_nothing() {
    let document = openapi();
    let Page { html, policy } = page(&document);
    for operation in operations(&document) {
        assert!(html.contains(&format!("id=\"{}\"", operation["operationId"].as_str().unwrap())));
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("id=\"schema-{name}\"")));
    }
    // So that a phone has it at once: four lists and their items are 4 kB of it.
    assert!(html.len() < 230_000, "{} bytes", html.len());
    for absent in ["<script", "src=", "url(", "@import", "http://", "https://", "style=\""] {
        assert!(!html.contains(absent), "{absent}");
    }
    // Every link is to a part of the page or a path of Flowtrail's own.
    for link in html.split("href=\"").skip(1) {
        let target = link.split('"').next().unwrap();
        let is_part = target.strip_prefix('#').is_some_and(|id| html.contains(&format!("id=\"{id}\"")));
        assert!(is_part || target == "/openapi.json" || target == "data:,", "{target}");
    }
    // Browsers hash what stands between the tags.
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(policy.to_str().unwrap().starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}'; ")));
}

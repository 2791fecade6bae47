//! The description as a page: no script, nothing from elsewhere, readable on a phone, in light and in dark.

mod shape;
mod text;

use axum::http::HeaderValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::text::{list, members, paragraphs, string, words};

const STYLE: &str = include_str!("page.css");

/// The page and the content security policy that it works under.
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) policy: HeaderValue,
}

/// Makes the page of a description.
pub(crate) fn page(document: &Value) -> Page {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    // Base64 is fit for a header; nothing at all is let through otherwise.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    Page { html: whole(document).into_string(), policy }
}

fn whole(document: &Value) -> Markup {
    let info = &document["info"];
    let tags = list(&document["tags"]);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (string(&info["title"])) " API" }
                // Else browsers ask for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (string(&info["title"])) " API " small { (string(&info["version"])) } }
                    (paragraphs(string(&info["description"])))
                    p { "The same for programs: " a href="/openapi.json" { "/openapi.json" } ", OpenAPI " (string(&document["openapi"])) "." }
                    h4 { "Headers that requests may have" }
                    dl { @for (_, parameter) in members(&document["components"]["parameters"]) { (field(parameter)) } }
                }
                nav {
                    @for tag in tags { (contents(document, string(&tag["name"]))) }
                    a href="#schemas" { "Schemas" }
                }
                main {
                    @for tag in tags { (section(document, tag)) }
                    section id="schemas" {
                        h2 { "Schemas" }
                        @for (name, schema) in members(&document["components"]["schemas"]) {
                            article id={ "schema-" (name) } {
                                h3 { code { (name) } }
                                (shape::whole(schema))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn contents(document: &Value, tag: &str) -> Markup {
    html! {
        details {
            summary { (tag) }
            ul {
                @for (path, method, operation) in operations(document, tag) {
                    li {
                        a href={ "#" (string(&operation["operationId"])) } { (string(&operation["summary"])) }
                        " " span.route { (method.to_uppercase()) " " (path) }
                    }
                }
            }
        }
    }
}

fn section(document: &Value, tag: &Value) -> Markup {
    let name = string(&tag["name"]);
    html! {
        section id=(name) {
            h2 { (name) }
            (paragraphs(string(&tag["description"])))
            p { "Its refusals are " (refusals(document, name)) "." }
            @for (path, method, described) in operations(document, name) {
                (operation(document, path, method, described))
            }
        }
    }
}

/// How a dialect refuses: all refusals of one have the same form.
fn refusals(document: &Value, dialect: &str) -> Markup {
    let refusal = &document["components"]["responses"][format!("{dialect}.500")];
    html! { @for (media_type, form) in members(&refusal["content"]) { (shape::inline(&form["schema"])) " in " code { (media_type) } } }
}

fn operation(document: &Value, path: &str, method: &str, operation: &Value) -> Markup {
    html! {
        article id=(string(&operation["operationId"])) {
            h3 { (string(&operation["summary"])) }
            p.route { span class={ "method " (method) } { (method.to_uppercase()) } " " code { (path) } }
            (paragraphs(string(&operation["description"])))
            p.scope { (needs(operation)) }
            @if own(operation).next().is_some() {
                h4 { "Parameters" }
                dl { @for parameter in own(operation) { (field(parameter)) } }
            }
            @if let Some(body) = operation.get("requestBody") {
                h4 { "Body" @if body["required"] != true { " (may be empty)" } }
                (contents_of(&body["content"]))
            }
            h4 { "Answers" }
            dl { @for (status, answer) in members(&operation["responses"]) { (response(document, status, answer)) } }
        }
    }
}

/// The parameters of an operation alone; what many have in common is referred to, and said once, above.
fn own(operation: &Value) -> impl Iterator<Item = &Value> {
    list(&operation["parameters"]).iter().filter(|parameter| parameter.get("$ref").is_none())
}

fn field(parameter: &Value) -> Markup {
    html! {
        dt {
            code { (string(&parameter["name"])) } " "
            span.kind { "in the " (string(&parameter["in"])) ", " (shape::inline(&parameter["schema"])) }
        }
        dd { (words(string(&parameter["description"]))) }
    }
}

fn response(document: &Value, status: &str, answer: &Value) -> Markup {
    let refusal = resolved(document, answer);
    // A description next to a reference replaces the one it refers to.
    let text = answer.get("description").unwrap_or(&refusal["description"]);
    // What every answer has is said once, above.
    let names = members(&answer["headers"]).map(|(name, _)| name).filter(|name| *name != "X-Request-Id");
    html! {
        dt { code { (status) } " " span.kind { (words(string(text))) } }
        @if answer.get("$ref").is_none() {
            dd {
                (contents_of(&answer["content"]))
                p.headers { @for name in names { code { (name) } " " } }
            }
        }
    }
}

fn contents_of(content: &Value) -> Markup {
    html! {
        @for (media_type, form) in members(content) {
            div.form { code.media { (media_type) } " " (shape::whole(&form["schema"])) }
        }
    }
}

/// What a token must allow.
fn needs(operation: &Value) -> Markup {
    let Some((_, scopes)) = list(&operation["security"]).first().and_then(|first| members(first).next()) else {
        return html! { "Needs no token." };
    };
    match list(scopes).first() {
        Some(scope) => html! { "Needs the scope " code { (string(scope)) } "." },
        None => html! { "Needs a token; any will do." },
    }
}

/// The operations of a dialect: path, method and what is said of them.
fn operations<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let all = members(&document["paths"]).flat_map(|(path, methods)| {
        members(methods).map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == tag)
}

/// What stands there, or what the reference that stands there is to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(value)
}

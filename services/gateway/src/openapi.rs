//! The description of the API in OpenAPI 3.1: made from the table of routes and from what each handler says of itself.
//!
//! Invariant: paths, methods and scopes are named in the table alone. What every route of a kind may answer, such as a
//! missing scope or a log that is away, is added here, so that no handler can forget it.

mod refusal;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::access::caller::Needs;
use crate::access::session;
use crate::describe::operation::{Answer, Form, Parameter};
use crate::describe::{Header, Operation, header};
use crate::http::dialect::Dialect;
use crate::route::Route;

const ABOUT: &str = "\
Flowtrail records who did what (audit events) and what talked to what (network-traffic records). It answers three \
APIs that people have clients for, and a few paths of its own; one event, published once, is in all of them.

A token comes behind `Authorization: Token`, `Bearer` or `NetworkInsight`, as `X-API-Key`, or in the cookie of a session. It belongs to one account, \
and what is another account's looks like what does not exist. Each operation names the scope that its token needs; \
`admin` is every scope.

Every answer has an `X-Request-Id`. A method that a path does not know is 405 in the shape of the path's dialect. HEAD \
is answered wherever GET is, but for InstaVM's paths; OPTIONS is answered with 204 there too.

Times are RFC 3339 in UTC. Lists are newest first; events of the same time are ordered by id, descending. A cursor is \
good for the account and the filter it was given for, and a changed one is refused.";

/// The description of these routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut describing = Describing::new();
    let mut paths = Map::new();
    for route in routes {
        let operation = describing.operation(route);
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Flowtrail",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": Dialect::ALL.map(|dialect| json!({ "name": dialect.name(), "description": dialect.about() })),
        "paths": paths,
        "components": describing.components(),
    })
}

/// The schemas of answers and of bodies: the same type may be read in more ways than it is written.
struct Describing {
    written: SchemaGenerator,
    read: SchemaGenerator,
}

impl Describing {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            written: settings.clone().for_serialize().into_generator(),
            read: settings.for_deserialize().into_generator(),
        }
    }

    fn operation(&mut self, route: &Route) -> Value {
        let Operation { title, text, parameters, body, answers, .. } = &route.operation;
        let dialect = Dialect::of(route.path);
        let mut parameters: Vec<Value> = parameters.iter().map(Parameter::described).collect();
        parameters.extend(headers_of(route).map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
        let mut responses = Map::new();
        for answer in answers {
            responses.insert(answer.status.as_str().to_owned(), self.answer(dialect, answer));
        }
        for (status, text) in refusal::of(route) {
            responses.insert(status.as_str().to_owned(), refusal::referred(dialect, status, text));
        }
        let mut operation = json!({
            "operationId": operation_id(route),
            "tags": [dialect.name()],
            "summary": title,
            "description": text,
            "parameters": parameters,
            "responses": responses,
            "security": security(route.needs),
        });
        if let Some(body) = body {
            let content: Map<String, Value> = body.forms.iter().map(|form| self.form(form)).collect();
            operation["requestBody"] = json!({ "required": body.is_required, "content": content });
        }
        operation
    }

    fn form(&mut self, form: &Form) -> (String, Value) {
        (form.media_type.to_owned(), json!({ "schema": (form.schema)(&mut self.read) }))
    }

    fn answer(&mut self, dialect: Dialect, answer: &Answer) -> Value {
        let is_told = dialect.ignores_unknown() && answer.status.is_success();
        let everywhere = [Header::RequestId].into_iter().chain(is_told.then_some(Header::Ignored));
        let all = everywhere.chain(answer.headers.iter().copied());
        let headers: Map<String, Value> = all.map(Header::referred).collect();
        let mut described = json!({ "description": answer.text, "headers": headers });
        if !answer.forms.is_empty() {
            let form = |Form { media_type, schema }: &Form| {
                ((*media_type).to_owned(), json!({ "schema": schema(&mut self.written) }))
            };
            described["content"] = answer.forms.iter().map(form).collect::<Map<_, _>>().into();
        }
        described
    }

    fn components(mut self) -> Value {
        let responses: Map<String, Value> =
            Dialect::ALL.into_iter().flat_map(|dialect| refusal::all(dialect, &mut self.written)).collect();
        let mut schemas = self.written.take_definitions(true);
        schemas.extend(self.read.take_definitions(true));
        json!({
            "schemas": schemas,
            "responses": responses,
            "headers": Header::ALL.into_iter().map(Header::described).collect::<Map<_, _>>(),
            "parameters": header::parameters(),
            "securitySchemes": {
                "Token": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "`Token <token>`, as NetBird's clients send it.",
                },
                "Bearer": { "type": "http", "scheme": "bearer" },
                "NetworkInsight": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "`NetworkInsight <token>`, as vRNI's clients send it.",
                },
                "ApiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "Session": {
                    "type": "apiKey", "in": "cookie", "name": session::NAME,
                    "description": "As `POST /flowtrail/v1/session` sets it. What is not GET or HEAD needs `Flowtrail-Csrf` then.",
                },
            },
        })
    }
}

/// The headers that a route understands in addition to its own parameters.
fn headers_of(route: &Route) -> impl Iterator<Item = &'static str> {
    let takes_at_least = route.needs != Needs::Nothing || route.operation.takes_at_least;
    takes_at_least.then_some("Flowtrail-At-Least").into_iter().chain(["X-Request-Id"])
}

/// Any one of the ways to bring a token, with the scope that it needs.
fn security(needs: Needs) -> Value {
    let scopes = match needs {
        Needs::Nothing => return json!([]),
        Needs::Token => Vec::new(),
        Needs::Scope(scope) => vec![scope.name()],
    };
    ["Token", "Bearer", "NetworkInsight", "ApiKey", "Session"].map(|scheme| json!({ scheme: scopes })).into()
}

/// Method and path in one word: it stays the same when other operations come or go.
fn operation_id(route: &Route) -> String {
    let method = route.method.as_str().to_ascii_lowercase();
    let words = route.path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    method + &words.map(capital).collect::<String>()
}

#[cfg(test)]
mod tests;

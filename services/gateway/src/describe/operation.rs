//! What a handler says of itself, for the description of the API: written right behind the handler, as `describe_*`.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::header::Header;

/// Makes a schema; the types it is made of become components of the description.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

const JSON: &str = "application/json";

/// What one route does, but for what all routes of its kind do: bringing a token, lacking a scope, failing.
pub(crate) struct Operation {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// It understands `Flowtrail-At-Least`, though it needs no token.
    pub(crate) takes_at_least: bool,
    pub(crate) body: Option<RequestBody>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) refusals: Vec<(StatusCode, &'static str)>,
}

pub(crate) struct Parameter {
    location: &'static str,
    name: &'static str,
    text: &'static str,
    schema: Schema,
    is_required: bool,
}

pub(crate) struct RequestBody {
    pub(crate) is_required: bool,
    pub(crate) forms: Vec<Form>,
}

/// A form that a body can have, of a request or an answer.
pub(crate) struct Form {
    pub(crate) media_type: &'static str,
    pub(crate) schema: SchemaOf,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
    pub(crate) forms: Vec<Form>,
    pub(crate) headers: Vec<Header>,
}

impl Operation {
    /// A title of a few words, and what else is worth knowing.
    pub(crate) fn new(title: &'static str, text: &'static str) -> Self {
        Self {
            title,
            text,
            parameters: Vec::new(),
            takes_at_least: false,
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// A parameter in the query that need not be there.
    pub(crate) fn query(self, name: &'static str, text: &'static str, schema: Schema) -> Self {
        self.parameter(Parameter { location: "query", name, text, schema, is_required: false })
    }

    /// A parameter in the query that must be there.
    pub(crate) fn needed_query(self, name: &'static str, text: &'static str, schema: Schema) -> Self {
        self.parameter(Parameter { location: "query", name, text, schema, is_required: true })
    }

    /// A header of the request, never required.
    pub(crate) fn header(self, name: &'static str, text: &'static str, schema: Schema) -> Self {
        self.parameter(Parameter { location: "header", name, text, schema, is_required: false })
    }

    /// The part of the path that is `{id}`.
    pub(crate) fn id(self, text: &'static str, schema: Schema) -> Self {
        self.parameter(Parameter { location: "path", name: "id", text, schema, is_required: true })
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Understands `Flowtrail-At-Least` without a token.
    pub(crate) fn takes_at_least(self) -> Self {
        Self { takes_at_least: true, ..self }
    }

    /// A JSON body that must be there.
    pub(crate) fn body(self, schema: SchemaOf) -> Self {
        Self { body: Some(RequestBody { is_required: true, forms: Vec::new() }), ..self }.form(JSON, schema)
    }

    /// A JSON body that may be missing.
    pub(crate) fn optional_body(self, schema: SchemaOf) -> Self {
        Self { body: Some(RequestBody { is_required: false, forms: Vec::new() }), ..self }.form(JSON, schema)
    }

    /// Another form that the body may have.
    pub(crate) fn form(mut self, media_type: &'static str, schema: SchemaOf) -> Self {
        if let Some(body) = &mut self.body {
            body.forms.push(Form { media_type, schema });
        }
        self
    }

    /// An answer in JSON.
    pub(crate) fn answers<T: JsonSchema>(self, status: StatusCode, text: &'static str) -> Self {
        self.answers_in(JSON, status, text, SchemaGenerator::subschema_for::<T>)
    }

    /// An answer in a form of its own.
    pub(crate) fn answers_in(
        mut self,
        media_type: &'static str,
        status: StatusCode,
        text: &'static str,
        schema: SchemaOf,
    ) -> Self {
        self.answers.push(Answer { status, text, forms: vec![Form { media_type, schema }], headers: Vec::new() });
        self
    }

    /// Another form that the last answer may have.
    pub(crate) fn or_in(mut self, media_type: &'static str, schema: SchemaOf) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.forms.push(Form { media_type, schema });
        }
        self
    }

    /// An answer without a body.
    pub(crate) fn answers_nothing(mut self, status: StatusCode, text: &'static str) -> Self {
        self.answers.push(Answer { status, text, forms: Vec::new(), headers: Vec::new() });
        self
    }

    /// The last answer has these headers.
    pub(crate) fn with(mut self, headers: &[Header]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend_from_slice(headers);
        }
        self
    }

    /// The last answer comes from a view, and says as of when it is.
    pub(crate) fn tells_freshness(self) -> Self {
        self.with(&[Header::AsOf, Header::LagMs, Header::Stale])
    }

    /// It can be refused in this way too, not only in those that all routes of its kind have.
    pub(crate) fn refuses(mut self, status: StatusCode, text: &'static str) -> Self {
        self.refusals.push((status, text));
        self
    }
}

impl Parameter {
    /// Its name, where it is one of the query.
    pub(crate) fn name_in_query(&self) -> Option<&'static str> {
        (self.location == "query").then_some(self.name)
    }

    pub(crate) fn described(&self) -> Value {
        let Self { location, name, text, schema, is_required } = self;
        let mut described = json!({ "name": name, "in": location, "description": text, "schema": schema });
        if *is_required {
            described["required"] = json!(true);
        }
        described
    }
}

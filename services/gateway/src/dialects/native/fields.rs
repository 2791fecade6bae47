//! `GET /flowtrail/v1/audit/fields` and `GET /flowtrail/v1/traffic/fields`: the fields that the language knows, so that what
//! is typed can be completed.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use model::filter::{Described, Family as Language, Kind};
use schemars::JsonSchema;
use serde::Serialize;
use views::lists::{Family, FieldOf};

use crate::describe::Operation;
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;

/// The fields of a family.
#[derive(Serialize, JsonSchema)]
struct FieldsAnswer {
    /// In the order of `docs/query.md`.
    fields: Vec<FieldAnswer>,
}

#[derive(Serialize, JsonSchema)]
struct FieldAnswer {
    name: &'static str,
    /// Its other names, among them those of the dialects.
    aliases: Vec<&'static str>,
    kind: KindAnswer,
    /// The values that it can have; absent where these are not a few.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<&'static str>>,
    /// What it is. Code is in backticks.
    about: &'static str,
    /// Whether it can be counted by, so that `facets` and `values` know it.
    countable: bool,
}

/// What a field takes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KindAnswer {
    /// A text, which may have wildcards.
    Text,
    /// A number, or a comparison with one.
    Number,
    /// A time, or one relative to now.
    Time,
    /// An address, a network or a host's name.
    Address,
    /// An IP protocol, by name or number.
    Protocol,
    /// One of `choices`.
    Choice,
    /// What is inside JSON, by a path behind the field's name.
    Json,
}

/// The fields of a family; the same for every account.
pub(crate) async fn fields<F: Family>(uri: Uri) -> Result<Response, Refusal> {
    Parameters::parse(uri.query())?.are_among(&[])?;
    Ok(json::ok(&FieldsAnswer { fields: F::Language::fields().into_iter().map(field::<F>).collect() }))
}

pub(crate) fn describe_fields(title: &'static str) -> Operation {
    Operation::new(title, "The fields that `q` knows, with their other names, what they take and what they are.")
        .answers::<FieldsAnswer>(StatusCode::OK, "The fields.")
}

fn field<F: Family>(field: FieldOf<F>) -> FieldAnswer {
    let Described { name, other_names, kind, .. } = F::Language::describe(field);
    let (kind, choices) = match kind {
        Kind::Text => (KindAnswer::Text, None),
        Kind::Number => (KindAnswer::Number, None),
        Kind::Time => (KindAnswer::Time, None),
        Kind::Address => (KindAnswer::Address, None),
        Kind::Protocol => (KindAnswer::Protocol, None),
        Kind::Choice(choices) => (KindAnswer::Choice, Some(choices.to_vec())),
        Kind::Json => (KindAnswer::Json, None),
    };
    let (aliases, about, countable) = (other_names.to_vec(), F::Language::about(field), F::is_facet(field));
    FieldAnswer { name, aliases, kind, choices, about, countable }
}

//! `GET /flowtrail/v1/audit/values` and `GET /flowtrail/v1/traffic/values`: the values of a field that begin like this, so
//! that what is typed can be completed.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use views::lists::{Facets, FacetsOf};

use super::form::{Form, ValuesAnswer};
use super::{Counts, DEFAULT_TOP, MAX_TOP, answer, field};
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::dialects::native::events::{selecting, selection};
use crate::lists::ask::Lists;
use crate::lists::language::Q;
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;

const FORM: Form = Form { has_sums: false };

/// The most frequent values of a field.
pub(crate) async fn values<F: Counts>(
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    parameters.are_among(&[Q, "from", "to", "reads", "field", "prefix", "limit"])?;
    let name = parameters.text("field")?.ok_or_else(|| Refusal::field("field", "is missing"))?;
    let fields = vec![field::<F>("field", &name)?];
    let prefix = parameters.text("prefix")?;
    let top = parameters.number("limit", 1..=MAX_TOP)?.unwrap_or(DEFAULT_TOP);
    let (filter, q) = selection::<F>(&parameters)?;
    let asked = Facets::<F> {
        account: caller.principal.account.clone(),
        filter,
        q,
        fields,
        prefix,
        top,
        by: None,
        once: false,
    };
    let render = move |FacetsOf { total, tops, judged }| {
        let top = tops.into_iter().next().unwrap_or_default();
        Ok(json::ok(&ValuesAnswer {
            of: FORM.total(total, judged),
            field: name,
            values: FORM.values(top.values),
            others: FORM.others(top.others),
        }))
    };
    answer(&lists, &caller, asked, render).await
}

pub(crate) fn describe_values<F: Counts>(title: &'static str) -> Operation {
    let text = "The most frequent values of a field that begin with a text, with exact counts, so that what is typed can be \
                completed.";
    selecting(Operation::new(title, text))
        .needed_query(
            "field",
            "A field of the language that can be counted by: `fields` says which can.",
            schema::text(),
        )
        .query("prefix", "What the values begin with, in any case.", schema::text())
        .query("limit", "How many at most.", schema::whole(1..=MAX_TOP, DEFAULT_TOP))
        .answers::<ValuesAnswer>(StatusCode::OK, "The values.")
        .tells_freshness()
}

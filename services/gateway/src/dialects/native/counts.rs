//! `GET /flowtrail/v1/audit/facets` and `GET /flowtrail/v1/traffic/facets`, the same with `histogram`, and
//! `GET /flowtrail/v1/traffic/top`: exact counts of what matches, and sums of its numbers, by values and by
//! time.

mod form;
pub(crate) mod values;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use views::Question;
use views::audit::Audit;
use views::lists::{Facet, Facets, FacetsOf, Histogram, HistogramOf, MIN_BUCKETS, Measure, Pairs, PairsOf};
use views::traffic::Traffic;

use self::form::{FacetsAnswer, Form, HistogramAnswer, TopAnswer};
use super::events::{Listed, selecting, selection};
use super::merged::{self, merging};
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::language::Q;
use crate::lists::query::Parameters;
use crate::render::json;
use crate::render::refusal::Refusal;

/// To count, where nothing is summed up.
const COUNT: &str = "count";
const ORDERED_BY: &str = "Which are the greatest: the most frequent, by `count`, which is the default; or those with the greatest sum of \
                          this field, which is told as `sum` beside `count`.";
const DEFAULT_TOP: usize = 10;
const MAX_TOP: usize = 1000;
const MAX_FIELDS: usize = 20;
const DEFAULT_BUCKETS: usize = 120;
const MAX_BUCKETS: usize = 1000;
const DEFAULT_SERIES: usize = 5;
const MAX_SERIES: usize = 50;

/// A family whose rows are counted.
pub(crate) trait Counts: Listed {
    /// What they are counted by where nothing else is asked for.
    const USUAL: &'static str;
}

impl Counts for Audit {
    const USUAL: &'static str = "event_type,event_group,status,actor,resource_type,ip_address";
}

impl Counts for Traffic {
    const USUAL: &'static str = "source,destination,reporter,user,protocol,direction";
}

/// The most frequent values of some fields.
pub(crate) async fn facets<F: Counts>(
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    known::<F>(&parameters, &["field", "top", "by"])?;
    let by = measure::<F>(&parameters, "by")?;
    let once = merged::is_wanted::<F>(&parameters)?;
    let fields = fields::<F>("field", &parameters.text("field")?.unwrap_or_else(|| F::USUAL.to_owned()))?;
    let top = parameters.number("top", 1..=MAX_TOP)?.unwrap_or(DEFAULT_TOP);
    let (filter, q) = selection::<F>(&parameters)?;
    let form = Form { has_sums: by.is_some() };
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let asked =
        Facets::<F> { account: caller.principal.account.clone(), filter, q, fields, prefix: None, top, by, once };
    let render = move |FacetsOf { total, tops, judged }| {
        merged::is_whole(once, judged)?;
        let facets = names.into_iter().zip(tops).map(|(field, top)| form.facet(field, top));
        Ok(json::ok(&FacetsAnswer { of: form.total(total, judged), facets: facets.collect() }))
    };
    answer(&lists, &caller, asked, render).await
}

pub(crate) fn describe_facets<F: Counts>(title: &'static str) -> Operation {
    let text = "The most frequent values of each field, or those with the greatest sums, exactly, and how many others there are.";
    merging::<F>(selecting(Operation::new(title, text)))
        .query(
            "field",
            "What is counted by: fields of the language, with commas between them, at most 20. Without it those that are usual.",
            schema::text(),
        )
        .query("top", "How many values are told of each.", schema::whole(1..=MAX_TOP, DEFAULT_TOP))
        .query("by", ORDERED_BY, schema::choice(&choices::<F>()))
        .answers::<FacetsAnswer>(StatusCode::OK, "The values.")
        .tells_freshness()
}

/// Counts by time.
pub(crate) async fn histogram<F: Counts>(
    State(lists): State<Lists>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    known::<F>(&parameters, &["buckets", "split", "top", "sum"])?;
    let buckets = parameters.number("buckets", MIN_BUCKETS..=MAX_BUCKETS)?.unwrap_or(DEFAULT_BUCKETS);
    let split = parameters.text("split")?.map(|name| field::<F>("split", &name)).transpose()?;
    let top = parameters.number("top", 1..=MAX_SERIES)?.unwrap_or(DEFAULT_SERIES);
    let sum = measure::<F>(&parameters, "sum")?;
    let once = merged::is_wanted::<F>(&parameters)?;
    let form = Form { has_sums: sum.is_some() };
    let (filter, q) = selection::<F>(&parameters)?;
    let name = split.as_ref().map(|field| field.name().to_owned());
    let asked = Histogram::<F> { account: caller.principal.account.clone(), filter, q, buckets, split, top, sum, once };
    let render = move |HistogramOf { total, width_ms, amounts, split, judged }| {
        merged::is_whole(once, judged)?;
        Ok(json::ok(&HistogramAnswer {
            of: form.total(total, judged),
            width_ms,
            buckets: amounts.into_iter().map(|bucket| form.bucket(bucket)).collect(),
            split: name.zip(split).map(|(field, split)| form.split(field, split)),
        }))
    };
    answer(&lists, &caller, asked, render).await
}

pub(crate) fn describe_histogram<F: Counts>(title: &'static str) -> Operation {
    let text = "Exact counts by time: in buckets of a round length, over the period that is asked for or, where that is open, \
                that of what matches.";
    merging::<F>(selecting(Operation::new(title, text)))
        .query("buckets", "How many buckets at most.", schema::whole(MIN_BUCKETS..=MAX_BUCKETS, DEFAULT_BUCKETS))
        .query("split", "A field of the language, by whose most frequent values each bucket is split.", schema::text())
        .query("top", "By how many values.", schema::whole(1..=MAX_SERIES, DEFAULT_SERIES))
        .query(
            "sum",
            "What is summed up beside the counts, and which of the values are the greatest.",
            schema::choice(&choices::<F>()),
        )
        .answers::<HistogramAnswer>(StatusCode::OK, "The counts.")
        .tells_freshness()
}

/// The most frequent pairs of values of two fields.
pub(crate) async fn top(State(lists): State<Lists>, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    const USUAL: &str = "source,destination";
    let parameters = Parameters::parse(uri.query())?;
    known::<Traffic>(&parameters, &["by", "sum", "top"])?;
    let by = measure::<Traffic>(&parameters, "sum")?;
    let once = merged::is_wanted::<Traffic>(&parameters)?;
    let form = Form { has_sums: by.is_some() };
    let fields = fields::<Traffic>("by", &parameters.text("by")?.unwrap_or_else(|| USUAL.to_owned()))?;
    let fields = <[_; 2]>::try_from(fields).map_err(|_| Refusal::field("by", "must be two fields"))?;
    let top = parameters.number("top", 1..=MAX_TOP)?.unwrap_or(DEFAULT_TOP);
    let (filter, q) = selection::<Traffic>(&parameters)?;
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let asked = Pairs::<Traffic> { account: caller.principal.account.clone(), filter, q, fields, top, by, once };
    let render = move |PairsOf { total, top, judged }| {
        merged::is_whole(once, judged)?;
        Ok(json::ok(&form.top(form.total(total, judged), names, top)))
    };
    answer(&lists, &caller, asked, render).await
}

pub(crate) fn describe_top() -> Operation {
    let text = "The most frequent pairs of values of two fields, such as who talked to whom, or those with the greatest sums, exactly.";
    merging::<Traffic>(selecting(Operation::new("Top pairs of traffic", text)))
        .query(
            "by",
            "Two fields of the language with a comma between them. Without it `source,destination`.",
            schema::text(),
        )
        .query("sum", ORDERED_BY, schema::choice(&choices::<Traffic>()))
        .query("top", "How many pairs are told.", schema::whole(1..=MAX_TOP, DEFAULT_TOP))
        .answers::<TopAnswer>(StatusCode::OK, "The pairs.")
        .tells_freshness()
}

/// Refuses a parameter that is none of those of all counts and none of these.
fn known<F: Counts>(parameters: &Parameters, own: &[&str]) -> Result<(), Refusal> {
    let of_all = [Q, "from", "to", "reads"].into_iter().chain(F::MERGE);
    parameters.are_among(&of_all.chain(own.iter().copied()).collect::<Vec<_>>())
}

/// What may be summed up, by name; to count is none.
fn choices<F: Counts>() -> Vec<(&'static str, Option<Measure<F>>)> {
    [(COUNT, None)].into_iter().chain(Measure::all().map(|measure| (measure.name(), Some(measure)))).collect()
}

/// What is summed up; none: rows are counted alone.
fn measure<F: Counts>(parameters: &Parameters, name: &str) -> Result<Option<Measure<F>>, Refusal> {
    Ok(parameters.choice(name, &choices::<F>())?.flatten())
}

fn fields<F: Counts>(parameter: &str, text: &str) -> Result<Vec<Facet<F>>, Refusal> {
    let fields: Vec<Facet<F>> = text.split(',').map(|name| field(parameter, name)).collect::<Result<_, _>>()?;
    if fields.len() > MAX_FIELDS {
        return Err(Refusal::field(parameter, format_args!("must be at most {MAX_FIELDS} fields")));
    }
    Ok(fields)
}

fn field<F: Counts>(parameter: &str, name: &str) -> Result<Facet<F>, Refusal> {
    Facet::new(name.trim()).map_err(|problem| Refusal::field(parameter, problem))
}

async fn answer<Q: Question>(
    lists: &Lists,
    caller: &Caller,
    asked: Q,
    render: impl FnOnce(Q::Answer) -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let reply = lists.ask_then(caller, asked, render).await?;
    let mut response = reply.answer?;
    freshness::add(response.headers_mut(), &reply.freshness);
    Ok(response)
}

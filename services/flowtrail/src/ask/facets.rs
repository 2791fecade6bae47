//! `flowtrail facets`: the most frequent values of fields, or those with the greatest sums.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::{Access, Api, PATIENCE};
use super::counts::{self, Amount, Rest, Total, read};
use super::{Asked, Family};
use crate::output::Output;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail facets audit
  flowtrail facets audit 'status:failure' --from now-1d --field actor,ip_address --top 20
  flowtrail facets traffic 'drops:>0' --field reporter,dst
  flowtrail facets traffic --field user,dport --by bytes
  flowtrail facets audit --field event_type --top 1000 --json

A field that cannot be counted by is refused, with the names of those that can.
Exit codes: 0 it was answered, 1 nobody answers or it is refused, 2 the command line is wrong.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which family
    #[arg(value_enum)]
    family: Family,

    #[command(flatten)]
    asked: Asked,

    /// Of which fields, at most 20; default: six that are usual
    #[arg(long, value_name = "FIELD,...")]
    field: Option<String>,

    /// How many values of each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "COUNT")]
    top: u16,

    /// Which are the greatest: those with the greatest sum of a field of traffic, such as bytes, packets or drops; default:
    /// the most frequent
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    access: Access,
}

#[derive(Deserialize)]
struct Facets<'a> {
    #[serde(borrow)]
    facets: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Facet {
    field: String,
    values: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    value: String,
    count: u64,
    sum: Option<u128>,
}

/// Prints the values: a table of each field on a terminal, the answer as JSON for everybody else.
///
/// # Errors
/// When it cannot be asked for or printed.
pub(crate) async fn run(args: &Args, data_dir: &Path) -> anyhow::Result<()> {
    let api = Api::new(&args.access, data_dir, PATIENCE)?;
    let mut parameters = args.asked.parameters();
    parameters.extend(args.field.clone().map(|names| ("field", names)));
    parameters.extend(args.by.clone().map(|name| ("by", name)));
    parameters.push(("top", args.top.to_string()));
    let answer: Box<RawValue> = api.get(&args.family.path_of("facets"), &parameters).await?;
    let mut out = stdout().lock();
    if args.output.json || !out.is_terminal() {
        return writeln!(out, "{answer}").context("print the answer");
    }
    let of: Total = read(answer.get())?;
    let Facets { facets } = read(answer.get())?;
    for facet in facets {
        let (Facet { field, values }, rest): (_, Rest) = (read(facet.get())?, read(facet.get())?);
        let counted = values.into_iter().map(|Counted { value, count, sum }| (vec![value], Amount { count, sum }));
        let table = counts::table(&[field.as_str()], counts::measure(args.by.as_deref()), counted, &rest);
        writeln!(out, "{table}\n").context("print the answer")?;
    }
    writeln!(stderr(), "{of}").context("print the answer")
}

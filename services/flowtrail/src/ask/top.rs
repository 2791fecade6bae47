//! `flowtrail top`: the most frequent pairs of values of two fields, such as who talked to whom, or those with the greatest
//! sums.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::{Access, Api, PATIENCE};
use super::counts::{self, Amount, Rest, Total, read};
use super::{Asked, Family};
use crate::output::Output;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail top traffic
  flowtrail top traffic 'bytes:>1MB' --from now-1h --top 25
  flowtrail top traffic 'drops:>0' --by src,dport
  flowtrail top traffic --sum bytes
  flowtrail top traffic --by user,destination --json

Exit codes: 0 it was answered, 1 nobody answers or it is refused, 2 the command line is wrong.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which family
    #[arg(value_parser = PossibleValuesParser::new(["traffic"]).map(|_| Family::Traffic))]
    family: Family,

    #[command(flatten)]
    asked: Asked,

    /// The two fields; default: source,destination
    #[arg(long, value_name = "FIELD,FIELD")]
    by: Option<String>,

    /// How many pairs
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "COUNT")]
    top: u16,

    /// Which are the greatest: those with the greatest sum of a field, such as bytes, packets or drops; default: the most
    /// frequent
    #[arg(long, value_name = "FIELD")]
    sum: Option<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    access: Access,
}

#[derive(Deserialize)]
struct Top {
    by: Vec<String>,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    values: Vec<String>,
    count: u64,
    sum: Option<u128>,
}

/// Prints the pairs: a table on a terminal, the answer as JSON for everybody else.
///
/// # Errors
/// When it cannot be asked for or printed.
pub(crate) async fn run(args: &Args, data_dir: &Path) -> anyhow::Result<()> {
    let api = Api::new(&args.access, data_dir, PATIENCE)?;
    let mut parameters = args.asked.parameters();
    parameters.extend(args.by.clone().map(|fields| ("by", fields)));
    parameters.extend(args.sum.clone().map(|name| ("sum", name)));
    parameters.push(("top", args.top.to_string()));
    let answer: Box<RawValue> = api.get(&args.family.path_of("top"), &parameters).await?;
    let mut out = stdout().lock();
    if args.output.json || !out.is_terminal() {
        return writeln!(out, "{answer}").context("print the answer");
    }
    let (of, rest): (Total, Rest) = (read(answer.get())?, read(answer.get())?);
    let Top { by, pairs } = read(answer.get())?;
    let counted = pairs.into_iter().map(|Pair { values, count, sum }| (values, Amount { count, sum }));
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let table = counts::table(&by, counts::measure(args.sum.as_deref()), counted, &rest);
    writeln!(out, "{table}").context("print the answer")?;
    writeln!(stderr(), "{of}").context("print the answer")
}

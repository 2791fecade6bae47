//! `flowtrail query`: a list, newest first where nothing else is asked for.

use std::io::{BufWriter, IsTerminal, Write, stderr, stdout};
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::{Access, Api, PATIENCE};
use super::{Asked, Family, table};
use crate::output::Output;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail query audit
  flowtrail query audit 'status:failure -actor:alice' --from now-1d
  flowtrail query audit '-actor:*' --limit 500
  flowtrail query traffic 'dst:10.0.0.0/8 dport:53' --from 2026-01-01 --to 2026-01-31 --all --json
  FLOWTRAIL_TOKEN=... flowtrail query traffic 'bytes:>1MB' --url https://flowtrail.example.com

Exit codes: 0 it was answered, 1 nobody answers or the query is refused, 2 the command line is wrong.";

/// The most that the API has on a page.
const PAGE: usize = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which family
    #[arg(value_enum)]
    family: Family,

    #[command(flatten)]
    asked: Asked,

    /// Newest first, oldest first, or as the log got them
    #[arg(long, value_enum, default_value_t = Order::NewestFirst, allow_hyphen_values = true)]
    order: Order,

    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = RangedU64ValueParser::<usize>::new().range(1..), value_name = "COUNT")]
    limit: usize,

    /// All there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    access: Access,
}

/// In which order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    #[value(name = "-time")]
    NewestFirst,
    #[value(name = "time")]
    OldestFirst,
    #[value(name = "received")]
    Received,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    total: Option<u64>,
    next: Option<String>,
    complete: Option<bool>,
}

impl Order {
    /// As the API names it.
    fn name(self) -> &'static str {
        match self {
            Self::NewestFirst => "-time",
            Self::OldestFirst => "time",
            Self::Received => "received",
        }
    }
}

/// Prints what matches: a table on a terminal, a JSON object a line for everybody else.
///
/// # Errors
/// When it cannot be asked for or printed.
pub(crate) async fn run(args: &Args, data_dir: &Path) -> anyhow::Result<()> {
    let api = Api::new(&args.access, data_dir, PATIENCE)?;
    let as_table = stdout().is_terminal() && !args.output.json;
    let mut left = if args.all { usize::MAX } else { args.limit };
    let (mut total, mut next, mut shown) = (None, None, Vec::new());
    let mut out = BufWriter::new(stdout().lock());
    while left > 0 {
        let mut parameters = args.asked.parameters();
        parameters.push(("order", args.order.name().to_owned()));
        parameters.push(("limit", left.min(PAGE).to_string()));
        parameters.extend(next.map(|cursor| ("cursor", cursor)));
        let page: Page = api.get(args.family.path(), &parameters).await?;
        left -= page.items.len().min(left);
        total = total.or(page.total);
        if as_table {
            shown.extend(page.items);
        } else {
            for item in &page.items {
                writeln!(out, "{item}").context("print the answer")?;
            }
        }
        // In the order of the log there is always a next page, for what is still to come.
        let is_end = args.order == Order::Received && page.complete == Some(true);
        next = page.next.filter(|_| !is_end);
        if next.is_none() {
            break;
        }
    }
    if as_table {
        writeln!(out, "{}", table::of(args.family, &shown)?).context("print the answer")?;
        let of_all = total.map(|total| format!(" of {total}")).unwrap_or_default();
        let hint = if next.is_some() { "; --limit or --all shows more" } else { "" };
        writeln!(stderr(), "{}{of_all}{hint}", shown.len()).context("print the answer")?;
    }
    out.flush().context("print the answer")
}

//! `flowtrail query`: what a running Flowtrail answers over HTTP, for people on a terminal and for programs in a pipe.
//!
//! Invariant: a program gets every member of an item as the service wrote it, numbers to the digit; only what is shown to
//! people is chosen and shortened.

mod api;
pub(crate) mod query;
mod table;

use clap::{Args, ValueEnum};

pub(crate) use api::Api;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail query audit
  flowtrail query audit 'status:failure -actor:alice' --from now-1d
  flowtrail query audit '-actor:*' --limit 500
  flowtrail query traffic 'dst:10.0.0.0/8 dport:53' --from 2026-01-01 --to 2026-01-31 --all --json
  FLOWTRAIL_TOKEN=... flowtrail query traffic 'bytes:>1MB' --url https://flowtrail.example.com

Exit codes: 0 it was answered, 1 nobody answers or the query is refused, 2 the command line is wrong.";

/// What there is to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    /// Who did what
    Audit,
    /// What talked to what
    Traffic,
}

/// Which events or records are meant.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Of which family
    #[arg(value_enum)]
    family: Family,

    /// Which of them, such as 'status:failure actor:alice -ip:10.0.0.0/8'; default: all. docs/query.md describes it
    #[arg(value_name = "QUERY", allow_hyphen_values = true, value_parser = query)]
    q: Option<String>,

    /// At this time or later: a date, a date and time, or such as now-1h
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// At this time or earlier; of a day all of it
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Also records of reads
    #[arg(long)]
    reads: bool,
}

/// A query may begin with a minus sign. With two of them it is a flag that there is not.
fn query(text: &str) -> Result<String, &'static str> {
    if text.starts_with("--") { Err("there is no such flag") } else { Ok(text.to_owned()) }
}

impl Family {
    /// The path of its list.
    fn path(self) -> &'static str {
        match self {
            Self::Audit => "/flowtrail/v1/audit",
            Self::Traffic => "/flowtrail/v1/traffic",
        }
    }
}

impl Asked {
    /// What is asked for, as parameters of a request.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let given = [("q", &self.q), ("from", &self.from), ("to", &self.to)];
        let mut parameters: Vec<_> = given.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        if self.reads {
            parameters.push(("reads", "include".to_owned()));
        }
        parameters
    }
}

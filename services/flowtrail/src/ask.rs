//! `flowtrail query | tail | export | facets | top`: what a running Flowtrail answers over HTTP, for people on a terminal
//! and for programs in a pipe.
//!
//! Invariant: a program gets every member of an answer as the service wrote it, numbers to the digit; only what is shown
//! to people is chosen and shortened.

mod api;
mod counts;
pub(crate) mod export;
pub(crate) mod facets;
pub(crate) mod query;
mod table;
pub(crate) mod tail;
pub(crate) mod top;

use clap::{Args, ValueEnum};

/// What there is to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    /// Who did what
    Audit,
    /// What talked to what
    Traffic,
}

/// Which events or records are meant, whenever they are.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Which of them, such as 'status:failure actor:alice -ip:10.0.0.0/8'; default: all. docs/query.md describes it
    #[arg(value_name = "QUERY", allow_hyphen_values = true, value_parser = query)]
    q: Option<String>,

    /// Also records of reads
    #[arg(long)]
    reads: bool,
}

/// Which events or records of a period are meant.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    wanted: Wanted,

    /// At this time or later: a date, a date and time, or such as now-1h
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// At this time or earlier; of a day all of it
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

/// Parameters of a request.
type Parameters = Vec<(&'static str, String)>;

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

    /// The path of what else there is of it.
    fn path_of(self, what: &str) -> String {
        format!("{}/{what}", self.path())
    }
}

impl Wanted {
    /// What is wanted, as parameters.
    fn parameters(&self) -> Parameters {
        let q = self.q.iter().map(|q| ("q", q.clone()));
        q.chain(self.reads.then(|| ("reads", "include".to_owned()))).collect()
    }
}

impl Asked {
    /// What is asked for, as parameters.
    fn parameters(&self) -> Parameters {
        let given = [("from", &self.from), ("to", &self.to)];
        let given = given.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        self.wanted.parameters().into_iter().chain(given).collect()
    }
}

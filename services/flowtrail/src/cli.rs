//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::access::Scope;
use model::log::AccountId;
use model::time::Timestamp;
use runtime::process::{COMMIT, VERSION};
use runtime::settings::{ServerSettings, Settings};
use views::View;

use crate::output::Output;
use crate::{ask, backup, erase, import, restore, retention, rotate};

/// Records who did what and what talked to what, and answers for it through the APIs people already use.
///
/// `flowtrail up` runs everything on one machine. Every setting is a flag, an environment variable
/// (FLOWTRAIL_...), and a name in the file that --config names.
#[derive(Debug, Parser)]
#[command(version = version(), propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process, with a nats-server of its own
    Up(Up),
    /// Run some of the roles against a NATS server that is there
    Run(Run),
    /// Read logs of public formats, and histories of Flowtrail's own, into the log
    Import(import::Args),
    /// List what a query matches, newest first: a table on a terminal, one JSON object a line in a pipe
    ///
    /// It asks over HTTP, as one account: that of the token.
    #[command(after_help = ask::query::EXAMPLES)]
    Query(ask::query::Args),
    /// Print events as they arrive: lines of columns on a terminal, one JSON object a line in a pipe
    ///
    /// It goes on until it is stopped. Where the connection is lost it makes another one, and goes on where it was: no event is
    /// missed or printed twice, and standard error says so. It asks over HTTP, as one account: that of the token.
    #[command(after_help = ask::tail::EXAMPLES)]
    Tail(ask::tail::Args),
    /// Write all that a query matches, as of one moment, as NDJSON, CSV or Parquet
    ///
    /// It asks over HTTP, as one account: that of the token.
    #[command(after_help = ask::export::EXAMPLES)]
    Export(ask::export::Args),
    /// Count by the values of fields: tables of the most frequent on a terminal, JSON in a pipe
    ///
    /// Counts are exact. It asks over HTTP, as one account: that of the token.
    #[command(after_help = ask::facets::EXAMPLES)]
    Facets(ask::facets::Args),
    /// Count by pairs of values, such as who talked to whom: a table on a terminal, JSON in a pipe
    ///
    /// Counts are exact. It asks over HTTP, as one account: that of the token.
    #[command(after_help = ask::top::EXAMPLES)]
    Top(ask::top::Args),
    /// Compute a view from the log again, next to the old one, then switch over
    Rebuild(Rebuild),
    /// Print a view in its canonical form: one JSON line per row, sorted
    Dump {
        /// Which view
        #[arg(value_parser = view())]
        view: View,
    },
    /// Show how far the views have read the log, and what is wrong with it
    Status {
        #[command(flatten)]
        output: Output,
    },
    /// Look at the data folder, the disk, the log, keys, views and dead letters, and say what to do where something is wrong
    ///
    /// It changes nothing. Exit codes: 0 nothing is broken, 1 something is, 2 the command line is wrong.
    Doctor {
        #[command(flatten)]
        output: Output,
    },
    /// Show what every setting is and who says so: a flag, the environment, a file, or nobody
    Config(ConfigArgs),
    /// List the events that the views could not take in, newest first: position, time, subject, id, outcome, reason
    DeadLetters(DeadLetters),
    /// Bring the events in again that the views could not take in, and say what became of each
    ///
    /// For when the cause is mended: a newer Flowtrail reads what an older one could not. An event that is in the view
    /// already is not published again. Exit codes: 0 all are in the views, 1 some are refused again or the log cannot be
    /// reached, 2 the command line is wrong.
    Redrive(Redrive),
    /// Show how much the log keeps, what it takes and when its limits are reached; or change that
    ///
    /// It stands with the stream on the NATS server, and holds at once. Views forget as the log does.
    #[command(after_help = "Examples:\n  flowtrail retention\n  flowtrail retention audit --age 2555days\n  \
        flowtrail retention traffic --age 14days --bytes 50GiB --yes")]
    Retention(retention::Args),
    /// Take a person out of every view for good, and say where else they stand, and until when
    ///
    /// Their ids become a pseudonym; names, e-mail and other addresses of theirs go. What they did stays, and is counted as
    /// before. It asks first.
    #[command(after_help = erase::EXAMPLES)]
    Erase(erase::Args),
    /// Write the whole log into a folder, while everything runs; or read such a folder through
    ///
    /// The master key is not in it. Exit codes: 0 the backup is whole, 1 there is none or it is damaged, 2 the command
    /// line is wrong.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Args),
    /// Make a backup the log of a NATS server that has none: of FLOWTRAIL_NATS_URL's, else of the own one
    ///
    /// Nothing may run on the data folder, which need not be there. Nothing is changed where the backup is damaged or a
    /// log is there.
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::Args),
    /// Wrap the keys of integrations' secrets by another master key, while nothing runs
    #[command(after_help = rotate::EXAMPLES)]
    RotateMasterKey(rotate::Args),
    /// Make the streams on the NATS server, or bring them up to date: what only its operator may do
    Streams,
    /// Make and list accounts
    #[command(subcommand)]
    Account(Account),
    /// Make, list and delete users
    #[command(subcommand)]
    User(User),
    /// Make, list and delete tokens
    #[command(subcommand)]
    Token(Token),
    /// Print what completes this command line in a shell, such as `source <(flowtrail completions bash)`
    Completions {
        /// For this one
        shell: Shell,
    },
    /// Write a manual page for each command
    Man {
        /// The directory to write them to
        #[arg(long, value_name = "DIR")]
        write: PathBuf,
    },
    /// Write the JSON Schemas and golden examples of all events
    Schemas {
        /// The directory to write them to
        #[arg(long, value_name = "DIR")]
        write: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) server: ServerSettings,
    /// Import sample events from real logs at the start, as if they had just happened
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) server: ServerSettings,
    /// Which roles this process takes
    #[arg(long, env = "FLOWTRAIL_ROLES", value_delimiter = ',', required = true, value_name = "ROLE,...")]
    pub(crate) roles: Vec<Role>,
}

/// A part of Flowtrail that can run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Answers HTTP
    Gateway,
    /// Keeps the views and answers questions about them
    Projector,
    /// Carries out commands
    Commands,
    /// Delivers events to the platforms that accounts named
    Streamer,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    server: ServerSettings,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// One view
    #[arg(value_parser = view())]
    pub(crate) view: Option<View>,
    /// Every view, one after the other
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Replace a view also by one with less in it, where the log has lost messages that the view still has
    #[arg(long)]
    pub(crate) accept_loss: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    /// Only those of this account; default: everybody's, and those of which nobody knows whose they are
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
    /// Also those that something became of when they were driven again
    #[arg(long)]
    pub(crate) all: bool,
    /// How many at most
    #[arg(long, default_value_t = 1000, value_name = "COUNT")]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// Only those of this account; default: everybody's
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Make an account
    Create {
        /// Its id: 1 to 64 of A-Z a-z 0-9 _ -
        account: AccountId,
        /// Its name for people; default: its id
        #[arg(long)]
        name: Option<String>,
    },
    /// List all accounts
    List {
        #[command(flatten)]
        output: Output,
    },
}

/// Which account a command is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct InAccount {
    /// The account
    #[arg(long, default_value = "main", value_name = "ID")]
    pub(crate) account: AccountId,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Make a user; the password is asked for on a terminal, or is the line on standard input
    Create {
        /// What they sign in with
        email: String,
        /// Their name; default: their address
        #[arg(long)]
        name: Option<String>,
        /// The most that they may do: audit:read, traffic:read, integrations:read, integrations:write, events:write, admin
        #[arg(long, value_delimiter = ',', default_values_t = Scope::USUAL, value_name = "SCOPE,...")]
        scopes: Vec<Scope>,
        #[command(flatten)]
        within: InAccount,
    },
    /// List users
    List {
        #[command(flatten)]
        within: InAccount,
        #[command(flatten)]
        output: Output,
    },
    /// Change what a user may do; it holds for all their tokens at once
    Scopes {
        /// What they sign in with
        email: String,
        /// The most that they may do from now on
        #[arg(value_delimiter = ',', required = true, value_name = "SCOPE,...")]
        scopes: Vec<Scope>,
        #[command(flatten)]
        within: InAccount,
    },
    /// Delete a user
    Delete {
        /// What they sign in with
        email: String,
        #[command(flatten)]
        within: InAccount,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token and print it: it is shown this once and kept nowhere
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it allows: audit:read, traffic:read, integrations:read, integrations:write, events:write, admin
        #[arg(long, value_delimiter = ',', required = true, value_name = "SCOPE,...")]
        scopes: Vec<Scope>,
        /// When it ends, such as 2030-01-01T00:00:00Z; default: never
        #[arg(long, value_name = "TIME")]
        expires_at: Option<Timestamp>,
        /// The e-mail address of the user it acts for
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        #[command(flatten)]
        within: InAccount,
    },
    /// List tokens, by what is kept of them
    List {
        #[command(flatten)]
        within: InAccount,
        #[command(flatten)]
        output: Output,
    },
    /// Delete a token
    Delete {
        /// Its id, as `list` shows it
        id: String,
        #[command(flatten)]
        within: InAccount,
    },
}

/// The release, and the commit where that is known.
fn version() -> String {
    COMMIT.map_or_else(|| VERSION.to_owned(), |commit| format!("{VERSION} ({commit})"))
}

/// Reads the name of a view; the help lists them.
fn view() -> impl TypedValueParser<Value = View> {
    PossibleValuesParser::new(View::ALL.map(View::name)).try_map(|name| name.parse::<View>())
}

#[cfg(test)]
mod tests;

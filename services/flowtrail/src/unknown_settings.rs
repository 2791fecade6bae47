//! Names in the environment that look like settings and are none: a typing error would leave a default in force, and
//! nobody would be told.

use std::collections::BTreeSet;
use std::env;

use clap::{Command, CommandFactory};
use tracing::warn;

use crate::cli::Cli;

/// How the names of all settings begin.
pub(crate) const PREFIX: &str = "FLOWTRAIL_";
/// How names begin that the project's own builds and tests are told by.
const OF_THE_PROJECT: [&str; 4] = ["FLOWTRAIL_TEST_", "FLOWTRAIL_DRILL_", "FLOWTRAIL_STORE_", "FLOWTRAIL_EXPLORER_"];
/// So many wrong letters still make a name that was meant.
const MAX_WRONG_LETTERS: usize = 3;

/// Warns of each that the environment names, with the name that may have been meant.
pub(crate) fn warn_of_all() {
    let known = names(&Cli::command());
    for (name, value) in env::vars_os() {
        let (Some(name), value) = (name.to_str(), value.to_string_lossy()) else { continue };
        if known.contains(name) || !looks_like_one(name, &value) {
            continue;
        }
        match nearest(name, &known) {
            Some(meant) => warn!("{name} is no setting and changes nothing: is {meant} meant?"),
            None => warn!("{name} is no setting and changes nothing: see `flowtrail up --help`"),
        }
    }
}

/// The names of all settings of a command and the commands below it.
pub(crate) fn names(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned));
    own.chain(command.get_subcommands().flat_map(names)).collect()
}

fn looks_like_one(name: &str, value: &str) -> bool {
    name.starts_with(PREFIX)
        && !OF_THE_PROJECT.iter().any(|prefix| name.starts_with(prefix))
        && !is_of_a_service(name, value)
}

/// Kubernetes tells every container of the services next to it, under their names:
/// `FLOWTRAIL_SERVICE_HOST`, `FLOWTRAIL_GATEWAY_PORT_8080_TCP_ADDR`.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let of_docker = ["_TCP", "_UDP"].iter().any(|protocol| name.contains(protocol));
    of_docker
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
}

pub(crate) fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let by_distance = known.iter().map(|other| (strsim::damerau_levenshtein(name, other), other.as_str()));
    by_distance.min().filter(|(distance, _)| *distance <= MAX_WRONG_LETTERS).map(|(_, nearest)| nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_that_was_meant_is_named() {
        let known = names(&Cli::command());
        for (name, meant) in [
            ("FLOWTRAIL_AUDT_READS", Some("FLOWTRAIL_AUDIT_READS")),
            ("FLOWTRAIL_LISTN", Some("FLOWTRAIL_LISTEN")),
            ("FLOWTRAIL_ROLE", Some("FLOWTRAIL_ROLES")),
            ("FLOWTRAIL_SOMETHING_ELSE", None),
        ] {
            assert!(!known.contains(name) && looks_like_one(name, "x"), "{name}");
            assert_eq!(nearest(name, &known), meant);
        }
    }

    #[test]
    fn what_others_put_into_the_environment_is_no_setting_that_was_meant() {
        for (name, value) in [
            ("PATH", "x"),
            ("NETBIRD_API_TOKEN", "x"),
            ("FLOWTRAIL_TEST_PYTHON", "x"),
            ("FLOWTRAIL_EXPLORER_NODE_MODULES", "x"),
            ("FLOWTRAIL_SERVICE_HOST", "10.0.0.1"),
            ("FLOWTRAIL_SERVICE_PORT_HTTP", "8080"),
            ("FLOWTRAIL_PORT", "tcp://10.0.0.1:8080"),
            ("FLOWTRAIL_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ] {
            assert!(!looks_like_one(name, value), "{name}");
        }
        assert!(looks_like_one("FLOWTRAIL_PORT", "8080"));
    }
}

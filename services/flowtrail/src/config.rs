//! `flowtrail config`: what every setting is, and who says so.

use std::io::{Write, stdout};

use anyhow::Context;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use serde::Serialize;

use crate::cli::{Cli, ConfigArgs};
use crate::config_file::{ConfigFile, Parsed};

/// What a secret is shown as.
const MASKED: &str = "****";

#[derive(Serialize)]
struct Shown {
    /// Its name in the environment.
    setting: String,
    /// None: it is not set.
    value: Option<String>,
    /// Who says so.
    origin: String,
}

/// Prints what `up` would run with.
///
/// # Errors
/// When nobody reads it.
pub(crate) fn show(args: &ConfigArgs, parsed: &Parsed) -> anyhow::Result<()> {
    let Some((name, matches)) = parsed.matches.subcommand() else { return Ok(()) };
    let command = Cli::command();
    for argument in arguments(&command, name) {
        let Some(setting) = setting(argument) else { continue };
        let id = argument.get_id().as_str();
        let is_secret = argument.is_hide_env_values_set();
        let shown = Shown {
            setting: setting.to_owned(),
            value: value(matches, id).map(|value| if is_secret { MASKED.to_owned() } else { value }),
            origin: origin(matches, id, setting, parsed.file.as_ref()),
        };
        write(args, &shown).context("print the answer")?;
    }
    Ok(())
}

/// The settings of a subcommand: each by its name, with the id of its argument.
pub(crate) fn settings<'a>(command: &'a Command, subcommand: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    arguments(command, subcommand).filter_map(|argument| Some((setting(argument)?, argument.get_id().as_str())))
}

fn arguments<'a>(command: &'a Command, subcommand: &str) -> impl Iterator<Item = &'a Arg> {
    let own = command.find_subcommand(subcommand).into_iter().flat_map(Command::get_arguments);
    command.get_arguments().chain(own)
}

/// An argument's name in the environment, where it is a setting.
fn setting(argument: &Arg) -> Option<&str> {
    argument.get_env().and_then(|name| name.to_str())
}

fn write(args: &ConfigArgs, shown: &Shown) -> std::io::Result<()> {
    if args.output.json {
        return writeln!(stdout(), "{}", serde_json::to_string(shown)?);
    }
    let Shown { setting, value, origin } = shown;
    writeln!(stdout(), "{setting:<32} {:<32} {origin}", value.as_deref().unwrap_or("-"))
}

/// As it would stand on the command line.
pub(crate) fn value(matches: &ArgMatches, id: &str) -> Option<String> {
    let values = matches.get_raw(id)?.map(|value| value.to_string_lossy()).collect::<Vec<_>>();
    Some(values.join(","))
}

fn origin(matches: &ArgMatches, id: &str, setting: &str, file: Option<&ConfigFile>) -> String {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => "the command line".to_owned(),
        Some(ValueSource::EnvVariable) => "the environment".to_owned(),
        Some(_) => match file.filter(|file| file.has(setting)) {
            Some(file) => file.path.display().to_string(),
            None => "default".to_owned(),
        },
        None => "not set".to_owned(),
    }
}

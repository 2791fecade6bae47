//! `flowtrail config`: what every setting is, and who says so.

use std::io::{Write, stdout};

use anyhow::{Context, anyhow};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use serde::Serialize;

use crate::bad_setting::{BadSetting, COMMAND_LINE, ENVIRONMENT, Given, MASKED};
use crate::cli::{Cli, ConfigArgs};
use crate::config_file::{ConfigFile, Parsed};

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
    for shown in all(parsed) {
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

/// The same error; one about a setting that somebody gave says what it is and who gave it.
pub(crate) fn with_origin(error: anyhow::Error, parsed: &Parsed) -> anyhow::Error {
    let Some(bad) = error.downcast_ref::<BadSetting>().filter(|bad| bad.given.is_none()).cloned() else { return error };
    let given = all(parsed).into_iter().find(|shown| shown.setting == bad.setting);
    let given = given.and_then(|Shown { value, origin, .. }| Some(Given { value: value?, origin }));
    // Whoever says that a setting is bad says nothing on top of it.
    let why: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    anyhow!(why.join(": ")).context(BadSetting { given, ..bad })
}

fn all(parsed: &Parsed) -> Vec<Shown> {
    let Some((name, matches)) = parsed.matches.subcommand() else { return Vec::new() };
    let command = Cli::command();
    let shown = |argument: &Arg| {
        let setting = setting(argument)?;
        let id = argument.get_id().as_str();
        let is_secret = argument.is_hide_env_values_set();
        Some(Shown {
            setting: setting.to_owned(),
            value: value(matches, id).map(|value| if is_secret { MASKED.to_owned() } else { value }),
            origin: origin(matches, id, setting, parsed.file.as_ref()),
        })
    };
    arguments(&command, name).filter_map(shown).collect()
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
        Some(ValueSource::CommandLine) => COMMAND_LINE.to_owned(),
        Some(ValueSource::EnvVariable) => ENVIRONMENT.to_owned(),
        Some(_) => match file.filter(|file| file.has(setting)) {
            Some(file) => file.path.display().to_string(),
            None => "default".to_owned(),
        },
        None => "not set".to_owned(),
    }
}

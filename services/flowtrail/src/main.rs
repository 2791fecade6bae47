//! The flowtrail binary: reads the command line and does what it says.

mod admin;
mod ask;
mod backup;
mod bad_setting;
mod cli;
mod client;
mod config;
mod config_file;
mod data_folder;
mod dead_letters;
mod doctor;
mod erase;
mod gateway_settings;
mod greeting;
mod http_client;
mod import;
mod manual;
mod master_key;
mod nats_access;
mod nats_server;
mod nats_url;
mod output;
mod own_log;
mod progress;
mod rebuild;
mod redrive;
mod reload;
mod restore;
mod retention;
mod rotate;
mod samples;
mod schemas;
mod server;
mod terminal;
mod told_to_end;
mod unknown_settings;
mod view_tools;

use std::process::ExitCode;

use anyhow::Context;
use runtime::telemetry;

use crate::bad_setting::BadSetting;
use crate::cli::Command;
use crate::config_file::Parsed;
use crate::reload::Reload;

/// Half of projecting is making and dropping small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = config_file::parse(std::env::args_os())
        .and_then(|parsed| run(&parsed).map_err(|error| config::with_origin(error, &parsed)));
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<clap::Error>() {
            // Help is one of these too, and is printed where it belongs.
            Ok(told) => told.exit(),
            Err(error) => {
                report(&error);
                if error.is::<BadSetting>() { ExitCode::from(2) } else { ExitCode::FAILURE }
            }
        },
    }
}

#[tokio::main]
async fn run(parsed: &Parsed) -> anyhow::Result<ExitCode> {
    let Parsed { cli, file, .. } = parsed;
    let settings = &cli.settings;
    // Tools speak for themselves; only the servers log by default.
    let filter = match &cli.command {
        Command::Up(_) | Command::Run(_) => settings.log.as_str(),
        _ => "warn,async_nats=error",
    };
    let log = telemetry::start(filter, settings.log_format).context(BadSetting::of("FLOWTRAIL_LOG"))?;
    unknown_settings::warn_of_all();
    if let Some(file) = file {
        file.warn_of_unknown();
    }
    match &cli.command {
        Command::Up(up) => server::up(settings, up, Reload::new(parsed, &up.server, log)?).await?,
        Command::Run(run) => server::run(settings, run, Reload::new(parsed, &run.server, log)?).await?,
        Command::Import(args) => {
            let bus = client::connect(settings).await?;
            if import::run(args, &bus).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Query(args) => ask::query::run(args, &settings.data_dir).await?,
        Command::Tail(args) => ask::tail::run(args, &settings.data_dir).await?,
        Command::Export(args) => ask::export::run(args, &settings.data_dir).await?,
        Command::Facets(args) => ask::facets::run(args, &settings.data_dir).await?,
        Command::Top(args) => ask::top::run(args, &settings.data_dir).await?,
        Command::Doctor { output } => {
            if doctor::run(settings, *output).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Config(args) => config::show(args, parsed)?,
        Command::Rebuild(args) => view_tools::rebuild(settings, args).await?,
        Command::Dump { view } => view_tools::dump(settings, *view).await?,
        Command::Status { output } => view_tools::status(settings, *output).await?,
        Command::DeadLetters(command) => dead_letters::show(settings, command).await?,
        Command::Redrive(command) => {
            if redrive::run(settings, command).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Retention(args) => retention::run(settings, args).await?,
        Command::Erase(args) => erase::run(settings, args).await?,
        Command::Backup(args) => {
            if backup::run(settings, args).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Restore(args) => restore::run(settings, args).await?,
        Command::RotateMasterKey(args) => rotate::run(settings, args).await?,
        Command::Streams => client::connect(settings).await?.ensure_streams().await.context("prepare the log")?,
        Command::Account(command) => admin::account(settings, command).await?,
        Command::User(command) => admin::user(settings, command).await?,
        Command::Token(command) => admin::token(settings, command).await?,
        Command::Completions { shell } => manual::completions(*shell)?,
        Command::Man { write } => manual::write(write)?,
        Command::Schemas { write } => schemas::write(write)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One line: what failed and why.
#[expect(clippy::print_stderr, reason = "this is the program's last word to the person who ran it")]
fn report(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Whether the program that reads our output had enough of it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

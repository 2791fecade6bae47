//! `flowtrail completions | man`: what shells and `man` know of the command line.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

const PROGRAM: &str = "flowtrail";

/// Prints what completes the command line in a shell.
///
/// # Errors
/// When nobody reads it.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    // What writes it panics where nobody reads it, so it is written to memory first.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    stdout().write_all(&script).context("print the answer")
}

/// Writes `flowtrail.1`, `flowtrail-up.1` and so on into a directory.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn write(directory: &Path) -> anyhow::Result<()> {
    let failed = || format!("write manual pages into {}", directory.display());
    fs::create_dir_all(directory).with_context(failed)?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(failed)
}

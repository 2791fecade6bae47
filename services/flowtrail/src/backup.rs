//! `flowtrail backup`: the whole log in a folder, or such a folder read through.
//!
//! Invariant: a folder of the name that was given is whole. It is written under another name, and takes its own at the
//! end.

pub(crate) mod bar;
mod folder;
mod make;
pub(crate) mod manifest;
pub(crate) mod verify;

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use bytesize::ByteSize;
use runtime::settings::Settings;

use self::manifest::Manifest;
use crate::client;
use crate::told_to_end::unless_told_to_end;

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  flowtrail backup /backups/flowtrail-2026-11-30
  flowtrail backup --verify /backups/flowtrail-2026-11-30";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder: to be made, in one that is there
    path: PathBuf,

    /// Read a backup that is there, and name what is damaged; no server is asked
    #[arg(long)]
    verify: bool,
}

/// Makes a backup, or reads one through; true: it is damaged.
///
/// # Errors
/// When the log or the folder cannot be reached; then there is no backup.
pub(crate) async fn run(settings: &Settings, args: &Args) -> anyhow::Result<bool> {
    if args.verify {
        return match verify::verify(&args.path)? {
            Ok(manifest) => tell(&manifest, "is whole").map(|()| false),
            Err(damages) => {
                for damage in damages {
                    writeln!(stdout(), "{damage}").context("print the answer")?;
                }
                Ok(true)
            }
        };
    }
    let bus = client::connect(settings).await?;
    let manifest = unless_told_to_end(make::make(&bus, &args.path)).await?;
    tell(&manifest, &format!("is in {}", args.path.display()))?;
    let key = settings.master_key_file();
    writeln!(
        stdout(),
        "The master key is not in it: keep a copy of {} somewhere else. Without it no secret in the log can be opened.",
        key.display()
    )
    .context("print the answer")?;
    Ok(false)
}

/// Says what a backup holds.
fn tell(manifest: &Manifest, is: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    for stream in &manifest.streams {
        let size = ByteSize::b(stream.length).display().iec().to_string();
        writeln!(out, "{:<24}{:>12} messages{size:>12}", stream.name, stream.messages()).context("print the answer")?;
    }
    writeln!(out, "The log as of {} {is}.", manifest.began).context("print the answer")
}

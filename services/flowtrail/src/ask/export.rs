//! `flowtrail export`: all that a list has, as of one moment, in a file or a pipe.
//!
//! Invariant: a file stands under the name that was asked for only once the answer itself has said that it is whole.

mod format;
mod mark;
mod target;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::error::ErrorKind;
use http_body_util::BodyExt;
use reqwest::Body;
use reqwest::header::{HeaderMap, HeaderValue, TE};
use tokio::signal::ctrl_c;

use self::format::Format;
use self::mark::Mark;
use self::target::Target;
use super::api::{Access, Api};
use super::{Asked, Family};
use crate::progress::Progress;
use crate::terminal::visible;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail export audit --output audit.ndjson
  flowtrail export traffic 'dst:10.0.0.0/8' --from 2026-01-01 --to 2026-01-31 --output january.parquet
  flowtrail export audit 'status:failure' --format csv | gzip > failures.csv.gz
  FLOWTRAIL_TOKEN=... flowtrail export audit --url https://flowtrail.example.com | jq -r .event_type | sort | uniq -c

A file is there once it is whole, and not before; where it was there, it stays as it is until then.
Exit codes: 0 it is whole, 1 nobody answers, it is refused or it broke off, 2 the command line is wrong.";

/// How long nothing may come: so long it takes to look through a large log that has nothing of what is wanted.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// The header that says as of when an answer is.
const AS_OF: &str = "flowtrail-as-of";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which family
    #[arg(value_enum)]
    family: Family,

    #[command(flatten)]
    asked: Asked,

    /// In which form; default: as FILE ends, else ndjson
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// The file to write; default: standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    access: Access,
}

/// Writes all that matches.
///
/// # Errors
/// When it cannot be asked for or written, breaks off, or is stopped.
pub(crate) async fn run(args: &Args, data_dir: &Path) -> anyhow::Result<()> {
    let format = args.format.or_else(|| Format::of(args.output.as_deref()?)).unwrap_or(Format::Ndjson);
    let Some(path) = &args.output else {
        if format == Format::Parquet && stdout().is_terminal() {
            let told = "Parquet is not for a terminal: name a file with --output, or pipe it into a program\n";
            return Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, told).into());
        }
        return export(args, data_dir, format, Target::Output(stdout().lock())).await;
    };
    let target = Target::file(path)?;
    // What was written until then goes with the target.
    tokio::select! {
        stopped = ctrl_c() => {
            stopped.context("wait for Ctrl-C")?;
            bail!("stopped: {} was not written", path.display());
        }
        exported = export(args, data_dir, format, target) => exported,
    }
}

async fn export(args: &Args, data_dir: &Path, format: Format, mut target: Target) -> anyhow::Result<()> {
    let api = Api::new(&args.access, data_dir, PATIENCE)?;
    let mut parameters = args.asked.parameters();
    parameters.push(("format", format.name().to_owned()));
    // Else what stands behind the answer is not sent.
    let headers = HeaderMap::from_iter([(TE, HeaderValue::from_static("trailers"))]);
    let answer = api.open(&args.family.path_of("export"), &parameters, headers).await?;
    let as_of = answer.headers().get(AS_OF).and_then(|as_of| as_of.to_str().ok()).unwrap_or("an unknown moment");
    let as_of = visible(as_of).into_owned();
    let (mut mark, progress) = (Mark::of(format), Progress::of_bytes());
    let taken = take(Body::from(answer), (&mut mark, &mut target), &progress).await;
    progress.finish();
    let rows = taken.and_then(|()| Ok(mark.rows()?)).with_context(|| target.left_behind())?;
    target.finish()?;
    if let Some(path) = args.output.as_deref().filter(|_| stderr().is_terminal()) {
        let rows = rows.map(|rows| format!("{rows} rows, ")).unwrap_or_default();
        writeln!(stderr(), "{}: {rows}as of {as_of}", path.display()).context("say what was written")?;
    }
    Ok(())
}

/// Writes an answer as it comes.
async fn take(mut answer: Body, (mark, target): (&mut Mark, &mut Target), progress: &Progress) -> anyhow::Result<()> {
    while let Some(frame) = answer.frame().await {
        match frame.context("the answer broke off; ask again")?.into_data() {
            Ok(piece) => {
                mark.see(&piece);
                target.write_all(&piece).context("write the answer")?;
                progress.add(piece.len());
            }
            Err(other) => mark.end(other.trailers_ref()),
        }
    }
    Ok(())
}

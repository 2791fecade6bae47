//! `flowtrail restore`: a backup becomes the log of a NATS server that has none.
//!
//! Invariants: nothing is changed before the backup was read through and found whole, and every stream's place found
//! free. What is written back is closed to publishers and roles until all of it is there; a restore that breaks off is
//! done again from the beginning, and loses nothing.

use std::fs::File;
use std::io::{Read, Write, stdout};
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bus::Bus;
use bytes::Bytes;
use indicatif::ProgressBar;
use runtime::clock::now_micros;
use runtime::settings::Settings;
use semver::Version;
use serde_json::Value;

use crate::backup::bar::{self, bar};
use crate::backup::manifest::{Manifest, StreamFile};
use crate::backup::verify;
use crate::nats_server::{self, NatsServer};
use crate::told_to_end::unless_told_to_end;
use crate::{client, data_folder, master_key, own_log};

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  flowtrail restore --data-dir /var/lib/flowtrail /backups/flowtrail-2026-11-30
  flowtrail restore --nats-url nats://operator:secret@nats.internal:4222 /backups/flowtrail-2026-11-30";

/// How many bytes are sent at once; the server waits for the disk before it asks for more, and gives up where that
/// takes long.
const CHUNK_BYTES: u64 = 64 << 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that `flowtrail backup` made
    path: PathBuf,

    /// How many replicas each stream has from now on; default: as many as it had
    #[arg(long, value_name = "COUNT")]
    replicas: Option<NonZeroU8>,
}

/// Restores a backup.
///
/// # Errors
/// When the backup is damaged, a log is there, roles run on it, or it breaks off.
pub(crate) async fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let mut manifest = match verify::verify(&args.path)? {
        Ok(manifest) => manifest,
        Err(damages) => {
            let damages: Vec<String> = damages.iter().map(ToString::to_string).collect();
            bail!("the backup is damaged, and nothing was changed: {}", damages.join("; "));
        }
    };
    if let Some(replicas) = args.replicas {
        for stream in &mut manifest.streams {
            stream.configuration["num_replicas"] = replicas.get().into();
        }
    }
    if settings.nats_url.is_some() {
        let bus = client::connect(settings).await?;
        let remedy = "A NATS server is needed that has none of these streams, or where none was ever used";
        unless_told_to_end(into(&bus, &manifest, &args.path, remedy)).await?;
    } else {
        into_own_server(settings, &manifest, &args.path).await?;
    }
    tell(settings, &manifest).context("print the answer")
}

/// Restores into the own nats-server, which runs for as long as that takes.
async fn into_own_server(settings: &Settings, manifest: &Manifest, folder: &Path) -> anyhow::Result<()> {
    let _lock = data_folder::lock(&settings.data_dir)?;
    let server = NatsServer::start_to_restore(settings).await?;
    let nats = settings.data_dir.join("nats");
    let remedy = format!("Move {} away first, or name another folder by --data-dir", nats.display());
    own_log::on(server, async |bus: &Bus| into(bus, manifest, folder, &remedy).await).await?;
    nats_server::sync(&settings.data_dir)
}

/// Restores into a server. `remedy` is what to do where it has a log.
async fn into(bus: &Bus, manifest: &Manifest, folder: &Path, remedy: &str) -> anyhow::Result<()> {
    check_version(&manifest.nats_server, &bus.server_version())?;
    own_log::check_that_nobody_runs(bus).await?;
    let mut taken = Vec::new();
    for stream in &manifest.streams {
        if let Some(messages) = bus.in_the_way(&stream.name).await? {
            taken.push(format!("{} ({messages} messages)", stream.name));
        }
    }
    ensure!(taken.is_empty(), "there is a log already, and nothing was changed: {}. {remedy}", taken.join(", "));
    let at = now_micros();
    let bar = bar(Some(manifest.streams.iter().map(|stream| stream.length).sum()));
    for stream in &manifest.streams {
        bar::at(&bar, &stream.name);
        let written = write_back(bus, stream, folder, (at, &bar)).await;
        written.with_context(|| format!("restore {}; run it again, and it begins anew", stream.name))?;
    }
    bar.finish_and_clear();
    // What others publish to comes last.
    for stream in manifest.streams.iter().rev() {
        let opened = bus.open_restored(&stream.name, &stream.configuration, at).await;
        opened.with_context(|| format!("open {}, which is whole", stream.name))?;
    }
    Ok(())
}

/// A snapshot may be in a form that an older server does not know.
fn check_version(of_backup: &str, found: &str) -> anyhow::Result<()> {
    let version = |text: &str| Version::parse(text).map(|version| (version.major, version.minor));
    let is_older = matches!((version(of_backup), version(found)), (Ok(wanted), Ok(found)) if found < wanted);
    ensure!(
        !is_older,
        "the backup is of nats-server {of_backup}, and this one is {found}: use that version or a newer one"
    );
    Ok(())
}

/// Writes a stream back, and compares what is there then with what it held.
async fn write_back(
    bus: &Bus,
    stream: &StreamFile,
    folder: &Path,
    (at, bar): (i64, &ProgressBar),
) -> anyhow::Result<()> {
    let path = folder.join(StreamFile::name_of(&stream.name));
    let failed = || format!("read {}", path.display());
    let mut file = File::open(&path).with_context(failed)?;
    let mut restoring = bus.begin_restore(&stream.name, &stream.configuration, &stream.state, at).await?;
    loop {
        let mut chunk = Vec::new();
        Read::take(&mut file, CHUNK_BYTES).read_to_end(&mut chunk).with_context(failed)?;
        if chunk.is_empty() {
            break;
        }
        bar.inc(chunk.len() as u64);
        restoring.send(Bytes::from(chunk)).await?;
    }
    let found = restoring.finish().await?;
    check_restored(stream, &found["state"])
}

/// The server says what it holds. Messages that the stream does not keep by now may be gone, and nothing else.
fn check_restored(stream: &StreamFile, found: &Value) -> anyhow::Result<()> {
    let number = |name: &str| found[name].as_u64().unwrap_or_default();
    let (messages, last) = (number("messages"), number("last_seq"));
    let limit = |name: &str| stream.configuration[name].as_i64().unwrap_or_default() > 0;
    let gives_up_old_ones = stream.configuration["discard"] == "old" && limit("max_bytes");
    let forgets = limit("max_age") || limit("max_msgs_per_subject") || gives_up_old_ones;
    ensure!(
        last >= stream.last_sequence() && (forgets || messages >= stream.messages()),
        "the server has {messages} messages up to {last}, and the backup {} up to {}",
        stream.messages(),
        stream.last_sequence()
    );
    Ok(())
}

fn tell(settings: &Settings, manifest: &Manifest) -> anyhow::Result<()> {
    let mut out = stdout();
    writeln!(out, "The log is restored as of {}. Views are computed from it at the next start.", manifest.began)?;
    let Some(known) = &manifest.master_key else { return Ok(()) };
    if let Some(problem) = master_key::unfit_for(settings, known)? {
        writeln!(
            out,
            "The master key of this log is needed: {problem}. Put the right one there before the start, or name its file by \
             FLOWTRAIL_MASTER_KEY_FILE."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_older_server_is_refused_by_its_minor_version() {
        for (of_backup, found, is_fit) in [
            ("2.15.1", "2.15.0", true),
            ("2.15.1", "2.16.0", true),
            ("2.15.1", "2.14.9", false),
            ("3.0.0", "2.99.0", false),
            ("2.15.0-beta", "2.15.0", true),
        ] {
            assert_eq!(check_version(of_backup, found).is_ok(), is_fit, "{of_backup} into {found}");
        }
    }

    #[test]
    fn fewer_messages_are_fine_where_the_stream_forgets_and_nowhere_else() {
        let stream = |max_age: u64| StreamFile {
            name: "S".to_owned(),
            length: 1,
            sha256: String::new(),
            configuration: json!({ "max_age": max_age }),
            state: json!({ "messages": 10, "last_seq": 12 }),
        };
        let found = |messages: u64, last: u64| json!({ "messages": messages, "last_seq": last });
        assert!(check_restored(&stream(0), &found(10, 12)).is_ok());
        assert!(check_restored(&stream(0), &found(9, 12)).is_err());
        assert!(check_restored(&stream(5), &found(9, 12)).is_ok());
        assert!(check_restored(&stream(5), &found(10, 11)).is_err());
        assert!(check_restored(&stream(5), &json!({})).is_err());
    }
}

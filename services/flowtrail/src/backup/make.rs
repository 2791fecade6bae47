//! Making a backup: each stream is read out into a file, one after the other, while everything goes on.
//!
//! The order is that of [`SNAPSHOT_ORDER`], by which what is restored fits together though it was not read at one
//! moment: places of deliveries first, so that none lies behind the events that it is about, and keys last. What came
//! in meanwhile may be delivered once more after it was restored, which is what receivers are promised: at least once.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use bus::{Bus, SNAPSHOT_ORDER, Snapshot};
use indicatif::ProgressBar;
use model::time::Timestamp;
use runtime::clock::now_micros;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::bar::{self, bar};
use super::folder::{MANIFEST, SUMS, create, hexadecimal, sums};
use super::manifest::{Manifest, StreamFile};
use crate::master_key;

/// How often a stream is read in which messages replace others meanwhile.
const ATTEMPTS: usize = 5;

/// Makes a backup in a folder that is not there yet.
///
/// # Errors
/// When the log cannot be read out, or the folder not be written; then nothing of it is left.
pub(super) async fn make(bus: &Bus, path: &Path) -> anyhow::Result<Manifest> {
    if path.symlink_metadata().is_ok() {
        bail!("{} is there already: name a folder that is not", path.display());
    }
    let Some(name) = path.file_name() else { bail!("{} names no folder that could be made", path.display()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Nobody takes it for a backup by its name, should the process be killed; in every other case it goes by itself.
    let draft = tempfile::Builder::new()
        .prefix(&format!(".{}.unfinished-", name.to_string_lossy()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .with_context(|| format!("make a folder in {}", parent.display()))?;
    let manifest = fill(bus, draft.path()).await?;
    sync(draft.path())?;
    // It fails where something that is not empty came there meanwhile.
    fs::rename(draft.path(), path).with_context(|| format!("give the backup its name, {}", path.display()))?;
    // It is not there any more under the name by which it would be removed.
    let _ = draft.keep();
    sync(parent)?;
    Ok(manifest)
}

async fn fill(bus: &Bus, folder: &Path) -> anyhow::Result<Manifest> {
    let began = now()?;
    let bar = bar(None);
    let mut streams = Vec::new();
    for name in SNAPSHOT_ORDER {
        bar::at(&bar, name);
        streams.push(read_out(bus, name, folder, &bar).await.with_context(|| format!("back {name} up"))?);
    }
    bar.finish_and_clear();
    // After all of them: the log learns it once, and keeps it.
    let master_key = master_key::known_to(bus).await?;
    let manifest = Manifest::new(bus.server_version(), (began, now()?), master_key, streams);
    let text = manifest.write().context("write the manifest")?;
    let sums = sums(text.as_bytes(), &manifest.streams);
    for (name, text) in [(MANIFEST, text), (SUMS, sums)] {
        let written = create(&folder.join(name)).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.with_context(|| format!("write {name}"))?;
    }
    Ok(manifest)
}

/// Reads a stream out into its file, again where it was overtaken.
async fn read_out(bus: &Bus, name: &str, folder: &Path, bar: &ProgressBar) -> anyhow::Result<StreamFile> {
    let path = folder.join(StreamFile::name_of(name));
    for _ in 1..ATTEMPTS {
        let mut snapshot = bus.snapshot(name).await?;
        let file = write(name, &mut snapshot, &path, bar).await?;
        if !snapshot.is_overtaken().await? {
            return Ok(file);
        }
        fs::remove_file(&path).with_context(|| format!("read {name} again"))?;
    }
    let file = write(name, &mut bus.snapshot(name).await?, &path, bar).await?;
    warn!(
        stream = name,
        "messages that others of their subjects replaced while it was read may be missing in the backup"
    );
    Ok(file)
}

async fn write(name: &str, snapshot: &mut Snapshot, path: &Path, bar: &ProgressBar) -> anyhow::Result<StreamFile> {
    let failed = || format!("write {}", path.display());
    let mut file = create(path).with_context(failed)?;
    let (mut digest, mut length) = (Sha256::new(), 0);
    while let Some(chunk) = snapshot.next().await? {
        file.write_all(&chunk).with_context(failed)?;
        digest.update(&chunk);
        length += chunk.len() as u64;
        bar.inc(chunk.len() as u64);
    }
    file.sync_all().with_context(failed)?;
    let (configuration, state) = (snapshot.configuration.clone(), snapshot.state.clone());
    Ok(StreamFile { name: name.to_owned(), length, sha256: hexadecimal(digest), configuration, state })
}

fn now() -> anyhow::Result<Timestamp> {
    Timestamp::from_micros(now_micros()).context("read the clock")
}

/// Waits until the names in a folder are on the disk.
fn sync(folder: &Path) -> anyhow::Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("write {}", folder.display()))
}

//! Reading a backup through: every byte is compared with what it was when the backup was made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::Context;
use bus::SNAPSHOT_ORDER;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::bar::{self, bar};
use super::folder::{MANIFEST, SUMS, hexadecimal};
use super::manifest::{Manifest, StreamFile};

const READ_BYTES: usize = 1 << 20;

/// What is wrong with one file of a backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    #[error("{0}: it is missing")]
    Missing(String),
    #[error("{file}: it has {found} bytes, and had {wanted}")]
    Length { file: String, found: u64, wanted: u64 },
    #[error("{0}: its SHA-256 is another one than when the backup was made")]
    Altered(String),
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{0}: it belongs to no backup")]
    Foreign(String),
}

/// Reads a backup through, and says what it holds; or all that is wrong with it.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn verify(folder: &Path) -> anyhow::Result<Result<Manifest, Vec<Damage>>> {
    let failed = || format!("read the backup in {}", folder.display());
    let mut damages = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let name = entry.with_context(failed)?.file_name().to_string_lossy().into_owned();
        let is_ours = |stream: &&str| StreamFile::name_of(stream) == name;
        if name != MANIFEST && name != SUMS && !SNAPSHOT_ORDER.iter().any(is_ours) {
            damages.push(Damage::Foreign(name));
        }
    }
    let lines = noted(&mut damages, SUMS, fs::read_to_string(folder.join(SUMS)));
    let lines_read = lines.as_deref().unwrap_or_default().lines();
    let sums: BTreeMap<&str, &str> =
        lines_read.filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name, sum)).collect();
    let Some(text) = noted(&mut damages, MANIFEST, fs::read(folder.join(MANIFEST))) else { return Ok(Err(damages)) };
    if sums.get(MANIFEST).is_some_and(|sum| *sum != hexadecimal(Sha256::new_with_prefix(&text))) {
        damages.push(Damage::Altered(MANIFEST.to_owned()));
    }
    let manifest = match Manifest::read(&text) {
        Ok(manifest) => manifest,
        Err(reason) => {
            damages.push(Damage::Unreadable { file: MANIFEST.to_owned(), reason });
            return Ok(Err(damages));
        }
    };
    let bar = bar(Some(manifest.streams.iter().map(|stream| stream.length).sum()));
    for stream in &manifest.streams {
        bar::at(&bar, &stream.name);
        if let Err(damage) = compare(folder, stream, &bar) {
            damages.push(damage);
        }
    }
    bar.finish_and_clear();
    // Of the two that say the same, the manifest is what is restored from.
    let says_the_same =
        |stream: &StreamFile| sums.get(StreamFile::name_of(&stream.name).as_str()) == Some(&stream.sha256.as_str());
    let is_complete = sums.contains_key(MANIFEST) && manifest.streams.iter().all(says_the_same);
    if lines.is_some() && !is_complete {
        damages.push(Damage::Altered(SUMS.to_owned()));
    }
    Ok(if damages.is_empty() { Ok(manifest) } else { Err(damages) })
}

/// Compares the file of a stream with what the manifest says of it.
fn compare(folder: &Path, stream: &StreamFile, bar: &ProgressBar) -> Result<(), Damage> {
    let name = StreamFile::name_of(&stream.name);
    let (sha256, found) = sum(&folder.join(&name), bar).map_err(|error| unread(&name, &error))?;
    if found != stream.length {
        return Err(Damage::Length { file: name, found, wanted: stream.length });
    }
    if sha256 != stream.sha256 {
        return Err(Damage::Altered(name));
    }
    Ok(())
}

/// The checksum of a file, and how many bytes it has.
fn sum(path: &Path, bar: &ProgressBar) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut bytes = Vec::with_capacity(READ_BYTES);
    loop {
        bytes.clear();
        let count = file.by_ref().take(READ_BYTES as u64).read_to_end(&mut bytes)?;
        if count == 0 {
            return Ok((hexadecimal(digest), length));
        }
        digest.update(&bytes);
        length += count as u64;
        bar.inc(count as u64);
    }
}

/// What was read; what was not is noted as damage.
fn noted<T>(damages: &mut Vec<Damage>, file: &str, read: io::Result<T>) -> Option<T> {
    read.map_err(|error| damages.push(unread(file, &error))).ok()
}

fn unread(file: &str, error: &io::Error) -> Damage {
    match error.kind() {
        ErrorKind::NotFound => Damage::Missing(file.to_owned()),
        _ => Damage::Unreadable { file: file.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests;

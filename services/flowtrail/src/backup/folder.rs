//! The files of a backup: their names, their rights, and their checksums in the form of `sha256sum`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::StreamFile;

pub(super) const MANIFEST: &str = "manifest.json";
/// What `sha256sum --check` reads.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Makes a file that its owner alone may read.
///
/// # Errors
/// When it is there, or cannot be made.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The lines of [`SUMS`] for a manifest and the files that it names.
pub(super) fn sums(manifest: &[u8], streams: &[StreamFile]) -> String {
    let line = |sum: &str, name: &str| format!("{sum}  {name}\n");
    let mut sums = line(&hexadecimal(Sha256::new_with_prefix(manifest)), MANIFEST);
    sums.extend(streams.iter().map(|stream| line(&stream.sha256, &StreamFile::name_of(&stream.name))));
    sums
}

/// The checksum, in hexadecimal.
pub(super) fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

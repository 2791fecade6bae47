//! Where an export is written to.
//!
//! Invariants: a file is written under another name beside it, and has its own name once it is finished; of one that is
//! not, nothing is left.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, StdoutLock, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::{Builder, NamedTempFile};

/// Where an export is written to.
pub(super) enum Target {
    /// To whoever reads it.
    Output(StdoutLock<'static>),
    /// To a file.
    File {
        temporary: NamedTempFile,
        /// Where it stands in the end.
        path: PathBuf,
    },
}

impl Target {
    /// A file at a path, where there may be another one.
    ///
    /// # Errors
    /// When there cannot be one.
    pub(super) fn file(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("write {}", path.display());
        let path = match fs::metadata(path) {
            // Where a link leads to a file, that is the one.
            Ok(there) if there.is_file() => fs::canonicalize(path).with_context(failed)?,
            Ok(_) => bail!("{} is no file: without --output it is written to standard output", path.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error).with_context(failed),
        };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        // What files are usually made with: the umask takes away from it.
        let permissions = Permissions::from_mode(0o666);
        let temporary = Builder::new().prefix(&prefix).suffix(".part").permissions(permissions).tempfile_in(directory);
        Ok(Self::File { temporary: temporary.with_context(failed)?, path })
    }

    /// What there is of an export that is not whole.
    pub(super) fn left_behind(&self) -> String {
        match self {
            Self::Output(_) => "what was written is not whole".to_owned(),
            Self::File { path, .. } => format!("{} was not written", path.display()),
        }
    }

    /// Ends it: it is whole.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush().context("write the answer")?;
        let Self::File { temporary, path } = self else { return Ok(()) };
        let failed = || format!("write {}", path.display());
        // A name that is there after the power failed stands for all of the file.
        temporary.as_file().sync_all().with_context(failed)?;
        temporary.persist(&path).map_err(|failure| failure.error).with_context(failed)?;
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Output(output) => output.write(bytes),
            Self::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Output(output) => output.flush(),
            Self::File { temporary, .. } => temporary.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_has_its_name_once_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        let mut target = Target::file(&path).unwrap();
        target.write_all(b"new").unwrap();
        assert!(!path.exists() && names(directory.path()).len() == 1);
        target.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), names(directory.path()).len()), (b"new".as_slice(), 1));
    }

    #[test]
    fn of_what_is_not_finished_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        fs::write(&path, "old").unwrap();
        let mut target = Target::file(&path).unwrap();
        target.write_all(b"new").unwrap();
        drop(target);
        assert_eq!((fs::read(&path).unwrap().as_slice(), names(directory.path()).len()), (b"old".as_slice(), 1));
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        for path in [directory.path(), Path::new("/dev/null"), &directory.path().join("none/a.csv")] {
            assert!(Target::file(path).is_err(), "{}", path.display());
        }
        let (link, path) = (directory.path().join("link"), directory.path().join("a.csv"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut target = Target::file(&link).unwrap();
        target.write_all(b"new").unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(link.is_symlink());
    }
}

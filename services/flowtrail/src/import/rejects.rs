//! Tells of the records that are not imported: the first ones on standard error, all in a file when one is asked for.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::draft::Rejected;
use super::scan::RecordPlace;
use crate::progress::Progress;
use crate::terminal::visible;

/// How many are shown; a file of the wrong format would fill the screen.
const SHOWN: u64 = 20;

/// Where rejected records are told of.
pub(super) struct Rejects {
    progress: Progress,
    all: Option<BufWriter<File>>,
    count: u64,
}

impl Rejects {
    /// With a file for all of them.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new(progress: Progress, all: Option<&Path>) -> io::Result<Self> {
        let all = all.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self { progress, all, count: 0 })
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Tells of one.
    pub(super) fn add(&mut self, file: &Path, place: RecordPlace, reason: &Rejected) -> io::Result<()> {
        self.count += 1;
        // Of both the file's name and what is wrong in it a stranger may have written.
        let line = format!("{}:{place} {reason}", file.display());
        let line = visible(&line);
        if let Some(all) = &mut self.all {
            writeln!(all, "{line}")?;
        }
        if self.count <= SHOWN {
            self.progress.line(&line)?;
        }
        Ok(())
    }

    /// Tells how many were not shown, and completes the file.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.count > SHOWN {
            let hint = if self.all.is_some() { "" } else { "; --rejects FILE writes them all" };
            self.progress.line(&format!("and {} more{hint}", self.count - SHOWN))?;
        }
        self.all.as_mut().map_or(Ok(()), Write::flush)
    }
}

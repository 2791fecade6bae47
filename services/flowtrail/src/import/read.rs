//! The blocking half of an import: reads files, maps and checks their records, and hands batches on.

use std::io::{self, Read};
use std::path::Path;

use tokio::sync::mpsc;

use super::batch::{Batch, Packer};
use super::draft::{Mapped, Rejected};
use super::format::{Format, Mapper};
use super::input;
use super::mending;
use super::pages::Pages;
use super::rejects::Rejects;
use super::scan::{RecordPlace, Scanner};
use super::seal::Sealer;
use super::skipped::{SkipCounts, Skipped};
use crate::progress::Progress;

/// Why reading ends before the last file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Nobody takes batches any more; the one who did has the reason.
    #[error("publishing has ended")]
    NobodyTakes,
    /// The rejected records cannot be told of.
    #[error("write the rejected records")]
    Rejects(#[source] io::Error),
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Records in all files.
    pub(super) records: u64,
    /// Of these, the ones without an event, such as lines that only name the fields.
    pub(super) skipped: SkipCounts,
    /// Of these, the ones that are no events; files that could not be read to their end; and lists that are not whole.
    pub(super) rejected: u64,
}

/// Reads file after file.
pub(super) struct Reader<'a> {
    pub(super) format: Format,
    pub(super) reporter: Option<&'a str>,
    pub(super) progress: Progress,
    pub(super) sealer: Sealer,
    pub(super) packer: Packer,
    pub(super) rejects: Rejects,
    pub(super) pages: Pages,
    pub(super) batches: mpsc::Sender<Batch>,
}

impl Reader<'_> {
    /// Reads all files. One that cannot be read to its end is told of, and the next one is read.
    pub(super) fn read_all<'p>(mut self, files: impl IntoIterator<Item = &'p Path>) -> Result<Counts, Stopped> {
        let mut counts = Counts::default();
        for file in files {
            let packed = input::open(file).map(|packed| self.progress.counting(packed));
            match packed.map_err(input::Unopened::from).and_then(input::unpacked) {
                Ok(bytes) => self.read_file(file, bytes, &mut counts)?,
                Err(error) => {
                    self.reject(
                        file,
                        RecordPlace { line: 1, element: None },
                        &Rejected::field("file", error.to_string()),
                    )?;
                }
            }
        }
        for part in std::mem::take(&mut self.pages).incomplete() {
            self.reject(&part.file, part.place, &part.reason)?;
        }
        if let Some(last) = self.packer.finish() {
            self.hand_on(last)?;
        }
        self.rejects.finish().map_err(Stopped::Rejects)?;
        Ok(Counts { rejected: self.rejects.count(), ..counts })
    }

    fn read_file(&mut self, file: &Path, bytes: impl Read, counts: &mut Counts) -> Result<(), Stopped> {
        let mut scanner = Scanner::new(bytes, self.format.lists());
        let mut mapper = Mapper::new(self.format, self.reporter);
        loop {
            let cut = match scanner.next() {
                Ok(Some(cut)) => cut,
                Ok(None) => break,
                Err(error) => {
                    let place = RecordPlace { line: scanner.line(), element: None };
                    self.reject(file, place, &unreadable(&error))?;
                    break;
                }
            };
            counts.records += 1;
            let sealed = cut.text.map_err(Rejected::from).and_then(|text| self.pack(&mut mapper, text));
            match sealed {
                Ok(Packed::Collected) => {}
                Ok(Packed::Full(batch)) => self.hand_on(batch)?,
                Ok(Packed::Nothing(why)) => counts.skipped.add(why),
                Err(reason) => self.reject(file, cut.place, &reason)?,
            }
            for around in scanner.take_left() {
                self.pages.add(file, &around);
            }
        }
        for around in scanner.take_left() {
            self.pages.add(file, &around);
        }
        Ok(())
    }

    fn pack(&mut self, mapper: &mut Mapper<'_>, text: &str) -> Result<Packed, Rejected> {
        let draft = match mending::map(text, |text| mapper.map(text))? {
            Mapped::Event(draft) => draft,
            Mapped::Skipped(why) => return Ok(Packed::Nothing(why)),
        };
        let full = self.packer.add(&draft.id, self.sealer.seal(&draft)?)?;
        Ok(full.map_or(Packed::Collected, Packed::Full))
    }

    /// Waits while too many batches wait to be published.
    fn hand_on(&self, batch: Batch) -> Result<(), Stopped> {
        self.batches.blocking_send(batch).map_err(|_| Stopped::NobodyTakes)
    }

    fn reject(&mut self, file: &Path, place: RecordPlace, reason: &Rejected) -> Result<(), Stopped> {
        self.rejects.add(file, place, reason).map_err(Stopped::Rejects)
    }
}

enum Packed {
    /// The event waits for more.
    Collected,
    /// The event waits for more; those before it are a message.
    Full(Batch),
    /// There is no event.
    Nothing(Skipped),
}

fn unreadable(error: &io::Error) -> Rejected {
    Rejected::field("file", format!("cannot be read further: {error}"))
}

#[cfg(test)]
mod tests;

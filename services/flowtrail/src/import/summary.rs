//! What an import has done, in numbers.

use std::fmt;
use std::time::Duration;

use super::skipped::SkipCounts;
use crate::progress::rate;

/// The numbers of one import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Files that were read.
    pub(crate) files: usize,
    /// Records in them: lines, or elements of arrays.
    pub(crate) records: u64,
    /// Of these, the ones that hold no event, such as lines that name the fields.
    pub(super) skipped: SkipCounts,
    /// Of these, the ones that could not be imported; files that could not be read to their end; lists of which pages
    /// are missing.
    pub(crate) rejected: u64,
    /// Events that the log has acknowledged.
    pub(crate) events: u64,
    /// The messages that they went in.
    pub(crate) messages: u64,
    /// Of these, the ones that the broker remembered from an import shortly before.
    pub(crate) known_messages: u64,
    /// Events that the account had already, which were not published again.
    pub(crate) known_events: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl Summary {
    /// Whether something in the files could not be imported.
    #[must_use]
    pub(crate) fn has_rejects(&self) -> bool {
        self.rejected > 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, records, skipped, rejected, events, messages, known_messages, known_events, elapsed } = self;
        let files_word = if *files == 1 { "file" } else { "files" };
        let messages_word = if *messages == 1 { "message" } else { "messages" };
        write!(formatter, "{files} {files_word}, {records} records: {events} events published")?;
        write!(formatter, " in {messages} {messages_word}")?;
        if *known_messages > 0 {
            write!(formatter, " ({known_messages} of them known to the broker already)")?;
        }
        if *known_events > 0 {
            write!(formatter, ", {known_events} known already")?;
        }
        write!(formatter, ", {skipped}, {rejected} rejected")?;
        write!(formatter, "; {:.1} s, {} events/s", elapsed.as_secs_f64(), rate(*events, *elapsed))
    }
}

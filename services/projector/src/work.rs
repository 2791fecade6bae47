//! What a reader hands to the writer: messages of one stream, decoded, with the checkpoint that they lead to.

use bus::Message;
use feed::read::{Entry, read};
use model::log::Stream;
use views::store::Checkpoint;

/// Messages of one stream.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) stream: Stream,
    /// As they came, to decode them again where the view could not take them.
    messages: Vec<Message>,
    entries: Option<Vec<Entry>>,
    pub(crate) checkpoint: Checkpoint,
    /// How many messages the stream still held after the last of these when it was delivered.
    pub(crate) pending: u64,
}

impl Work {
    /// Decodes messages of a stream that was made at a time (microseconds since 1970); `None` when there are none.
    pub(crate) fn decoded(stream_created: i64, messages: Vec<Message>) -> Option<Self> {
        let last = messages.last()?;
        Some(Self {
            stream: last.position.stream,
            entries: Some(messages.iter().map(read).collect()),
            checkpoint: Checkpoint {
                sequence: last.position.sequence,
                fingerprint: last.fingerprint(),
                stream_created,
            },
            pending: last.pending,
            messages,
        })
    }

    /// How many messages it is.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.len() as u64
    }

    /// What the messages say. The first who takes it gets what was decoded ahead; a second attempt decodes again, which
    /// costs less than keeping a copy of everything for the rare time that the storage fails.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        self.entries.take().unwrap_or_else(|| self.messages.iter().map(read).collect())
    }
}

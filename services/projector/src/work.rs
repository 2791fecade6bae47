//! What a reader hands to the writer: messages of one stream, decoded, with the checkpoint that they lead to.

use std::collections::HashSet;
use std::sync::mpsc::SyncSender;

use bus::Message;
use feed::read::Entry;
use model::log::Stream;
use views::View;
use views::store::Checkpoint;

use crate::entries::Entries;

/// The most accounts in one batch: what a view holds of them stays in memory until the batch is written.
pub(crate) const BATCH_ACCOUNTS: usize = 256;
/// A batch ends with the message whose unpacked payload reaches this many bytes. What is decoded takes a few times as
/// many; many rows that are written together cost less than the same rows written in several batches.
const BATCH_BYTES: usize = 8 << 20;

/// Messages of one stream.
#[derive(Debug)]
pub(crate) struct Work {
    view: View,
    pub(crate) stream: Stream,
    /// As they came, to decode them again where the view could not take them.
    messages: Vec<Message>,
    entries: Option<Entries>,
    pub(crate) checkpoint: Checkpoint,
    /// How many messages the stream still held after the last of these when it was delivered.
    pub(crate) pending: u64,
    pub(crate) size: Size,
}

/// How much work it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) messages: u64,
    pub(crate) events: u64,
    pub(crate) accounts: usize,
    /// Of the unpacked payloads.
    pub(crate) bytes: usize,
}

impl Size {
    /// Both together; an account of both counts twice.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            events: self.events + other.events,
            accounts: self.accounts + other.accounts,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl Work {
    /// Decodes messages for a view, of a stream that was made at a time (microseconds since 1970), as many as one batch may
    /// have; gives the others back. None where there are no messages. What was decoded comes to `back` once it is done
    /// with.
    pub(crate) fn decode(
        view: View,
        stream_created: i64,
        messages: Vec<Message>,
        back: &SyncSender<Vec<Entry>>,
    ) -> (Option<Self>, Vec<Message>) {
        let mut accounts = HashSet::new();
        let (mut taken, mut entries) = (Vec::new(), Entries::new(view, Some(back.clone())));
        let (mut bytes, mut events) = (0, 0);
        let mut rest = messages.into_iter();
        let mut next = rest.next();
        while let Some(message) = next.take_if(|message| {
            bytes < BATCH_BYTES
                && (accounts.contains(account_token(&message.subject)) || accounts.len() < BATCH_ACCOUNTS)
        }) {
            accounts.insert(account_token(&message.subject).to_owned());
            let entry = entries.read(&message);
            bytes += entry.bytes;
            events += entry.decoded.len() as u64;
            taken.push(message);
            next = rest.next();
        }
        let Some(last) = taken.last() else { return (None, Vec::new()) };
        let checkpoint =
            Checkpoint { sequence: last.position.sequence, fingerprint: last.fingerprint(), stream_created };
        let (stream, pending) = (last.position.stream, last.pending);
        let size = Size { messages: taken.len() as u64, events, accounts: accounts.len(), bytes };
        let work = Self { view, stream, messages: taken, entries: Some(entries), checkpoint, pending, size };
        (Some(work), next.into_iter().chain(rest).collect())
    }

    /// What the messages say. The first who takes it gets what was decoded ahead; a second attempt decodes again, which
    /// costs less than keeping a copy of everything for the rare time that the storage fails.
    pub(crate) fn take_entries(&mut self) -> Entries {
        self.entries.take().unwrap_or_else(|| {
            let mut again = Entries::new(self.view, None);
            for message in &self.messages {
                again.read(message);
            }
            again
        })
    }
}

/// The part of a subject that names the account.
fn account_token(subject: &str) -> &str {
    subject.split('.').nth(3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::log::LogPosition;

    use super::*;

    fn message(sequence: u64, account: &str, payload: Vec<u8>) -> Message {
        Message {
            position: LogPosition { stream: Stream::Audit, sequence },
            subject: format!("flowtrail.v1.audit.{account}.test"),
            headers: Vec::new(),
            payload: payload.into(),
            received_at: 0,
            pending: 0,
        }
    }

    /// The last sequence of each batch.
    fn ends(mut messages: Vec<Message>) -> Vec<u64> {
        let mut ends = Vec::new();
        loop {
            let (back, spent) = std::sync::mpsc::sync_channel(1);
            let (work, rest) = Work::decode(views::audit::VIEW, 0, messages, &back);
            let Some(work) = work else { return ends };
            assert_eq!(work.entries.as_ref().map(|entries| entries.all().len()), Some(work.messages.len()));
            ends.push(work.checkpoint.sequence);
            let decoded = work.messages.len();
            drop(work);
            assert_eq!(spent.try_recv().map(|entries| entries.len()), Ok(decoded), "they come back");
            messages = rest;
        }
    }

    #[test]
    fn a_batch_ends_before_the_account_that_is_too_many() {
        assert_eq!(ends(Vec::new()), Vec::<u64>::new());
        let accounts = (1..=600).map(|number| message(number, &format!("a{number}"), b"{}".to_vec()));
        assert_eq!(ends(accounts.collect()), [256, 512, 600]);
        let two = (1..=600).map(|number| message(number, &format!("a{}", number % 2), b"{}".to_vec()));
        assert_eq!(ends(two.collect()), [600]);
    }

    #[test]
    fn a_batch_ends_with_the_message_that_fills_it() {
        let half = vec![b' '; BATCH_BYTES / 2];
        let messages = (1..=5).map(|number| message(number, "main", half.clone()));
        assert_eq!(ends(messages.collect()), [2, 4, 5]);
    }
}

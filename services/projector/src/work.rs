//! What a reader hands to the writer: messages of one stream, decoded, with the checkpoint that they lead to.

use std::collections::HashSet;

use bus::Message;
use feed::read::{Entry, read};
use model::log::Stream;
use views::store::Checkpoint;

/// The most accounts in one batch: what a view holds of them stays in memory until the batch is written.
const BATCH_ACCOUNTS: usize = 256;

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
    /// Decodes messages of a stream that was made at a time (microseconds since 1970), in as many batches as it takes for
    /// none to have too many accounts.
    pub(crate) fn decoded(stream_created: i64, messages: Vec<Message>) -> Vec<Self> {
        let batches = split(messages, BATCH_ACCOUNTS, |message| account_token(&message.subject));
        batches.into_iter().filter_map(|messages| Self::decoded_batch(stream_created, messages)).collect()
    }

    fn decoded_batch(stream_created: i64, messages: Vec<Message>) -> Option<Self> {
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

/// The part of a subject that names the account.
fn account_token(subject: &str) -> &str {
    subject.split('.').nth(3).unwrap_or_default()
}

/// Cuts a list before the item whose account is one more than `most`.
fn split<T>(items: Vec<T>, most: usize, account: impl Fn(&T) -> &str) -> Vec<Vec<T>> {
    let (mut cuts, mut accounts) = (Vec::new(), HashSet::new());
    for (index, item) in items.iter().enumerate() {
        if accounts.insert(account(item)) && accounts.len() > most {
            accounts = HashSet::from([account(item)]);
            cuts.push(index);
        }
    }
    let mut rest = items;
    let mut batches: Vec<Vec<T>> = cuts.into_iter().rev().map(|cut| rest.split_off(cut)).collect();
    batches.push(rest);
    batches.reverse();
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_before_the_account_that_is_too_many() {
        let items = vec!["a1", "b1", "a2", "c1", "a3", "a4", "d1", "d2"];
        let batches = split(items, 2, |item| &item[..1]);
        assert_eq!(batches, [vec!["a1", "b1", "a2"], vec!["c1", "a3", "a4"], vec!["d1", "d2"]]);
        assert_eq!(split(Vec::<&str>::new(), 2, |item| item), [Vec::<&str>::new()]);
    }
}

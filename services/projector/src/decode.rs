//! From messages of the log to events, or to the reasons why not.

use std::collections::HashSet;

use bus::Message;
use model::envelope;
use model::event::{self, Decoded};
use model::log::{AccountId, Position, Stream, Subject};
use model::time::Timestamp;
use views::store::Checkpoint;

/// What one message holds.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) subject: String,
    pub(crate) account: AccountId,
    pub(crate) received_at: Timestamp,
    pub(crate) decoded: Vec<Decoded>,
}

/// Messages of one stream, decoded, with the checkpoint that they lead to.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) stream: Stream,
    /// As they came, to decode them again where the view could not take them.
    messages: Vec<Message>,
    entries: Option<Vec<Entry>>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) pending: u64,
}

/// The most accounts in one batch: what a view holds of them stays in memory until the batch is written.
const BATCH_ACCOUNTS: usize = 256;

/// Decodes messages, in as many batches as it takes for none to have too many accounts.
pub(crate) fn decode(stream_created: i64, messages: Vec<Message>) -> Vec<Work> {
    let batches = split(messages, BATCH_ACCOUNTS, |message| account_token(&message.subject).to_owned());
    batches.into_iter().filter_map(|messages| decode_batch(stream_created, messages)).collect()
}

/// Cuts a list where the next item would be of one account more than `most`.
fn split<T>(items: Vec<T>, most: usize, account: impl Fn(&T) -> String) -> Vec<Vec<T>> {
    let mut batches = Vec::new();
    let (mut batch, mut accounts) = (Vec::new(), HashSet::new());
    for item in items {
        if accounts.insert(account(&item)) && accounts.len() > most {
            batches.push(std::mem::take(&mut batch));
            accounts = HashSet::from([account(&item)]);
        }
        batch.push(item);
    }
    batches.push(batch);
    batches
}

fn decode_batch(stream_created: i64, messages: Vec<Message>) -> Option<Work> {
    let last = messages.last()?;
    Some(Work {
        stream: last.position.stream,
        entries: Some(messages.iter().map(decode_one).collect()),
        checkpoint: Checkpoint { sequence: last.position.sequence, fingerprint: last.fingerprint(), stream_created },
        pending: last.pending,
        messages,
    })
}

impl Work {
    /// What the messages hold. They are decoded ahead for whoever takes them first.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        self.entries.take().unwrap_or_else(|| self.messages.iter().map(decode_one).collect())
    }
}

fn decode_one(message: &Message) -> Entry {
    // The server's time is always in range.
    let received_at = Timestamp::from_micros(message.received_at).unwrap_or(Timestamp::EPOCH);
    let headers: Vec<(&str, &str)> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (account, decoded) = match Subject::parse(&message.subject) {
        Ok(subject) => {
            let opened = envelope::Message { headers: &headers, payload: &message.payload };
            (subject.account().clone(), event::decode(&subject, opened, received_at))
        }
        Err(bad) => {
            let decoded = Decoded { index: 0, id: None, event: Err(event::Unreadable::Rule(bad.to_string())) };
            (account_for_dead_letter(&message.subject), vec![decoded])
        }
    };
    Entry { position: message.position, subject: message.subject.clone(), account, received_at, decoded }
}

/// A subject whose account is none still leads to a dead letter, under the account's escaped form.
fn account_for_dead_letter(subject: &str) -> AccountId {
    AccountId::escaped(account_token(subject))
}

/// The part of a subject that names the account.
fn account_token(subject: &str) -> &str {
    subject.split('.').nth(3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_before_the_account_that_is_too_many() {
        let items = vec!["a1", "b1", "a2", "c1", "a3", "a4", "d1", "d2"];
        let batches = split(items, 2, |item| item[..1].to_owned());
        assert_eq!(batches, [vec!["a1", "b1", "a2"], vec!["c1", "a3", "a4"], vec!["d1", "d2"]]);
    }
}

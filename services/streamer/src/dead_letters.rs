//! The dead letters of a delivery: written when a receiver refuses an event for good, read when they are tried again.

use std::collections::VecDeque;
use std::time::Duration;

use bus::{Bus, LoadError, Message, Selection};
use feed::tail;
use feed::write::{NewEvent, write};
use model::dead_letter::{DeadLetter, RECORDED};
use model::delivery::{EventPlace, dead_letter_view};
use model::envelope::open_structured;
use model::log::{AccountId, Stream, Subject};
use model::time::Timestamp;
use tracing::warn;

use crate::batch::Batch;
use crate::journal::{self, JournalError};
use crate::lane::{self, Held};

/// How many letters are read at once, and how many bytes of them.
const LETTERS: usize = 500;
const LETTER_BYTES: usize = 4 << 20;
/// How long the next letters may take.
const READS_WITHIN: Duration = Duration::from_secs(5);

/// A letter to be written.
pub(crate) struct NewLetter {
    /// The item of the batch that it is about; where it is about the batch, the first one.
    pub(crate) index: usize,
    /// Whether it is about that item. Otherwise some item of the batch is meant and nobody knows which: the letter then
    /// has no event id, and nothing is sent when dead letters are tried again, as most of the batch has arrived.
    pub(crate) is_named: bool,
    pub(crate) reason: String,
}

/// Where one integration's dead letters are. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DeadLetters {
    bus: Bus,
    account: AccountId,
    id: u64,
}

impl DeadLetters {
    pub(crate) fn new(bus: &Bus, account: &AccountId, id: u64) -> Self {
        Self { bus: bus.clone(), account: account.clone(), id }
    }

    /// Writes letters about items of a batch, each with its reason. A letter's id is made of what it is about and of
    /// the letter that was tried again, so a repetition after a crash is the same letter.
    ///
    /// # Errors
    /// When the broker does not take one.
    pub(crate) async fn write(
        &self,
        batch: &Batch,
        letters: &[NewLetter],
        time: Timestamp,
    ) -> Result<(), JournalError> {
        let view = dead_letter_view(self.id);
        for NewLetter { index, is_named, reason } in letters {
            let Some(item) = batch.items.get(*index) else { continue };
            let data = DeadLetter {
                view: view.clone(),
                stream: item.stream.name().to_owned(),
                sequence: item.sequence,
                index: usize::try_from(item.index).unwrap_or(usize::MAX),
                subject: batch.subject(*index).to_owned(),
                event_id: is_named.then(|| item.id.clone()),
                reason: reason.clone(),
            };
            warn!(account = %self.account, id = self.id, stream = %item.stream, sequence = item.sequence, reason,
                "an event cannot be delivered and becomes a dead letter");
            let again = batch.plan.letter.map(|letter| format!(":{letter}")).unwrap_or_default();
            let of_batch = if *is_named { "" } else { ":batch" };
            let id = format!("{view}:{}:{}:{}{of_batch}{again}", data.stream, data.sequence, data.index);
            let (subject, source, event_type) = (self.subject(), "flowtrail/streamer", RECORDED);
            let letter = write(NewEvent { subject, id: &id, source, event_type, time, data: &data })?;
            journal::publish(&self.bus, &letter).await?;
        }
        Ok(())
    }

    /// How many letters there are, and the newest of them, newest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn newest(&self, limit: usize) -> Result<(usize, Vec<(Message, DeadLetter)>), LoadError> {
        let (stream, filter) = (Stream::DeadLetter, self.subject().to_string());
        let total = usize::try_from(self.bus.count_from(stream, &filter, 1).await?).unwrap_or(usize::MAX);
        let selection = Selection { filter: Some(filter), thrifty: true };
        let mut consumer = self.bus.consume_selected(stream, selection, 0);
        let (mut newest, mut seen) = (VecDeque::new(), 0);
        // The log is read from its beginning, since it cannot be read backwards; only the newest are held.
        while seen < total {
            let messages = consumer.next_batch(LETTERS, LETTER_BYTES, READS_WITHIN).await;
            let messages = messages.map_err(|error| LoadError::Unreachable(error.into()))?;
            if messages.is_empty() {
                break;
            }
            seen += messages.len();
            // Some of those that were counted may be gone since: at the end nothing more is waited for.
            let is_end = consumer.pending() == Some(0);
            newest.extend(messages.into_iter().filter_map(|message| read(&message).map(|letter| (message, letter))));
            newest.drain(..newest.len().saturating_sub(limit));
            if is_end {
                break;
            }
        }
        Ok((total, newest.into_iter().rev().collect()))
    }

    /// The sequence of the newest letter; 0: there is none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn last(&self) -> Result<u64, LoadError> {
        let last = self.bus.last_on(&self.subject()).await?;
        Ok(last.map_or(0, |message| message.position.sequence))
    }

    /// The first letter from a sequence on: where it stands and, as far as it names one that is still in the log, the
    /// event it is about.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn next(&self, from: u64) -> Result<Option<(u64, Option<Held>)>, LoadError> {
        let found = self.bus.first_from(Stream::DeadLetter, &self.subject().to_string(), from).await?;
        let Some(message) = found else { return Ok(None) };
        let sequence = message.position.sequence;
        let Some(letter) = read(&message).filter(|letter| letter.event_id.is_some()) else {
            return Ok(Some((sequence, None)));
        };
        Ok(Some((sequence, self.event(&letter).await?)))
    }

    async fn event(&self, letter: &DeadLetter) -> Result<Option<Held>, LoadError> {
        let Ok(stream) = letter.stream.parse::<Stream>() else { return Ok(None) };
        let filter = tail::filter(stream, &self.account);
        let found = self.bus.first_from(stream, &filter, letter.sequence).await?;
        let Some(message) = found.filter(|message| message.position.sequence == letter.sequence) else {
            return Ok(None);
        };
        let Ok(index) = u32::try_from(letter.index) else { return Ok(None) };
        Ok(lane::held_at(&self.account, &message, EventPlace { sequence: letter.sequence, index }))
    }

    fn subject(&self) -> Subject {
        Subject::dead_letter(&dead_letter_view(self.id), &self.account)
    }
}

fn read(message: &Message) -> Option<DeadLetter> {
    let event = open_structured(&message.payload).ok()?;
    serde_json::from_slice(&event.data).ok()
}

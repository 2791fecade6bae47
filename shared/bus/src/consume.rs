//! Reading a stream from a position on, without end: every message once, in order, whatever happens to the connection.
//!
//! Invariant: the last message handed out is the only state. After a lost connection, a gap, silence or a restarted
//! server, a new consumer is made from there; nothing is acknowledged and the server remembers nothing.

mod source;

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::FutureExt;
use model::log::{LogPosition, Stream};
use tokio::time::Instant;
use tracing::{debug, warn};

pub use self::source::Selection;
use self::source::{Source, Wanted, Word};
use crate::load::LoadError;
use crate::{Bus, Message};

/// The pause before another consumer is tried.
const PAUSE: Duration = Duration::from_millis(200);
/// So many gaps between messages are remembered until somebody asks for them.
const GAPS: usize = 10_000;
/// How long [`Consumer::next`] waits in one go; it then begins to wait again.
const ONE_WAIT: Duration = Duration::from_secs(60);

/// A reader of one stream. Made by [`Bus::consume`].
///
/// All its waits can be dropped half-way (`select!`, time-outs) without losing a message.
pub struct Consumer {
    bus: Bus,
    stream: Stream,
    selection: Selection,
    last: u64,
    /// What the server said last of how far it has looked; less than `last` where it has not said so since.
    complete_to: u64,
    /// The fingerprint of the last message, once one was read.
    fingerprint: Option<String>,
    /// When the stream was made, as first seen: another time later means another log.
    created: Option<i64>,
    /// Sequences between the messages that were handed out, where all are selected.
    passed_over: Vec<RangeInclusive<u64>>,
    source: Option<Source>,
}

/// Why a consumer cannot go on; asked again, it says the same.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// There is no such stream (any more).
    #[error("there is no stream {stream}")]
    Missing {
        /// The stream that was to be read.
        stream: Stream,
    },
    /// The log is not the one that was read so far: it was made again, ends before what was already read, or holds
    /// another message in its place. What was computed from it must be rebuilt.
    #[error("the log was lost or rolled back: {stream} ends at {last}, {read} was already read")]
    RolledBack {
        /// The stream of which a part was read.
        stream: Stream,
        /// The last sequence that was read.
        read: u64,
        /// The last sequence there is.
        last: u64,
    },
}

impl Bus {
    /// Reads the stream from the message after sequence `after` on; 0 reads it from its beginning.
    #[must_use]
    pub fn consume(&self, stream: Stream, after: u64) -> Consumer {
        self.consume_selected(stream, Selection::default(), after)
    }

    /// Reads only a part of the stream, from the message after sequence `after` on.
    #[must_use]
    pub fn consume_selected(&self, stream: Stream, selection: Selection, after: u64) -> Consumer {
        let bus = self.clone();
        Consumer {
            bus,
            stream,
            selection,
            last: after,
            complete_to: after,
            fingerprint: None,
            created: None,
            passed_over: Vec::new(),
            source: None,
        }
    }
}

impl Consumer {
    /// Names the log that was read up to here, by when its stream was made
    /// ([`StreamState::created`](crate::StreamState)) and the [`Message::fingerprint`] of the last message: it is
    /// noticed when there is another one in its place.
    #[must_use]
    pub fn of_log(self, created: i64, fingerprint: String) -> Self {
        Self { created: Some(created), fingerprint: Some(fingerprint), ..self }
    }

    /// The next message, as long as it may take.
    ///
    /// # Errors
    /// [`ConsumeError`]; never because of the connection.
    pub async fn next(&mut self) -> Result<Message, ConsumeError> {
        loop {
            if let Some(message) = self.next_until(Instant::now() + ONE_WAIT).await? {
                return Ok(message);
            }
        }
    }

    /// What is there: waits up to `patience` for a first message, then takes what has already arrived, up to
    /// `max_messages` messages or until `max_bytes` of payload are reached.
    ///
    /// Empty when `patience` ends; [`Consumer::pending`] says whether that means that there is nothing to read.
    ///
    /// # Errors
    /// [`ConsumeError`]; never because of the connection.
    pub async fn next_batch(
        &mut self,
        max_messages: usize,
        max_bytes: usize,
        patience: Duration,
    ) -> Result<Vec<Message>, ConsumeError> {
        let Some(first) = self.next_until(Instant::now() + patience).await? else { return Ok(Vec::new()) };
        let mut bytes = first.payload.len();
        let mut messages = vec![first];
        // From here on nothing waits, so dropping this future cannot lose what was collected.
        while messages.len() < max_messages && bytes < max_bytes {
            let Some(message) = self.ready() else { break };
            bytes += message.payload.len();
            messages.push(message);
        }
        if let Some(source) = &mut self.source {
            // Ask for more before these are worked on. When that would have to wait, the next call does it.
            source.ask_for_more(&self.bus).now_or_never();
        }
        Ok(messages)
    }

    /// The sequence of the last message that was handed out.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.last
    }

    /// Up to this sequence, everything that is selected and still there was handed out. It is [`Consumer::position`] or,
    /// a moment after the end was reached, more: where the stream ends with messages that are not selected or are gone
    /// (deleted, purged, expired), whose sequences the stream never gives back. To wait for a sequence that the stream
    /// has named is to wait for this, not for the position.
    #[must_use]
    pub fn complete_to(&self) -> u64 {
        self.complete_to.max(self.last)
    }

    /// The sequences that no message was handed out for since this was asked last, though later ones were: messages that were
    /// deleted, forgotten, or [lost](Bus::damage). At most 10,000 ranges of them; none where a part of the stream is read.
    pub fn passed_over(&mut self) -> Vec<RangeInclusive<u64>> {
        std::mem::take(&mut self.passed_over)
    }

    /// How many messages of those that are selected the stream holds after the last one that was handed out, as the
    /// server last said. `None`
    /// while nobody can know: there is no connection, or no consumer on it yet.
    #[must_use]
    pub fn pending(&self) -> Option<u64> {
        let source = self.source.as_ref().filter(|source| source.losses == self.bus.link.losses())?;
        self.bus.is_connected().then_some(source.pending)
    }

    async fn next_until(&mut self, deadline: Instant) -> Result<Option<Message>, ConsumeError> {
        loop {
            if self.source.is_none() && !self.open(deadline).await? {
                return Ok(None);
            }
            let Some(source) = &mut self.source else { continue };
            if source.ask_for_more(&self.bus).await.is_none() {
                self.reopen("the request for messages failed");
                continue;
            }
            let (silent_at, losses) = (source.silent_at(), source.losses);
            tokio::select! {
                biased;
                word = source.next(&self.bus) => {
                    if let Some(message) = self.take(word) {
                        return Ok(Some(message));
                    }
                }
                () = self.bus.link.lost_since(losses) => self.reopen("connection lost"),
                () = tokio::time::sleep_until(silent_at.min(deadline)) => {
                    if deadline <= silent_at {
                        return Ok(None);
                    }
                    self.reopen("the server is silent");
                }
            }
        }
    }

    /// The next message if it is already here.
    fn ready(&mut self) -> Option<Message> {
        loop {
            let word = self.source.as_mut()?.next(&self.bus).now_or_never()?;
            if let Some(message) = self.take(word) {
                return Some(message);
            }
        }
    }

    fn take(&mut self, word: Word) -> Option<Message> {
        match word {
            Word::Message(message) => {
                let (expected, sequence) = (self.last + 1, message.position.sequence);
                if sequence > expected && self.selection.filter.is_none() && self.passed_over.len() < GAPS {
                    self.passed_over.push(expected..=sequence - 1);
                }
                self.last = sequence;
                self.fingerprint = Some(message.fingerprint());
                Some(message)
            }
            Word::CompleteTo(sequence) => {
                self.complete_to = self.complete_to.max(sequence);
                None
            }
            Word::Nothing => None,
            Word::Broken(why) => {
                self.reopen(why);
                None
            }
        }
    }

    fn reopen(&mut self, why: &'static str) {
        debug!(stream = %self.stream, after = self.last, why, "reading on with a new consumer");
        self.source = None;
    }

    /// Makes a consumer after the last message; `false` when it did not come to that before the deadline.
    async fn open(&mut self, deadline: Instant) -> Result<bool, ConsumeError> {
        let patience = deadline.saturating_duration_since(Instant::now());
        if !self.bus.link.up_within(patience).await {
            return Ok(false);
        }
        // Read before anything is asked: where the connection is lost from here on, `next_until` notices, however far this
        // has come, and what was made on the lost connection is not waited for.
        let losses = self.bus.link.losses();
        // Also after a lost connection: the server that comes back can be one that was restored from a backup, and to
        // read on from a sequence that now means another message would skip events without a word.
        match self.check().await {
            Ok(verdict) => verdict?,
            Err(LoadError::Missing { stream }) => return Err(ConsumeError::Missing { stream }),
            Err(LoadError::Unreachable(cause)) => return Ok(self.pause(deadline, &cause).await),
        }
        let wanted = Wanted { stream: self.stream, selection: &self.selection, after: self.last };
        match Source::open(&self.bus, wanted, losses).await {
            Ok(source) => self.source = Some(source),
            Err(cause) => return Ok(self.pause(deadline, &cause).await),
        }
        Ok(true)
    }

    /// Whether the log is still the one that was read so far.
    async fn check(&mut self) -> Result<Result<(), ConsumeError>, LoadError> {
        let state = self.bus.state(self.stream).await?;
        let same_log = self.created.is_none_or(|created| created == state.created);
        if !same_log || state.last_sequence < self.last || !self.is_last_unchanged().await? {
            let (stream, read, last) = (self.stream, self.last, state.last_sequence);
            return Ok(Err(ConsumeError::RolledBack { stream, read, last }));
        }
        self.created = Some(state.created);
        Ok(Ok(()))
    }

    async fn is_last_unchanged(&self) -> Result<bool, LoadError> {
        let Some(known) = &self.fingerprint else { return Ok(true) };
        let found = self.bus.fingerprint_at(LogPosition { stream: self.stream, sequence: self.last }).await?;
        // None: it is too old to be kept, or a newer one of its subject took its place.
        Ok(found.is_none_or(|found| found == *known))
    }

    /// Waits a little before the next attempt; `false` when the deadline is over.
    async fn pause(&self, deadline: Instant, cause: &crate::Cause) -> bool {
        warn!(stream = %self.stream, after = self.last, %cause, "cannot read the log, will try again");
        tokio::time::sleep_until((Instant::now() + PAUSE).min(deadline)).await;
        Instant::now() < deadline
    }
}

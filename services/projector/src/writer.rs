//! The writing side of a worker: projects what the readers bring, and commits it.
//!
//! Each batch of work is committed at once, but under a backlog: there several are committed together, for rows that are
//! written together are written once, into a segment, and not first into chunks that a segment replaces.
//!
//! Invariants:
//! - What was committed is noted after the commit, never before: a reader who waits for a position, to see what they
//!   wrote, is woken by that and must find it.
//! - Messages are kept until what they say is committed. Where the storage fails, everything that is open is projected
//!   again.

use std::sync::Arc;
use std::time::Duration;

use feed::erasures;
use model::log::Stream;
use runtime::telemetry::chain;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use views::Observed;
use views::store::Batch;

use crate::dead_letters::{self, Letter};
use crate::error::Error;
use crate::generation::{Generation, Purpose, Sequences};
use crate::ignored::Ignored;
use crate::project::project;
use crate::thread::{Panicked, Thread};
use crate::work::{BATCH_ACCOUNTS, Size, Work};

/// How long a failed storage is left alone before the batch is tried again.
const STORAGE_PAUSE: Duration = Duration::from_secs(5);
/// Events that are worth waiting for: as many as a segment has rows.
const SEGMENT_EVENTS: u64 = 1 << 16;
/// Events that are committed together at most, give or take those of the last work, where no account has enough of them
/// for a segment before.
const OPEN_EVENTS: u64 = 2 * SEGMENT_EVENTS;
/// The same in bytes of unpacked payloads.
const OPEN_BYTES: usize = 128 << 20;
/// How long work is open at most, while more of it comes.
const OPEN_FOR: Duration = Duration::from_secs(2);

/// Writes one generation of one view.
pub(crate) struct Writer<'a> {
    generation: &'a Generation,
    stop: &'a CancellationToken,
    thread: Thread,
    /// What is committed of each stream.
    reached: Sequences,
    open: Option<Open>,
}

/// Work of one stream that is not committed yet.
struct Open {
    stream: Stream,
    works: Vec<Work>,
    projected: Option<Projected>,
    size: Size,
    until: Instant,
}

/// What came of the first of it.
struct Projected {
    works: usize,
    batch: Batch,
    letters: Vec<Letter>,
    ignored: Ignored,
}

impl<'a> Writer<'a> {
    /// A writer that goes on after what is reached.
    pub(crate) fn start(generation: &'a Generation, reached: Sequences, stop: &'a CancellationToken) -> Self {
        Self { generation, stop, thread: Thread::start(), reached, open: None }
    }

    /// Does what an erasure left undone when the process ended, and lets an empty generation know who is erased before
    /// anything enters it: what is never written is on no disk, and names that reports disagree on do not come back.
    ///
    /// # Errors
    /// When the log cannot be read, or the view cannot be written.
    pub(crate) async fn begin(&mut self, is_empty: bool) -> Result<(), Error> {
        let (view, store) = (self.generation.view, self.generation.store.clone());
        if !view.erases() {
            return Ok(());
        }
        let erasures = if is_empty { erasures::all(&self.generation.bus).await? } else { Vec::new() };
        let begun = self.thread.run(move || {
            Batch::new(store.clone()).know(erasures)?;
            store.finish_erasing()
        });
        begun.await?.map_err(|cause| Error::View { view, cause })
    }

    /// What is committed of each stream.
    pub(crate) fn reached(&self) -> &Sequences {
        &self.reached
    }

    /// Takes in work of a stream; false when `stop` came first.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub(crate) async fn take_in(&mut self, work: Work) -> Result<bool, Error> {
        if self.open.as_ref().is_some_and(|open| !open.takes(&work)) && !self.commit().await? {
            return Ok(false);
        }
        let open = self.open.get_or_insert_with(|| Open::new(work.stream));
        open.size = open.size.plus(work.size);
        open.works.push(work);
        if open.waits_for_more(Instant::now()) {
            // A failure is met again by the commit, which sees to it.
            if self.project().await?.is_ok() && !self.fills_a_segment() {
                return Ok(true);
            }
        }
        self.commit().await
    }

    /// Whether what is projected completes a segment. More of it would be written twice: now, and when it is sealed.
    fn fills_a_segment(&self) -> bool {
        let projected = self.open.as_ref().and_then(|open| open.projected.as_ref());
        projected.is_some_and(|projected| projected.batch.fills_a_segment())
    }

    /// Waits until work has been open for long enough; forever where there is none.
    pub(crate) async fn is_due(&self) {
        match &self.open {
            Some(open) => tokio::time::sleep_until(open.until).await,
            None => std::future::pending().await,
        }
    }

    /// Notes that nothing is left to read of a stream up to a sequence, and uses the moment for the next question; false
    /// when `stop` came first.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub(crate) async fn idle(&mut self, stream: Stream, complete_to: u64) -> Result<bool, Error> {
        // News of a stream comes in order, so what was read before it is committed then.
        if !self.commit().await? {
            return Ok(false);
        }
        let sequence = self.reached.entry(stream).or_default();
        *sequence = complete_to.max(*sequence);
        let sequence = *sequence;
        self.observe(stream, sequence, 0);
        let store = self.generation.store.clone();
        if let Err(error) = self.thread.run(move || store.read_ahead()).await? {
            // The next question meets it, and its asker is told.
            debug!(view = %self.generation.view, error = %chain(&error), "the view cannot be read ahead");
        }
        Ok(true)
    }

    /// Forgets what the log has forgotten before a sequence; false when `stop` came first.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub(crate) async fn forget(&mut self, sequence: u64) -> Result<bool, Error> {
        // There is one writer to a table at a time.
        if !self.commit().await? {
            return Ok(false);
        }
        let (view, store) = (self.generation.view, self.generation.store.clone());
        match self.thread.run(move || store.forget(sequence)).await? {
            Err(error) if error.is_damage() => return Err(Error::View { view, cause: error }),
            Err(error) => error!(%view, error = %chain(&error), "the view cannot forget what the log has forgotten"),
            Ok(()) => {}
        }
        Ok(true)
    }

    /// Commits what is open, however long the storage takes nothing; false when `stop` came first.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub(crate) async fn commit(&mut self) -> Result<bool, Error> {
        let view = self.generation.view;
        while self.open.is_some() {
            let Err(error) = self.try_commit().await? else { break };
            let Some(error) = error else { return Ok(false) };
            // A storage that takes nothing more is replaced, once there is room for another.
            if error.is_damage() || (error.is_lasting() && self.generation.store.has_room()) {
                return Err(Error::View { view, cause: error });
            }
            error!(%view, error = %chain(&error), "the view cannot be written and stands still; reads go on");
            tokio::select! {
                () = self.stop.cancelled() => return Ok(false),
                () = tokio::time::sleep(STORAGE_PAUSE) => {}
            }
        }
        Ok(true)
    }

    /// Why nothing was committed: the storage's error, or none where `stop` came first.
    async fn try_commit(&mut self) -> Result<Result<(), Option<views::Error>>, Panicked> {
        if let Err(error) = self.project().await? {
            return Ok(Err(Some(error)));
        }
        let Some(open) = &mut self.open else { return Ok(Ok(())) };
        let (Some(Projected { batch, letters, ignored, .. }), Some(last)) = (open.projected.take(), open.works.last())
        else {
            return Ok(Ok(()));
        };
        // Before the commit: a crash between the two publishes the same letters again, under the same ids. The other way
        // round it would lose them, since nobody reads the message again.
        let publishes = matches!(self.generation.purpose, Purpose::Live(_)) && !letters.is_empty();
        if publishes && !dead_letters::publish(&self.generation.bus, &letters, self.stop).await {
            return Ok(Err(None));
        }
        let (stream, checkpoint, pending) = (open.stream, last.checkpoint.clone(), last.pending);
        // What is only heard of is none of the view's events.
        let is_shown = self.generation.view.streams().contains(&stream);
        let (sequence, size) = (checkpoint.sequence, if is_shown { open.size } else { Size::default() });
        if let Err(error) = self.thread.run(move || batch.commit(stream, &checkpoint)).await? {
            return Ok(Err(Some(error)));
        }
        self.open = None;
        match &self.generation.purpose {
            Purpose::Live(_) => {
                self.generation.view_metrics.projected(self.generation.view, size.events, letters.len());
                self.generation.view_metrics.ignored(ignored.reports);
                self.generation.named.tell(ignored);
            }
            Purpose::Rebuild(_, watch) => watch.projected(size.messages, size.events),
        }
        self.reached.insert(stream, sequence);
        self.observe(stream, sequence, pending);
        Ok(Ok(()))
    }

    /// Projects what of the open work is not projected yet.
    async fn project(&mut self) -> Result<Result<(), views::Error>, Panicked> {
        let Some(open) = &mut self.open else { return Ok(Ok(())) };
        let mut projected = open.projected.take().unwrap_or_else(|| Projected {
            works: 0,
            batch: Batch::new(Arc::clone(&self.generation.store)),
            letters: Vec::new(),
            ignored: Ignored::default(),
        });
        let (view, stream) = (self.generation.view, open.stream);
        for work in open.works.iter_mut().skip(projected.works) {
            let entries = work.take_entries();
            projected.ignored.add(entries.all());
            let done = self.thread.run(move || {
                projected.letters.append(&mut project(view, &mut projected.batch, stream, &entries)?);
                projected.works += 1;
                Ok(projected)
            });
            projected = match done.await? {
                Ok(projected) => projected,
                Err(error) => return Ok(Err(error)),
            };
        }
        open.projected = Some(projected);
        Ok(Ok(()))
    }

    fn observe(&self, stream: Stream, sequence: u64, pending: u64) {
        match &self.generation.purpose {
            Purpose::Live(slot) => slot.observe(stream, Observed { sequence, pending }),
            Purpose::Rebuild(..) => {}
        }
    }
}

impl Open {
    fn new(stream: Stream) -> Self {
        let until = Instant::now() + OPEN_FOR;
        Self { stream, works: Vec::new(), projected: None, size: Size::default(), until }
    }

    /// Whether work may be committed with what is open: of the same stream, and with no more accounts than one batch may
    /// have, for what a view holds of them stays in memory until it is committed.
    fn takes(&self, work: &Work) -> bool {
        self.stream == work.stream && self.size.accounts + work.size.accounts <= BATCH_ACCOUNTS
    }

    /// Whether the next work is to be committed with what is open: it may be, and about as many events as a segment has are
    /// still to come, so that who waits for them waits anyway.
    fn waits_for_more(&self, now: Instant) -> bool {
        let Some(last) = self.works.last() else { return true };
        let Size { messages, events, .. } = last.size;
        let to_come = last.pending.saturating_mul(events) / messages.max(1);
        to_come >= SEGMENT_EVENTS
            && now < self.until
            && self.size.events < OPEN_EVENTS
            && self.size.bytes < OPEN_BYTES
            && self.size.accounts < BATCH_ACCOUNTS
    }
}

#[cfg(test)]
mod tests {
    use bus::Message;
    use model::log::LogPosition;

    use super::*;

    /// Work of one message with an event, after which others are still to come.
    fn work(pending: u64) -> Work {
        let message = Message {
            position: LogPosition { stream: Stream::Audit, sequence: 1 },
            subject: "flowtrail.v1.audit.main.test".to_owned(),
            headers: Vec::new(),
            payload: br#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":{}}"#.to_vec().into(),
            received_at: 0,
            pending,
        };
        Work::decode(views::audit::VIEW, 0, vec![message], &std::sync::mpsc::sync_channel(1).0).0.unwrap()
    }

    fn open(pending: u64, size: Size) -> Open {
        let mut open = Open::new(Stream::Audit);
        open.works.push(work(pending));
        open.size = size;
        open
    }

    #[test]
    fn work_with_too_many_accounts_is_committed_apart() {
        let size = |accounts| Size { accounts, ..Size::default() };
        assert!(open(OPEN_EVENTS, size(BATCH_ACCOUNTS - 1)).takes(&work(0)));
        assert!(!open(OPEN_EVENTS, size(BATCH_ACCOUNTS)).takes(&work(0)));
        assert!(!Open::new(Stream::Traffic).takes(&work(0)), "another stream has a checkpoint of its own");
    }

    #[test]
    fn work_stays_open_under_a_backlog_alone_and_within_bounds() {
        let little = Size { messages: 1, events: 1, accounts: 1, bytes: 100 };
        let now = Instant::now();
        assert!(open(SEGMENT_EVENTS, little).waits_for_more(now));
        assert!(!open(SEGMENT_EVENTS - 1, little).waits_for_more(now), "little is to come");
        assert!(!open(SEGMENT_EVENTS, little).waits_for_more(now + 2 * OPEN_FOR), "it has been open for long");
        let full = [
            Size { events: OPEN_EVENTS, ..little },
            Size { bytes: OPEN_BYTES, ..little },
            Size { accounts: BATCH_ACCOUNTS, ..little },
        ];
        for size in full {
            assert!(!open(SEGMENT_EVENTS, size).waits_for_more(now), "{size:?}");
        }
    }
}

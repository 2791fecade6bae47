//! The loop that keeps one generation of one view up with the log.
//!
//! One task per stream reads and decodes ahead; one task projects and commits, so a view has a single writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use model::dead_letter::DeadLetter;
use model::event::Decoded;
use model::log::Stream;
use runtime::telemetry::chain;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use views::store::{Batch, Store};
use views::{Logged, Observed, Refused, Slot, View};

use crate::dead_letters::{self, Letter};
use crate::decode::{self, Entry, Work};
use crate::numbers::Numbers;
use crate::thread::Thread;
use crate::{Error, rebuild};

/// The most messages in one batch.
const BATCH_MESSAGES: usize = 2000;
/// A batch ends with the message that reaches this many bytes.
const BATCH_BYTES: usize = 2 << 20;
/// How often an idle stream is looked at, to know that nothing is waiting.
const IDLE: Duration = Duration::from_millis(250);
/// How often it is asked what the log has forgotten.
const RETENTION_EVERY: Duration = Duration::from_secs(60);
/// How long a failed storage is left alone before the batch is tried again.
const STORAGE_PAUSE: Duration = Duration::from_secs(5);

/// Keeps one generation of one view up with the log.
pub(crate) struct Worker {
    pub(crate) view: View,
    pub(crate) store: Arc<Store>,
    pub(crate) bus: Bus,
    pub(crate) purpose: Purpose,
    pub(crate) numbers: Numbers,
}

/// What a generation is being written for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// It is read now: what was done is observed, what cannot be read becomes a dead letter.
    Live(Slot),
    /// It is being rebuilt up to these sequences. Its dead letters were written when it was first projected.
    Rebuild(BTreeMap<Stream, u64>, rebuild::Watch),
}

/// What a reader tells the writer.
enum News {
    Work(Work),
    /// There is nothing to read in this stream.
    Idle(Stream),
    /// The stream has forgotten everything before this sequence.
    Forgotten(u64),
}

impl Worker {
    /// Works until `stop`, or until a rebuild has reached its targets.
    ///
    /// # Errors
    /// When the log was lost or rolled back, or the storage cannot be read.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let failed = |cause| Error::View { view: self.view, cause };
        let checkpoints = self.store.checkpoints().map_err(failed)?;
        // Readers end with the writer, however it ends.
        let readers_stop = stop.child_token();
        let _end_readers = readers_stop.clone().drop_guard();
        let mut readers = JoinSet::new();
        let (news, mut inbox) = mpsc::channel(1);
        let mut writer = Thread::start();
        let mut reached: BTreeMap<Stream, u64> = BTreeMap::new();
        for &stream in self.view.streams() {
            let after = checkpoints.get(&stream).map_or(0, |checkpoint| checkpoint.sequence);
            reached.insert(stream, after);
            readers.spawn(read(self.bus.clone(), stream, after, news.clone(), readers_stop.clone()));
        }
        if let (Purpose::Live(_), Some(stream)) = (&self.purpose, self.view.forgets_with()) {
            readers.spawn(watch_retention(self.bus.clone(), stream, news.clone(), readers_stop.clone()));
        }
        drop(news);
        while !self.is_done(&reached) {
            let next = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                next = inbox.recv() => next,
                Some(ended) = readers.join_next() => {
                    ended??;
                    continue;
                }
            };
            match next {
                None => return Ok(()),
                Some(News::Idle(stream)) => {
                    self.observe(stream, reached.get(&stream).copied().unwrap_or_default(), 0);
                    self.read_ahead(&mut writer).await?;
                }
                Some(News::Forgotten(sequence)) => self.forget(sequence, &mut writer).await?,
                Some(News::Work(work)) => {
                    let (stream, sequence, pending) = (work.stream, work.checkpoint.sequence, work.pending);
                    if !self.take_in(work, &mut writer, &stop).await? {
                        return Ok(());
                    }
                    reached.insert(stream, sequence);
                    self.observe(stream, sequence, pending);
                }
            }
        }
        Ok(())
    }

    fn is_done(&self, reached: &BTreeMap<Stream, u64>) -> bool {
        match &self.purpose {
            Purpose::Live(_) => false,
            Purpose::Rebuild(targets, _) => {
                targets.iter().all(|(stream, target)| reached.get(stream).is_some_and(|sequence| sequence >= target))
            }
        }
    }

    /// Uses an idle moment for whoever asks next.
    async fn read_ahead(&self, writer: &mut Thread) -> Result<(), Error> {
        let store = self.store.clone();
        if let Err(error) = writer.run(move || store.read_ahead()).await? {
            // Whoever asks meets it, and says so.
            debug!(view = %self.view, error = %chain(&error), "the view cannot be read ahead");
        }
        Ok(())
    }

    async fn forget(&self, sequence: u64, writer: &mut Thread) -> Result<(), Error> {
        let store = self.store.clone();
        match writer.run(move || store.forget(sequence)).await? {
            Err(error) if error.is_damage() => Err(Error::View { view: self.view, cause: error }),
            Err(error) => {
                error!(view = %self.view, error = %chain(&error), "the view cannot forget what the log has forgotten");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn observe(&self, stream: Stream, sequence: u64, pending: u64) {
        match &self.purpose {
            Purpose::Live(slot) => slot.observe(stream, Observed { sequence, pending }),
            Purpose::Rebuild(_, watch) => watch.reached(stream, sequence),
        }
    }

    /// Projects and commits; false when `stop` came first.
    async fn take_in(&self, mut work: Work, writer: &mut Thread, stop: &CancellationToken) -> Result<bool, Error> {
        let (stream, checkpoint) = (work.stream, work.checkpoint.clone());
        loop {
            let (view, store) = (self.view, self.store.clone());
            let entries = work.take_entries();
            let events = entries.iter().map(|entry| entry.decoded.len() as u64).sum();
            let projected = writer.run(move || project(view, &store, stream, entries)).await?;
            let mut refused = 0;
            let committed = match projected {
                Ok((batch, letters)) => {
                    refused = letters.len();
                    let publishes = matches!(self.purpose, Purpose::Live(_)) && !letters.is_empty();
                    if publishes && !dead_letters::publish(&self.bus, &letters, stop).await {
                        return Ok(false);
                    }
                    let checkpoint = checkpoint.clone();
                    writer.run(move || batch.commit(stream, &checkpoint)).await?
                }
                Err(error) => Err(error),
            };
            let Err(error) = committed else {
                match &self.purpose {
                    Purpose::Live(_) => self.numbers.projected(self.view, events, refused),
                    Purpose::Rebuild(_, watch) => watch.projected(events),
                }
                return Ok(true);
            };
            // A storage that takes nothing more is replaced, once there is room for another.
            if error.is_damage() || (error.is_lasting() && self.store.has_room()) {
                return Err(Error::View { view: self.view, cause: error });
            }
            error!(view = %self.view, error = %chain(&error), "the view cannot be written and stands still; reads go on");
            tokio::select! {
                () = stop.cancelled() => return Ok(false),
                () = tokio::time::sleep(STORAGE_PAUSE) => {}
            }
        }
    }
}

/// Tells the writer what the log has forgotten, as often as that matters.
async fn watch_retention(
    bus: Bus,
    stream: Stream,
    news: mpsc::Sender<News>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mut first = 0;
    loop {
        // A log that is away forgets nothing.
        if let Ok(state) = bus.state(stream).await
            && state.first_sequence > first
        {
            first = state.first_sequence;
            if news.send(News::Forgotten(first)).await.is_err() {
                return Ok(());
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(RETENTION_EVERY) => {}
        }
    }
}

/// Reads and decodes one stream ahead of the writer.
async fn read(
    bus: Bus,
    stream: Stream,
    after: u64,
    news: mpsc::Sender<News>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let created = bus.state(stream).await?.created;
    let mut consumer = bus.consume(stream, after);
    let mut decoder = Thread::start();
    loop {
        let messages = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            messages = consumer.next_batch(BATCH_MESSAGES, BATCH_BYTES, IDLE) => messages?,
        };
        let decoded = decoder.run(move || decode::decode(created, messages)).await?;
        let is_idle = decoded.is_empty() && consumer.pending() == Some(0);
        let idle = is_idle.then_some(News::Idle(stream));
        for next in decoded.into_iter().map(News::Work).chain(idle) {
            if news.send(next).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn project(
    view: View,
    store: &Arc<Store>,
    stream: Stream,
    entries: Vec<Entry>,
) -> Result<(Batch, Vec<Letter>), views::Error> {
    let mut batch = Batch::new(store.clone());
    let mut letters = Vec::new();
    for mut entry in entries {
        for Decoded { index, id, event } in std::mem::take(&mut entry.decoded) {
            let reason = match event {
                Ok(event) => {
                    let logged = Logged { account: &entry.account, position: entry.position, event };
                    match view.project(&mut batch, logged) {
                        Ok(()) => continue,
                        Err(Refused::DeadLetter(reason)) => reason,
                        Err(Refused::Failed(error)) => return Err(error),
                    }
                }
                Err(unreadable) if view.owns_dead_letters_of(stream) => unreadable.to_string(),
                Err(_) => continue,
            };
            letters.push(letter(view, &entry, index, id, reason));
        }
    }
    Ok((batch, letters))
}

fn letter(view: View, entry: &Entry, index: usize, event_id: Option<String>, reason: String) -> Letter {
    Letter {
        account: entry.account.clone(),
        time: entry.received_at,
        data: DeadLetter {
            view: view.name().to_owned(),
            stream: entry.position.stream.name().to_owned(),
            sequence: entry.position.sequence,
            index,
            subject: entry.subject.clone(),
            event_id,
            reason,
        },
    }
}

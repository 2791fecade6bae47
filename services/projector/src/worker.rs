//! The loop that keeps one generation of one view up with the log.
//!
//! A [`Reader`] per stream reads and decodes ahead; one task projects and commits, so a view has a single writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use model::log::Stream;
use runtime::telemetry::chain;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use views::store::Store;
use views::{Observed, Slot, View};

use crate::dead_letters;
use crate::error::Error;
use crate::ignored::{Ignored, Named};
use crate::project::project;
use crate::reader::{News, Reader};
use crate::rebuild;
use crate::thread::Thread;
use crate::view_metrics::ViewMetrics;
use crate::work::Work;

/// How long a failed storage is left alone before the batch is tried again.
const STORAGE_PAUSE: Duration = Duration::from_secs(5);

/// Keeps one generation of one view up with the log.
pub(crate) struct Worker {
    pub(crate) view: View,
    pub(crate) store: Arc<Store>,
    pub(crate) bus: Bus,
    pub(crate) purpose: Purpose,
    pub(crate) view_metrics: ViewMetrics,
    pub(crate) named: Named,
}

/// What a generation is being written for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// It is read now: what was done is observed, what cannot be read becomes a dead letter.
    Live(Slot),
    /// It is being rebuilt up to these sequences. Its dead letters were written when it was first projected.
    Rebuild(Sequences, rebuild::Watch),
}

/// A sequence for each stream.
pub(crate) type Sequences = BTreeMap<Stream, u64>;

impl Worker {
    /// Works until `stop`, or until a rebuild has reached its targets. Gives the sequences that it has reached.
    ///
    /// # Errors
    /// When the log was lost or rolled back, or the storage cannot be read.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<Sequences, Error> {
        let failed = |cause| Error::View { view: self.view, cause };
        let checkpoints = self.store.checkpoints().map_err(failed)?;
        // Readers end with the writer, however it ends.
        let readers_stop = stop.child_token();
        let _end_readers = readers_stop.clone().drop_guard();
        // The checkpoint was committed in one write with the rows that it stands for, so the next message is the first that
        // is not in the view. A consumer on the server could not know that: it is told of a message before or after the
        // commit, and a crash between the two would lose or repeat it.
        let after = |stream: &Stream| checkpoints.get(stream).map_or(0, |checkpoint| checkpoint.sequence);
        let mut reached: Sequences = self.view.streams().iter().map(|stream| (*stream, after(stream))).collect();
        let (mut readers, mut inbox) = self.start_readers(&reached, &readers_stop);
        let mut writer = Thread::start();
        while !self.is_done(&reached) {
            let next = tokio::select! {
                () = stop.cancelled() => return Ok(reached),
                next = inbox.recv() => next,
                Some(ended) = readers.join_next() => {
                    ended??;
                    continue;
                }
            };
            match next {
                None => {
                    // Why they ended may be known only now: a rebuild whose readers failed must not pass for whole.
                    while let Some(ended) = readers.join_next().await {
                        ended??;
                    }
                    return Ok(reached);
                }
                Some(News::Idle(stream, complete_to)) => {
                    // News of a stream comes in order, so what was read before it is committed by now.
                    let sequence = reached.entry(stream).or_default();
                    *sequence = complete_to.max(*sequence);
                    self.observe(stream, *sequence, 0);
                    self.read_ahead(&mut writer).await?;
                }
                Some(News::Forgotten(sequence)) => self.forget(sequence, &mut writer).await?,
                Some(News::Work(work)) => {
                    let (stream, sequence, pending) = (work.stream, work.checkpoint.sequence, work.pending);
                    if !self.take_in(work, &mut writer, &stop).await? {
                        return Ok(reached);
                    }
                    reached.insert(stream, sequence);
                    // After the commit, never before: a reader who waits for this position, to see what they wrote, is
                    // woken by this and must find it.
                    self.observe(stream, sequence, pending);
                }
            }
        }
        Ok(reached)
    }

    /// Starts a reader for each stream, after what is reached in it.
    fn start_readers(
        &self,
        reached: &Sequences,
        stop: &CancellationToken,
    ) -> (JoinSet<Result<(), Error>>, mpsc::Receiver<News>) {
        let mut readers = JoinSet::new();
        // One decoded batch waits while another is written, for all streams together: that keeps the writer busy, and more
        // would only take memory.
        let (news, inbox) = mpsc::channel(1);
        let reader = |stream| Reader { bus: self.bus.clone(), stream, news: news.clone(), stop: stop.clone() };
        for (&stream, &after) in reached {
            readers.spawn(reader(stream).read(after));
        }
        if let (Purpose::Live(_), Some(stream)) = (&self.purpose, self.view.forgets_with()) {
            readers.spawn(reader(stream).watch_retention());
        }
        (readers, inbox)
    }

    /// The last message may be gone since a target was named, and the target with it. So what counts is not that it was
    /// read but that nothing up to it is left to read, which the news that a stream is idle says.
    fn is_done(&self, reached: &Sequences) -> bool {
        match &self.purpose {
            Purpose::Live(_) => false,
            Purpose::Rebuild(targets, _) => {
                targets.iter().all(|(stream, target)| reached.get(stream).is_some_and(|sequence| sequence >= target))
            }
        }
    }

    /// Uses an idle moment for the next question.
    async fn read_ahead(&self, writer: &mut Thread) -> Result<(), Error> {
        let store = self.store.clone();
        if let Err(error) = writer.run(move || store.read_ahead()).await? {
            // The next question meets it, and its asker is told.
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
            Purpose::Rebuild(..) => {}
        }
    }

    /// Projects and commits; false when `stop` came first.
    async fn take_in(&self, mut work: Work, writer: &mut Thread, stop: &CancellationToken) -> Result<bool, Error> {
        let (stream, checkpoint) = (work.stream, work.checkpoint.clone());
        loop {
            let (view, store) = (self.view, self.store.clone());
            let entries = work.take_entries();
            let messages = work.messages();
            let events = entries.iter().map(|entry| entry.decoded.len() as u64).sum();
            let ignored = Ignored::of(&entries);
            let projected = writer.run(move || project(view, &store, stream, entries)).await?;
            let mut refused = 0;
            let committed = match projected {
                Ok((batch, letters)) => {
                    refused = letters.len();
                    // Before the commit: a crash between the two publishes the same letters again, under the same
                    // ids. The other way round it would lose them, since nobody reads the message again.
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
                    Purpose::Live(_) => {
                        self.view_metrics.projected(self.view, events, refused);
                        self.view_metrics.ignored(ignored.reports);
                        self.named.tell(ignored);
                    }
                    Purpose::Rebuild(_, watch) => watch.projected(messages, events),
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
